// Package live is the ordered log of what changed: every change of every action and payload, in the
// order in which it was committed, for readers that follow it while it grows and that come back
// after a break.
//
// It knows the rules' results and devices' ids, and a Store of its own. Begin with Changes, which
// makes the events of a step, and Log, which readers follow.
package live

import (
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Event is one change of an action, or of a device, which has no more than Device, At, Kind and
// Place. It is written in the transaction that made the change.
type Event struct {
	Position int64 // in the log: grows in the order of the commits
	Device   fleet.DeviceID
	At       time.Time
	Kind     Kind
	Action   action.ActionID
	Name     action.Name
	Actor    string
	Started  time.Time
	State    action.State   // of the action, after the change
	Result   *action.Result // the payload that changed; nil when the action did
	// Place is where a device was whose record is no more; nil: it is where it is.
	Place *fleet.Place `json:",omitempty"`

	// the event as it is served, of a new one (Log.Encode); nil: it is not known
	Served []byte `json:"-"`
}

// size is about how many bytes of memory an event takes.
func (e *Event) size() int {
	const itself = 512
	n := itself + len(e.Served)
	if e.Result != nil {
		n += len(e.Result.Detail) + len(e.Result.DisplayName)
	}
	return n
}

// Kind is what an event tells.
type Kind string

const (
	ActionStarted  Kind = "actionStarted"
	PayloadChanged Kind = "payloadChanged"
	ActionChanged  Kind = "actionChanged" // its state
	DeviceEnrolled Kind = "deviceEnrolled"
	DeviceLeft     Kind = "deviceLeft" // management
	// DeviceReenrolled: a device that was enrolled has enrolled anew, with another identity.
	DeviceReenrolled Kind = "deviceReenrolled"
	// DeviceUpdated: an admin changed what they say of a device.
	DeviceUpdated Kind = "deviceUpdated"
	// DeviceDeleted: the record of a device that had left was deleted.
	DeviceDeleted Kind = "deviceDeleted"
)

// OfDevice reports whether a kind of events tells of a device alone, and not of an action.
func (k Kind) OfDevice() bool {
	switch k {
	case DeviceEnrolled, DeviceLeft, DeviceReenrolled, DeviceUpdated, DeviceDeleted:
		return true
	default:
		return false
	}
}

// Membership lists a device's coming under management, its leaving, or its enrolling again while it
// was managed.
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

// Changes lists what became of an action in one step. was is nil for an action that has just begun;
// then every payload is listed as it stands. The payloads come before the state, so that the end of
// an action is its last event.
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

// Standing is how a device's action stands.
type Standing struct {
	Device fleet.DeviceID
	Action *action.Action
}
