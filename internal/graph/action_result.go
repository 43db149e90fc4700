package graph

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// Most characters of what a changeAssignments result shows (spec section 1).
const (
	displayNameLimit = 200
	messageLimit     = 1500
)

// detailLimit is the most bytes that are shown of a detail. The engine keeps fewer; what came before it did can be longer.
const detailLimit = 16 << 10

func shownDetail(detail string) any { return textOrNull(plaintext.CutBytes(detail, detailLimit)) }

// states are the members of actionState, by action.State.
var states = []string{"none", "pending", "canceled", "active", "done", "failed", "notSupported"}

// actionResults is a device's deviceActionResults: the latest action of each name.
func actionResults(actions []*action.Action) []fields {
	results := make([]fields, len(actions))
	for i, a := range actions {
		results[i] = actionResult(a)
	}
	return results
}

func actionResult(a *action.Action) fields { return shownResult(a, (*wording).item) }

// ownActionResult is an action's result as it is in the history under /api. The stream has results as Graph has them, so that
// who follows it knows what a device's deviceActionResults are.
func ownActionResult(a *action.Action) fields { return shownResult(a, (*wording).ownItem) }

func shownResult(a *action.Action, show func(*wording, *action.Result) fields) fields {
	w := wordingOf(a.Name)
	items := make([]fields, len(a.Results))
	for i := range a.Results {
		items[i] = show(w, &a.Results[i])
	}
	return fields{
		{"@odata.type", w.resultType},
		{"actionName", a.Name},
		{"actionState", states[a.State]},
		{"startDateTime", timestamp(a.Started)},
		{"lastUpdatedDateTime", timestamp(a.Updated)},
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
func (w *wording) item(r *action.Result) fields {
	if w == changeAssignments {
		return deviceAssignmentItem(w, r)
	}
	return deviceActionPayload(w, r)
}

// ownItem is an item of the history, where both names tell what kind of policy or app it is.
func (w *wording) ownItem(r *action.Result) fields {
	f := w.item(r)
	if w == syncPayloads {
		f = append(f, field{"subType", textOrNull(r.SubType)})
	}
	return f
}

func deviceActionPayload(w *wording, r *action.Result) fields {
	return fields{
		{"@odata.type", w.itemType},
		{resultStep, steps[r.Step]},
		{"payloadId", string(r.Payload)},
		{"payloadType", w.typeName(r.Type)},
		{"displayName", textOrNull(r.DisplayName)},
		{"intent", intents[r.Intent]},
		{"status", w.statuses[r.Status]},
		{"detail", shownDetail(r.Detail)},
		{"errorCode", r.Code},
		{"lastModifiedDateTime", timestamp(r.LastModified)},
	}.withSource(r.WhoseCode())
}

func deviceAssignmentItem(w *wording, r *action.Result) fields {
	return fields{
		{"@odata.type", w.itemType},
		{resultStep, steps[r.Step]},
		{"itemId", r.Payload},
		{"itemType", w.typeName(r.Type)},
		{"itemDisplayName", textOrNull(firstRunes(r.DisplayName, displayNameLimit))},
		{"itemSubTypeDisplayName", textOrNull(firstRunes(r.SubType, displayNameLimit))},
		{"assignmentItemActionIntent", intents[r.Intent]},
		{"assignmentItemActionStatus", w.statuses[r.Status]},
		{"intentActionMessage", textOrNull(firstRunes(r.Detail, messageLimit))},
		{"errorCode", r.Code},
		{"lastActionDateTime", timestamp(r.LastAction)},
		{"lastModifiedDateTime", timestamp(r.LastModified)},
	}.withSource(r.WhoseCode())
}

// resultStep is an annotation of a payload's result that is our own: how far it has come. The detail says it to people, in
// words that may change.
const resultStep = "@syncpayloads.step"

// steps are the words of resultStep. They never change.
var steps = []string{action.NoStep: "unknown", action.StepAsked: "asked", action.StepUnwakeable: "unwakeable",
	action.StepHandedOver: "handedOver", action.StepSent: "sent", action.StepReplacing: "replacing",
	action.StepNotNow: "notNow", action.StepFailing: "failing", action.StepAcknowledged: "acknowledged",
	action.StepSettling: "settling", action.StepVerified: "verified", action.StepFailed: "failed"}

// errorSource is an annotation of errorCode that is our own: whose code it is. Devices have codes that are the same numbers
// as the server's.
const errorSource = "errorCode@syncpayloads.source"

var sources = []string{action.ByServer: "server", action.ByDevice: "device"}

// sourceOf is whose a code is; nil: it is no failure.
func sourceOf(c action.Code) any {
	if c.Number == 0 {
		return nil
	}
	return sources[c.Source]
}

// withSource adds behind errorCode whose code it is, if there is one.
func (f fields) withSource(c action.Code) fields {
	source := sourceOf(c)
	i := slices.IndexFunc(f, func(one field) bool { return one.name == "errorCode" })
	if source == nil || i < 0 {
		return f
	}
	return slices.Insert(f, i, field{errorSource, source})
}

// textOrNull is a text as served; an empty one is not known, and null.
func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
