package propertylist

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// marks are the byte order marks, and how XML without one begins in encodings of more than a byte
// (XML 1.0, appendix F).
var marks = []struct {
	bytes string
	skip  int
	name  string
	enc   encoding.Encoding // nil: UTF-8
}{
	{"\x00\x00\xfe\xff", 4, "UTF-32", utf32.UTF32(utf32.BigEndian, utf32.IgnoreBOM)},
	{"\xff\xfe\x00\x00", 4, "UTF-32", utf32.UTF32(utf32.LittleEndian, utf32.IgnoreBOM)},
	{"\xef\xbb\xbf", 3, "UTF-8", nil},
	{"\xff\xfe", 2, "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{"\xfe\xff", 2, "UTF-16", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
	{"<\x00", 0, "UTF-16", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)},
	{"\x00<", 0, "UTF-16", unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)},
}

// declaration finds the encoding that an XML declaration names.
var declaration = regexp.MustCompile(`^<\?xml[^>?]{0,200}[ \t\r\n]encoding[ \t\r\n]*=[ \t\r\n]*["']([^"'>?]{1,60})["']`)

// toUTF8 returns an XML document in UTF-8 without a byte order mark. As Apple's reader does, it
// believes a mark more than what the document says of itself.
func toUTF8(b []byte) ([]byte, error) {
	for _, mark := range marks {
		if rest, ok := bytes.CutPrefix(b, []byte(mark.bytes)); ok {
			if mark.enc == nil {
				return rest, nil
			}
			return transcode(b[mark.skip:], mark.enc, mark.name)
		}
	}
	declared := declaration.FindSubmatch(b)
	if declared == nil {
		return b, nil
	}
	name := string(declared[1])
	switch folded := strings.ToUpper(name); {
	case folded == "UTF-8":
		return b, nil
	case strings.HasPrefix(folded, "UTF-16"), strings.HasPrefix(folded, "UTF-32"),
		folded == "ISO-10646-UCS-2", folded == "ISO-10646-UCS-4":
		return nil, fmt.Errorf("line 1: it says that it is in the encoding %s, and it is not: "+
			"save it in that encoding, or name the one that it is in", name)
	}
	enc, err := ianaindex.IANA.Encoding(name)
	if err != nil || enc == nil {
		enc, err = htmlindex.Get(name)
	}
	if err != nil || enc == nil || enc == encoding.Replacement {
		return nil,
			fmt.Errorf("line 1: it says that it is in the encoding %q, which is not known: save it as UTF-8", name)
	}
	return transcode(b, enc, name)
}

func transcode(b []byte, enc encoding.Encoding, name string) ([]byte, error) {
	bad := fmt.Errorf("it has bytes that are no text in its encoding, %s", name)
	text, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return nil, bad
	}
	if len(text) > 3*maxPropertyList {
		return nil, errors.New("it is too large")
	}
	// A decoder replaces what it cannot read. Whether the document has the replacement itself shows
	// the way back.
	if bytes.ContainsRune(text, '\ufffd') {
		if again, err := enc.NewEncoder().Bytes(text); err != nil || !bytes.Equal(again, b) {
			return nil, bad
		}
	}
	return text, nil
}
