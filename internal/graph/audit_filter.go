package graph

import (
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// auditQuery reads the options of a list of audit events.
func (c *call) auditQuery() (q audit.Query, err error) {
	if c.req.Options.Has(odata.OptionFilter) {
		if q, err = parseAuditFilter(c.req.Options.Get(odata.OptionFilter)); err != nil {
			return q, err
		}
	}
	var before string
	if before, q.Limit, err = c.req.PageByID(); err != nil || before == "" {
		return q, err
	}
	if q.Before, err = strconv.ParseInt(before, 10, 64); err != nil || q.Before < 1 {
		return q, odata.BadSkipToken()
	}
	return q, nil
}

const auditFilterHelp = "it takes comparisons with 'and' between them: activityDateTime with ge, gt, le or lt, and with eq " +
	"activityOperationType, activityResult, activityType or actor/userId, each once"

// parseAuditFilter turns $filter on audit events into a query.
func parseAuditFilter(text string) (q audit.Query, err error) {
	err = odata.ParseComparisons(text, auditFilterHelp,
		func(property, operator string, value any) bool {
			return limitAudit(&q, property, operator, value)
		})
	return q, err
}

// limitAudit adds one comparison to a query; false if there is no such comparison, or one of its
// kind before it.
func limitAudit(q *audit.Query, property, operator string, value any) bool {
	if at, isTime := value.(time.Time); isTime && odata.SameName(property, "activityDateTime") {
		return limitAuditTime(q, operator, at)
	}
	text, isText := value.(string)
	var field *string
	for name, of := range map[string]*string{"activityOperationType": (*string)(&q.Kind),
		"activityResult": (*string)(&q.Result),
		"activityType":   &q.Activity, "actor/userId": &q.Actor} {
		if odata.SameName(property, name) {
			field = of
		}
	}
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
