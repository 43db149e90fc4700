package graph

import (
	"slices"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

const actionResultsProperty = "deviceActionResults"

// anyAction reads deviceActionResults/any(a:…). An action has one of few names and one of few states, so the condition
// is tried on each pair of them.
func (f *filterReader) anyAction(lambda *godata.ParseNode) (query.Condition, error) {
	var latest fleet.LatestAction
	for _, name := range []action.Name{action.SyncPayloads, action.ChangeAssignments} {
		for state := range states {
			ok := true
			if len(lambda.Children) == 2 {
				var err error
				p := actionPredicate{f, lambda.Children[0], map[string]string{"actionName": string(name), "actionState": states[state]}}
				if ok, err = p.holds(lambda.Children[1]); err != nil {
					return nil, err
				}
			}
			if ok {
				latest = append(latest, fleet.ActionKind{Name: string(name), State: uint8(state)})
			}
		}
	}
	return latest, nil
}

// actionPredicate is the condition inside any(…) for one kind of action.
type actionPredicate struct {
	*filterReader
	variable *godata.ParseNode
	values   map[string]string
}

func (p *actionPredicate) holds(n *godata.ParseNode) (bool, error) {
	if p.nodes++; p.nodes > filterNodeLimit {
		return false, badFilter("Query option '$filter' has more than %d operators.", filterNodeLimit)
	}
	if n == nil || n.Token == nil || n.Token.Type != godata.ExpressionTokenLogical {
		return false, badFilter("Query option '$filter' is not valid: 'any' needs a condition such as a:a/actionState eq 'failed'.")
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
		return false, badFilter("Query option '$filter' does not support '%s' inside 'any'.", clip(name))
	}
}

func (p *actionPredicate) isOneOf(property *godata.ParseNode, candidates []*godata.ParseNode) (bool, error) {
	if property.Token == nil || property.Token.Type != godata.ExpressionTokenNav || len(property.Children) != 2 ||
		property.Children[0].Token == nil || property.Children[1].Token == nil ||
		p.variable.Token == nil || property.Children[0].Token.Value != p.variable.Token.Value {
		return false, badFilter("Query option '$filter' is not valid: inside 'any' the first operand must be a property of its variable.")
	}
	name := property.Children[1].Token.Value
	value, known := p.values[name]
	if !known {
		return false, badFilter("Query option '$filter' does not support property '%s' inside 'any'.", clip(name))
	}
	found := false
	for _, candidate := range candidates {
		l, ok := readLiteral(candidate.Token)
		text, isText := l.value.(string)
		if !ok || !isText || name == "actionState" && !slices.Contains(states, text) {
			return false, badFilter("Query option '$filter' is not valid: property '%s' cannot be compared so.", name)
		}
		found = found || text == value
	}
	return found, nil
}
