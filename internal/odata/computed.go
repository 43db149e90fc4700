package odata

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// Computed is a source of things that are worked out for each call, and few enough for all of them
// to be at hand. value is a thing's value of a field: text, int64, or texts where the field is a
// list. That of the field "id" is unique.
func Computed[T any](all []T, value func(T, query.Field) any) Source[T] {
	return func(_ context.Context, q query.Query) (page query.Page[T], err error) {
		order := append(slices.Clone(q.OrderBy), query.Order{Field: "id"})
		keys := func(thing T) (keys []any) {
			for _, o := range order {
				keys = append(keys, value(thing, o.Field))
			}
			return keys
		}
		type placed struct {
			thing T
			keys  []any
		}
		var found []placed
		for _, thing := range all {
			ok, err := fulfils(q.Where, func(f query.Field) any { return value(thing, f) })
			if err != nil {
				return page, err
			}
			if ok {
				found = append(found, placed{thing, keys(thing)})
			}
		}
		page.Count = len(found)
		slices.SortFunc(found,
			func(a, b placed) int { return compareKeys(order, a.keys, b.keys) })
		if q.After != nil {
			if len(all) > 0 && !slices.EqualFunc(keys(all[0]), q.After.Keys, sameType) {
				return page, query.ErrPosition
			}
			found = slices.DeleteFunc(found,
				func(p placed) bool { return compareKeys(order, p.keys, q.After.Keys) <= 0 })
		}
		found = found[min(q.Skip, len(found)):]
		switch {
		case q.Limit == query.None:
			found = nil
		case q.Limit > 0 && len(found) > q.Limit:
			found = found[:q.Limit]
			page.Next = &query.Position{Keys: found[q.Limit-1].keys}
		}
		for _, p := range found {
			page.Items = append(page.Items, p.thing)
		}
		return page, nil
	}
}

func sameType(a, b any) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

// compareKeys tells which of two things comes first, by their values of what they are ordered by.
func compareKeys(order []query.Order, a, b []any) int {
	for i, o := range order {
		c := compareValues(a[i], b[i])
		if o.Descending {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareValues compares two values of a type, text without regard to the case of ASCII letters.
func compareValues(a, b any) int {
	if text, ok := a.(string); ok {
		return strings.Compare(query.Fold(text), query.Fold(b.(string)))
	}
	return cmp.Compare(a.(int64), b.(int64))
}

// fulfils reports whether the thing of these values fulfils a condition; nil: it does.
func fulfils(c query.Condition, value func(query.Field) any) (ok bool, err error) {
	switch c := c.(type) {
	case nil:
		return true, nil
	case query.Not:
		ok, err = fulfils(c.Is, value)
		return !ok, err
	case query.All:
		for _, one := range c {
			if ok, err = fulfils(one, value); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	case query.Any:
		for _, one := range c {
			if ok, err = fulfils(one, value); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	case query.OneOf:
		return slices.ContainsFunc(c.Values,
			func(v string) bool { return compareValues(value(c.Field), v) == 0 }), nil
	case query.Has:
		list, isList := value(c.Field).([]string)
		if !isList {
			return false, fmt.Errorf("field %s of computed things is no list", c.Field)
		}
		return slices.ContainsFunc(list,
			func(v string) bool { return compareValues(v, c.Value) == 0 }), nil
	case query.Comparison:
		return compares(value(c.Field), c.Operator, c.Value)
	default:
		return false, fmt.Errorf("computed things have no condition %T", c)
	}
}

// compares holds a value against another. What is unknown, an empty text, equals nil, and is
// neither less nor greater than anything.
func compares(has any, operator query.Operator, than any) (bool, error) {
	if than == nil {
		return (has == "") == (operator == query.Equal), nil
	}
	if !sameType(has, than) {
		return false, fmt.Errorf("a %T cannot be compared with a %T", has, than)
	}
	order := compareValues(has, than)
	switch operator {
	case query.Equal:
		return order == 0, nil
	case query.NotEqual:
		return order != 0, nil
	case query.Less:
		return order < 0 && has != "", nil
	case query.LessOrEqual:
		return order <= 0 && has != "", nil
	case query.Greater:
		return order > 0 && has != "", nil
	case query.GreaterOrEqual:
		return order >= 0 && has != "", nil
	}
	text, part := query.Fold(fmt.Sprint(has)), query.Fold(fmt.Sprint(than))
	switch operator {
	case query.Contains:
		return strings.Contains(text, part), nil
	case query.StartsWith:
		return strings.HasPrefix(text, part), nil
	default:
		return strings.HasSuffix(text, part), nil
	}
}
