package simulator

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"

	"howett.net/plist"
)

// Oddity makes of a message, an XML property list, what the device really sends. kind is the
// MessageType of a check-in, or the Status of a report.
type Oddity func(kind string, message []byte) []byte

// SetOddity makes the device send its messages in another way than the usual; nil: as usual. Real
// devices write what is in their names and errors as it is, and every form of a property list that
// their system writes.
func (d *Device) SetOddity(odd Oddity) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.oddity = odd
}

func (d *Device) asSent(message map[string]any, body []byte) []byte {
	d.mu.Lock()
	odd := d.oddity
	d.mu.Unlock()
	if odd == nil {
		return body
	}
	kind, isCheckIn := message["MessageType"].(string)
	if !isCheckIn {
		kind, _ = message["Status"].(string)
	}
	return odd(kind, body)
}

// InBinary is the Oddity of a device that sends binary property lists.
func InBinary(_ string, message []byte) []byte {
	values, err := readPlist(message)
	if err == nil {
		message, err = plist.Marshal(values, plist.BinaryFormat)
	}
	if err != nil {
		panic(fmt.Sprintf("simulator: the device's own message: %v", err))
	}
	return message
}

// InUTF16 is the Oddity of a device that sends UTF-16, little endian, with a byte order mark.
func InUTF16(_ string, message []byte) []byte {
	text := []byte("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(strings.Replace(string(message), "UTF-8", "UTF-16",
		1))) {
		text = binary.LittleEndian.AppendUint16(text, unit)
	}
	return text
}

// WithMark is the Oddity of a device that puts a byte order mark before its XML.
func WithMark(_ string, message []byte) []byte { return append([]byte("\xef\xbb\xbf"), message...) }
