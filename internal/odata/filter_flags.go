package odata

import (
	"strings"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// flags is a comparer of a combination of members of an enumeration, which has is for.
type flags interface {
	HasFlag(member string) (query.Condition, bool)
}

// FlagsField is a text with members of an enumeration and commas between them.
type FlagsField struct {
	Field   query.Field
	Members []string // that values can combine
}

// Comparison compares with members in the order in which values have them.
func (f FlagsField) Comparison(operator query.Operator, value any) (query.Condition, bool) {
	text, isText := value.(string)
	if isText {
		for member := range strings.SplitSeq(text, ",") {
			if ownName(f.Members, strings.TrimSpace(member)) == "" {
				return nil, false
			}
		}
		value = strings.ReplaceAll(text, " ", "")
	}
	return query.Comparison{Field: f.Field, Operator: operator, Value: value},
		isEquality(operator) && (isText || value == nil)
}

// HasFlag is the condition that a value has a member; false if there is no such member.
func (f FlagsField) HasFlag(given string) (query.Condition, bool) {
	member := ownName(f.Members, given)
	is := func(operator query.Operator, text string) query.Condition {
		return query.Comparison{Field: f.Field, Operator: operator, Value: text}
	}
	return query.Any{is(query.Equal, member), is(query.StartsWith, member+","),
		is(query.EndsWith, ","+member), is(query.Contains, ","+member+",")}, member != ""
}

// hasFlags is a has 'member', of one member or of several with commas between them.
func (f *filterReader) hasFlags(property, value *godata.ParseNode) (query.Condition, error) {
	of, err := f.operand(property)
	if err != nil {
		return nil, err
	}
	field, ok := of.comparer.(flags)
	if _, unknown := of.comparer.(UnknownField); unknown {
		return query.Any{}, nil
	}
	l, _ := readLiteral(value.Token)
	text, isText := l.value.(string)
	if !ok || !isText {
		return nil, badFilter("Query option '$filter' is not valid: 'has' needs a property that "+
			"combines members of an enumeration, and a member, and not '%s'.", Clip(of.name))
	}
	var all query.All
	for member := range strings.SplitSeq(text, ",") {
		if err := f.countNode(); err != nil {
			return nil, err
		}
		c, ok := field.HasFlag(strings.TrimSpace(member))
		if !ok {
			return nil, badFilter("Query option '$filter' is not valid: property '%s' has no member '%s'.",
				of.name, Clip(member))
		}
		all = append(all, c)
	}
	if len(all) == 1 {
		return of.within(all[0], false), nil
	}
	return of.within(all, false), nil
}
