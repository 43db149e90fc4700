package odata

import (
	"cmp"
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

// Comparer says how $filter compares one property; ok is false if it cannot be compared so.
type Comparer interface {
	Comparison(operator query.Operator, value any) (c query.Condition, ok bool)
}

// The comparers. Those of fields compare what is stored.
type (
	// TextField is a text.
	TextField query.Field
	// NumberField is a whole number.
	NumberField query.Field
	// TimeField is a time.
	TimeField query.Field
	// BoolField is true or false.
	BoolField query.Field
	// ListField is a collection of strings.
	ListField query.Field
	// ChoiceField is a member of an enumeration: what each member means.
	ChoiceField map[string]query.Condition
	// ConstField is true for all things, or false for all.
	ConstField bool
	// FixedField is a text that is the same for all; empty: nobody knows it.
	FixedField string
	// EmptyField is a collection of strings that has no elements.
	EmptyField struct{}
	// FixedNumber is a number that is the same for all, and FixedTime a time.
	FixedNumber int64
	FixedTime   time.Time
	// UnknownField is a value that nobody knows: null, for all.
	UnknownField struct{}
)

func isEquality(o query.Operator) bool { return o == query.Equal || o == query.NotEqual }

func (f TextField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isText := value.(string)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isText || value == nil && isEquality(operator)
}

func (f TimeField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isTime := value.(time.Time)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isTime && operator < query.Contains || value == nil && isEquality(operator)
}

func (f BoolField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isBool := value.(bool)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isBool && isEquality(operator)
}

func (f NumberField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	_, isNumber := value.(int64)
	return query.Comparison{Field: query.Field(f), Operator: operator, Value: value},
		isNumber && operator < query.Contains
}

// collection is a comparer of a collection of strings, on which any can be used.
type collection interface {
	Has(element string) query.Condition
}

func (f ListField) Comparison(query.Operator, any) (query.Condition, bool) { return nil, false }

func (f ListField) Has(element string) query.Condition {
	return query.Has{Field: query.Field(f), Value: element}
}

func (f FixedField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	is, err := compares(string(f), operator, value)
	if is {
		return query.All{}, err == nil
	}
	return query.Any{}, err == nil && (value != nil || isEquality(operator))
}

func (f FixedNumber) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	n, isNumber := value.(int64)
	return fixed(cmp.Compare(int64(f), n), operator), isNumber && operator < query.Contains
}

func (f FixedTime) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	at, isTime := value.(time.Time)
	return fixed(time.Time(f).Compare(at), operator), isTime && operator < query.Contains
}

// fixed is true for all or for none, by how what they have compares to a value.
func fixed(order int, operator query.Operator) query.Condition {
	holds := map[query.Operator]bool{query.Equal: order == 0, query.NotEqual: order != 0,
		query.Less: order < 0, query.LessOrEqual: order <= 0, query.Greater: order > 0,
		query.GreaterOrEqual: order >= 0}
	if holds[operator] {
		return query.All{}
	}
	return query.Any{}
}

func (UnknownField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	if isNullWhen(operator, value) {
		return query.All{}, true
	}
	return query.Any{}, true
}

func (EmptyField) Comparison(query.Operator, any) (query.Condition, bool) { return nil, false }

func (EmptyField) Has(string) query.Condition { return query.Any{} }

func (f ConstField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	is, isBool := value.(bool)
	if (is == bool(f)) == (operator == query.Equal) {
		return query.All{}, isBool && isEquality(operator)
	}
	return query.Any{}, isBool && isEquality(operator)
}

func (f ChoiceField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	member, _ := value.(string)
	_, meaning, ok := lookUp(f, member)
	if !ok || !isEquality(operator) {
		return nil, false
	}
	if operator == query.NotEqual {
		return query.Not{Is: meaning}, true
	}
	return meaning, true
}

// MemberOf compares a text that is a member of an enumeration.
func MemberOf(field query.Field, members ...string) ChoiceField {
	f := make(ChoiceField, len(members))
	for _, member := range members {
		f[member] = query.Is(field, member)
	}
	return f
}

// Choices are an enumeration of which only some members occur here. The others are known, and
// nothing has them.
func Choices(occur map[string]query.Condition, others ...string) ChoiceField {
	for _, member := range others {
		occur[member] = query.Any{}
	}
	return occur
}
