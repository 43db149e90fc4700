package graph

import (
	"context"
	"strconv"
	"time"

	"github.com/CiscoM31/godata"

	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// auditTokens are the lexical elements of filters on the audit record: comparisons with `and` between them.
var auditTokens = func() *godata.Tokenizer {
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

// auditQuery reads the options of a list of audit events.
func (c *call) auditQuery() (q audit.Query, err error) {
	if c.options.Has(optionFilter) {
		if q, err = parseAuditFilter(c.options.Get(optionFilter)); err != nil {
			return q, err
		}
	}
	var before string
	if before, q.Limit, err = c.plainPage(); err != nil || before == "" {
		return q, err
	}
	if q.Before, err = strconv.ParseInt(before, 10, 64); err != nil || q.Before < 1 {
		return q, badRequest(optionSkipToken, "Query option '$skiptoken' is not valid: use the @odata.nextLink of an answer as it is.")
	}
	return q, nil
}

const auditFilterHelp = "it takes comparisons with 'and' between them: activityDateTime with ge, gt, le or lt, and with eq " +
	"activityOperationType, activityResult, activityType or actor/userId, each once"

func badAuditFilter() *fault {
	return badFilter("Query option '$filter' is not supported here as it is: %s.", auditFilterHelp)
}

// parseAuditFilter turns $filter on audit events into a query.
func parseAuditFilter(text string) (q audit.Query, err error) {
	if len(text) > filterLengthLimit {
		return q, badFilter("Query option '$filter' is longer than %d bytes.", filterLengthLimit)
	}
	tokens, err := auditTokens.Tokenize(context.Background(), text)
	if err != nil {
		return q, badAuditFilter()
	}
	for {
		if len(tokens) < 3 || tokens[0].Type != godata.ExpressionTokenLiteral || tokens[1].Type != godata.ExpressionTokenLogical {
			return q, badAuditFilter()
		}
		value, ok := readLiteral(tokens[2])
		if !ok || !limitAudit(&q, tokens[0].Value, tokens[1].Value, value.value) {
			return q, badAuditFilter()
		}
		if tokens = tokens[3:]; len(tokens) == 0 {
			return q, nil
		}
		if tokens[0].Type != godata.ExpressionTokenLogical || tokens[0].Value != "and" {
			return q, badAuditFilter()
		}
		tokens = tokens[1:]
	}
}

// limitAudit adds one comparison to a query; false if there is no such comparison, or one of its kind before it.
func limitAudit(q *audit.Query, property, operator string, value any) bool {
	if at, isTime := value.(time.Time); isTime && property == "activityDateTime" {
		return limitAuditTime(q, operator, at)
	}
	text, isText := value.(string)
	field := map[string]*string{"activityOperationType": (*string)(&q.Kind), "activityResult": (*string)(&q.Result),
		"activityType": &q.Activity, "actor/userId": &q.Actor}[property]
	if !isText || text == "" || operator != "eq" || field == nil || *field != "" {
		return false
	}
	*field = text
	return true
}

// limitAuditTime: times are kept in microseconds, so that the next moment is one later.
func limitAuditTime(q *audit.Query, operator string, at time.Time) bool {
	bound, ceiling := &q.From, at.Truncate(time.Microsecond)
	if ceiling.Before(at) {
		ceiling = ceiling.Add(time.Microsecond)
	}
	switch operator {
	case "ge":
		at = ceiling
	case "gt":
		at = at.Truncate(time.Microsecond).Add(time.Microsecond)
	case "lt":
		bound, at = &q.To, ceiling
	case "le":
		bound, at = &q.To, at.Truncate(time.Microsecond).Add(time.Microsecond)
	default:
		return false
	}
	if !bound.IsZero() {
		return false
	}
	if at.IsZero() { // no bound, to a query; no entry is as old
		at = at.Add(time.Microsecond)
	}
	*bound = at
	return true
}
