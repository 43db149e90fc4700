// Package live keeps an ordered log of every change to an action or a payload. Events are numbered
// in the order in which their transactions were committed. Readers follow the log while it grows,
// and can come back after a break without missing an event.
//
// It imports action (what an event says) and fleet (device ids), and declares the Store that keeps
// the events. Begin with Changes, which turns one step of an action into events; then Log, which
// publishes events; then Reader, which follows them. turns.go decides when each reader may read.
package live

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Event is one change of an action, or news of a device. The latter has only Position, Device, At,
// Kind and Place. An event is written in the same transaction as the change itself.
type Event struct {
	Position int64 // in the log; grows in the order of commits
	Device   fleet.DeviceID
	At       time.Time
	Kind     Kind
	Action   action.ActionID
	Name     action.Name
	Actor    string
	Started  time.Time
	State    action.State   // the action's state after the change
	Result   *action.Result // the payload that changed; nil if the action itself did
	// Place is where a device was whose record was deleted, so that only those who saw it are told;
	// nil for all other events.
	Place *fleet.Place `json:",omitempty"`

	// Served is the event as readers are sent it, made by Log.Encode; nil before that.
	Served []byte `json:"-"`
}

// size estimates how many bytes of memory the event takes.
func (e *Event) size() int {
	const structSize = 512
	n := structSize + len(e.Served)
	if e.Result != nil {
		n += len(e.Result.Detail) + len(e.Result.DisplayName)
	}
	return n
}

// Kind says what happened.
type Kind string

const (
	ActionStarted  Kind = "actionStarted"
	PayloadChanged Kind = "payloadChanged"
	ActionChanged  Kind = "actionChanged" // the action's state changed
	DeviceEnrolled Kind = "deviceEnrolled"
	DeviceLeft     Kind = "deviceLeft" // it is no longer managed
	// DeviceReenrolled says that an enrolled device has enrolled again, with a new identity.
	DeviceReenrolled Kind = "deviceReenrolled"
	// DeviceUpdated: an admin changed what they say of a device.
	DeviceUpdated Kind = "deviceUpdated"
	// DeviceDeleted: the record of a device that had left was deleted.
	DeviceDeleted Kind = "deviceDeleted"
)

// OfDevice reports whether events of this kind are about a device alone, not about an action.
func (k Kind) OfDevice() bool {
	switch k {
	case DeviceEnrolled, DeviceLeft, DeviceReenrolled, DeviceUpdated, DeviceDeleted:
		return true
	default:
		return false
	}
}

// Membership returns the event, if any, for a device whose enrollment changed. was and is say
// whether it was managed before and is managed now; again says that it has just enrolled, so that a
// device that was managed all along has enrolled anew.
func Membership(device fleet.DeviceID, at time.Time, was, is, again bool) []Event {
	switch {
	case was && is && again:
		return []Event{{Device: device, At: at, Kind: DeviceReenrolled}}
	case is && !was:
		return []Event{{Device: device, At: at, Kind: DeviceEnrolled}}
	case was && !is:
		return []Event{{Device: device, At: at, Kind: DeviceLeft}}
	default:
		return nil
	}
}

// Changes returns the events for one step of an action: was before, now after. was is nil for an
// action that has just started; then every payload is listed. Payloads come before the action's
// state, so that the end of an action is always its last event.
func Changes(device fleet.DeviceID, at time.Time, was, now *action.Action) []Event {
	if now == nil {
		return nil
	}
	var events []Event
	add := func(k Kind, r *action.Result) {
		events = append(events, Event{Device: device, At: at, Kind: k, Action: now.ID,
			Name: now.Name, Actor: now.Actor,
			Started: now.Started, State: now.State, Result: r})
	}
	if was == nil {
		add(ActionStarted, nil)
	}
	for i := range now.Results {
		if r := now.Results[i]; was == nil || was.Results[i] != r {
			add(PayloadChanged, &r)
		}
	}
	if was != nil && was.State != now.State || was == nil && now.State.Final() {
		add(ActionChanged, nil)
	}
	return events
}

// Standing is the present state of one action of a device.
type Standing struct {
	Device fleet.DeviceID
	Action *action.Action
}
