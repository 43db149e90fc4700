package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var remoteActionAuditProperties = properties{
	{"id", edmString}, {"deviceDisplayName", edmString}, {"userName", edmString},
	{"initiatedByUserPrincipalName", edmString}, {"action", "remoteAction"}, {"requestDateTime", edmDateTime},
	{"deviceOwnerUserPrincipalName", edmString}, {"deviceIMEI", edmString}, {"actionState", "actionState"},
	{"managedDeviceId", edmString}, {"deviceActionCategory", "deviceActionCategory"},
	{"bulkDeviceActionId", edmString},
}

// remoteActionListing is what the options take of actions: the newest come first.
var remoteActionListing = &listing{
	filters: map[string]comparer{
		"id": textField(audit.ByID), "action": textField(audit.ByName), "managedDeviceId": textField(audit.ByDevice),
		"deviceDisplayName": textField(audit.ByDeviceName), "initiatedByUserPrincipalName": textField(audit.ByActor),
		"userName": textField(audit.ByActor), "requestDateTime": timeField(audit.ByStarted), "actionState": actionStates(),
	},
	orders: map[string]query.Field{"id": audit.ByID, "requestDateTime": audit.ByStarted, "deviceDisplayName": audit.ByDeviceName,
		"action": audit.ByName},
	search: map[string]query.Field{"deviceDisplayName": audit.ByDeviceName, "initiatedByUserPrincipalName": audit.ByActor},
	order:  []query.Order{{Field: audit.ByStarted, Descending: true}},
}

func actionStates() choiceField {
	members := make(choiceField, len(states))
	for number, name := range states {
		members[name] = query.Comparison{Field: audit.ByState, Operator: query.Equal, Value: int64(number)}
	}
	return members
}

// remoteActionAuditFields shows an action as Graph's remoteActionAudit (Microsoft Graph beta reference,
// remoteActionAudit resource type). action is the name by which it was started.
func remoteActionAuditFields(a *audit.RemoteAction) fields {
	return fields{
		{"id", a.ID},
		{"deviceDisplayName", textOrNull(a.DeviceName)},
		{"userName", a.Actor},
		{"initiatedByUserPrincipalName", a.Actor},
		{"action", a.Name},
		{"requestDateTime", timestamp(a.Started)},
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
	selected, err := c.selected(remoteActionAuditProperties.names())
	if err != nil {
		return err
	}
	var within fleet.Condition
	if !c.scope.Everything() {
		within = fleet.Within(c.scope)
	}
	return serveList(c, "deviceManagement/remoteActionAudits", remoteActionListing, within, c.Audit.RemoteActions,
		func(a audit.RemoteAction) (fields, error) { return remoteActionAuditFields(&a).pick(selected), nil })
}
