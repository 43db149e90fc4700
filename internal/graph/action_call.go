package graph

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// wording is how one name of the action calls what both names share (spec section 1).
type wording struct {
	name       action.Name
	resultType string // of an element of deviceActionResults
	collection string // of the body and of the result
	element    string // of an event
	itemType   string
	id         string
	kind       string
	kindType   typeName
	intent     string
	intentType typeName
	readOnly   properties // further properties of an element, set by the server only
	kinds      []string   // members of the type enumeration, by action.PayloadType
	statuses   []string   // members of the status enumeration, by action.Status
}

var syncPayloads = &wording{
	name:       action.SyncPayloads,
	resultType: "#microsoft.graph.syncPayloadsActionResult",
	collection: "deviceActionPayloads",
	element:    "deviceActionPayload",
	itemType:   "microsoft.graph.deviceActionPayload",
	id:         "payloadId",
	kind:       "payloadType",
	kindType:   "deviceActionPayloadType",
	intent:     "intent",
	intentType: "deviceActionPayloadIntent",
	readOnly: properties{{"displayName", edmString}, {"status", "deviceActionPayloadStatus"}, {"detail", edmString},
		{"errorCode", edmInt64}, {"lastModifiedDateTime", edmDateTime}},
	kinds:    []string{"application", "deviceConfiguration", "deviceManagementConfigurationPolicy"},
	statuses: []string{"inProgress", "inProgress", "removed", "error", "succeeded"},
}

var changeAssignments = &wording{
	name:       action.ChangeAssignments,
	resultType: "#microsoft.graph.changeAssignmentsActionResult",
	collection: "deviceAssignmentItems",
	element:    "deviceAssignmentItem",
	itemType:   "microsoft.graph.deviceAssignmentItem",
	id:         "itemId",
	kind:       "itemType",
	kindType:   "deviceAssignmentItemType",
	intent:     "assignmentItemActionIntent",
	intentType: "deviceAssignmentItemIntent",
	readOnly: properties{{"itemDisplayName", edmString}, {"itemSubTypeDisplayName", edmString},
		{"assignmentItemActionStatus", "deviceAssignmentItemStatus"}, {"intentActionMessage", edmString},
		{"errorCode", edmInt64}, {"lastActionDateTime", edmDateTime}, {"lastModifiedDateTime", edmDateTime}},
	kinds:    []string{"application", "deviceConfiguration", "deviceManagementConfigurationPolicy", "mobileAppConfiguration"},
	statuses: []string{"initiated", "inProgress", "removed", "error", "succeeded"},
}

var intents = []string{action.Remove: "remove", action.Restore: "restore"}

// unknownFutureValue stands for a member that an enumeration does not have.
const unknownFutureValue = "unknownFutureValue"

func (w *wording) typeName(t action.PayloadType) string {
	if int(t) < len(w.kinds) {
		return w.kinds[t]
	}
	return unknownFutureValue
}

// payloadIDLimit is the most characters of a payloadId (spec section 1).
const payloadIDLimit = 40

// start is POST …/{id}/syncPayloads or …/changeAssignments.
func (w *wording) start(c *call) error {
	after, err := restoreAfter(c.r.Header)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	set, err := w.selections(body)
	if err != nil {
		return err
	}
	if err := w.refuseStranding(c, set); err != nil {
		return err
	}
	reach, err := c.reach(c.r.Context(), c.deviceID())
	if err != nil {
		return err
	}
	err = c.Engine.Start(c.r.Context(), c.deviceID(),
		engine.Call{Name: w.name, Actor: c.caller.Name, Set: set, RestoreAfter: after, Reach: reach, Match: c.sameSet(), Key: c.key})
	var refusal *action.Refusal
	if errors.As(err, &refusal) {
		return refused(refusal, w)
	}
	if err != nil {
		return startFault(err)
	}
	return c.noContent()
}

// selections reads the set that an action's body states.
func (w *wording) selections(body *object) ([]action.Selection, error) {
	if err := body.only(w.collection); err != nil {
		return nil, err
	}
	items, err := body.requiredObjects(w.collection)
	if err != nil {
		return nil, err
	}
	if len(items) > action.MaxPayloads {
		return nil, badRequest(w.collection, "Property '%s' has %d elements; at most %d are possible.", w.collection,
			len(items), action.MaxPayloads)
	}
	set := make([]action.Selection, len(items))
	for i, item := range items {
		if set[i], err = w.selection(item); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(set[:i], func(s action.Selection) bool { return s.ID == set[i].ID }) {
			return nil, refused(&action.Refusal{Reason: action.Duplicate, Index: i, Payload: set[i].ID}, w)
		}
	}
	return set, nil
}

func (w *wording) selection(item *object) (s action.Selection, err error) {
	if err := item.only(append([]string{w.id, w.kind, w.intent}, w.readOnly.names()...)...); err != nil {
		return s, err
	}
	// What only the server sets is ignored: the example in Graph's own reference sends it filled in.
	id, err := item.requiredText(w.id)
	if err != nil {
		return s, err
	}
	if utf8.RuneCountInString(id) > payloadIDLimit {
		return s, badRequest(item.at(w.id), "Property '%s' has more than %d characters.", item.at(w.id), payloadIDLimit)
	}
	kind, err := item.member(w.kind, w.kinds)
	if err != nil {
		return s, err
	}
	if err := w.checkIntent(item); err != nil {
		return s, err
	}
	return action.Selection{ID: action.PayloadID(strings.ToLower(id)), Type: action.PayloadType(kind)}, nil
}

// checkIntent refuses any intent but remove: what the set leaves out is restored without being named.
func (w *wording) checkIntent(item *object) error {
	if item.values[w.intent] == nil {
		return nil
	}
	intent, err := item.member(w.intent, intents)
	if err == nil && action.Intent(intent) != action.Remove {
		err = badRequest(item.at(w.intent), "Property '%s' can only be 'remove'. To restore a payload, leave it out of '%s'.",
			item.at(w.intent), w.collection)
	}
	return err
}

// member returns a required enumeration property as its number.
func (o *object) member(name string, members []string) (int, error) {
	value, err := o.requiredText(name)
	if err != nil {
		return 0, err
	}
	i := slices.Index(members, value)
	if i < 0 {
		return 0, badRequest(o.at(name), "Property '%s' is not valid: '%s' is none of %s.", o.at(name), clip(value),
			strings.Join(members, ", "))
	}
	return i, nil
}

// clip keeps a caller's text in a message short.
func clip(value string) string {
	const most = 60
	if short := firstRunes(value, most); short != value {
		return short + "…"
	}
	return value
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
