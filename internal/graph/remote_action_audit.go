package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var remoteActionAuditProperties = odata.Properties{
	{"id", odata.String}, {"deviceDisplayName", odata.String}, {"userName", odata.String},
	{"initiatedByUserPrincipalName", odata.String}, {"action", "remoteAction"},
	{"requestDateTime", odata.DateTime},
	{"deviceOwnerUserPrincipalName", odata.String}, {"deviceIMEI", odata.String},
	{"actionState", "actionState"},
	{"managedDeviceId", odata.String}, {"deviceActionCategory", "deviceActionCategory"},
	{"bulkDeviceActionId", odata.String},
}

var remoteActionShape = newShape("remoteActionAudit", remoteActionAuditProperties)

// remoteActionListing is what the options take of actions: the newest come first.
var remoteActionListing = remoteActionShape.complete(&odata.Listing{
	Filters: map[string]odata.Comparer{
		"id": odata.TextField(audit.ByID), "action": odata.TextField(audit.ByName),
		"managedDeviceId":              odata.TextField(audit.ByDevice),
		"deviceDisplayName":            odata.TextField(audit.ByDeviceName),
		"initiatedByUserPrincipalName": odata.TextField(audit.ByActor),
		"userName":                     odata.TextField(audit.ByActor),
		"requestDateTime":              odata.TimeField(audit.ByStarted),
		"actionState":                  actionStates(),
	},
	Orders: map[string]query.Field{"id": audit.ByID, "requestDateTime": audit.ByStarted,
		"deviceDisplayName": audit.ByDeviceName,
		"action":            audit.ByName},
	Search: map[string]query.Field{"deviceDisplayName": audit.ByDeviceName,
		"initiatedByUserPrincipalName": audit.ByActor},
	Order: []query.Order{{Field: audit.ByStarted, Descending: true}},
})

func actionStates() odata.ChoiceField {
	members := make(odata.ChoiceField, len(states))
	for number, name := range states {
		members[name] = query.Comparison{Field: audit.ByState, Operator: query.Equal,
			Value: int64(number)}
	}
	return members
}

// remoteActionAuditFields shows an action as Graph's remoteActionAudit (Microsoft Graph beta
// reference, remoteActionAudit resource type). action is the name by which it was started.
func remoteActionAuditFields(a *audit.RemoteAction) odata.Fields {
	return odata.Fields{
		{"id", a.ID},
		{"deviceDisplayName", odata.TextOrNull(a.DeviceName)},
		{"userName", a.Actor},
		{"initiatedByUserPrincipalName", a.Actor},
		{"action", a.Name},
		{"requestDateTime", odata.Timestamp(a.Started)},
		{"deviceOwnerUserPrincipalName", nil},
		{"deviceIMEI", nil},
		{"actionState", states[a.State]},
		{"managedDeviceId", a.DeviceID},
		{"deviceActionCategory", "single"},
		{"bulkDeviceActionId", nil},
	}
}

// listRemoteActionAudits lists the actions on the devices in the caller's scope.
func (c *call) listRemoteActionAudits() error {
	selected, err := c.selected(remoteActionShape)
	if err != nil {
		return err
	}
	var within fleet.Condition
	if !c.scope.Everything() {
		within = fleet.Within(c.scope)
	}
	return odata.ServeList(c.req, "deviceManagement/remoteActionAudits", remoteActionListing,
		within, c.config.Audit.RemoteActions,
		func(a audit.RemoteAction) (odata.Fields, error) {
			return c.shown(remoteActionShape, remoteActionAuditFields(&a), selected), nil
		})
}

// getRemoteActionAudit shows one action, on a device in the caller's scope.
func (c *call) getRemoteActionAudit() error {
	selected, err := c.selected(remoteActionShape)
	if err != nil {
		return err
	}
	where := query.All{query.Is(audit.ByID, lower(c.req.PathValue("id")))}
	if !c.scope.Everything() {
		where = append(where, fleet.Within(c.scope))
	}
	found, err := c.config.Audit.RemoteActions(c.req.Context(),
		query.Query{Where: where, Limit: 1})
	if err != nil {
		return err
	}
	if len(found.Items) == 0 {
		return odata.NotFound("There is no action with this id.")
	}
	return c.req.ReplyEntity(http.StatusOK, "deviceManagement/remoteActionAudits",
		"remoteActionAudit",
		c.shown(remoteActionShape, remoteActionAuditFields(&found.Items[0]), selected))
}
