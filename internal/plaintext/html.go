package plaintext

import (
	"bytes"
	"unicode/utf8"
)

// EscapeHTML returns a page in which U+FFFD is in place of what turns the direction of writing, or
// is invisible, as far as it is shown: in tags and in text areas, where a person edits a text, it
// stays. The page must have < and > only around tags, as html/template writes it.
func EscapeHTML(page []byte) []byte {
	var escaped []byte // nil: all of it is as it was
	kept := 0
	for i := 0; i < len(page); {
		if page[i] == '<' {
			i = afterTag(page, i)
			continue
		}
		r, size := utf8.DecodeRune(page[i:])
		if r >= 0x80 && Steers(r) {
			escaped = append(append(escaped, page[kept:i]...), string(utf8.RuneError)...)
			kept = i + size
		}
		i += size
	}
	if escaped == nil {
		return page
	}
	return append(escaped, page[kept:]...)
}

// afterTag is where the text behind a tag begins, and behind a text area its end.
func afterTag(page []byte, begin int) int {
	end := []byte(">")
	if bytes.HasPrefix(page[begin:], []byte("<textarea")) {
		end = []byte("</textarea>")
	}
	n := bytes.Index(page[begin:], end)
	if n < 0 {
		return len(page)
	}
	return begin + n + len(end)
}
