package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	filterLengthLimit = 4096 // bytes
	filterNodeLimit   = 200  // operators and functions
)

// filterTokens are the lexical elements of the filters that are supported (OData ABNF construction rules). Strings keep
// their quotes: godata's own rule for doubled quotes mistakes a string of nothing else.
var filterTokens = func() *godata.Tokenizer {
	var t godata.Tokenizer
	t.Add(`^[[:xdigit:]]{8}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{12}`, godata.ExpressionTokenGuid)
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})`,
		godata.ExpressionTokenDateTime)
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`, godata.ExpressionTokenDate)
	t.Add(`^\(`, godata.ExpressionTokenOpenParen)
	t.Add(`^\)`, godata.ExpressionTokenCloseParen)
	t.Add(`^,`, godata.ExpressionTokenComma)
	t.Add(`(?i)^(?P<token>contains|startswith|endswith)[\s(]`, godata.ExpressionTokenFunc)
	t.Add(`(?i)^(?P<token>eq|ne|gt|ge|lt|le|and|or|not|in)[\s(]`, godata.ExpressionTokenLogical)
	t.Add(`^null\b`, godata.ExpressionTokenNull)
	t.Add(`^(true|false)\b`, godata.ExpressionTokenBoolean)
	t.Add(`^'(''|[^'])*'`, godata.ExpressionTokenString)
	t.Add(`^[A-Za-z_][A-Za-z0-9_]*`, godata.ExpressionTokenLiteral)
	t.Ignore(`^\s+`, godata.ExpressionTokenWhitespace)
	return &t
}()

func badFilter(format string, args ...any) *fault { return badRequest(optionFilter, format, args...) }

// parseFilter turns $filter on devices into a condition.
func parseFilter(text string) (fleet.Condition, error) {
	if len(text) > filterLengthLimit {
		return nil, badFilter("Query option '$filter' is longer than %d bytes.", filterLengthLimit)
	}
	tree, err := parseTree(text)
	if err != nil {
		return nil, badFilter("Query option '$filter' is not valid: %s.", clip(err.Error()))
	}
	f := filterReader{}
	return f.condition(tree)
}

func parseTree(text string) (*godata.ParseNode, error) {
	ctx := context.Background()
	tokens, err := filterTokens.Tokenize(ctx, text)
	if err != nil {
		return nil, err
	}
	postfix, err := godata.GlobalFilterParser.InfixToPostfix(ctx, tokens)
	if err != nil {
		return nil, err
	}
	return godata.GlobalFilterParser.PostfixToTree(ctx, postfix)
}

// filterReader walks a parse tree, counting what it has seen.
type filterReader struct{ nodes int }

var comparisons = map[string]fleet.Operator{
	"eq": fleet.Equal, "ne": fleet.NotEqual, "lt": fleet.Less, "le": fleet.LessOrEqual, "gt": fleet.Greater,
	"ge":       fleet.GreaterOrEqual,
	"contains": fleet.Contains, "startswith": fleet.StartsWith, "endswith": fleet.EndsWith,
}

func (f *filterReader) condition(n *godata.ParseNode) (fleet.Condition, error) {
	if f.nodes++; f.nodes > filterNodeLimit {
		return nil, badFilter("Query option '$filter' has more than %d operators.", filterNodeLimit)
	}
	if n == nil || n.Token == nil {
		return nil, badFilter("Query option '$filter' is not valid.")
	}
	isOperator := n.Token.Type == godata.ExpressionTokenLogical || n.Token.Type == godata.ExpressionTokenFunc
	name := n.Token.Value
	switch operator, compares := comparisons[name]; {
	case !isOperator:
		return nil, badFilter("Query option '$filter' is not valid: '%s' is not a condition.", clip(name))
	case name == "not" && len(n.Children) == 1:
		inner, err := f.condition(n.Children[0])
		return fleet.Not{Condition: inner}, err
	case (name == "and" || name == "or") && len(n.Children) == 2:
		return f.pair(name, n.Children[0], n.Children[1])
	case name == "in" && len(n.Children) == 2:
		return f.anyOf(n.Children[0], n.Children[1])
	case compares && len(n.Children) == 2:
		return compare(n.Children[0], operator, n.Children[1])
	default:
		return nil, badFilter("Query option '$filter' is not valid: '%s' has too few or too many operands.", clip(name))
	}
}

