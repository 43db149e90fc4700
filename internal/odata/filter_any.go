package odata

import (
	"maps"
	"slices"
	"strings"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// anyElement reads collection/any(variable:condition).
func (f *filterReader) anyElement(n *godata.ParseNode) (query.Condition, error) {
	of, lambda := n.Children[0], n.Children[1]
	if of.Token == nil || lambda.Token == nil ||
		lambda.Token.Type != godata.ExpressionTokenLambda ||
		len(lambda.Children) != 0 && len(lambda.Children) != 2 {
		return nil,
			badFilter("Query option '$filter' is not valid: 'any' needs a collection and a condition, such as tags/any(t:t eq 'x').")
	}
	name, comparer, _ := lookUp(f.listing.Filters, of.Token.Value)
	if objects, ok := comparer.(*ObjectList); ok {
		return f.anyObject(objects, lambda)
	}
	list, ok := comparer.(collection)
	if !ok {
		return nil, badFilter("Query option '$filter' supports 'any' on %s, and not on '%s'.",
			f.collections(), Clip(of.Token.Value))
	}
	if len(lambda.Children) == 0 || lambda.Children[0].Token == nil {
		return nil, badFilter("Query option '$filter' needs a condition in any() of '%s'.", name)
	}
	return f.hasElement(list, name, lambda.Children[0].Token.Value, lambda.Children[1])
}

// collections are those that any can be used on, as a message names them.
func (f *filterReader) collections() string {
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(f.listing.Filters)) {
		switch f.listing.Filters[name].(type) {
		case collection, *ObjectList:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "nothing here"
	}
	return strings.Join(names, ", ")
}

// hasElement is the condition inside any(…) on a collection of strings: eq, in, and or between
// them. An element fulfils one or the other when one fulfils the one or one fulfils the other; of
// and and not this does not hold.
func (f *filterReader) hasElement(list collection, name, variable string,
	n *godata.ParseNode) (query.Condition, error) {
	if err := f.countNode(); err != nil {
		return nil, err
	}
	unsupported := badFilter("Query option '$filter' supports eq, in and or inside 'any' of '%s'.",
		name)
	if n == nil || n.Token == nil || n.Token.Type != godata.ExpressionTokenLogical ||
		len(n.Children) != 2 {
		return nil, unsupported
	}
	left, right := n.Children[0], n.Children[1]
	values := []*godata.ParseNode{right}
	switch n.Token.Value {
	case "or":
		a, err := f.hasElement(list, name, variable, left)
		if err != nil {
			return nil, err
		}
		b, err := f.hasElement(list, name, variable, right)
		return query.Any{a, b}, err
	case "in":
		values = right.Children
	case "eq":
	default:
		return nil, unsupported
	}
	if left.Token == nil || left.Token.Type != godata.ExpressionTokenLiteral ||
		left.Token.Value != variable || len(values) == 0 {
		return nil, unsupported
	}
	var elements query.Any
	for _, value := range values {
		if err := f.countNode(); err != nil {
			return nil, err
		}
		l, _ := readLiteral(value.Token)
		text, isText := l.value.(string)
		if !isText {
			return nil,
				badFilter("Query option '$filter' is not valid: an element of '%s' must be compared with a string.", name)
		}
		elements = append(elements, list.Has(text))
	}
	if len(elements) == 1 {
		return elements[0], nil
	}
	return elements, nil
}
