// Package limit bounds what comes from outside before a library reads it, for libraries that have no bounds of their own.
package limit

import (
	"bytes"
	"fmt"
)

const (
	// maxElements is some times what the longest profiles and inventories have: they have about 40 bytes an element, and
	// a reader takes about 300 for one.
	maxElements = 1 << 17
	maxTag      = 1 << 10 // bytes of one tag with its attributes; a property list's have none
)

// XML bounds how many elements a document has, and how long their tags are. It knows nothing of their names, and counts too
// much in doubt, never too little. The document must be in an encoding that writes ASCII as ASCII.
func XML(b []byte) error {
	for elements := 0; ; {
		_, rest, found := bytes.Cut(b, []byte("<"))
		if !found {
			return nil
		}
		switch {
		case bytes.HasPrefix(rest, []byte("!--")):
			_, b, _ = bytes.Cut(rest[3:], []byte("-->"))
			continue
		case bytes.HasPrefix(rest, []byte("![CDATA[")):
			_, b, _ = bytes.Cut(rest, []byte("]]>"))
			continue
		case bytes.HasPrefix(rest, []byte("/")):
		default:
			if elements++; elements > maxElements {
				return fmt.Errorf("it has more than %d elements", maxElements)
			}
		}
		n := tagLength(rest)
		if n > maxTag {
			return fmt.Errorf("it has a tag of more than %d bytes", maxTag)
		}
		b = rest[n:]
	}
}

// tagLength finds the end of a tag, which may have > in quotes. It looks a little further than a tag may be long.
func tagLength(b []byte) int {
	quote := byte(0)
	for i, c := range b[:min(len(b), maxTag+1)] {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>' || c == '<':
			return i
		}
	}
	return min(len(b), maxTag+1)
}
