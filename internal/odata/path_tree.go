package odata

import (
	"net/http"
	"net/url"
	"strings"
)

// pathTree is Graph's part of the paths that there are. As in Graph, the letters of a path may be
// in either case, but for keys, whose cases are theirs: ids are GUIDs, which are compared without
// regard to it.
type pathTree struct {
	literals   map[string]*pathTree // by their segment in lower case
	key        *pathTree            // whatever the key is; nil: none can be here
	segment    string               // as patterns have it; empty: a key
	operations []*Operation         // whose path ends here
	schema     *schema              // of the root: the types that paths may cast to
}

func newPathTree(operations []*Operation, types *schema) *pathTree {
	tree := &pathTree{schema: types}
	for _, o := range operations {
		if isGraphPath(o.Pattern) {
			tree.add(strings.Split(o.Pattern[1:], "/"), o)
		}
	}
	return tree
}

// isGraphPath reports whether a path is Graph's, in letters of either case. What is the server's
// own is elsewhere.
func isGraphPath(path string) bool {
	version, _, found := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return found && (strings.EqualFold("/"+version+"/", BetaPath) ||
		strings.EqualFold("/"+version+"/", StablePath))
}

func (t *pathTree) add(segments []string, o *Operation) {
	if len(segments) == 0 {
		t.operations = append(t.operations, o)
		return
	}
	segment := segments[0]
	next := t.key
	if !isKey(segment) {
		next = t.literals[strings.ToLower(segment)]
	}
	switch {
	case next != nil:
	case isKey(segment):
		next = new(pathTree)
		t.key = next
	default:
		next = &pathTree{segment: segment}
		if t.literals == nil {
			t.literals = make(map[string]*pathTree)
		}
		t.literals[strings.ToLower(segment)] = next
	}
	next.add(segments[1:], o)
}

// pathFit is how a path fits a pattern.
type pathFit struct {
	schema *schema
	reads  bool     // the request reads
	casts  bool     // the path has a cast; it can have one
	to     TypeName // the type that it casts to; empty: all are of it
}

// find walks from a node along the segments that are left, and returns those that were passed and
// these in the letters of the pattern that they fit; false if they fit none. Casts are left out.
func (f *pathFit) find(t *pathTree, passed, left []string) ([]string, bool) {
	if len(left) == 0 {
		return passed, len(t.operations) > 0
	}
	given, err := url.PathUnescape(left[0])
	if err != nil {
		return nil, false
	}
	if next := t.literal(given, len(left) == 1); next != nil {
		if whole, ok := f.find(next, append(passed, next.segment), left[1:]); ok {
			return whole, true
		}
	}
	if !f.casts {
		if to, ok := t.cast(given, f.schema, f.reads || len(left) > 1); ok {
			f.casts, f.to = true, to
			if whole, ok := f.find(t, passed, left[1:]); ok {
				return whole, true
			}
			f.casts, f.to = false, ""
		}
	}
	if t.key == nil || given == "" || f.to != "" && !t.key.heedsCast() {
		return nil, false
	}
	return f.find(t.key, append(passed, left[0]), left[1:])
}

// literal is the node behind a segment that is no key; nil: there is none. The namespace may stand
// before the name of a function, and of an action on a thing, which ends a path (OData URL
// conventions 4.0, section 4.5); a name alone is the same.
func (t *pathTree) literal(given string, last bool) *pathTree {
	lowered := strings.ToLower(given)
	if next := t.literals[lowered]; next != nil {
		return next
	}
	name, qualified := strings.CutPrefix(lowered, GraphNamespace)
	if next := t.literals[name]; qualified && next != nil &&
		(isFunction(name) || last && t.segment == "" && next.isAction()) {
		return next
	}
	return nil
}

// isFunction reports whether a segment of a pattern calls a function.
func isFunction(segment string) bool { return strings.Contains(segment, "(") }

// isAction reports whether nothing but POST ends here.
func (t *pathTree) isAction() bool {
	return len(t.operations) == 1 && t.operations[0].Method == http.MethodPost
}

// written is a request whose path has the letters of the pattern that it fits, without a slash at
// its end and without a cast, which Request.Cast then tells.
func (t *pathTree) written(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	if !isGraphPath(escaped) {
		return r
	}
	fit := &pathFit{schema: t.schema, reads: IsSafe(r.Method)}
	given := strings.Split(strings.TrimSuffix(escaped, "/")[1:], "/")
	segments, ok := fit.find(t, make([]string, 0, len(given)), given)
	if !ok {
		return r
	}
	path := "/" + strings.Join(segments, "/")
	if path == escaped {
		return r
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return r
	}
	return withCast(withPath(r, plain, path), fit.to)
}

// withPath is a request with another path. escaped is how it is written, if that is not as usual.
func withPath(r *http.Request, path, escaped string) *http.Request {
	other := *r
	other.URL = new(url.URL)
	*other.URL = *r.URL
	other.URL.Path, other.URL.RawPath = path, escaped
	return &other
}
