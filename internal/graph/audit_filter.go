package graph

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// auditQuery reads the options of a list of audit events.
func (c *call) auditQuery() (q audit.Query, err error) {
	if c.req.Options.Has(odata.OptionFilter) {
		q, err = parseAuditFilter(c.req.Options.Get(odata.OptionFilter), c.server.categories)
		if err != nil {
			return q, err
		}
	}
	if q.Ascending, err = c.req.IsAscending("activityDateTime"); err != nil {
		return q, err
	}
	if q.Skip, err = c.req.Skipped(); err != nil {
		return q, err
	}
	var passed string
	if passed, q.Limit, err = c.req.PageByID(); err != nil || passed == "" {
		return q, err
	}
	position := &q.Before
	if q.Ascending {
		position = &q.After
	}
	if *position, err = strconv.ParseInt(passed, 10, 64); err != nil || *position < 1 {
		return q, odata.BadSkipToken()
	}
	return q, nil
}

const auditFilterHelp = "it takes comparisons with 'and' between them: activityDateTime with ge, gt, le or lt, and with eq " +
	"activityOperationType, activityResult, activityType or displayName, componentName, category or actor/userId, each once"

// parseAuditFilter turns $filter on audit events into a query. categories are as categoriesOf.
func parseAuditFilter(text string, categories map[string]string) (q audit.Query, err error) {
	err = odata.ParseComparisons(text, auditFilterHelp,
		func(property, operator string, value any) bool {
			if odata.SameName(property, "category") {
				return limitAuditCategory(&q, operator, value, categories)
			}
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
		"activityResult": (*string)(&q.Result), "activityType": &q.Activity,
		"activity": &q.Activity, "displayName": &q.Activity, "componentName": &q.Component,
		"actor/userId": &q.Actor} {
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

// limitAuditCategory: an entry belongs to a category by its component, and to none of those that
// are known if its component is none of them.
func limitAuditCategory(q *audit.Query, operator string, value any,
	categories map[string]string) bool {
	wanted, isText := value.(string)
	if !isText || wanted == "" || operator != "eq" || q.Components != nil {
		return false
	}
	rest := odata.SameName(wanted, categoryOther)
	q.Components = &audit.Components{Except: rest}
	for _, component := range slices.Sorted(maps.Keys(categories)) {
		category := categories[component]
		if !rest && odata.SameName(wanted, category) || rest && category != categoryOther {
			q.Components.Names = append(q.Components.Names, component)
		}
	}
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
