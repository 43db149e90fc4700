// Package propertylist reads and keeps the property lists that admins give: profiles, app
// configurations. It takes what Apple's own reader takes, and refuses the rest with the place,
// because what is wrong in a file must be told to whoever uploads it before a device gets it.
//
// What devices send is read by the other mode, in the folder tolerant: there a message that is
// partly odd still tells something, and speed counts. The two share no code on purpose: this one
// must know where each value stands and refuse, that one must go on and skip.
//
// Begin reading at Decode.
package propertylist

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// maxNesting is deeper than any real property list, and shallow enough for every recursive
	// reader.
	maxNesting = 64
	// maxValues bounds the values of one XML property list: each costs more memory than the bytes
	// that it is written in.
	maxValues = 1 << 18
	// maxPropertyList is the most bytes that a property list may have.
	maxPropertyList = 8 << 20
)

var binaryMagic = []byte("bplist0")

// ErrNoList is the error of what is no property list at all.
var ErrNoList = errors.New("it is neither an XML property list nor a binary one")

// Decode decodes an XML or binary property list from outside whose root is a dictionary. It takes
// what Apple's reader takes (CoreFoundation, CFPropertyList.c): any declared encoding, comments,
// CDATA, signed and hexadecimal integers, anything behind the root. It refuses what exhausts a
// reader (entities, deep nesting, reference loops), and texts that no XML can hold, with the place.
// Values are string, bool, uint64, int64 (negative), float64, []byte, time.Time, []any and
// map[string]any.
func Decode(b []byte) (map[string]any, error) {
	if len(b) > maxPropertyList {
		return nil, fmt.Errorf("it has %d bytes; at most %d are possible", len(b), maxPropertyList)
	}
	var root any
	var err error
	if bytes.HasPrefix(b, binaryMagic) {
		if root, err = decodeBinary(b); err == nil {
			err = checkTexts(root)
		}
	} else {
		root, err = decodeXML(b)
	}
	if err != nil {
		return nil, err
	}
	dict, ok := root.(map[string]any)
	if !ok {
		return nil, errors.New("its root is not a dictionary")
	}
	return dict, nil
}

func decodeXML(b []byte) (any, error) {
	text, err := toUTF8(b)
	if err != nil {
		return nil, err
	}
	if trimmed := bytes.TrimSpace(text); !bytes.HasPrefix(trimmed, []byte("<")) {
		return nil, notAList(trimmed)
	}
	r := xmlReader{text: text}
	return r.document()
}

// notAList says what a text is that is not an XML property list. Apple's older, bracketed form can
// hold no number and no boolean, so that no profile can be written in it.
func notAList(text []byte) error {
	if len(text) > 0 && strings.IndexByte("{(", text[0]) >= 0 {
		return errors.New("it is JSON or a property list of the old form with brackets: " +
			"convert it to XML, on a Mac with plutil -convert xml1")
	}
	return ErrNoList
}

// place is where in a property list something stands: the keys and, where a key is empty, the index
// in an array.
type place []pathStep

type pathStep struct {
	key   string
	index int // of an array; -1: key counts
}

// String is the place as a path, such as PayloadContent[2].PayloadVersion.
func (p place) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.index >= 0:
			fmt.Fprintf(&b, "[%d]", s.index)
		case b.Len() > 0:
			fmt.Fprintf(&b, ".%.60s", s.key)
		default:
			fmt.Fprintf(&b, "%.60s", s.key)
		}
	}
	return b.String()
}

// checkTexts refuses a value with a text that XML cannot hold, and says where it is. Binary
// property lists can hold any.
func checkTexts(root any) error {
	var at place
	var check func(v any) error
	check = func(v any) error {
		switch v := v.(type) {
		case string:
			if reason := badText(v); reason != "" {
				return fmt.Errorf("%s: %s", at, reason)
			}
		case []any:
			for i, e := range v {
				at = append(at, pathStep{index: i})
				if err := check(e); err != nil {
					return err
				}
				at = at[:len(at)-1]
			}
		case map[string]any:
			for key, e := range v {
				at = append(at, pathStep{key: key, index: -1})
				if reason := badText(key); reason != "" {
					return fmt.Errorf("%s: the key %s",
						strings.ToValidUTF8(Printable(at.String()), "\ufffd"), reason)
				}
				if err := check(e); err != nil {
					return err
				}
				at = at[:len(at)-1]
			}
		}
		return nil
	}
	return check(root)
}

// badText says what is wrong with a text that no XML document can hold (XML 1.0, section 2.2);
// empty: nothing.
func badText(s string) string {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return "has a byte that is no character of its encoding"
			}
		}
		if !isXML(r) {
			return fmt.Sprintf("has the control character %U: take it out", r)
		}
	}
	return ""
}

func isXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xd7ff ||
		r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r <= 0x10ffff
}

// Printable replaces what must not be in a message.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || !isXML(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// IsText reports whether an XML property list can hold a text (XML 1.0, section 2.2).
func IsText(text string) bool {
	return utf8.ValidString(text) && strings.IndexFunc(text,
		func(r rune) bool { return !isXML(r) }) < 0
}

// Line tells the line and column at which a value of a property list begins; empty where there are
// no lines. The value is named by its path: PayloadContent[2].PayloadVersion.
func Line(list []byte, path string) string {
	text, err := toUTF8(list)
	if err != nil || bytes.HasPrefix(list, binaryMagic) {
		return ""
	}
	r := xmlReader{text: text, find: path}
	if _, err := r.document(); err != nil || r.found == 0 {
		return ""
	}
	return r.line(r.found)
}
