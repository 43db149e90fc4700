package client

import (
	"encoding/json"
	"slices"
	"time"
)

// ActionState is the actionState of a deviceActionResult (Microsoft Graph beta reference).
type ActionState string

// The states of an action.
const (
	StatePending      ActionState = "pending" // accepted; the device has not been reached yet
	StateActive       ActionState = "active"  // the device has taken the first command
	StateDone         ActionState = "done"
	StateFailed       ActionState = "failed"   // ended, one or more payloads in error
	StateCanceled     ActionState = "canceled" // superseded, or the device left management
	StateNotSupported ActionState = "notSupported"
)

// Final reports whether the action has ended.
func (s ActionState) Final() bool { return s != "none" && s != StatePending && s != StateActive }

// Intent says what an action does to a payload (deviceActionPayloadIntent).
type Intent string

// The intents.
const (
	Remove  Intent = "remove"
	Restore Intent = "restore"
)

// Status is the state of a payload in an action: deviceActionPayloadStatus or, with initiated in
// addition, assignmentItemActionStatus.
type Status string

// The states of a payload in an action.
const (
	Initiated  Status = "initiated" // accepted; the device has not been reached yet
	InProgress Status = "inProgress"
	Removed    Status = "removed" // seen to be off the device
	Failed     Status = "error"
	Succeeded  Status = "succeeded" // seen to be on the device again
)

// Final reports whether the payload's part of the action has ended.
func (s Status) Final() bool { return s != Initiated && s != InProgress }

// Step says how far the work on a payload has come. It is for programs; PayloadResult.Detail says
// the same to people.
type Step string

// The steps of a payload in an action. Later servers may send others.
const (
	StepAsked      Step = "asked"      // nothing has been sent yet
	StepUnwakeable Step = "unwakeable" // nothing has been sent, and the device cannot be woken
	StepHandedOver Step = "handedOver" // in a document that the device has not taken yet
	StepSent       Step = "sent"       // received by the device
	// being replaced by another payload, which the device has received
	StepReplacing Step = "replacing"
	StepNotNow    Step = "notNow"  // postponed by the device
	StepFailing   Step = "failing" // an attempt failed, and there will be another
	// accepted by the device, and not seen in its inventory yet
	StepAcknowledged Step = "acknowledged"
	StepSettling     Step = "settling" // accepted by the device, which is still working on it
	StepVerified     Step = "verified" // seen as asked
	StepFailed       Step = "failed"   // ended in error
)

// ActionResult is the result of an action on a device, up to now: a syncPayloadsActionResult or a
// changeAssignmentsActionResult, which has the same content under other names. Marshaled as JSON,
// it is what the server sent.
type ActionResult struct {
	Name        string
	State       ActionState
	Started     time.Time
	LastUpdated time.Time // when State last changed
	Payloads    []PayloadResult

	raw json.RawMessage
}

// PayloadResult is one payload's part of an action.
type PayloadResult struct {
	ID           string
	Type         PayloadType
	DisplayName  string
	SubType      string // only of changeAssignments
	Intent       Intent
	Status       Status
	Step         Step   // empty: the server does not say
	Detail       string // why it failed, or what the device is doing now
	ErrorCode    int64  // 0: no failure
	ErrorSource  string // where the code comes from: device or server; empty: no failure
	Meaning      string // what the code means; empty: the server does not know it
	Advice       string // what to try
	LastModified time.Time
}

// Failures returns the payloads that ended in error.
func (r *ActionResult) Failures() []PayloadResult {
	return slices.DeleteFunc(slices.Clone(r.Payloads),
		func(p PayloadResult) bool { return p.Status != Failed })
}

// wireResult has the properties of both names of the action.
type wireResult struct {
	ActionName            string          `json:"actionName"`
	ActionState           ActionState     `json:"actionState"`
	StartDateTime         time.Time       `json:"startDateTime"`
	LastUpdatedDateTime   time.Time       `json:"lastUpdatedDateTime"`
	DeviceActionPayloads  []payloadResult `json:"deviceActionPayloads"`
	DeviceAssignmentItems []itemResult    `json:"deviceAssignmentItems"`
}

