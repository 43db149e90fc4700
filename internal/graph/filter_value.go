package graph

import (
	"strconv"
	"strings"
	"time"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// literal is a value of a filter: text, int64, time.Time, bool or nil.
type literal struct{ value any }

func readLiteral(t *godata.Token) (l literal, ok bool) {
	if t == nil {
		return l, false
	}
	switch t.Type {
	case godata.ExpressionTokenNull:
		return l, true
	case godata.ExpressionTokenBoolean:
		return literal{t.Value == "true"}, true
	case godata.ExpressionTokenInteger:
		n, err := strconv.ParseInt(t.Value, 10, 64)
		return literal{n}, err == nil
	case godata.ExpressionTokenGuid:
		return literal{t.Value}, true
	case godata.ExpressionTokenString:
		return literal{strings.ReplaceAll(t.Value[1:len(t.Value)-1], "''", "'")}, true
	case godata.ExpressionTokenDate, godata.ExpressionTokenDateTime:
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
			if at, err := time.Parse(layout, t.Value); err == nil {
				return literal{at.UTC()}, true
			}
		}
	}
	return l, false
}

// comparer makes the comparison of one property; ok is false if it cannot be made.
type comparer interface {
	comparison(operator query.Operator, value any) (c query.Condition, ok bool)
}

type (
	textField   query.Field
	numberField query.Field
	timeField   query.Field
	boolField   query.Field
	listField   query.Field                // a collection of strings
	choiceField map[string]query.Condition // a member of an enumeration, and what it means
	constField  bool                       // what is the same for all
	fixedField  string                     // a text that is the same for all; empty: nobody knows it
	emptyField  struct{}                   // a collection of strings that has no elements
)

func isEquality(o query.Operator) bool { return o == query.Equal || o == query.NotEqual }

func (f textField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isText := value.(string)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isText || value == nil && isEquality(operator)
}

func (f timeField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isTime := value.(time.Time)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isTime && operator < query.Contains || value == nil && isEquality(operator)
}

func (f boolField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isBool := value.(bool)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value}, isBool && isEquality(operator)
}

func (f numberField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isNumber := value.(int64)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value}, isNumber && operator < query.Contains
}

// collection is a comparer of what any can be used on.
type collection interface {
	has(element string) query.Condition
}

func (f listField) comparison(query.Operator, any) (query.Condition, bool) { return nil, false }

func (f listField) has(element string) query.Condition {
	return query.Has{Field: query.Field(f), Value: element}
}

func (f fixedField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	is, err := compares(string(f), operator, value)
	if is {
		return query.All{}, err == nil
	}
	return query.Any{}, err == nil && (value != nil || isEquality(operator))
}

func (emptyField) comparison(query.Operator, any) (query.Condition, bool) { return nil, false }

func (emptyField) has(string) query.Condition { return query.Any{} }

func (f constField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	is, isBool := value.(bool)
	if (is == bool(f)) == (operator == query.Equal) {
		return query.All{}, isBool && isEquality(operator)
	}
	return query.Any{}, isBool && isEquality(operator)
}

func (f choiceField) comparison(operator query.Operator, value any) (query.Condition, bool) {
	member, _ := value.(string)
	meaning, ok := f[member]
	if !ok || !isEquality(operator) {
		return nil, false
	}
	if operator == query.NotEqual {
		return query.Not{Is: meaning}, true
	}
	return meaning, true
}

// memberOf compares a text that is a member of an enumeration.
func memberOf(field query.Field, members ...string) choiceField {
	f := make(choiceField, len(members))
	for _, member := range members {
		f[member] = query.Comparison{Field: field, Operator: query.Equal, Value: member}
	}
	return f
}

// choices are an enumeration of which only some members occur here. The others are known, and nothing has them.
func choices(occur map[string]query.Condition, others ...string) choiceField {
	for _, member := range others {
		occur[member] = query.Any{}
	}
	return occur
}

func flag(field query.Field, is bool) query.Condition {
	return query.Comparison{Field: field, Operator: query.Equal, Value: is}
}
