package simulator

import (
	"strings"
	"time"
)

// filter is a parsed $filter, or that of a report. Nil matches everything.
type filter struct {
	operator    string // and, or, not, or a comparison
	left, right *filter
	field       string
	value       any // string, time.Time, or the text of anything else
	function    bool
}

// fieldLookup gives the value of a field: a string or a time.Time. False: there is none.
type fieldLookup func(name string) (any, bool)

const (
	maxFilter      = 4000 // characters
	maxFilterDepth = 20
)

// parseFilter reads a filter. False: it is not one.
func parseFilter(text string) (*filter, bool) {
	if strings.TrimSpace(text) == "" {
		return nil, true
	}
	if len(text) > maxFilter {
		return nil, false
	}
	p := &filterParser{tokens: filterTokens(text)}
	if p.tokens == nil {
		return nil, false
	}
	f := p.or(0)
	return f, f != nil && p.at == len(p.tokens)
}

// filterTokens splits a filter into words, strings with their quotes, and signs. Nil: a string has
// no end.
func filterTokens(text string) []string {
	var tokens []string
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case ' ', '\t', '\r', '\n':
			i++
		case '(', ')', ',':
			tokens = append(tokens, string(c))
			i++
		case '\'':
			end := i + 1
			for end < len(text) {
				if text[end] != '\'' {
					end++
				} else if end+1 < len(text) && text[end+1] == '\'' {
					end += 2
				} else {
					break
				}
			}
			if end >= len(text) {
				return nil
			}
			tokens = append(tokens, text[i:end+1])
			i = end + 1
		default:
			end := i
			for end < len(text) && !strings.ContainsRune(" \t\r\n(),'", rune(text[end])) {
				end++
			}
			tokens = append(tokens, text[i:end])
			i = end
		}
	}
	return tokens
}

type filterParser struct {
	tokens []string
	at     int
}

// peek is the next token, or nothing.
func (p *filterParser) peek() string {
	if p.at < len(p.tokens) {
		return p.tokens[p.at]
	}
	return ""
}

func (p *filterParser) take(token string) bool {
	if p.peek() != token {
		return false
	}
	p.at++
	return true
}

// The methods return nil for what is no filter.
func (p *filterParser) or(depth int) *filter {
	left := p.and(depth)
	for left != nil && p.take("or") {
		right := p.and(depth)
		if right == nil {
			return nil
		}
		left = &filter{operator: "or", left: left, right: right}
	}
	return left
}

func (p *filterParser) and(depth int) *filter {
	left := p.term(depth)
	for left != nil && p.take("and") {
		right := p.term(depth)
		if right == nil {
			return nil
		}
		left = &filter{operator: "and", left: left, right: right}
	}
	return left
}

func (p *filterParser) term(depth int) *filter {
	if depth > maxFilterDepth {
		return nil
	}
	switch {
	case p.take("not"):
		inner := p.term(depth + 1)
		if inner == nil {
			return nil
		}
		return &filter{operator: "not", left: inner}
	case p.take("("):
		inner := p.or(depth + 1)
		if inner == nil || !p.take(")") {
			return nil
		}
		return inner
	}
	return p.comparison()
}

// comparison reads `field eq value`, or a call such as `startswith(field,'x')`, which nothing here
// supports.
func (p *filterParser) comparison() *filter {
	name := p.peek()
	if name == "" || strings.ContainsAny(name[:1], "'(),") {
		return nil
	}
	p.at++
	if p.take("(") {
		for p.peek() != ")" {
			if p.peek() == "" || p.peek() == "(" {
				return nil
			}
			p.at++
		}
		p.at++
		return &filter{operator: "call", field: name, function: true}
	}
	operator := p.peek()
	switch operator {
	case "eq", "ne", "lt", "le", "gt", "ge":
	default:
		return nil
	}
	p.at++
	text := p.peek()
	if text == "" || strings.ContainsAny(text[:1], "(),") {
		return nil
	}
	p.at++
	return &filter{operator: operator, field: name, value: literal(text)}
}

func literal(text string) any {
	if text[0] == '\'' {
		return strings.ReplaceAll(text[1:len(text)-1], "''", "'")
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at
	}
	return text
}

// every tells whether all comparisons of the filter fit.
func (f *filter) every(fits func(field, operator string) bool) bool {
	switch {
	case f == nil:
		return true
	case f.field != "":
		return !f.function && fits(f.field, f.operator)
	}
	return f.left.every(fits) && f.right.every(fits)
}

// matches compares. A field that is not there is equal to nothing.
func (f *filter) matches(fields fieldLookup) bool {
	if f == nil {
		return true
	}
	switch f.operator {
	case "and":
		return f.left.matches(fields) && f.right.matches(fields)
	case "or":
		return f.left.matches(fields) || f.right.matches(fields)
	case "not":
		return !f.left.matches(fields)
	}
	value, ok := fields(f.field)
	if !ok {
		return f.operator == "ne"
	}
	order, comparable := compare(value, f.value)
	switch f.operator {
	case "eq":
		return comparable && order == 0
	case "ne":
		return !comparable || order != 0
	case "lt":
		return comparable && order < 0
	case "le":
		return comparable && order <= 0
	case "gt":
		return comparable && order > 0
	case "ge":
		return comparable && order >= 0
	}
	return false
}

func compare(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case time.Time:
		if at, ok := b.(time.Time); ok {
			return a.Compare(at), true
		}
	case string:
		if text, ok := b.(string); ok {
			return strings.Compare(strings.ToLower(a), strings.ToLower(text)), true
		}
	}
	return 0, false
}
