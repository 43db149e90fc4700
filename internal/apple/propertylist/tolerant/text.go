package tolerant

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding/htmlindex"
)

// utf8Text is an XML document in UTF-8, which it is in already unless its first bytes or its
// declaration say otherwise (XML 1.0, appendix F). What cannot be told is taken for UTF-8.
func utf8Text(b []byte) []byte {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return b[3:]
	case bytes.HasPrefix(b, []byte("\xff\xfe\x00\x00")):
		return utf32Text(b[4:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\x00\x00\xfe\xff")):
		return utf32Text(b[4:], binary.BigEndian)
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		return utf16Text(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		return utf16Text(b[2:], binary.BigEndian)
	case bytes.HasPrefix(b, []byte("<\x00")):
		return utf16Text(b, binary.LittleEndian)
	case bytes.HasPrefix(b, []byte("\x00<")):
		return utf16Text(b, binary.BigEndian)
	}
	name := declaredEncoding(b)
	// the bytes say that it is neither UTF-16 nor UTF-32
	if name == "" || strings.HasPrefix(name, "utf") {
		return b
	}
	encoding, err := htmlindex.Get(name)
	if err != nil {
		return b
	}
	text, err := encoding.NewDecoder().Bytes(b)
	if err != nil {
		return b
	}
	return text
}

// declaredEncoding is the name in an XML declaration in lower case; empty: there is none.
func declaredEncoding(b []byte) string {
	if !bytes.HasPrefix(b, []byte("<?xml")) {
		return ""
	}
	declaration, _, found := bytes.Cut(b[:min(len(b), 256)], []byte("?>"))
	_, value, said := bytes.Cut(declaration, []byte("encoding"))
	if !found || !said {
		return ""
	}
	value = bytes.TrimLeft(value, "= \t\r\n")
	if len(value) == 0 || value[0] != '"' && value[0] != '\'' {
		return ""
	}
	name, _, _ := bytes.Cut(value[1:], value[:1])
	return strings.ToLower(string(name))
}

func utf16Text(b []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

func utf32Text(b []byte, order binary.ByteOrder) []byte {
	runes := make([]rune, len(b)/4)
	for i := range runes {
		runes[i] = rune(order.Uint32(b[4*i:]) & 0x7fffffff)
	}
	return []byte(string(runes))
}
