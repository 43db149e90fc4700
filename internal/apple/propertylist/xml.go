package propertylist

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// xmlReader reads an XML property list as Apple's own reader does, which is not quite XML:
// attributes and what is behind the root do not matter, "--" may stand in a comment, and no entity
// but XML's own five is known.
type xmlReader struct {
	text   []byte // UTF-8
	i      int
	at     place
	values int

	find  string // the place of the value to look for; empty: none
	found int    // where that value begins
}

const findDepth = 3 // of the values that can be looked for: PayloadContent[0].PayloadType

// tag is one tag of the document. A closing one is never empty.
type tag struct {
	name           string
	start          int
	closing, empty bool
}

// fail is an error at an offset of the document.
func (r *xmlReader) fail(offset int, format string, args ...any) error {
	where := r.line(offset)
	if path := r.at.String(); path != "" {
		where += " (" + Printable(path) + ")"
	}
	return fmt.Errorf("%s: %s", where, fmt.Sprintf(format, args...))
}

// line tells the line and column of an offset, in characters, both from 1.
func (r *xmlReader) line(offset int) string {
	before := bytes.ReplaceAll(r.text[:min(offset, len(r.text))], []byte("\r\n"), []byte("\n"))
	before = bytes.ReplaceAll(before, []byte("\r"), []byte("\n"))
	last := bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte("\n"))+1,
		utf8.RuneCount(before[last+1:])+1)
}

func (r *xmlReader) tooShort() error {
	return r.fail(len(r.text), "it ends too early")
}

// document reads up to the end of the root.
func (r *xmlReader) document() (any, error) {
	t, err := r.content(true)
	if err != nil {
		return nil, err
	}
	if t.closing {
		return nil, r.fail(t.start, "the tag </%.20s> closes nothing", Printable(t.name))
	}
	return r.value(t, 0)
}

