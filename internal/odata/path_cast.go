package odata

import (
	"context"
	"net/http"
	"regexp"
)

// castContext is the key of the type to which a request's path casts.
type castContext struct{}

// Cast is the type to which the path casts the things of the operation's set, without its
// namespace; empty: to none, or to one that all of them are of. It may be a type that is not here.
func (r *Request) Cast() TypeName {
	if r.HTTP == nil {
		return ""
	}
	to, _ := r.HTTP.Context().Value(castContext{}).(TypeName)
	return to
}

// withCast is a request whose path casts to a type.
func withCast(r *http.Request, to TypeName) *http.Request {
	if to == "" {
		return r
	}
	return r.WithContext(context.WithValue(r.Context(), castContext{}, to))
}

var typeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,127}$`)

// cast reads a segment as the cast of what the path leads to so far (OData URL conventions 4.0,
// section 4.11): books/graph.atlas. To is empty if all of it is of that type. A type that
// is not here can only be that of a list's things, which then has none.
func (t *pathTree) cast(segment string, of *schema, reads bool) (to TypeName, ok bool) {
	name, qualified := withoutNamespace(segment)
	read := t.reading()
	if !qualified || read == nil || read.List && !reads {
		return "", false
	}
	declared, known := of.types[read.Answers], of.named(name)
	switch {
	case declared == nil:
		return "", false
	case known == nil:
		return TypeName(name), read.Casts && read.List && typeName.MatchString(name)
	case of.is(declared, known.Name):
		return "", true
	default:
		return known.Name, read.Casts && of.is(known, declared.Name)
	}
}

// heedsCast reports whether what is read behind a key heeds the type to which its list was cast:
// books/graph.atlas/1 is not there if it is no atlas.
func (t *pathTree) heedsCast() bool {
	read := t.reading()
	return read != nil && read.Casts
}

// reading is the operation that reads what the path leads to; nil: there is none.
func (t *pathTree) reading() *Operation {
	for _, o := range t.operations {
		if o.Method == http.MethodGet && o.Answers != "" {
			return o
		}
	}
	return nil
}
