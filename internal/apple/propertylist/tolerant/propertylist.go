// Package tolerant reads the property lists that devices send, XML or binary, however odd they are.
// What can be read is read; what cannot stands there as Odd, or as Cut, and nothing is guessed. The
// work and the memory that a message takes are bounded by its length and by the limits below,
// whatever it says.
package tolerant

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	maxDepth = 64 // of dictionaries and arrays in each other
	// values that are kept of one list; a device with 1,000 apps has some 10,000
	maxNodes = 100_000
	// of texts and data that are kept: a binary list can refer to one object often
	maxBytes = 32 << 20
)

// Dict is a dictionary, List an array. Other values are string, bool, uint64, int64 (negative),
// float64, []byte, time.Time, Odd and Cut.
type (
	Dict = map[string]any
	List = []any
)

// Odd is in place of a value that cannot be read.
type Odd struct{ Why string }

// Cut is a dictionary or an array of which something may be missing.
type Cut struct {
	Value any // Dict or List
	Why   string
}

// IsWhole reports whether everything in a value was read.
func IsWhole(v any) bool {
	switch v := v.(type) {
	case Odd, Cut:
		return false
	case Dict:
		for _, one := range v {
			if !IsWhole(one) {
				return false
			}
		}
	case List:
		for _, one := range v {
			if !IsWhole(one) {
				return false
			}
		}
	}
	return true
}

// Part returns what there is of a value; nil: nothing.
func Part(v any) any {
	switch v := v.(type) {
	case Odd:
		return nil
	case Cut:
		return v.Value
	}
	return v
}

// Wanted names the members of a dictionary that are read, and of theirs; all others are passed
// over. Members that have no name of their own are named "*". An array passes it on to its
// elements. The nil Wanted is everything.
type Wanted map[string]Wanted

// of returns what is wanted of a member, and whether it is wanted at all.
func (w Wanted) of(key string) (Wanted, bool) {
	if w == nil {
		return nil, true
	}
	inner, ok := w[key]
	if !ok {
		inner, ok = w["*"]
	}
	return inner, ok
}

// Read reads the dictionary at the root of b, nil if there is none. damage says what is wrong with
// b as a whole; empty: nothing is.
func Read(b []byte, w Wanted) (root Dict, damage string) {
	if bytes.HasPrefix(b, []byte("bplist")) {
		return readBinary(b, w)
	}
	r := &xmlReader{limits: limits{nodes: maxNodes, bytes: maxBytes}, rest: utf8Text(b)}
	return r.document(w)
}

// limits is what may still be kept.
type limits struct{ nodes, bytes int }

// spend reports whether a value of n bytes may be kept.
func (l *limits) spend(n int) bool {
	if l.nodes <= 0 || l.bytes < n {
		return false
	}
	l.nodes--
	l.bytes -= n
	return true
}

var tooMuch = Odd{"the property list holds more than is read"}

// clean is a text without what XML does not allow (XML 1.0, section 2.2), nor a database or a
// terminal likes.
func clean(text string) string {
	if isClean(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if allowed(r) {
			return r
		}
		return utf8.RuneError
	}, text)
}

func isClean(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < ' ' && c != '\t' && c != '\n' && c != '\r' || c >= utf8.RuneSelf {
			return utf8.ValidString(text) && strings.IndexFunc(text,
				func(r rune) bool { return !allowed(r) }) < 0
		}
	}
	return true
}

func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r < 0xD800 ||
		r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}
