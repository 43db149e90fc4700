package odata

import (
	"context"
	"strings"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

const (
	filterLengthLimit = 4096 // bytes
	filterNodeLimit   = 200  // operators and functions
)

// filterTokens are the lexical elements of the filters that are supported (OData ABNF construction
// rules). Strings keep their quotes: godata's own rule for doubled quotes mistakes a string of
// nothing else.
var filterTokens = func() *godata.Tokenizer {
	var t godata.Tokenizer
	t.Add(`^[[:xdigit:]]{8}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{4}-[[:xdigit:]]{12}`,
		godata.ExpressionTokenGuid)
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})`,
		godata.ExpressionTokenDateTime)
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`, godata.ExpressionTokenDate)
	t.Add(`^-?[0-9]{1,18}\b`, godata.ExpressionTokenInteger)
	t.Add(`^\(`, godata.ExpressionTokenOpenParen)
	t.Add(`^\)`, godata.ExpressionTokenCloseParen)
	t.Add(`^,`, godata.ExpressionTokenComma)
	t.Add(`(?i)^(?P<token>/)any\b`, godata.ExpressionTokenLambdaNav)
	t.Add(`^/`, godata.ExpressionTokenNav)
	t.AddWithSubstituteFunc(`^:`, godata.ExpressionTokenColon, func(string) string { return "," })
	t.Add(`(?i)^(?P<token>any)[\s(]`, godata.ExpressionTokenLambda)
	t.Add(`(?i)^(?P<token>contains|startswith|endswith|isof)[\s(]`, godata.ExpressionTokenFunc)
	t.Add(`(?i)^(?P<token>eq|ne|gt|ge|lt|le|and|or|not|in|has)[\s(]`, godata.ExpressionTokenLogical)
	t.Add(`(?i)^null\b`, godata.ExpressionTokenNull)
	t.Add(`(?i)^(true|false)\b`, godata.ExpressionTokenBoolean)
	t.AddWithSubstituteFunc(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+'(''|[^'])*'`,
		godata.ExpressionTokenString, unqualified)
	t.Add(`^'(''|[^'])*'`, godata.ExpressionTokenString)
	t.Add(`^[A-Za-z_][A-Za-z0-9_.]*`, godata.ExpressionTokenLiteral)
	t.Ignore(`^\s+`, godata.ExpressionTokenWhitespace)
	return &t
}()

func badFilter(format string, args ...any) *Fault {
	return BadRequest(OptionFilter, format,
		args...)
}

