package plaintext

import (
	"fmt"
	"unicode/utf8"
)

// EscapeJSON returns JSON of the same meaning, in which what Steers is written with escapes.
// Outside of strings JSON has no such characters but tabs and ends of lines, and they stay.
func EscapeJSON(text []byte) []byte {
	var escaped []byte // nil: all of it is as it was
	kept := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r >= 0x7f && Steers(r) {
			escaped = append(escaped, text[kept:i]...)
			escaped = appendEscape(escaped, r)
			kept = i + size
		}
		i += size
	}
	if escaped == nil {
		return text
	}
	return append(escaped, text[kept:]...)
}

func appendEscape(to []byte, r rune) []byte {
	if r > 0xffff {
		r -= 0x10000
		return fmt.Appendf(to, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
	}
	return fmt.Appendf(to, `\u%04x`, r)
}
