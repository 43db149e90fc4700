package odata

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

var byteOrderMark = []byte("\ufeff")

// decodeText is a body in UTF-8 without a byte order mark (RFC 8259, section 8.1). What some
// clients send is UTF-16, with a mark or without: JSON begins with a character of ASCII, so that
// one of its first two bytes is 0 (RFC 4627, section 3). It becomes half as long again at most.
func decodeText(body []byte) ([]byte, error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}), len(body) > 1 && body[0] != 0 && body[1] == 0:
		order = binary.LittleEndian
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}), len(body) > 1 && body[0] == 0 && body[1] != 0:
		order = binary.BigEndian
	case !utf8.Valid(body):
		return nil, BadRequest("", "The request body is not valid JSON: it is not UTF-8.")
	default:
		return bytes.TrimPrefix(body, byteOrderMark), nil
	}
	text := make([]byte, 0, len(body)/2+utf8.UTFMax)
	for i := 0; i < len(body); i += 2 {
		if i+1 == len(body) {
			return nil, notUTF16()
		}
		r := rune(order.Uint16(body[i:]))
		if utf16.IsSurrogate(r) {
			if i += 2; i+1 >= len(body) {
				return nil, notUTF16()
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(body[i:]))); r == utf8.RuneError {
				return nil, notUTF16()
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return bytes.TrimPrefix(text, byteOrderMark), nil
}

func notUTF16() *Fault {
	return BadRequest("", "The request body is not valid JSON: it begins as UTF-16 and is not.")
}
