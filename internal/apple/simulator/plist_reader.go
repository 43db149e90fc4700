package simulator

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"howett.net/plist"
)

// maxPlistDepth is how deep CoreFoundation's reader goes, and shallow enough for a recursive
// parser.
const maxPlistDepth = 512

// readPlist reads what CoreFoundation's property list reader takes: binary and XML, in any encoding
// that its first bytes or its declaration tell, with hexadecimal and signed integers, and
// characters that XML does not allow. It is another reader than the server's, so that what one of
// them gets wrong the other does not.
func readPlist(raw []byte) (values map[string]any, err error) {
	defer recoverParser("property list", &err)
	if !bytes.HasPrefix(raw, []byte("bplist")) {
		if raw, err = plainXML(raw); err != nil {
			return nil, err
		}
	}
	var root any
	if _, err := plist.Unmarshal(raw, &root); err != nil {
		return nil, err
	}
	values, isDict := root.(map[string]any)
	if !isDict {
		return nil, errors.New("its root is not a dictionary")
	}
	return values, nil
}

var (
	declaration = regexp.MustCompile(`^\s*<\?xml[^>]*\?>`)
	encodingIn  = regexp.MustCompile(`encoding\s*=\s*["']([^"']*)["']`)
	integerIn   = regexp.MustCompile(`<integer>\s*\+?([^<]*?)\s*</integer>`)
	nestingIn   = regexp.MustCompile(`<(/?)(?:dict|array)[\s>]`)
)

// plainXML is a document in UTF-8 without a declaration, as a strict parser takes it.
func plainXML(raw []byte) ([]byte, error) {
	text := decodeText(raw)
	text = declaration.ReplaceAll(bytes.TrimPrefix(text, []byte("\ufeff")), nil)
	if !utf8.Valid(text) || bytes.IndexFunc(text, notXML) >= 0 {
		text = bytes.Map(func(r rune) rune {
			if notXML(r) {
				return utf8.RuneError
			}
			return r
		}, text)
	}
	depth := 0
	for _, m := range nestingIn.FindAllSubmatch(text, -1) {
		if depth++; len(m[1]) > 0 {
			depth -= 2
		}
		if depth > maxPlistDepth {
			return nil, fmt.Errorf("nested deeper than %d", maxPlistDepth)
		}
	}
	return integerIn.ReplaceAll(text, []byte("<integer>$1</integer>")), nil
}

// notXML reports whether XML does not allow a character (XML 1.0, section 2.2).
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func decodeText(raw []byte) []byte {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe")), bytes.HasPrefix(raw, []byte("<\x00")):
		return fromUTF16(raw, binary.LittleEndian)
	case bytes.HasPrefix(raw, []byte("\xfe\xff")), bytes.HasPrefix(raw, []byte("\x00<")):
		return fromUTF16(raw, binary.BigEndian)
	}
	head := declaration.Find(raw)
	if m := encodingIn.FindSubmatch(head); m != nil &&
		!strings.HasPrefix(strings.ToLower(string(m[1])), "utf") {
		if encoding, err := htmlindex.Get(string(m[1])); err == nil {
			if text, err := encoding.NewDecoder().Bytes(raw); err == nil {
				return text
			}
		}
	}
	return raw
}

func fromUTF16(raw []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = order.Uint16(raw[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}
