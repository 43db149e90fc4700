package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/query"
)

// condition is 0 or 1 and never NULL, so that NOT of it is its opposite.
func (b *selection) condition(c query.Condition) (string, error) {
	switch c := c.(type) {
	case query.Comparison:
		return b.comparison(c)
	case query.Not:
		inner, err := b.condition(c.Is)
		return "(NOT " + inner + ")", err
	case query.All:
		return b.join(c, " AND ", "TRUE")
	case query.Any:
		return b.join(c, " OR ", "FALSE")
	case query.OneOf:
		return b.oneOf(c)
	case query.Has:
		return b.has(c)
	default:
		if b.of.own != nil {
			return b.of.own(b, c)
		}
		return "", unknownCondition(b.of, c)
	}
}

func unknownCondition(r *resource, c query.Condition) error {
	return fmt.Errorf("%s have no condition %T", r.things, c)
}

func (b *selection) join(conditions []query.Condition, operator, empty string) (string, error) {
	if len(conditions) == 0 {
		return empty, nil
	}
	parts := make([]string, len(conditions))
	for i, c := range conditions {
		part, err := b.condition(c)
		if err != nil {
			return "", err
		}
		parts[i] = part
	}
	return "(" + strings.Join(parts, operator) + ")", nil
}

func (b *selection) oneOf(c query.OneOf) (string, error) {
	field, err := b.of.field(c.Field)
	switch {
	case err != nil:
		return "", err
	case field.kind != idColumn && field.kind != textColumn:
		return "", fmt.Errorf("field %q of %s is no text", c.Field, b.of.things)
	case len(c.Values) == 0:
		return "FALSE", nil
	}
	marks := make([]string, len(c.Values))
	for i, v := range c.Values {
		if field.kind == textColumn {
			marks[i] = b.bind(lower(v))
		} else {
			marks[i] = b.bind(strings.ToLower(v))
		}
	}
	list := " IN (" + strings.Join(marks, ", ") + ")"
	if field.kind == textColumn {
		return "lower(" + field.sql + ")" + list, nil
	}
	return field.sql + list, nil
}

func (b *selection) has(c query.Has) (string, error) {
	field, err := b.of.field(c.Field)
	if err == nil && field.kind != listColumn {
		err = fmt.Errorf("field %q of %s is no list", c.Field, b.of.things)
	}
	if err != nil {
		return "", err
	}
	b.bind(c.Value)
	return field.sql, nil
}

var comparisonSQL = map[query.Operator]string{
	query.Equal: " = ", query.NotEqual: " <> ",
	query.Less: " < ", query.LessOrEqual: " <= ", query.Greater: " > ",
	query.GreaterOrEqual: " >= ",
}

func (b *selection) comparison(c query.Comparison) (string, error) {
	field, err := b.of.field(c.Field)
	if err != nil {
		return "", err
	}
	mismatch := fmt.Errorf("field %q of %s cannot be compared with a %T by operator %d", c.Field,
		b.of.things, c.Value, c.Operator)
	operator, ok := comparisonSQL[c.Operator]
	text, isText := c.Value.(string)
	switch {
	case c.Value == nil && c.Operator <= query.NotEqual:
		return unknown(field, operator, mismatch)
	case !ok && isText && c.Operator <= query.EndsWith:
		return b.match(field, c.Operator, text, mismatch)
	case !ok:
		return "", mismatch
	}
	switch v := c.Value.(type) {
	case string:
		ok = field.kind == textColumn || field.kind == idColumn
	case bool:
		ok = field.kind == boolColumn && c.Operator <= query.NotEqual
	case int64:
		ok = field.kind == numberColumn
	case time.Time:
		ok = field.kind == stampColumn || field.kind == timeColumn
		c.Value = v.UnixMicro()
	default:
		ok = false
	}
	if !ok {
		return "", mismatch
	}
	switch {
	case field.kind == textColumn:
		return b.textComparison(field, c.Operator, text), nil
	case field.kind == idColumn:
		return field.sql + operator + b.bind(strings.ToLower(text)), nil
	case field.kind == timeColumn && c.Operator == query.NotEqual:
		return "(" + field.sql + " IS NULL OR " + field.sql + operator + b.bind(c.Value) + ")", nil
	case field.kind == timeColumn:
		return "(" + field.sql + " IS NOT NULL AND " + field.sql + operator + b.bind(c.Value) + ")",
			nil
	default:
		return field.sql + operator + b.bind(c.Value), nil
	}
}

// unknown compares a field with nothing.
func unknown(field column, operator string, mismatch error) (string, error) {
	switch {
	case field.kind == textColumn:
		return field.sql + operator + "''", nil
	case field.kind == timeColumn && operator == comparisonSQL[query.Equal]:
		return field.sql + " IS NULL", nil
	case field.kind == timeColumn:
		return field.sql + " IS NOT NULL", nil
	case field.kind == listColumn:
		return "", mismatch
	case operator == comparisonSQL[query.Equal]:
		return "FALSE", nil
	default:
		return "TRUE", nil
	}
}

// textComparison: an unknown text is neither less nor greater than another.
func (b *selection) textComparison(field column, o query.Operator, value string) string {
	operator := comparisonSQL[o]
	if value == "" && o <= query.NotEqual {
		return field.sql + operator + "''"
	}
	compared := "lower(" + field.sql + ")" + operator + b.bind(lower(value))
	if o <= query.NotEqual {
		return compared
	}
	return "(" + field.sql + " <> '' AND " + compared + ")"
}

// lower is a text as SQL's lower makes it.
func lower(text string) string { return query.Fold(text) }

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (b *selection) match(field column, o query.Operator, value string,
	mismatch error) (string, error) {
	if field.kind != textColumn && field.kind != idColumn {
		return "", mismatch
	}
	pattern := likeEscaper.Replace(value)
	if o != query.StartsWith {
		pattern = "%" + pattern
	}
	if o != query.EndsWith {
		pattern += "%"
	}
	return "lower(" + field.sql + ") LIKE " + b.bind(lower(pattern)) + ` ESCAPE '\'`, nil
}
