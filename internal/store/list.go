package store

import (
	"context"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// list reads a page of things. scan reads the resource's columns.
func list[T any](ctx context.Context, s *session, r *resource, q query.Query,
	scan func(func(...any) error) (T, error),
) (page query.Page[T], err error) {
	if q.Count {
		if page.Count, err = count(ctx, s, r, q.Where); err != nil {
			return page, err
		}
	}
	keys, err := r.keys(q.OrderBy)
	if err != nil || q.Limit == query.None {
		return page, err
	}
	b, err := r.selects(s.searching(ctx), q, keys)
	if err != nil {
		return page, err
	}
	var last []any
	err = s.Once(ctx, b.text.String(), b.args, func(read func(...any) error) error {
		at := make([]any, len(keys))
		dest := make([]any, len(keys))
		for i := range at {
			dest[i] = &at[i]
		}
		thing, err := scan(func(columns ...any) error { return read(append(columns, dest...)...) })
		if err != nil {
			return err
		}
		if q.Limit > 0 && len(page.Items) == q.Limit {
			// one more than wanted is read, to know that there is one
			page.Next = &query.Position{Keys: last}
			return nil
		}
		page.Items, last = append(page.Items, thing), at
		return nil
	})
	if err != nil {
		return query.Page[T]{}, fmt.Errorf("listing %s: %w", r.things, err)
	}
	return page, nil
}

// count tells how many things fulfil a condition; nil: all there are.
func count(ctx context.Context, s *session, r *resource, where query.Condition) (n int, err error) {
	b, err := r.counts(s.searching(ctx), where)
	if err != nil {
		return 0, err
	}
	err = s.Once(ctx, b.text.String(), b.args,
		func(scan func(...any) error) error { return scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", r.things, err)
	}
	return n, nil
}
