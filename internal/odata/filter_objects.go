package odata

import (
	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// ObjectList is a comparer of a collection of objects of which there are few different ones. The
// condition inside any(…) is tried on each of them.
type ObjectList struct {
	// Objects are the different ones, each with the texts that its properties have.
	Objects []map[string]string
	// Members are what a property can be compared with, if it is of an enumeration.
	Members map[string][]string
	// HasOneOf is the condition that a thing has one of these elements of Objects.
	HasOneOf func(objects []int) query.Condition
}

// Comparison is none: such a collection can only be asked for any of its elements.
func (*ObjectList) Comparison(query.Operator, any) (query.Condition, bool) { return nil, false }

// anyObject reads objects/any(variable:condition). Without a condition, any object will do.
func (f *filterReader) anyObject(of *ObjectList,
	lambda *godata.ParseNode) (query.Condition, error) {
	var fulfil []int
	for i, object := range of.Objects {
		if len(lambda.Children) == 2 {
			p := objectPredicate{reader: f, list: of, variable: lambda.Children[0], object: object}
			holds, err := p.holds(lambda.Children[1])
			if err != nil {
				return nil, err
			}
			if !holds {
				continue
			}
		}
		fulfil = append(fulfil, i)
	}
	return of.HasOneOf(fulfil), nil
}

// objectPredicate is the condition inside any(…), tried on one object.
type objectPredicate struct {
	reader   *filterReader
	list     *ObjectList
	variable *godata.ParseNode
	object   map[string]string
}

func (p *objectPredicate) holds(n *godata.ParseNode) (bool, error) {
	if err := p.reader.countNode(); err != nil {
		return false, err
	}
	if n == nil || n.Token == nil || n.Token.Type != godata.ExpressionTokenLogical {
		return false,
			badFilter("Query option '$filter' is not valid: 'any' needs a condition such as a:a/state eq 'failed'.")
	}
	switch name := n.Token.Value; {
	case name == "not" && len(n.Children) == 1:
		inner, err := p.holds(n.Children[0])
		return !inner, err
	case (name == "and" || name == "or") && len(n.Children) == 2:
		left, err := p.holds(n.Children[0])
		if err != nil {
			return false, err
		}
		right, err := p.holds(n.Children[1])
		return name == "and" && left && right || name == "or" && (left || right), err
	case (name == "eq" || name == "ne") && len(n.Children) == 2:
		equal, err := p.isOneOf(n.Children[0], n.Children[1:])
		return equal == (name == "eq"), err
	case name == "in" && len(n.Children) == 2:
		return p.isOneOf(n.Children[0], n.Children[1].Children)
	default:
		return false, badFilter("Query option '$filter' does not support '%s' inside 'any'.",
			Clip(name))
	}
}

// isOneOf reports whether a property of the variable equals one of the candidates.
func (p *objectPredicate) isOneOf(property *godata.ParseNode,
	candidates []*godata.ParseNode) (bool, error) {
	given, ok := p.propertyName(property)
	if !ok {
		return false,
			badFilter("Query option '$filter' is not valid: inside 'any' the first operand must be a property of its variable.")
	}
	name, value, known := lookUp(p.object, given)
	if !known {
		return false,
			badFilter("Query option '$filter' does not support property '%s' inside 'any'.",
				Clip(given))
	}
	members := p.list.Members[name]
	found := false
	for _, candidate := range candidates {
		l, ok := readLiteral(candidate.Token)
		text, isText := l.value.(string)
		if !ok || !isText || members != nil && ownName(members, text) == "" {
			return false,
				badFilter("Query option '$filter' is not valid: property '%s' cannot be compared so.", name)
		}
		found = found || SameName(text, value)
	}
	return found, nil
}

// propertyName reads variable/name, of the predicate's own variable.
func (p *objectPredicate) propertyName(n *godata.ParseNode) (name string, ok bool) {
	if n.Token == nil || n.Token.Type != godata.ExpressionTokenNav || len(n.Children) != 2 {
		return "", false
	}
	of, property := n.Children[0].Token, n.Children[1].Token
	if of == nil || property == nil || p.variable.Token == nil ||
		of.Value != p.variable.Token.Value {
		return "", false
	}
	return property.Value, true
}
