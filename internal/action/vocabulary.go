// Package action holds the rules of the project: what a syncPayloads call does to a device, how an
// action and each of its payloads move through their states, and what a device's answer changes. It
// is pure: no I/O, no clock, no platform. The engine feeds it what happened and stores what it
// says.
//
// It imports nothing of ours. Begin with Device and Payload in device.go, then Device.Start
// (start.go), Device.Next and Device.Answer for devices that take commands, Device.HandDocument and
// Device.TakeReport for those that take documents (document.go), and Device.reconcile, which
// decides what is to be done after anything changed.
package action

import "time"

type (
	// PayloadID is the catalog's id of a policy or app: a GUID in lower case.
	PayloadID string
	// ActionID names one call of the action on one device.
	ActionID string
	// TaskID names one task handed to a device. A device's answer carries it back.
	TaskID string
)

// PayloadType is deviceActionPayloadType, widened by changeAssignments' mobileAppConfiguration.
// The numbers are Graph's.
type PayloadType uint8

const (
	Application PayloadType = iota
	DeviceConfiguration
	ConfigurationPolicy
	AppConfiguration
)

// Class is one kind of inventory: what a device is asked to list.
type Class uint8

const (
	Facts Class = iota // name, model, system version: nothing about payloads
	Profiles
	Apps
	AppConfigurations
	classes
)

// Class is the inventory that shows payloads of this type.
func (t PayloadType) Class() Class {
	switch t {
	case Application:
		return Apps
	case AppConfiguration:
		return AppConfigurations
	default:
		return Profiles
	}
}

// Intent is deviceActionPayloadIntent.
type Intent uint8

const (
	Remove Intent = iota
	Restore
)

// Status is assignmentItemActionStatus; syncPayloads shows Initiated as inProgress.
type Status uint8

const (
	Initiated Status = iota // accepted, device not reached yet
	InProgress
	Removed   // seen to be off the device
	Error     // ended; Code and Detail say why
	Succeeded // seen to be on the device again
)

// Final reports whether a payload's result has ended.
func (s Status) Final() bool { return s >= Removed }

// State is Graph's actionState, with its numbers.
type State uint8

const (
	None State = iota
	Pending
	Canceled
	Active
	Done
	Failed
	NotSupported
)

// Final reports whether an action has ended.
func (s State) Final() bool { return s != None && s != Pending && s != Active }

// Name is the action's name on the wire. An action is shown under the name by which it was started.
type Name string

const (
	SyncPayloads      Name = "syncPayloads"
	ChangeAssignments Name = "changeAssignments"
)

// MaxPayloads is the most results one action may have (spec section 1, deviceActionPayloads).
const MaxPayloads = 30

// SystemActor is who starts the action that restores what has expired.
const SystemActor = "system"

// Source is whose a code is: devices have codes of their own that are the same numbers as the
// server's.
type Source uint8

const (
	ByServer Source = iota
	ByDevice
)

// Code is what an error is known by. The zero Code is no error.
type Code struct {
	Number int64
	Source Source
}

// ours is a code of the server.
func ours(number int64) Code { return Code{Number: number} }

// CodeOf is the code of a number that was stored before it was known whose it is: the server's own
// are -1 to -6.
func CodeOf(number int64, source Source) Code {
	if number > 0 || number < CodeInPlace {
		source = ByDevice
	}
	return Code{number, source}
}

// Codes of failures that are the server's own finding.
const (
	CodeSuperseded   int64 = -1 // a later action took this one's place
	CodeUnenrolled   int64 = -2 // the device left management, was wiped, or enrolled anew
	CodeNotSupported int64 = -3 // this device cannot do it
	CodeNotVerified  int64 = -4 // acknowledged, but the device's inventory does not show it
	CodeNoCode       int64 = -5 // the device reports a failure, and no code for it
	// another payload with the same identifier has the place on the device
	CodeInPlace int64 = -6
)

// Policy is how patient the rules are.
type Policy struct {
	MaxAttempts int           // tries of one command before its error is final
	RetryBase   time.Duration // wait after the first failed try; doubles with each
	RetryMax    time.Duration // longest wait between tries
	// wait before looking again at an app that is still installing; doubles
	PollBase  time.Duration
	PollMax   time.Duration // longest wait between looks
	VerifyFor time.Duration // how long after its acknowledgement a command may remain unverified
}

// DefaultPolicy is used where the operator sets nothing.
var DefaultPolicy = Policy{
	MaxAttempts: 5,
	RetryBase:   time.Minute,
	RetryMax:    30 * time.Minute,
	PollBase:    10 * time.Second,
	PollMax:     10 * time.Minute,
	VerifyFor:   24 * time.Hour,
}

// Env carries what a pure rule cannot have: the time of the event and fresh ids.
type Env struct {
	Now    time.Time
	NewID  func() string
	Policy Policy

	// the step is a report on a document, which carried an app and its configuration together
	byDocument bool
}

func backoff(base, most time.Duration, n int) time.Duration {
	for ; n > 1 && base < most; n-- {
		base *= 2
	}
	return min(base, most)
}
