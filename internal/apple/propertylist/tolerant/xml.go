package tolerant

import "bytes"

// xmlReader reads a document from its start to its end, once. It has no grammar to hold the
// document against: an element that is not closed is cut where another one's end closes it.
type xmlReader struct {
	limits
	rest   []byte
	open   []string // the names of the containers that are being read
	damage string
}

type tag struct {
	name       string
	end, empty bool // </name>, <name/>
}

const (
	endsEarly = "it ends too early"
	unclosed  = "its elements do not end where they should"
)

func (r *xmlReader) document(w Wanted) (Dict, string) {
	for {
		t, ok := r.tag()
		switch {
		case !ok:
			return nil, "it is no property list"
		case t.end, t.name == "plist":
			continue
		case t.name != "dict":
			return nil, "its root is not a dictionary"
		}
		root, _ := Part(r.value(t, w, 1)).(Dict)
		return root, r.damage
	}
}

// names are those of a property list's elements: a tag's name is one of these texts, and costs none
// of its own.
var names = map[string]string{"plist": "plist", "dict": "dict", "array": "array", "key": "key",
	"string": "string", "integer": "integer",
	"real": "real", "data": "data", "date": "date", "true": "true", "false": "false"}

// tag returns the next tag, passing over texts, comments, declarations and processing instructions.
func (r *xmlReader) tag() (t tag, ok bool) {
	for {
		i := bytes.IndexByte(r.rest, '<')
		if i < 0 || i+1 == len(r.rest) {
			r.rest = nil
			return t, false
		}
		r.rest = r.rest[i+1:]
		switch {
		case bytes.HasPrefix(r.rest, []byte("!--")):
			r.pass("-->")
			continue
		case bytes.HasPrefix(r.rest, []byte("![CDATA[")):
			r.pass("]]>")
			continue
		case r.rest[0] == '?':
			r.pass("?>")
			continue
		case r.rest[0] == '!':
			r.declaration()
			continue
		}
		inside, rest, closed := bytes.Cut(r.rest, []byte(">"))
		r.rest = rest
		if !closed {
			return t, false
		}
		if inside, t.end = bytes.CutPrefix(inside, []byte("/")); !t.end {
			inside, t.empty = bytes.CutSuffix(inside, []byte("/"))
		}
		if blank := bytes.IndexAny(inside, " \t\r\n"); blank >= 0 {
			inside = inside[:blank]
		}
		t.name = names[string(inside)]
		return t, true
	}
}

func (r *xmlReader) pass(end string) { _, r.rest, _ = bytes.Cut(r.rest, []byte(end)) }

// declaration passes over a document type, with what it declares between brackets.
func (r *xmlReader) declaration() {
	if head, _, _ := bytes.Cut(r.rest, []byte(">")); bytes.IndexByte(head, '[') >= 0 {
		r.pass("]")
	}
	r.pass(">")
}

// value reads the value whose first tag was just read.
func (r *xmlReader) value(t tag, w Wanted, depth int) any {
	switch {
	case !r.spend(0):
		r.skip(t)
		return tooMuch
	case t.name == "dict" || t.name == "array":
		if depth > maxDepth {
			r.skip(t)
			return Odd{"nested too deep"}
		}
		if t.name == "dict" {
			return r.dict(t, w, depth)
		}
		return r.array(t, w, depth)
	case t.name == "" || t.name == "plist" || t.name == "key":
		r.skip(t)
		return Odd{"an element that property lists do not have"}
	}
	text, whole := r.text(t)
	switch {
	case !whole:
		return Odd{endsEarly}
	case r.bytes < len(text):
		return tooMuch
	}
	r.bytes -= len(text)
	return readScalar(t.name, string(text))
}