// pair joins two conditions; a chain of the same operator stays flat.
func (f *filterReader) pair(operator string, left, right *godata.ParseNode) (fleet.Condition, error) {
	a, err := f.condition(left)
	if err != nil {
		return nil, err
	}
	b, err := f.condition(right)
	if err != nil {
		return nil, err
	}
	if operator == "and" {
		if chain, ok := a.(fleet.All); ok {
			return append(chain, b), nil
		}
		return fleet.All{a, b}, nil
	}
	if chain, ok := a.(fleet.Any); ok {
		return append(chain, b), nil
	}
	return fleet.Any{a, b}, nil
}

func (f *filterReader) anyOf(property, list *godata.ParseNode) (fleet.Condition, error) {
	if list.Token == nil || list.Token.Type != godata.TokenTypeListExpr || len(list.Children) == 0 {
		return nil, badFilter("Query option '$filter' is not valid: 'in' needs a list such as ('a','b').")
	}
	var alternatives fleet.Any
	for _, value := range list.Children {
		if f.nodes++; f.nodes > filterNodeLimit {
			return nil, badFilter("Query option '$filter' has more than %d operators.", filterNodeLimit)
		}
		one, err := compare(property, fleet.Equal, value)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, one)
	}
	return alternatives, nil
}

// literal is a value of a filter: text, time.Time, bool or nil.
type literal struct{ value any }

func compare(property *godata.ParseNode, operator fleet.Operator, value *godata.ParseNode) (fleet.Condition, error) {
	if property.Token == nil || property.Token.Type != godata.ExpressionTokenLiteral {
		return nil, badFilter("Query option '$filter' is not valid: the first operand must be a property.")
	}
	name := property.Token.Value
	i := slices.IndexFunc(deviceProperties, func(p deviceProperty) bool { return p.name == name })
	if i < 0 {
		return nil, badFilter("Query option '$filter' is not valid: there is no property '%s'.", clip(name))
	}
	if deviceProperties[i].compare == nil {
		return nil, badFilter("Query option '$filter' does not support property '%s'.", name)
	}
	l, ok := readLiteral(value.Token)
	if ok {
		if c, ok := deviceProperties[i].compare.comparison(operator, l.value); ok {
			return c, nil
		}
	}
	return nil, badFilter("Query option '$filter' is not valid: property '%s' cannot be compared so.", name)
}

func readLiteral(t *godata.Token) (l literal, ok bool) {
	if t == nil {
		return l, false
	}
	switch t.Type {
	case godata.ExpressionTokenNull:
		return l, true
	case godata.ExpressionTokenBoolean:
		return literal{t.Value == "true"}, true
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
	comparison(operator fleet.Operator, value any) (c fleet.Condition, ok bool)
}

type (
	textField   fleet.Field
	timeField   fleet.Field
	boolField   fleet.Field
	choiceField map[string]fleet.Condition // a member of an enumeration, and what it means
)

func isEquality(o fleet.Operator) bool { return o == fleet.Equal || o == fleet.NotEqual }

func (f textField) comparison(operator fleet.Operator, value any) (fleet.Condition, bool) {
	_, isText := value.(string)
	return fleet.Comparison{Field: fleet.Field(f), Operator: operator, Value: value},
		isText || value == nil && isEquality(operator)
}

func (f timeField) comparison(operator fleet.Operator, value any) (fleet.Condition, bool) {
	_, isTime := value.(time.Time)
	return fleet.Comparison{Field: fleet.Field(f), Operator: operator, Value: value},
		isTime && operator < fleet.Contains || value == nil && isEquality(operator)
}

func (f boolField) comparison(operator fleet.Operator, value any) (fleet.Condition, bool) {
	_, isBool := value.(bool)
	return fleet.Comparison{Field: fleet.Field(f), Operator: operator, Value: value}, isBool && isEquality(operator)
}

func (f choiceField) comparison(operator fleet.Operator, value any) (fleet.Condition, bool) {
	member, _ := value.(string)
	meaning, ok := f[member]
	if !ok || !isEquality(operator) {
		return nil, false
	}
	if operator == fleet.NotEqual {
		return fleet.Not{Condition: meaning}, true
	}
	return meaning, true
}
