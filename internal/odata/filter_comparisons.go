package odata

import (
	"context"

	"github.com/CiscoM31/godata"
)

// comparisonTokens are the lexical elements of filters that are comparisons with `and` between
// them. The name of a property may be a path.
var comparisonTokens = func() *godata.Tokenizer {
	var t godata.Tokenizer
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})`,
		godata.ExpressionTokenDateTime)
	t.Add(`^[0-9]{4}-[0-9]{2}-[0-9]{2}`, godata.ExpressionTokenDate)
	t.Add(`(?i)^(?P<token>eq|gt|ge|lt|le|and)\s`, godata.ExpressionTokenLogical)
	t.Add(`^'(''|[^'])*'`, godata.ExpressionTokenString)
	t.Add(`^[A-Za-z_][A-Za-z0-9_/]*`, godata.ExpressionTokenLiteral)
	t.Ignore(`^\s+`, godata.ExpressionTokenWhitespace)
	return &t
}()

// ParseComparisons reads a $filter that is comparisons with `and` between them, and adds each. What
// the filter has beside these, or what add refuses, is answered with help, which says what is
// taken.
func ParseComparisons(text, help string, add func(property, operator string,
	value any) bool) error {
	if len(text) > filterLengthLimit {
		return badFilter("Query option '$filter' is longer than %d bytes.", filterLengthLimit)
	}
	unsupported := badFilter("Query option '$filter' is not supported here as it is: %s.", help)
	tokens, err := comparisonTokens.Tokenize(context.Background(), text)
	if err != nil {
		return unsupported
	}
	for {
		if len(tokens) < 3 || tokens[0].Type != godata.ExpressionTokenLiteral ||
			tokens[1].Type != godata.ExpressionTokenLogical {
			return unsupported
		}
		value, ok := readLiteral(tokens[2])
		if !ok || !add(tokens[0].Value, tokens[1].Value, value.value) {
			return unsupported
		}
		if tokens = tokens[3:]; len(tokens) == 0 {
			return nil
		}
		if tokens[0].Type != godata.ExpressionTokenLogical || tokens[0].Value != "and" {
			return unsupported
		}
		tokens = tokens[1:]
	}
}
