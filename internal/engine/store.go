package engine

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// Ledger is the stored state of one device: the rules' record and when the clock next has business
// with it.
type Ledger struct {
	Device action.Device
	DueAt  time.Time // when the sweep must look at it; zero: never
	// the catalog changed what is assigned, and the device's record does not know it yet
	Changed bool
	Wake    Wake

	again bool // the device was enrolled and has enrolled anew, in this step
}

// Wake is how often a device that has work was asked to connect and did not.
type Wake struct {
	Tries int       `json:",omitempty"`
	At    time.Time `json:",omitzero"` // next try
}

// late reports whether the clock looks at the device later than it is told to when it is told anew:
// it was told so by a clock that was ahead. The ledger is of no use afterwards.
func (l *Ledger) late(env action.Env) bool {
	told := l.DueAt
	l.Device.CorrectPauses(env)
	l.schedule(env.Now, absent)
	return l.Changed || !l.DueAt.IsZero() && l.DueAt.Add(clockSkew).Before(told)
}

// Store is what the engine needs of a database.
type Store interface {
	// Update runs fn in one transaction, durable when Update returns nil. What fn wrote is kept
	// only if the device's ledger did not change meanwhile; else fn runs again, from the start. fn
	// does not see its own writes, and must not wait for anything.
	Update(ctx context.Context, device fleet.DeviceID, fn func(Tx) error) error
	// View runs fn on a consistent snapshot.
	View(ctx context.Context, fn func(Tx) error) error
	// Look runs fn that reads one thing: it need not be a snapshot.
	Look(ctx context.Context, fn func(Tx) error) error
	// Due lists devices whose DueAt has come, earliest first.
	Due(ctx context.Context, now time.Time, limit int) ([]fleet.DeviceID, error)
	// Ahead lists the devices whose DueAt lies behind a time for another reason than an automatic
	// restore, or is hidden by one although an action goes on. It reads no ledgers.
	Ahead(ctx context.Context, behind time.Time) ([]fleet.DeviceID, error)
	// SpreadChanges makes the next devices that a catalog change concerns Changed and due, at most
	// limit of them, and returns how many there were. Zero means that every change has been spread.
	SpreadChanges(ctx context.Context, now time.Time, limit int) (int, error)
	// DropKeys deletes keys that are not younger than before, at most limit of them, and returns
	// how many there were.
	DropKeys(ctx context.Context, before time.Time, limit int) (int, error)
	// DropActions looks at the next actions behind a mark that were started before a time, at most
	// limit of them, and deletes those that have ended and are not the newest of their device and
	// name. It returns how many it deleted, and the mark of the last it looked at; zero: there are
	// no more.
	DropActions(ctx context.Context, before time.Time, after ActionMark, limit int) (dropped int,
		next ActionMark, err error)
	// Touch writes the devices' last contact, where it is later than the one stored.
	Touch(ctx context.Context, seen map[fleet.DeviceID]time.Time) error
}

// Tx is one transaction of a Store.
type Tx interface {
	// Ledger returns the device's ledger with its latest action; fleet.ErrNotFound if there is no
	// such device.
	Ledger(ctx context.Context, device fleet.DeviceID) (*Ledger, error)
	SaveLedger(ctx context.Context, device fleet.DeviceID, l *Ledger) error
	// SaveAction stores an action under its device and id, new or changed.
	SaveAction(ctx context.Context, device fleet.DeviceID, a *action.Action) error
	// KeyDigest returns the digest of the call that had the key on the device since then; nil if
	// none had.
	KeyDigest(ctx context.Context, device fleet.DeviceID, k *Key, since time.Time) ([]byte, error)
	SaveKey(ctx context.Context, device fleet.DeviceID, k *Key, at time.Time) error
	// AppendEvents adds to the event log, in the order given. Position is the log's to set: where
	// it is known at once, it is set in events when Update returns.
	AppendEvents(ctx context.Context, events []live.Event) error
	// Actions returns the latest action of each name, latest first.
	Actions(ctx context.Context, device fleet.DeviceID) ([]*action.Action, error)
	// Assigned lists what the catalog assigns to the device: its platform, its groups, itself, less
	// what is excluded; and what another system assigns to it.
	Assigned(ctx context.Context, device fleet.DeviceID) ([]action.Spec, error)
	// SaveMirrored replaces what another system assigns to the device. Assigned lists it, too.
	SaveMirrored(ctx context.Context, device fleet.DeviceID, specs []action.Spec) error
	// Payload returns a catalog entry with its content; catalog.ErrNotFound if it was deleted.
	Payload(ctx context.Context, id action.PayloadID) (*catalog.Payload, error)
	// PlaceDevice gives a device that was just made its scope tags, and puts it into the groups
	// that it joins, as far as they exist.
	PlaceDevice(ctx context.Context, d *fleet.Device) error
	// SaveDevice creates or updates the device and its empty ledger.
	SaveDevice(ctx context.Context, d *fleet.Device) error
	Device(ctx context.Context, id fleet.DeviceID) (*fleet.Device, error)
	// DeviceByUDID finds a device by its hardware or enrollment id; fleet.ErrNotFound if there is
	// none.
	DeviceByUDID(ctx context.Context, udid string) (*fleet.Device, error)
}
