package odata

import (
	"strings"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// operand is what the first operand of a comparison names: a property, of all things or of those of
// a type that it is cast to (OData URL conventions 4.0, section 5.1.1.11.5).
type operand struct {
	name     string
	comparer Comparer
	of       query.Condition // that a thing is of the type; nil: there is no cast
}

// within limits a comparison to the things of the type. To the others the property is null, and
// ofOthers is what the comparison is of that.
func (o *operand) within(c query.Condition, ofOthers bool) query.Condition {
	all, _ := o.of.(query.All)
	switch {
	case o.of == nil, all != nil && len(all) == 0:
		return c
	case ofOthers:
		return query.Any{query.Not{Is: o.of}, c}
	default:
		return query.All{o.of, c}
	}
}

// operand finds what a node names.
func (f *filterReader) operand(n *godata.ParseNode) (*operand, error) {
	path, ok := pathOf(n)
	if !ok {
		return nil, badFilter("Query option '$filter' is not valid: the first operand must be a property.")
	}
	o := &operand{}
	if first, rest, ok := strings.Cut(path, "/"); ok {
		if name, qualified := withoutNamespace(first); qualified {
			_, o.of, ok = lookUp(f.listing.Types, name)
			if !ok {
				return &operand{name: path, comparer: UnknownField{}}, nil
			}
			path = rest
		}
	}
	if o.name, o.comparer, ok = lookUp(f.listing.Filters, path); !ok {
		return nil, badFilter("Query option '$filter' cannot name property '%s' here: it takes %s.",
			Clip(path), namesOf(f.listing.Filters))
	}
	return o, nil
}

// pathOf is a property, or a path to one: templateReference/templateId.
func pathOf(n *godata.ParseNode) (string, bool) {
	switch {
	case n.Token == nil:
		return "", false
	case n.Token.Type == godata.ExpressionTokenLiteral:
		return n.Token.Value, true
	case n.Token.Type != godata.ExpressionTokenNav || len(n.Children) != 2:
		return "", false
	}
	left, ok := pathOf(n.Children[0])
	if !ok {
		return "", false
	}
	right, ok := pathOf(n.Children[1])
	return left + "/" + right, ok
}

// isNullWhen is what a comparison of null with a value is (OData URL conventions 4.0, section
// 5.1.1.1).
func isNullWhen(operator query.Operator, value any) bool {
	return operator == query.Equal && value == nil || operator == query.NotEqual && value != nil
}

// unqualified is the literal of a member of an enumeration without the enumeration's name, which
// the member's property tells: complianceState'compliant'.
func unqualified(literal string) string { return literal[strings.IndexByte(literal, '\''):] }
