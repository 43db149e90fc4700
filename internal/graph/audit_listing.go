package graph

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// toGetCategories tells the words that category of auditEvent has.
var toGetCategories = &verb{name: "getCategories", method: "GET", suffix: "/getAuditCategories()"}

// toGetActivityTypes tells the words that activityType of auditEvent has in a category.
var toGetActivityTypes = &verb{name: "getActivityTypes", method: "GET",
	suffix: "/getAuditActivityTypes(category)/{category}"}

func (c *call) listAuditEvents() error {
	selected, err := c.selected(auditEventShape)
	if err != nil {
		return err
	}
	q, err := c.auditQuery()
	if err != nil {
		return err
	}
	counts, err := c.req.WantsCount()
	if err != nil {
		return err
	}
	none := c.limitToOwn(&q)
	size := q.Limit
	q.Limit++
	var list []audit.Entry
	if !none {
		if list, err = c.config.Audit.Entries(c.req.Context(), q); err != nil {
			return err
		}
	}
	list, next := odata.SplitOrdered(c.req, list, size,
		func(e audit.Entry) string { return strconv.FormatInt(e.Sequence, 10) })
	if err := c.hideUnseen(list); err != nil {
		return err
	}
	page := odata.Page{Collection: "deviceManagement/auditEvents", Next: next,
		Value: make([]odata.Fields, len(list))}
	for i := range list {
		page.Value[i] = c.shown(auditEventShape, c.server.auditEventFields(&list[i]), selected)
	}
	if counts {
		n, err := c.countEntries(q, none)
		if err != nil {
			return err
		}
		page.Count = &n
	}
	return c.req.ReplyPage(page)
}

// countAuditEvents is GET …/auditEvents/$count.
func (c *call) countAuditEvents() error {
	q, err := c.auditQuery()
	if err != nil {
		return err
	}
	none := c.limitToOwn(&q)
	n, err := c.countEntries(q, none)
	if err != nil {
		return err
	}
	return c.req.ReplyCount(n)
}

// countEntries counts what is on all pages of a query; nothing if it is known that there is none.
func (c *call) countEntries(q audit.Query, none bool) (int, error) {
	if none {
		return 0, nil
	}
	q.Before, q.After = 0, 0
	return c.config.Audit.CountEntries(c.req.Context(), q)
}

// limitToOwn limits a query to what the caller sees. It reports whether that is nothing, because
// the query asks for what others did.
func (c *call) limitToOwn(q *audit.Query) (none bool) {
	own := c.auditLimit()
	if own == "" {
		return false
	}
	none = q.Actor != "" && q.Actor != own
	q.Actor, q.Unhidden = own, true
	return none
}

// getAuditCategories is GET …/auditEvents/getAuditCategories(): a function of Graph's, whose answer
// is a list of texts.
func (c *call) getAuditCategories() error {
	return c.replyTexts(append(slices.Collect(maps.Values(c.server.categories)), categoryOther))
}

// otherActivities are those in the record that are no operations of this surface: what devices do,
// and who comes to the console.
var otherActivities = []string{"managedDevices.enroll", "managedDevices.reenroll",
	"managedDevices.checkOut", "session.signIn", "session.signOut"}

// getAuditActivityTypes is GET …/auditEvents/getAuditActivityTypes(category='…'): what can be done,
// or tried, in a category.
func (c *call) getAuditActivityTypes() error {
	activities := slices.Clone(otherActivities)
	for _, rt := range routes() {
		if rt.resource != nil {
			activities = append(activities, rt.name)
		}
	}
	return c.replyTexts(slices.DeleteFunc(activities, func(activity string) bool {
		return !odata.SameName(c.server.auditCategory(activity), c.req.PathValue("category"))
	}))
}

// replyTexts answers with texts, each once.
func (c *call) replyTexts(list []string) error {
	slices.Sort(list)
	return c.req.Reply(http.StatusOK, odata.Fields{
		{"@odata.context", c.req.ContextURL("Collection(Edm.String)")},
		{"value", slices.Compact(list)}})
}
