package graph

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/odata"
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
	kindType   odata.TypeName
	intent     string
	intentType odata.TypeName
	readOnly   odata.Properties // further properties of an element, set by the server only
	kinds      []string         // members of the type enumeration, by action.PayloadType
	statuses   []string         // members of the status enumeration, by action.Status
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
	readOnly: odata.Properties{{"displayName", odata.String},
		{"status", "deviceActionPayloadStatus"}, {"detail", odata.String},
		{"errorCode", odata.Int64}, {"lastModifiedDateTime", odata.DateTime}},
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
	readOnly: odata.Properties{{"itemDisplayName", odata.String},
		{"itemSubTypeDisplayName", odata.String},
		{"assignmentItemActionStatus", "deviceAssignmentItemStatus"},
		{"intentActionMessage", odata.String},
		{"errorCode", odata.Int64}, {"lastActionDateTime", odata.DateTime},
		{"lastModifiedDateTime", odata.DateTime}},
	kinds: []string{"application", "deviceConfiguration", "deviceManagementConfigurationPolicy",
		"mobileAppConfiguration"},
	statuses: []string{"initiated", "inProgress", "removed", "error", "succeeded"},
}

var intents = []string{action.Remove: "remove", action.Restore: "restore"}

func (w *wording) typeName(t action.PayloadType) string {
	if int(t) < len(w.kinds) {
		return w.kinds[t]
	}
	return odata.UnknownFutureValue
}

// payloadIDLimit is the most characters of a payloadId (spec section 1).
const payloadIDLimit = 40

// start is POST …/{id}/syncPayloads or …/changeAssignments.
func (w *wording) start(c *call) error {
	after, err := restoreAfter(c.req.HTTP.Header)
	if err != nil {
		return err
	}
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	stated, err := w.selections(body)
	if err != nil {
		return err
	}
	if err := w.refuseStranding(c, stated); err != nil {
		return err
	}
	reach, err := c.reach(c.req.Context(), c.deviceID())
	if err != nil {
		return err
	}
	if err := c.mayAct(c.deviceID(), reach); err != nil {
		return err
	}
	err = c.config.Engine.Start(c.req.Context(), c.deviceID(),
		engine.Call{Name: w.name, Actor: c.caller.Name, Set: stated.set, RestoreAfter: after,
			Reach: reach, Match: c.sameSet(), Key: c.key})
	var refusal *action.Refusal
	if errors.As(err, &refusal) {
		return refused(stated.placed(refusal), w)
	}
	if err != nil {
		return startFault(err)
	}
	return c.req.ReplyNoContent()
}

// statedSet is the set that an action's body states.
type statedSet struct {
	set []action.Selection
	at  []int // of each the element of the body
}

// placed is a refusal with the element of the body that it is of, in place of that of the set.
func (s *statedSet) placed(r *action.Refusal) *action.Refusal {
	if r.Reason == action.TooMany {
		return r
	}
	placed := *r
	placed.Index = s.at[r.Index]
	return &placed
}

// selections reads the set that an action's body states. What it wants restored is not in the set;
// that is what restores it.
func (w *wording) selections(body *odata.Object) (stated statedSet, err error) {
	if err := body.Only(w.collection); err != nil {
		return stated, err
	}
	items, err := body.RequiredObjects(w.collection)
	if err != nil {
		return stated, err
	}
	if len(items) > action.MaxPayloads {
		return stated, odata.BadRequest(w.collection,
			"Property '%s' has %d elements; at most %d are possible.", w.collection,
			len(items), action.MaxPayloads)
	}
	var named []action.PayloadID
	for i, item := range items {
		s, intent, err := w.selection(item)
		if err != nil {
			return stated, err
		}
		if slices.Contains(named, s.ID) {
			return stated, refused(&action.Refusal{Reason: action.Duplicate, Index: i,
				Payload: s.ID}, w)
		}
		named = append(named, s.ID)
		if intent == action.Remove {
			stated.set, stated.at = append(stated.set, s), append(stated.at, i)
		}
	}
	return stated, nil
}

func (w *wording) selection(item *odata.Object) (s action.Selection, intent action.Intent, err error) {
	if err := item.Only(append([]string{w.id, w.kind, w.intent},
		w.readOnly.Names()...)...); err != nil {
		return s, intent, err
	}
	// What only the server sets is ignored: the example in Graph's own reference sends it filled
	// in.
	id, err := item.RequiredText(w.id)
	if err != nil {
		return s, intent, err
	}
	if utf8.RuneCountInString(id) > payloadIDLimit {
		return s, intent, odata.BadRequest(item.At(w.id),
			"Property '%s' has more than %d characters.", item.At(w.id), payloadIDLimit)
	}
	kind, err := item.Member(w.kind, w.kinds)
	if err != nil {
		return s, intent, err
	}
	s = action.Selection{ID: action.PayloadID(strings.ToLower(id)), Type: action.PayloadType(kind)}
	if item.Values[w.intent] == nil {
		return s, action.Remove, nil
	}
	member, err := item.Member(w.intent, intents)
	return s, action.Intent(member), err
}
