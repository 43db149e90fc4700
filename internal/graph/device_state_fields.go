package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// noUser is the userId of what belongs to no user: devices here have none. Graph's own service
// shows such devices with it, too.
const noUser = "00000000-0000-0000-0000-000000000000"

// complianceStatuses are the members of complianceStatus, by their numbers.
var complianceStatuses = []string{"unknown", "notApplicable", "compliant", "remediated",
	"nonCompliant", "error", "conflict", "notAssigned"}

// isHeldOff reports whether an action holds a payload off the device.
func isHeldOff(p *action.Payload) bool { return p.Away && p.Intent == action.Remove }

// wanted reports whether a payload should be on the device.
func wanted(p *action.Payload) bool { return p.Assigned && !isHeldOff(p) }

// status is the member of complianceStatus. What is held off the device, or is not assigned any
// more, is notAssigned once it is seen to be off. What the device has not shown yet is unknown.
func (s payloadState) status() string {
	switch {
	case s.payload.Work.Phase == action.Stuck:
		return "error"
	case s.payload.Work.Phase != action.Idle || s.payload.Presence == action.Unknown:
		return "unknown"
	case wanted(s.payload) != (s.payload.Presence == action.Present):
		return "nonCompliant"
	case s.payload.Presence == action.Present:
		return "compliant"
	default:
		return "notAssigned"
	}
}

func (s payloadState) fields(x explainer) odata.Fields {
	return odata.Fields{
		{"id", s.payload.ID},
		{"displayName", s.payload.DisplayName},
		{"version", s.payload.Version},
		{"platformType", s.platform},
		{"state", s.status()},
		{"settingCount", s.settings},
		{"settingStates", s.settingStates(x)},
		{"userId", noUser},
		{"userPrincipalName", nil},
		{ownProperty, standing(s.payload, x)},
	}
}

// settingStates has one element when the device refused the policy: it does so as a whole.
func (s payloadState) settingStates(x explainer) []odata.Fields {
	if s.payload.Work.Phase != action.Stuck {
		return []odata.Fields{}
	}
	return []odata.Fields{withFailure(odata.Fields{
		{"settingName", s.payload.DisplayName},
		{"state", "error"},
		{"errorCode", s.payload.Work.Code},
		{"errorDescription", odata.TextOrNull(s.payload.Work.Note)},
	}, s.payload.Work.WhoseCode(), s.payload.Work.Note, x)}
}

var presences = []string{action.Unknown: "unknown", action.Absent: "absent",
	action.Present: "present"}

var works = []string{action.Idle: "idle", action.Queued: "queued", action.Delivered: "sent",
	action.Verifying: "verifying",
	action.Stuck:     "error"}

// standing tells how a payload stands on a device, in this server's own words.
func standing(p *action.Payload, x explainer) odata.Fields {
	var since, by, restore, failure any
	if isHeldOff(p) {
		since, by, restore = odata.Timestamp(p.AwaySince), odata.TextOrNull(p.AwayBy),
			odata.Timestamp(p.RestoreAt)
	}
	if p.Work.Phase == action.Stuck {
		failure = append(odata.Fields{{"code", p.Work.Code},
			{"source", sourceOf(p.Work.WhoseCode())}, {"detail", p.Work.Note}},
			x.explain(p.Work.WhoseCode(), p.Work.Note)...)
	}
	return odata.Fields{
		{"assigned", p.Assigned},
		{"removed", isHeldOff(p)},
		{"removedDateTime", since},
		{"removedBy", by},
		{"restoreDateTime", restore},
		{"presence", presences[p.Presence]},
		{"work", works[p.Work.Phase]},
		{"error", failure},
	}
}