type payloadResult struct {
	PayloadID            string      `json:"payloadId"`
	PayloadType          PayloadType `json:"payloadType"`
	DisplayName          string      `json:"displayName"`
	Intent               Intent      `json:"intent"`
	Status               Status      `json:"status"`
	Step                 Step        `json:"@syncpayloads.step"`
	Detail               string      `json:"detail"`
	ErrorCode            int64       `json:"errorCode"`
	ErrorSource          string      `json:"errorCode@syncpayloads.source"`
	ErrorMeaning         string      `json:"errorCode@syncpayloads.meaning"`
	ErrorAdvice          string      `json:"errorCode@syncpayloads.advice"`
	LastModifiedDateTime time.Time   `json:"lastModifiedDateTime"`
}

type itemResult struct {
	ItemID                     string      `json:"itemId"`
	ItemType                   PayloadType `json:"itemType"`
	ItemDisplayName            string      `json:"itemDisplayName"`
	ItemSubTypeDisplayName     string      `json:"itemSubTypeDisplayName"`
	AssignmentItemActionIntent Intent      `json:"assignmentItemActionIntent"`
	AssignmentItemActionStatus Status      `json:"assignmentItemActionStatus"`
	Step                       Step        `json:"@syncpayloads.step"`
	IntentActionMessage        string      `json:"intentActionMessage"`
	ErrorCode                  int64       `json:"errorCode"`
	ErrorSource                string      `json:"errorCode@syncpayloads.source"`
	ErrorMeaning               string      `json:"errorCode@syncpayloads.meaning"`
	ErrorAdvice                string      `json:"errorCode@syncpayloads.advice"`
	LastModifiedDateTime       time.Time   `json:"lastModifiedDateTime"`
}

// UnmarshalJSON implements json.Unmarshaler for an element of deviceActionResults.
func (r *ActionResult) UnmarshalJSON(text []byte) error {
	var w wireResult
	if err := json.Unmarshal(text, &w); err != nil {
		return err
	}
	*r = ActionResult{Name: w.ActionName, State: w.ActionState, Started: w.StartDateTime,
		LastUpdated: w.LastUpdatedDateTime,
		raw:         append(json.RawMessage(nil), text...)}
	for _, p := range w.DeviceActionPayloads {
		r.Payloads = append(r.Payloads, PayloadResult{ID: p.PayloadID, Type: p.PayloadType,
			DisplayName: p.DisplayName,
			Intent:      p.Intent, Status: p.Status, Step: p.Step, Detail: p.Detail,
			ErrorCode: p.ErrorCode, ErrorSource: p.ErrorSource,
			Meaning: p.ErrorMeaning, Advice: p.ErrorAdvice, LastModified: p.LastModifiedDateTime})
	}
	for _, i := range w.DeviceAssignmentItems {
		r.Payloads = append(r.Payloads, PayloadResult{ID: i.ItemID, Type: i.ItemType,
			DisplayName: i.ItemDisplayName,
			SubType:     i.ItemSubTypeDisplayName, Intent: i.AssignmentItemActionIntent,
			Status: i.AssignmentItemActionStatus, Step: i.Step,
			Detail: i.IntentActionMessage, ErrorCode: i.ErrorCode, ErrorSource: i.ErrorSource,
			Meaning: i.ErrorMeaning, Advice: i.ErrorAdvice, LastModified: i.LastModifiedDateTime})
	}
	return nil
}

// MarshalJSON implements json.Marshaler. It returns the result as the server sent it.
func (r ActionResult) MarshalJSON() ([]byte, error) {
	if r.raw == nil {
		return []byte("null"), nil
	}
	return r.raw, nil
}

// Latest returns the action that was started last; nil if there is none.
func Latest(results []ActionResult) *ActionResult {
	var latest *ActionResult
	for i := range results {
		if latest == nil || results[i].Started.After(latest.Started) {
			latest = &results[i]
		}
	}
	return latest
}