// content finds the next tag, behind white space, comments and processing instructions.
func (r *xmlReader) content(prolog bool) (t tag, err error) {
	for {
		for r.i < len(r.text) && isBlank(r.text[r.i]) {
			r.i++
		}
		rest := r.text[r.i:]
		switch {
		case len(rest) < 2:
			return t, r.tooShort()
		case rest[0] != '<':
			end := bytes.IndexByte(rest, '<')
			if end < 0 {
				end = len(rest)
			}
			return t, r.fail(r.i, "the text %q is outside of a value",
				clipped(string(bytes.TrimSpace(rest[:end]))))
		case rest[1] == '?':
			err = r.skip(r.i+2, "?>")
		case bytes.HasPrefix(rest, []byte("<!--")):
			err = r.skip(r.i+4, "-->")
		case rest[1] == '!' && prolog:
			err = r.doctype()
		case rest[1] == '!':
			return t, r.fail(r.i, "a declaration inside of the list")
		default:
			return r.tag()
		}
		if err != nil {
			return t, err
		}
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skip goes behind the next end at or behind from.
func (r *xmlReader) skip(from int, end string) error {
	from = min(from, len(r.text))
	n := bytes.Index(r.text[from:], []byte(end))
	if n < 0 {
		return r.fail(r.i, "what begins here has no end (%s)", end)
	}
	r.i = from + n + len(end)
	return nil
}

// doctype skips a document type with its declarations, of which none counts: an entity that one
// declares is not known.
func (r *xmlReader) doctype() error {
	start := r.i
	if !bytes.HasPrefix(r.text[r.i:], []byte("<!DOCTYPE")) {
		return r.fail(r.i, "a declaration that is no document type")
	}
	n := bytes.IndexAny(r.text[r.i:], "[>")
	if n < 0 {
		return r.tooShort()
	}
	r.i += n
	if r.text[r.i] == '>' {
		r.i++
		return nil
	}
	for r.i++; r.i < len(r.text); {
		var err error
		switch rest := r.text[r.i:]; {
		case rest[0] == ']':
			r.i++
			return r.skip(r.i, ">")
		case bytes.HasPrefix(rest, []byte("<!--")):
			err = r.skip(r.i+4, "-->")
		case bytes.HasPrefix(rest, []byte("<?")):
			err = r.skip(r.i+2, "?>")
		case rest[0] == '<':
			err = r.skip(r.i, ">")
		default:
			r.i++
		}
		if err != nil {
			return err
		}
	}
	return r.fail(start, "the document type has no end")
}

// tag reads the tag that begins here.
func (r *xmlReader) tag() (t tag, err error) {
	t.start = r.i
	n := bytes.IndexByte(r.text[r.i:], '>')
	if n < 0 {
		return t, r.tooShort()
	}
	inner := r.text[r.i+1 : r.i+n]
	r.i += n + 1
	if name, closing := bytes.CutPrefix(inner, []byte("/")); closing {
		t.closing, t.name = true, string(bytes.TrimRight(name, " \t\r\n"))
		return t, nil
	}
	inner, t.empty = bytes.CutSuffix(inner, []byte("/"))
	if n := bytes.IndexAny(inner, " \t\r\n"); n >= 0 {
		inner = inner[:n]
	}
	t.name = string(inner)
	return t, nil
}

// value reads the value that t begins.
func (r *xmlReader) value(t tag, depth int) (any, error) {
	if r.values++; r.values > maxValues {
		return nil, r.fail(t.start, "it has more than %d values", maxValues)
	}
	if depth > maxNesting {
		return nil, r.fail(t.start, "nested deeper than %d levels", maxNesting)
	}
	if r.find != "" && len(r.at) <= findDepth && r.find == r.at.String() {
		r.found = t.start
	}
	if t.empty {
		return r.emptyValue(t)
	}
	switch t.name {
	case "plist":
		return r.wrapped(t, depth)
	case "dict":
		return r.dictionary(t, depth)
	case "array":
		return r.array(t, depth)
	case "true", "false":
		return t.name == "true", r.close(t)
	case "string", "key":
		return r.textOf(t)
	case "integer", "real", "date", "data":
		return r.scalar(t)
	default:
		return nil, r.fail(t.start, "<%.20s> is no value of a property list", Printable(t.name))
	}
}

func (r *xmlReader) emptyValue(t tag) (any, error) {
	switch t.name {
	case "dict":
		return map[string]any{}, nil
	case "array":
		return []any{}, nil
	case "string", "key":
		return "", nil
	case "true", "false":
		return t.name == "true", nil
	case "plist":
		return nil, r.fail(t.start, "the property list is empty")
	case "integer", "real", "date", "data":
		return nil, r.fail(t.start, "<%s/> has no value", t.name)
	default:
		return nil, r.fail(t.start, "<%.20s> is no value of a property list", Printable(t.name))
	}
}

// inside finds the next value inside of t; more is false at the end of t.
func (r *xmlReader) inside(t tag) (next tag, more bool, err error) {
	next, err = r.content(false)
	if err == nil && next.closing && next.name != t.name {
		err = r.fail(next.start, "</%.20s> where <%s> of %s ends", Printable(next.name), t.name,
			r.line(t.start))
	}
	return next, !next.closing, err
}

// wrapped reads the one value of a <plist>.
func (r *xmlReader) wrapped(t tag, depth int) (any, error) {
	next, more, err := r.inside(t)
	if err == nil && !more {
		err = r.fail(t.start, "the property list is empty")
	}
	if err != nil {
		return nil, err
	}
	v, err := r.value(next, depth+1)
	if err != nil {
		return nil, err
	}
	if next, more, err = r.inside(t); err == nil && more {
		err = r.fail(next.start, "a second root value")
	}
	return v, err
}

func (r *xmlReader) array(t tag, depth int) (any, error) {
	list := []any{}
	for {
		next, more, err := r.inside(t)
		if err != nil || !more {
			return list, err
		}
		r.at = append(r.at, pathStep{index: len(list)})
		v, err := r.value(next, depth+1)
		if err != nil {
			return nil, err
		}
		r.at = r.at[:len(r.at)-1]
		list = append(list, v)
	}
}

// dictionary reads a <dict>. Of a key that is there twice the last counts, as on a device; but not
// of those that say what a profile is: another reader could take the first.
func (r *xmlReader) dictionary(t tag, depth int) (any, error) {
	dict := make(map[string]any)
	for {
		next, more, err := r.inside(t)
		if err != nil || !more {
			return dict, err
		}
		if next.name != "key" {
			return nil, r.fail(next.start, "<%.20s> without a key", Printable(next.name))
		}
		key := ""
		if !next.empty {
			if key, err = r.textOf(next); err != nil {
				return nil, err
			}
		}
		if _, twice := dict[key]; twice && strings.HasPrefix(key, "Payload") {
			return nil, r.fail(next.start, "the key %q is there twice", clipped(key))
		}
		value, more, err := r.inside(t)
		if err == nil && !more {
			err = r.fail(next.start, "the key %q has no value", clipped(key))
		}
		if err != nil {
			return nil, err
		}
		r.at = append(r.at, pathStep{key: key, index: -1})
		if dict[key], err = r.value(value, depth+1); err != nil {
			return nil, err
		}
		r.at = r.at[:len(r.at)-1]
	}
}
