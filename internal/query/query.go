// Package query says which things of a list are wanted and in which order, without saying how they
// are kept.
package query

import (
	"errors"
	"strings"
)

// Field names an attribute that a list can be limited or sorted by. The kinds of things declare
// their own.
type Field string

// Operator compares a field with a value.
type Operator uint8

const (
	Equal Operator = iota
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	Contains // of text, like the two below
	StartsWith
	EndsWith
)

// Condition is what a thing must fulfil: one of this package's, or one that its kind alone knows.
type Condition interface{ Condition() }

// Comparison holds a field against a value: a string, a bool, an int64 or a time.Time after the
// field's kind, or nil, which equals an unknown value (empty text, zero time). Text is compared
// without regard to the case of ASCII letters. An unknown value is neither less nor greater than
// another.
type Comparison struct {
	Field    Field
	Operator Operator
	Value    any
}

// All is fulfilled when every condition is.
type All []Condition

// Any is fulfilled when at least one condition is.
type Any []Condition

// Not is fulfilled when its condition is not.
type Not struct{ Is Condition }

// OneOf is fulfilled when a text field equals one of the values.
type OneOf struct {
	Field  Field
	Values []string
}

// Has is fulfilled when a field that is a list has the value as an element.
type Has struct {
	Field Field
	Value string
}

func (Comparison) Condition() {}
func (All) Condition()        {}
func (Any) Condition()        {}
func (Not) Condition()        {}
func (OneOf) Condition()      {}
func (Has) Condition()        {}

// Fold is a text as Comparison compares it, without regard to case: of letters, those of ASCII
// alone become lower case, as lower makes them in SQLite, and in PostgreSQL under the collation
// "C". Texts that fold to the same are equal to a Comparison.
func Fold(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// Is is the condition that a field equals a value.
func Is(field Field, value any) Condition {
	return Comparison{Field: field, Operator: Equal, Value: value}
}

// And joins conditions of which some may be nil, which is none.
func And(conditions ...Condition) Condition {
	var all All
	for _, c := range conditions {
		if c != nil {
			all = append(all, c)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	default:
		return all
	}
}

// Order is one field to sort by.
type Order struct {
	Field      Field
	Descending bool
}

// Query selects things, in an order that has no ties: behind the fields of OrderBy, or without any,
// they are sorted by their ids.
type Query struct {
	Where   Condition // nil: all
	OrderBy []Order
	After   *Position // only what comes after it; nil: from the start
	Skip    int       // how many to leave out at the start
	Limit   int       // most things to return; 0: no limit, None: no thing
	Count   bool      // tell how many things fulfil Where
}

// None is the Limit of who only counts.
const None = -1

// Page is one part of a list.
type Page[T any] struct {
	Items []T
	Next  *Position // where the next page begins; nil: this is the last
	Count int       // if the query asked for it, how many things fulfil Where, on all pages
}

// Position is a place in a list: the values of the last thing before it, a string or an int64 for
// each field of the order and at last one for the id. It holds for the order in which it was made.
type Position struct {
	Keys []any
	Walk *Walk `json:",omitempty"` // only in an order that changes by itself
}

// Walk is what a walk through pages remembers in an order that changes by itself, such as the
// devices' last contact. Things that have changed their place since the walk began come at its end,
// in the order of their ids.
type Walk struct {
	Began int64 // number of the last change of place before the walk began
	// the walk has come to those that changed their place; Keys are those of this order, none at
	// its start
	End bool
}

// ErrPosition is returned for a position that was not made in the query's order.
var ErrPosition = errors.New("the position is not one of this order")
