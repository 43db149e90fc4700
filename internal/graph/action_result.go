package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// Most characters of what a changeAssignments result shows (spec section 1).
const (
	displayNameLimit = 200
	messageLimit     = 1500
)

// detailLimit is the most bytes that are shown of a detail. The engine keeps fewer; what came
// before it did can be longer.
const detailLimit = 16 << 10

func shownDetail(detail string) any {
	return odata.TextOrNull(plaintext.CutBytes(detail,
		detailLimit))
}

// states are the members of actionState, by action.State.
var states = []string{"none", "pending", "canceled", "active", "done", "failed", "notSupported"}

// actionResults is a device's deviceActionResults: the latest action of each name.
func actionResults(actions []*action.Action, x explainer) []odata.Fields {
	results := make([]odata.Fields, len(actions))
	for i, a := range actions {
		results[i] = actionResult(a, x)
	}
	return results
}

func actionResult(a *action.Action, x explainer) odata.Fields {
	return shownResult(a, x, (*wording).item)
}

// ownActionResult is an action's result as it is in the history under /api. The stream has results
// as Graph has them, so that who follows it knows what a device's deviceActionResults are.
func ownActionResult(a *action.Action, x explainer) odata.Fields {
	return shownResult(a, x, (*wording).ownItem)
}

func shownResult(a *action.Action, x explainer,
	show func(*wording, *action.Result, explainer) odata.Fields) odata.Fields {
	w := wordingOf(a.Name)
	items := make([]odata.Fields, len(a.Results))
	for i := range a.Results {
		items[i] = show(w, &a.Results[i], x)
	}
	return odata.Fields{
		{"@odata.type", w.resultType},
		{"actionName", a.Name},
		{"actionState", states[a.State]},
		{"startDateTime", odata.Timestamp(a.Started)},
		{"lastUpdatedDateTime", odata.Timestamp(a.Updated)},
		{w.collection, items},
	}
}

func wordingOf(name action.Name) *wording {
	if name == action.ChangeAssignments {
		return changeAssignments
	}
	return syncPayloads
}

// item is one payload of a result under this name.
func (w *wording) item(r *action.Result, x explainer) odata.Fields {
	if w == changeAssignments {
		return deviceAssignmentItem(w, r, x)
	}
	return deviceActionPayload(w, r, x)
}

// ownItem is an item of the history, where both names tell what kind of policy or app it is.
func (w *wording) ownItem(r *action.Result, x explainer) odata.Fields {
	f := w.item(r, x)
	if w == syncPayloads {
		f = append(f, odata.Field{"subType", odata.TextOrNull(r.SubType)})
	}
	return f
}

func deviceActionPayload(w *wording, r *action.Result, x explainer) odata.Fields {
	return withFailure(odata.Fields{
		{"@odata.type", w.itemType},
		{resultStep, steps[r.Step]},
		{"payloadId", string(r.Payload)},
		{"payloadType", w.typeName(r.Type)},
		{"displayName", odata.TextOrNull(r.DisplayName)},
		{"intent", intents[r.Intent]},
		{"status", w.statuses[r.Status]},
		{"detail", shownDetail(r.Detail)},
		{"errorCode", r.Code},
		{"lastModifiedDateTime", odata.Timestamp(r.LastModified)},
	}, r.WhoseCode(), r.Detail, x)
}

func deviceAssignmentItem(w *wording, r *action.Result, x explainer) odata.Fields {
	return withFailure(odata.Fields{
		{"@odata.type", w.itemType},
		{resultStep, steps[r.Step]},
		{"itemId", r.Payload},
		{"itemType", w.typeName(r.Type)},
		{"itemDisplayName", odata.TextOrNull(plaintext.First(r.DisplayName, displayNameLimit))},
		{"itemSubTypeDisplayName", odata.TextOrNull(plaintext.First(r.SubType, displayNameLimit))},
		{"assignmentItemActionIntent", intents[r.Intent]},
		{"assignmentItemActionStatus", w.statuses[r.Status]},
		{"intentActionMessage", odata.TextOrNull(plaintext.First(r.Detail, messageLimit))},
		{"errorCode", r.Code},
		{"lastActionDateTime", odata.Timestamp(r.LastAction)},
		{"lastModifiedDateTime", odata.Timestamp(r.LastModified)},
	}, r.WhoseCode(), r.Detail, x)
}

// resultStep is an annotation of a payload's result that is our own: how far it has come. The
// detail says it to people, in words that may change.
const resultStep = "@syncpayloads.step"

// steps are the words of resultStep. They never change.
var steps = []string{action.NoStep: "unknown", action.StepAsked: "asked",
	action.StepUnwakeable: "unwakeable",
	action.StepHandedOver: "handedOver", action.StepSent: "sent", action.StepReplacing: "replacing",
	action.StepNotNow: "notNow", action.StepFailing: "failing",
	action.StepAcknowledged: "acknowledged",
	action.StepSettling:     "settling", action.StepVerified: "verified",
	action.StepFailed: "failed"}
