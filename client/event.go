package client

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// The types of events in a stream.
const (
	snapshotEvent  = "snapshot" // the present state, in place of everything before
	actionStarted  = "actionStarted"
	payloadChanged = "payloadChanged"
	actionChanged  = "actionChanged" // the action's state changed
)

// DeviceEvent is what became of a device, and of no action on it.
type DeviceEvent string

// The events about a device alone, not about an action.
const (
	DeviceEnrolled   DeviceEvent = "deviceEnrolled"
	DeviceReenrolled DeviceEvent = "deviceReenrolled" // it was enrolled, and has enrolled again
	DeviceLeft       DeviceEvent = "deviceLeft"       // it is no longer managed
	DeviceUpdated    DeviceEvent = "deviceUpdated"    // an admin changed what they say of it
	DeviceDeleted    DeviceEvent = "deviceDeleted"    // its record is no more
)

func (e *event) ofDevice() DeviceEvent {
	switch d := DeviceEvent(e.Type); d {
	case DeviceEnrolled, DeviceReenrolled, DeviceLeft, DeviceUpdated, DeviceDeleted:
		return d
	default:
		return ""
	}
}

// event is one line of a device's event stream.
type event struct {
	ID          *int64      `json:"id"`
	Type        string      `json:"type"`
	DateTime    time.Time   `json:"dateTime"`
	ActionName  string      `json:"actionName"`
	ActionState ActionState `json:"actionState"`
	Started     time.Time   `json:"startDateTime"`

	Value                []document      `json:"value"` // of a snapshot
	DeviceActionPayload  json.RawMessage `json:"deviceActionPayload"`
	DeviceAssignmentItem json.RawMessage `json:"deviceAssignmentItem"`
}

func parseEvent(line []byte) (*event, error) {
	e := new(event)
	if err := json.Unmarshal(line, e); err != nil {
		return nil, err
	}
	if e.ID == nil || *e.ID < 0 {
		return nil, errors.New("an event has no id")
	}
	return e, nil
}

// apply returns the results after the event. It does not change the given ones.
func (e *event) apply(results []ActionResult) ([]ActionResult, error) {
	switch e.Type {
	case snapshotEvent:
		return e.results()
	case actionStarted:
		started, err := e.startedResult()
		if err != nil {
			return nil, err
		}
		others := slices.DeleteFunc(slices.Clone(results),
			func(r ActionResult) bool { return r.Name == e.ActionName })
		return slices.Insert(others, 0, started), nil
	case payloadChanged, actionChanged:
		i := slices.IndexFunc(results, func(r ActionResult) bool {
			return r.Name == e.ActionName && r.Started.Equal(e.Started)
		})
		if i < 0 {
			return results, nil // it is about an action that is no longer the latest of its name
		}
		changed, err := e.changedResult(&results[i])
		if err != nil {
			return nil, err
		}
		results = slices.Clone(results)
		results[i] = changed
	}
	return results, nil
}

// results returns the results of a snapshot in the form of a device's deviceActionResults: without
// the properties that only the stream has.
func (e *event) results() ([]ActionResult, error) {
	results := make([]ActionResult, len(e.Value))
	for i, d := range e.Value {
		var err error
		if results[i], err = d.without("deviceId", "initiatedBy").result(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// startedResult returns the result of an action that has just started. An event for each payload
// follows and then, if the action ended at once, one for its state. So until then the result does
// not show a final state.
func (e *event) startedResult() (ActionResult, error) {
	state := e.ActionState
	if state.Final() {
		state = StatePending
	}
	var d document
	err := errors.Join(
		d.set("@odata.type", "#microsoft.graph."+e.ActionName+"ActionResult"),
		d.set("actionName", e.ActionName),
		d.set("actionState", state),
		d.set("startDateTime", e.Started),
		d.set("lastUpdatedDateTime", e.Started),
		d.set(e.collection(), []json.RawMessage{}))
	if err != nil {
		return ActionResult{}, err
	}
	return d.result()
}

// changedResult returns a result after the event. A changed payload does not change the action's
// state: the end of an action is always its last event, so a result with a final state has all its
// payloads.
func (e *event) changedResult(r *ActionResult) (ActionResult, error) {
	var d document
	err := json.Unmarshal(r.raw, &d)
	switch {
	case err != nil:
	case e.Type == payloadChanged:
		err = e.putItem(&d)
	default:
		err = errors.Join(d.set("actionState", e.ActionState),
			d.set("lastUpdatedDateTime", e.DateTime))
	}
	if err != nil {
		return ActionResult{}, err
	}
	return d.result()
}

// putItem puts the event's payload into a result. It replaces that payload's older entry.
func (e *event) putItem(d *document) error {
	item := e.DeviceActionPayload
	if item == nil {
		item = e.DeviceAssignmentItem
	}
	id, err := itemID(item)
	if err != nil {
		return err
	}
	var items []json.RawMessage
	if err := d.get(e.collection(), &items); err != nil {
		return err
	}
	for i := range items {
		if other, err := itemID(items[i]); err == nil && other == id {
			items[i] = item
			return d.set(e.collection(), items)
		}
	}
	return d.set(e.collection(), append(items, item))
}

// collection returns the name of the property that holds a result's payloads.
func (e *event) collection() string {
	if e.ActionName == "changeAssignments" {
		return "deviceAssignmentItems"
	}
	return "deviceActionPayloads"
}

func itemID(item json.RawMessage) (string, error) {
	if item == nil {
		return "", errors.New("a changed payload is missing")
	}
	var named struct {
		PayloadID string `json:"payloadId"`
		ItemID    string `json:"itemId"`
	}
	if err := json.Unmarshal(item, &named); err != nil {
		return "", fmt.Errorf("a changed payload: %w", err)
	}
	id := cmp.Or(named.PayloadID, named.ItemID)
	if id == "" {
		return "", errors.New("a changed payload has no id")
	}
	return id, nil
}
