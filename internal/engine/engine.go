// Package engine makes the rules of package action happen: it starts actions, hands a device's
// channel the next task, takes the outcome, and keeps the clocks (automatic restore, retries,
// wake-ups). It is the only writer of action state. Every step is one transaction; nothing is told
// to anybody before it is committed.
//
// It knows the rules, the catalog, the devices and the events, and no platform, protocol or
// database: channels and a Store are given to it. Begin with Engine.transact (step.go), then
// Engine.Start, Engine.Answer (exchange.go) or Engine.TakeReport (document.go), and the table of
// wake-ups in schedule.go.
package engine

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// Channel speaks one platform's protocol to devices.
type Channel interface {
	// Wake asks the device to connect. An error means it was not asked; it will be asked again. If
	// that is of no use before somebody does something about it, the error is an Unwakeable.
	Wake(ctx context.Context, device fleet.DeviceID) error
}

// Unretirable is a Channel whose devices cannot be asked to leave management.
type Unretirable interface {
	Channel
	// Unretirable says why, and what to do instead.
	Unretirable() string
}

// Unwakeable is an error that tells people why a device cannot be woken.
type Unwakeable interface {
	error
	Unwakeable() string
}

// Task is what a channel sends to a device. Content is set on an Install.
type Task struct {
	action.Task
	Content *catalog.Payload
}

// Report is a device's answer to a task. Facts is set on an answered inventory of class Facts.
type Report struct {
	Task    action.TaskID
	Outcome action.Outcome
	Facts   *fleet.Facts
}

// Call is an admin's call of the action.
type Call struct {
	Name         action.Name
	Actor        string
	Set          []action.Selection
	RestoreAfter *time.Duration // nil: the server's default; 0: never
	// Reach lists the payloads that the caller reaches; nil: all. No other can be named, and what
	// is held off the device beyond them stays off.
	Reach []action.PayloadID
	// Match reports whether the set of a tag (SetTag) is the one that the call was made for; nil:
	// any is.
	Match func(tag string) bool
	Key   *Key // nil: the call has none
}

// Clock is time as the engine sees it.
type Clock interface {
	Now() time.Time
	// After behaves as time.After does.
	After(time.Duration) <-chan time.Time
}

// Config is what an engine is made of. Store is required; the zero value of the rest has a default.
type Config struct {
	Store        Store
	Clock        Clock
	NewID        func() string
	Policy       action.Policy
	RestoreAfter time.Duration // default of calls that do not choose; 0: never
	// Risks tells by what taking a payload off may cut a device off from the server; nil: nothing
	// is known of any.
	Risks func(p *catalog.Payload, server []*x509.Certificate) ([]catalog.Risk, error)
	Log   *slog.Logger

	// Forget deletes the record of a device that left; nil: such records stay.
	Forget func(ctx context.Context, id fleet.DeviceID) error

	// Committed is told which events were committed; it must not wait. Their positions are not
	// always known.
	Committed func([]live.Event)
}

// Engine runs the rules on a store. Its methods may be called from many goroutines.
type Engine struct {
	config      Config
	channels    map[served]Channel
	wakes       chan fleet.DeviceID
	unwakeable  unwakeable
	contacts    contacts
	corrections corrections
}

