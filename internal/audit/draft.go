package audit

import (
	"context"
	"slices"
)

// Draft is an entry that is being made while its operation runs. It travels in the operation's
// context; the store writes it in the transaction of the operation's first write. So nothing
// happens without being recorded, and nothing is recorded that did not happen. An operation must
// not write from several goroutines at once.
type Draft struct {
	Entry
	noted   []Object
	written bool
}

type draftKey struct{}

// With returns a context whose writes record the draft; nil: none.
func With(ctx context.Context, d *Draft) context.Context {
	return context.WithValue(ctx, draftKey{}, d)
}

// Of returns the draft of a context; nil if it has none, or if that was already written.
func Of(ctx context.Context) *Draft {
	d, _ := ctx.Value(draftKey{}).(*Draft)
	if d == nil || d.written {
		return nil
	}
	return d
}

// Note adds to the draft of a context what the operation does to an object. It replaces an earlier
// note of the same object. Without a draft it does nothing. Services call it just before they
// write.
func Note(ctx context.Context, o Object) {
	if d := Of(ctx); d != nil {
		d.noted = replaceOrAppend(d.noted, o)
	}
}

func replaceOrAppend(list []Object, o Object) []Object {
	same := func(other Object) bool { return other.Type == o.Type && other.ID == o.ID }
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = o
		return list
	}
	return append(list, o)
}

// Attempt runs fn. If fn fails, Attempt drops what fn noted, because a failed attempt did nothing
// and may be repeated. Stores run every attempt at a transaction with it.
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

// Complete returns the entry with everything that was noted.
func (d *Draft) Complete() Entry {
	e := d.Entry
	e.Objects = slices.Clone(e.Objects)
	for _, o := range d.noted {
		e.Objects = replaceOrAppend(e.Objects, o)
	}
	return e
}

// Written marks the draft as committed.
func (d *Draft) Written() { d.written = true }