// dict reads a dictionary up to its end. Of a key that comes twice the last value counts, as on
// devices.
func (r *xmlReader) dict(t tag, w Wanted, depth int) any {
	d := Dict{}
	if t.empty {
		return d
	}
	r.open = append(r.open, t.name)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	lost := ""
	key, keyed := "", false
	for {
		next, more := r.next()
		switch {
		case !more:
			return Cut{d, r.damage}
		case next.end && lost != "":
			return Cut{d, lost}
		case next.end:
			return d
		case next.name == "key":
			text, whole := r.text(next)
			if !whole {
				return Cut{d, r.damage}
			}
			if keyed {
				d[key] = Odd{"a key without a value"}
			}
			key, keyed = clean(unescape(string(text))), true
		case !keyed:
			r.skip(next)
		default:
			keyed = false
			inner, wanted := w.of(key)
			if !wanted {
				r.skip(next)
				continue
			}
			v := r.value(next, inner, depth+1)
			if v == tooMuch && depth > 1 {
				lost = tooMuch.Why
				continue
			}
			d[key] = v
		}
	}
}

func (r *xmlReader) array(t tag, w Wanted, depth int) any {
	list := List{}
	if t.empty {
		return list
	}
	r.open = append(r.open, t.name)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	lost := ""
	for {
		next, more := r.next()
		switch {
		case !more:
			return Cut{list, r.damage}
		case next.end && lost != "":
			return Cut{list, lost}
		case next.end:
			return list
		}
		if v := r.value(next, w, depth+1); v == tooMuch {
			lost = tooMuch.Why
		} else {
			list = append(list, v)
		}
	}
}

// next returns the next tag inside the innermost container: the first of a value, or the
// container's end. more is false if the container ends in another way; r.damage says how.
func (r *xmlReader) next() (t tag, more bool) {
	for {
		before := r.rest
		t, ok := r.tag()
		if !ok {
			r.damage = endsEarly
			return t, false
		}
		if !t.end || t.name == r.open[len(r.open)-1] {
			return t, true
		}
		r.damage = unclosed
		for _, name := range r.open[:len(r.open)-1] {
			if name == t.name || t.name == "plist" { // the end of one around it
				r.rest = before
				return t, false
			}
		}
		if t.name == "plist" {
			return t, false
		}
	}
}

// text is the content of the element whose first tag was just read, as it is written.
func (r *xmlReader) text(t tag) (text []byte, whole bool) {
	if t.empty {
		return nil, true
	}
	rest := r.rest
	for at := 0; ; {
		i := bytes.IndexByte(rest[at:], '<')
		if i < 0 {
			r.rest, r.damage = nil, endsEarly
			return nil, false
		}
		at += i
		switch tail := rest[at+1:]; {
		case bytes.HasPrefix(tail, []byte("![CDATA[")):
			at += 1 + indexAfter(tail, "]]>")
		case bytes.HasPrefix(tail, []byte("!--")):
			at += 1 + indexAfter(tail, "-->")
		case len(tail) > len(t.name) && tail[0] == '/' && string(tail[1:1+len(t.name)]) == t.name:
			r.rest = rest[at:]
			r.pass(">")
			return rest[:at], true
		default:
			at++
		}
	}
}

// indexAfter is where what follows an end begins.
func indexAfter(b []byte, end string) int {
	if i := bytes.Index(b, []byte(end)); i >= 0 {
		return i + len(end)
	}
	return len(b)
}

// skip passes over the value whose first tag was just read.
func (r *xmlReader) skip(t tag) {
	for depth := 0; ; {
		switch {
		case t.end:
			depth--
		case t.empty:
		case t.name == "dict" || t.name == "array" || t.name == "plist" || t.name == "":
			depth++
		default:
			if _, whole := r.text(t); !whole {
				return
			}
		}
		if depth <= 0 {
			return
		}
		before := r.rest
		var ok bool
		if t, ok = r.tag(); !ok {
			r.damage = endsEarly
			return
		}
		if t.end && t.name == "plist" {
			r.rest, r.damage = before, unclosed
			return
		}
	}
}
