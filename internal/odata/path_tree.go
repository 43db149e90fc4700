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
	literals map[string]*pathTree // by their segment in lower case
	key      *pathTree            // whatever the key is; nil: none can be here
	segment  string               // as patterns have it; empty: a key
	methods  []string             // of the operations whose path ends here
}

func newPathTree(operations []*Operation) *pathTree {
	tree := new(pathTree)
	for _, o := range operations {
		if isGraphPath(o.Pattern) {
			tree.add(strings.Split(o.Pattern[1:], "/"), o.Method)
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

func (t *pathTree) add(segments []string, method string) {
	if len(segments) == 0 {
		t.methods = append(t.methods, method)
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
	next.add(segments[1:], method)
}

// write puts segments into the letters of the pattern that they fit; false if they fit none.
func (t *pathTree) write(segments []string) bool {
	if len(segments) == 0 {
		return len(t.methods) > 0
	}
	given, err := url.PathUnescape(segments[0])
	if err != nil {
		return false
	}
	lowered := strings.ToLower(given)
	next := t.literals[lowered]
	// The namespace may stand before the name of an action on a thing (OData URL conventions 4.0,
	// section 4.5); a name alone is the same.
	if action, qualified := strings.CutPrefix(lowered, GraphNamespace); next == nil && qualified &&
		len(segments) == 1 && t.segment == "" {
		if next = t.literals[action]; next != nil && !next.isAction() {
			next = nil
		}
	}
	if next != nil && next.write(segments[1:]) {
		segments[0] = next.segment
		return true
	}
	return t.key != nil && given != "" && t.key.write(segments[1:])
}

// isAction reports whether nothing but POST ends here.
func (t *pathTree) isAction() bool { return len(t.methods) == 1 && t.methods[0] == http.MethodPost }

// written is a request whose path has the letters of the pattern that it fits.
func (t *pathTree) written(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	if !isGraphPath(escaped) {
		return r
	}
	segments := strings.Split(escaped[1:], "/")
	if !t.write(segments) {
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
	return withPath(r, plain, path)
}

// withPath is a request with another path. escaped is how it is written, if that is not as usual.
func withPath(r *http.Request, path, escaped string) *http.Request {
	other := *r
	other.URL = new(url.URL)
	*other.URL = *r.URL
	other.URL.Path, other.URL.RawPath = path, escaped
	return &other
}
