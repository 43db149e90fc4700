package audit

import (
	"context"
	"slices"
)

// Draft is an entry that is being made while its operation runs. The store that commits the
// operation's first write writes it in the same transaction. An operation writes one thing at a
// time.
type Draft struct {
	Entry
	noted   []Object
	written bool
}

type draftKey struct{}

// With returns a context whose writes carry the draft; nil: none.
func With(ctx context.Context, d *Draft) context.Context {
	return context.WithValue(ctx, draftKey{}, d)
}

// Of returns the draft of a context; nil if it has none, or has been written.
func Of(ctx context.Context) *Draft {
	d, _ := ctx.Value(draftKey{}).(*Draft)
	if d == nil || d.written {
		return nil
	}
	return d
}

// Note adds what an operation does to an object to the context's draft, in place of an earlier note
// of the same object. Without a draft it does nothing. Services call it where they write.
func Note(ctx context.Context, o Object) {
	if d := Of(ctx); d != nil {
		d.noted = put(d.noted, o)
	}
}

func put(list []Object, o Object) []Object {
	same := func(other Object) bool { return other.Type == o.Type && other.ID == o.ID }
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = o
		return list
	}
	return append(list, o)
}

// Attempt runs fn, and forgets what it noted if it fails: it may be tried again, and an attempt
// that failed did nothing. Stores run every attempt at a transaction so.
func Attempt(ctx context.Context, fn func() error) error {
	d := Of(ctx)
	if d == nil {
		return fn()
	}
	before := slices.Clone(d.noted)
	err := fn()
	if err != nil {
		d.noted = before
	}
	return err
}

// Complete is the entry with all that was noted.
func (d *Draft) Complete() Entry {
	e := d.Entry
	e.Objects = slices.Clone(e.Objects)
	for _, o := range d.noted {
		e.Objects = put(e.Objects, o)
	}
	return e
}

// Written marks the draft as committed.
func (d *Draft) Written() { d.written = true }
