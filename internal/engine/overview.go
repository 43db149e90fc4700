package engine

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// Removal is a payload that is held off a device now.
type Removal struct {
	Device      fleet.DeviceID
	DeviceName  string
	Payload     action.PayloadID
	Type        action.PayloadType
	DisplayName string
	SubType     string
	Since       time.Time // when it was asked to be removed
	Actor       string    // who asked last
	RestoreAt   time.Time // when the server restores it by itself; zero: never
}

// RemovalQuery selects removals, the newest first.
type RemovalQuery struct {
	Scope fleet.Scope // one of its areas must hold both the device and the payload; nil: all
	// only what comes behind it, by Since, Device and Payload; nil: from the start
	After *Removal
	Limit int
}

// Failure is a payload that ended in error.
type Failure struct {
	live.Event
	DeviceName string
}

// FailureCount is how many payloads ended in error with one code within one span of time.
type FailureCount struct {
	At    time.Time // when the span begins
	Code  action.Code
	Count int
}

// History reads what was. All of it is read-only.
type History interface {
	// Removals lists what is held off devices now.
	Removals(ctx context.Context, q RemovalQuery) ([]Removal, error)
	// PastActions lists a device's actions, the newest first, from behind a number on (0: from the
	// newest), at most limit.
	PastActions(ctx context.Context, device fleet.DeviceID, before int64,
		limit int) ([]*action.Action, error)
	// PastAction returns one; fleet.ErrNotFound if there is none of this number.
	PastAction(ctx context.Context, device fleet.DeviceID, number int64) (*action.Action, error)
	// ActionEvents lists the events of an action that are still kept, the oldest first.
	ActionEvents(ctx context.Context, device fleet.DeviceID, a *action.Action) ([]live.Event, error)
	// Failures lists the payloads that ended in error since a time on devices that fulfil a
	// condition (nil: all), the newest first, at most limit, from behind the last one of those read
	// before (nil: from the newest on).
	Failures(ctx context.Context, where fleet.Condition, since time.Time, before *Failure,
		limit int) ([]Failure, error)
	// Memberships lists when a device came under management, left it, or enrolled anew, the newest
	// first, as far as events are kept, at most limit.
	Memberships(ctx context.Context, device fleet.DeviceID, limit int) ([]live.Event, error)
	// CountFailures counts the payloads that ended in error since a time on any device, the newest
	// up to a limit, in spans of a width from since on, by code. The first span comes first, and in
	// it the lowest code. There are at most so many counts, those of the newest spans.
	CountFailures(ctx context.Context, since time.Time, width time.Duration, limit,
		most int) ([]FailureCount, error)
}