// New returns an engine. Attach its channels before Run.
func New(c Config) *Engine {
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.NewID == nil {
		c.NewID = uuid.NewString
	}
	if c.Policy == (action.Policy{}) {
		c.Policy = action.DefaultPolicy
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Committed == nil {
		c.Committed = func([]live.Event) {}
	}
	return &Engine{config: c, channels: make(map[served]Channel),
		wakes: make(chan fleet.DeviceID, wakeQueue)}
}

// served is what a channel serves: devices of a platform that one system manages.
type served struct {
	authority fleet.Authority
	platform  fleet.Platform
}

// Attach makes ch the channel of all devices of the platforms that this server manages.
func (e *Engine) Attach(ch Channel, platforms ...fleet.Platform) {
	e.AttachAuthority(fleet.ThisServer, ch, platforms...)
}

// AttachAuthority makes ch the channel of all devices of the platforms that a system manages.
func (e *Engine) AttachAuthority(a fleet.Authority, ch Channel, platforms ...fleet.Platform) {
	for _, p := range platforms {
		e.channels[served{a, p}] = ch
	}
}

// SystemClock is the time of the machine.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now().UTC() }

// After implements Clock.
func (SystemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func (e *Engine) newEnv() action.Env {
	now := e.config.Clock.Now()
	e.corrections.noteTime(now)
	return action.Env{Now: now, NewID: e.config.NewID, Policy: e.config.Policy}
}

// Start runs a call of the action on a device. The error is fleet.ErrNotFound or an *action.Refusal
// if the call cannot be carried out, ErrChanged or ErrKeyReused; then nothing was changed. A call
// that repeats the one in force changes nothing, and neither does one whose key says that it was
// carried out before.
func (e *Engine) Start(ctx context.Context, id fleet.DeviceID, c Call) error {
	err := e.transact(ctx, id, nobodyConnected, func(tx Tx, l *Ledger, env action.Env) error {
		_, err := e.start(ctx, tx, id, l, env, c, false)
		return err
	})
	if errors.Is(err, errRepeated) {
		return nil
	}
	return err
}

// start is Start within a step. imported: the action is under way already, in the system that
// manages the device.
func (e *Engine) start(ctx context.Context, tx Tx, id fleet.DeviceID, l *Ledger, env action.Env,
	c Call, imported bool) (
	started bool, err error) {
	after := e.config.RestoreAfter
	if c.RestoreAfter != nil {
		after = *c.RestoreAfter
	}
	if err := c.once(ctx, tx, id, env.Now); err != nil {
		return false, err
	}
	if err := e.refresh(ctx, tx, id, l, env); err != nil {
		return false, err
	}
	if c.Match != nil && !c.Match(setTag(&l.Device)) {
		return false, ErrChanged
	}
	keptOff, err := c.heldBeyondReach(&l.Device)
	if err != nil {
		return false, err
	}
	before := removedPayloads(&l.Device, nil)
	_, started, err = l.Device.Start(env, action.Request{ID: action.ActionID(e.config.NewID()),
		Name: c.Name, Actor: c.Actor,
		Set: c.Set, Held: keptOff, RestoreAfter: after, Imported: imported})
	if err != nil {
		return false, err
	}
	return started, noteDevice(ctx, tx, id, before, removedPayloads(&l.Device, &after))
}

// heldBeyondReach returns what is held off the device beyond the caller's reach. The error is an
// *action.Refusal if the set names something there.
func (c *Call) heldBeyondReach(d *action.Device) (keptOff []action.Selection, err error) {
	if c.Reach == nil {
		return nil, nil
	}
	for i, sel := range c.Set {
		if !slices.Contains(c.Reach, sel.ID) {
			return nil, &action.Refusal{Reason: action.NotAssigned, Index: i, Payload: sel.ID}
		}
	}
	for _, p := range d.Payloads {
		if p.Away && p.Intent == action.Remove && !slices.Contains(c.Reach, p.ID) {
			keptOff = append(keptOff, action.Selection{ID: p.ID, Type: p.Type})
		}
	}
	return keptOff, nil
}

// Sync asks the device to connect and to list what it has.
func (e *Engine) Sync(ctx context.Context, id fleet.DeviceID) error {
	return e.transact(ctx, id, nobodyConnected, func(tx Tx, l *Ledger, _ action.Env) error {
		l.Device.WantInventory()
		return noteDevice(ctx, tx, id, nil, nil)
	})
}

// Actions returns the device's latest action of each name, latest first; fleet.ErrNotFound if there
// is no such device.
func (e *Engine) Actions(ctx context.Context,
	id fleet.DeviceID) (actions []*action.Action, err error) {
	err = e.config.Store.View(ctx, func(tx Tx) error {
		if _, err := tx.Device(ctx, id); err != nil {
			return err
		}
		actions, err = tx.Actions(ctx, id)
		return err
	})
	return actions, err
}

// Payloads returns what is assigned to the device or held off it, as it stands; fleet.ErrNotFound
// if there is no such device.
func (e *Engine) Payloads(ctx context.Context,
	id fleet.DeviceID) (payloads []*action.Payload, err error) {
	err = e.config.Store.View(ctx, func(tx Tx) error {
		l, err := tx.Ledger(ctx, id)
		if err != nil {
			return err
		}
		// The clock may not have come to a fresh catalog change yet. What this plans is not stored.
		env := e.newEnv()
		if err := e.refresh(ctx, tx, id, l, env); err != nil {
			return err
		}
		payloads = l.Device.Payloads
		return nil
	})
	return payloads, err
}
