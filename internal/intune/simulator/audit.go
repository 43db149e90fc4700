package simulator

import (
	"slices"
	"time"
)

// audit is a remoteActionAudit.
type audit struct {
	id      string
	at      time.Time
	visible time.Time
	device  *Device
	by      *string
	action  string
	result  *result
	twice   bool
}

// maxAudits is how many a tenant keeps, the newest.
const maxAudits = 50_000

// auditActions are the names that remoteAction has for what is asked of a device. It has none for
// syncDevice.
var auditActions = map[string]string{syncDevice: "unknown"}

func (t *Tenant) addAudit(now time.Time, d *Device, by actor, action string, r *result) {
	site := t.site
	a := &audit{id: site.newID(), at: now, device: d, action: action, result: r,
		visible: now.Add(site.upTo(site.faults.AuditDelay)),
		twice:   site.happens(site.faults.RepeatAudits)}
	if name, ok := auditActions[action]; ok {
		a.action = name
	}
	switch {
	case site.happens(site.faults.AuditsWithoutUser):
	case by.user != nil:
		a.by = &by.user.UPN
	case by.app != nil && site.readings.AuditNamesApps:
		a.by = &by.app.Name
	}
	t.audits = append(t.audits, a)
	if over := len(t.audits) - maxAudits; over > 0 {
		t.audits = slices.Delete(t.audits, 0, over)
	}
}

// auditRow is a remoteActionAudit as it is sent.
type auditRow struct {
	ID       string  `json:"id"`
	Device   string  `json:"deviceDisplayName"`
	User     string  `json:"userName"`
	By       *string `json:"initiatedByUserPrincipalName"`
	Action   string  `json:"action"`
	At       string  `json:"requestDateTime"`
	Owner    string  `json:"deviceOwnerUserPrincipalName"`
	IMEI     string  `json:"deviceIMEI"`
	State    string  `json:"actionState"`
	DeviceID string  `json:"managedDeviceId"`
	Category string  `json:"deviceActionCategory"`
	Bulk     *string `json:"bulkDeviceActionId"`
}

func (a *audit) row() auditRow {
	row := auditRow{ID: a.id, Device: a.device.name, By: a.by, Action: a.action, At: instant(a.at),
		State: a.result.state, DeviceID: a.device.ID, Category: "single"}
	if u := a.device.user; u != nil {
		row.User, row.Owner = u.UPN, u.UPN
	}
	return row
}

// fields are what $filter may compare.
func (a *audit) fields() fieldLookup {
	return func(name string) (any, bool) {
		switch name {
		case "action":
			return a.action, true
		case "requestDateTime":
			return a.at, true
		case "managedDeviceId":
			return a.device.ID, true
		case "actionState":
			return a.result.state, true
		}
		return nil, false
	}
}

// listAudits serves GET deviceManagement/remoteActionAudits. The newest come first with
// $orderby=requestDateTime desc, otherwise the oldest.
func listAudits(c *call) (answer, *refusal) {
	readings := c.site.readings
	filter, refused := c.filter(auditFilter)
	if refused != nil {
		return answer{}, refused
	}
	var rows []auditRow
	for _, a := range c.tenant.audits {
		if a.visible.After(c.now) || !c.caller.user.sees(a.device) {
			continue
		}
		if readings.AuditFilterIgnored || filter.matches(a.fields()) {
			rows = append(rows, a.row())
			if a.twice {
				rows = append(rows, a.row())
			}
		}
	}
	if c.query.Get("$orderby") == "requestDateTime desc" && !readings.AuditFilterIgnored {
		slices.Reverse(rows)
	}
	return c.list("deviceManagement/remoteActionAudits", len(rows), nil,
		func(b []byte, i int) []byte { return appendJSON(b, rows[i]) })
}