// ParseFilter turns $filter into a condition.
func ParseFilter(text string, l *Listing) (query.Condition, error) {
	if len(text) > filterLengthLimit {
		return nil, badFilter("Query option '$filter' is longer than %d bytes.", filterLengthLimit)
	}
	tree, err := parseTree(text)
	if err != nil {
		return nil, badFilter("Query option '$filter' is not valid: %s.", Clip(err.Error()))
	}
	f := filterReader{listing: l}
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
type filterReader struct {
	listing *Listing
	nodes   int // that were seen
}

// countNode refuses a filter of too many operators and functions.
func (f *filterReader) countNode() error {
	if f.nodes++; f.nodes > filterNodeLimit {
		return badFilter("Query option '$filter' has more than %d operators.", filterNodeLimit)
	}
	return nil
}

var comparisons = map[string]query.Operator{
	"eq": query.Equal, "ne": query.NotEqual, "lt": query.Less, "le": query.LessOrEqual,
	"gt":       query.Greater,
	"ge":       query.GreaterOrEqual,
	"contains": query.Contains, "startswith": query.StartsWith, "endswith": query.EndsWith,
}

func (f *filterReader) condition(n *godata.ParseNode) (query.Condition, error) {
	if err := f.countNode(); err != nil {
		return nil, err
	}
	if n == nil || n.Token == nil {
		return nil, badFilter("Query option '$filter' is not valid.")
	}
	if n.Token.Type == godata.ExpressionTokenLambdaNav && len(n.Children) == 2 {
		return f.anyElement(n)
	}
	isOperator := n.Token.Type == godata.ExpressionTokenLogical ||
		n.Token.Type == godata.ExpressionTokenFunc
	name := n.Token.Value
	switch operator, compares := comparisons[name]; {
	case !isOperator:
		return nil, badFilter("Query option '$filter' is not valid: '%s' is not a condition.",
			Clip(name))
	case name == "not" && len(n.Children) == 1:
		inner, err := f.condition(n.Children[0])
		return query.Not{Is: inner}, err
	case (name == "and" || name == "or") && len(n.Children) == 2:
		return f.pair(name, n.Children[0], n.Children[1])
	case name == "in" && len(n.Children) == 2:
		return f.anyOf(n.Children[0], n.Children[1])
	case name == "has" && len(n.Children) == 2:
		return f.hasFlags(n.Children[0], n.Children[1])
	case compares && len(n.Children) == 2 && isCondition(n.Children[0]):
		return f.compareCondition(n.Children[0], operator, n.Children[1])
	case compares && len(n.Children) == 2:
		return f.compare(n.Children[0], operator, n.Children[1])
	case name == "isof" && len(n.Children) == 1:
		return f.isOf(n.Children[0])
	default:
		return nil,
			badFilter("Query option '$filter' is not valid: '%s' has too few or too many operands.",
				Clip(name))
	}
}

// pair joins two conditions; a chain of the same operator stays flat.
func (f *filterReader) pair(operator string, left,
	right *godata.ParseNode) (query.Condition, error) {
	a, err := f.condition(left)
	if err != nil {
		return nil, err
	}
	b, err := f.condition(right)
	if err != nil {
		return nil, err
	}
	if operator == "and" {
		if chain, ok := a.(query.All); ok {
			return append(chain, b), nil
		}
		return query.All{a, b}, nil
	}
	if chain, ok := a.(query.Any); ok {
		return append(chain, b), nil
	}
	return query.Any{a, b}, nil
}

func (f *filterReader) anyOf(property, list *godata.ParseNode) (query.Condition, error) {
	if list.Token == nil || list.Token.Type != godata.TokenTypeListExpr || len(list.Children) == 0 {
		return nil,
			badFilter("Query option '$filter' is not valid: 'in' needs a list such as ('a','b').")
	}
	var alternatives query.Any
	for _, value := range list.Children {
		if err := f.countNode(); err != nil {
			return nil, err
		}
		one, err := f.compare(property, query.Equal, value)
		if err != nil {
			return nil, err
		}
		alternatives = append(alternatives, one)
	}
	return alternatives, nil
}

func (f *filterReader) compare(property *godata.ParseNode, operator query.Operator,
	value *godata.ParseNode) (query.Condition, error) {
	of, err := f.operand(property)
	if err != nil {
		return nil, err
	}
	if l, ok := readLiteral(value.Token); ok {
		c, ok := of.comparer.Comparison(operator, l.value)
		if !ok && l.value == nil && isEquality(operator) {
			// what cannot be null is not, which scripts may ask all the same
			c, ok = fixed(1, operator), true
		}
		if ok {
			return of.within(c, isNullWhen(operator, l.value)), nil
		}
	}
	return nil, badFilter("Query option '$filter' is not valid: property '%s' cannot be compared so.",
		Clip(of.name))
}

// isCondition reports whether a node is a condition, which may be compared with true and false.
func isCondition(n *godata.ParseNode) bool {
	return n.Token != nil && (n.Token.Type == godata.ExpressionTokenLogical ||
		n.Token.Type == godata.ExpressionTokenFunc ||
		n.Token.Type == godata.ExpressionTokenLambdaNav)
}

// compareCondition is a condition compared with true or false: isof('x') eq false.
func (f *filterReader) compareCondition(condition *godata.ParseNode, operator query.Operator,
	value *godata.ParseNode) (query.Condition, error) {
	l, _ := readLiteral(value.Token)
	is, ok := l.value.(bool)
	if !ok || !isEquality(operator) {
		return nil, badFilter("Query option '$filter' is not valid: a condition such as '%s' "+
			"can be compared with eq or ne and true or false.", Clip(condition.Token.Value))
	}
	c, err := f.condition(condition)
	if err == nil && is != (operator == query.Equal) {
		c = query.Not{Is: c}
	}
	return c, err
}

// isOf is isof('microsoft.graph.type'), the type with or without quotes. Nothing is of a type that
// is not here.
func (f *filterReader) isOf(n *godata.ParseNode) (query.Condition, error) {
	given := ""
	if l, ok := readLiteral(n.Token); ok {
		given, _ = l.value.(string)
	} else if n.Token != nil && n.Token.Type == godata.ExpressionTokenLiteral {
		given = n.Token.Value
	}
	name, qualified := withoutNamespace(strings.TrimPrefix(given, "#"))
	if _, meaning, ok := lookUp(f.listing.Types, name); ok {
		return meaning, nil
	}
	if !qualified || !typeName.MatchString(name) {
		return nil, badFilter("Query option '$filter' is not valid: isof cannot name '%s' here.",
			Clip(given))
	}
	return query.Any{}, nil
}
