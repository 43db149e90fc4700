package notify

import (
	"context"
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

var (
	// ErrNotFound is returned for a subscription that does not exist, or not for the caller.
	ErrNotFound = errors.New("there is no such subscription")
	// ErrTooMany is returned to an owner who has MaxPerOwner subscriptions.
	ErrTooMany = errors.New("the owner has as many subscriptions as one can have")
)

// Store keeps subscriptions and the lifecycle notifications that wait. What expires is not there
// any more for its owner, but is still claimed, so that its receiver is told.
type Store interface {
	// InsertSubscription stores a subscription at the end of the event log; ErrTooMany if its owner
	// has most already.
	InsertSubscription(ctx context.Context, s *Subscription, most int) error
	// Subscription finds an owner's subscription that has not expired; ErrNotFound if there is
	// none.
	Subscription(ctx context.Context, owner, id string, now time.Time) (*Subscription, error)
	// Subscriptions lists those of an owner by ascending id, after an id, at most limit.
	Subscriptions(ctx context.Context, owner, after string, limit int,
		now time.Time) ([]*Subscription, error)
	// RenewSubscription writes Owner, Expires and Remind, and that it is due; ErrNotFound if it has
	// gone.
	RenewSubscription(ctx context.Context, s *Subscription, now time.Time) error
	// DeleteSubscription deletes an owner's subscription and what waits for its receiver;
	// ErrNotFound if it has gone.
	DeleteSubscription(ctx context.Context, owner, id string) error

	// ClaimSubscriptions takes subscriptions that have something to do and that nobody else has
	// taken, at most limit, until a time. Those that have not failed come first, and of them those
	// that wait longest.
	ClaimSubscriptions(ctx context.Context, node string, now, until time.Time,
		limit int) ([]*Subscription, error)
	// SettleSubscription writes what became of a claimed subscription and gives it back;
	// ErrNotFound if the claim was lost.
	SettleSubscription(ctx context.Context, node, id string, o *Outcome, now time.Time) error
	// ClaimNotices and SettleNotice are the same for lifecycle notifications; NotBefore of zero
	// deletes one.
	ClaimNotices(ctx context.Context, node string, now, until time.Time, limit int) ([]*Notice,
		error)
	SettleNotice(ctx context.Context, node string, n *Notice) error

	// Events and EventRange are live.Store's.
	Events(ctx context.Context, device fleet.DeviceID, after int64, limit int) ([]live.Event, error)
	EventRange(ctx context.Context) (oldest, newest int64, err error)
}

// Subscription is somebody's wish to be told of changes.
type Subscription struct {
	ID      string
	Owner   access.Identity // as at its creation or last renewal
	Device  fleet.DeviceID  // empty: all devices
	Terms   Terms
	Secret  string // signs what is sent
	Created time.Time
	Expires time.Time
	Remind  time.Time // when the owner is told that it expires; zero: they were
	Delivery
	OwnerGone bool // the token of its owner was revoked or has expired; only claims know
}

// TokenID is the id of the local token that owns the subscription; empty: its owner is of an
// identity provider.
func (s *Subscription) TokenID() string { return (&access.Session{Identity: s.Owner}).TokenID() }

// Terms are what was asked for. They never change.
type Terms struct {
	Resource     string // as given
	Set          string // managedDevices or comanagedDevices
	ChangeType   string // Created, Updated and Deleted, or some of them, with commas between
	URL          string
	LifecycleURL string // empty: none
	ClientState  string
	TLS          string // latestSupportedTlsVersion
}

// Delivery is how far a subscription has come, and how its receiver does.
type Delivery struct {
	Position  int64     // of the last event that was delivered or passed over
	Paused    bool      // the owner's rights do not cover the resource
	LookAt    time.Time // when it is looked at though nothing has happened
	NotBefore time.Time
	Attempts  int       // that failed since the last delivery
	Trying    time.Time // the first failure of what is tried now; zero: nothing failed
	Failing   time.Time // the first failure since the last delivery; zero: there was none
	Delivered time.Time // the last delivery; zero: never
	LastError string    // of the last attempt; empty: it succeeded
}

// Outcome is what became of a subscription that was claimed.
type Outcome struct {
	Delivery
	Remove   bool
	Reminded bool
	Notices  []Notice // to deliver; one that waits already is not stored again
}

// Notice is a lifecycle notification that waits.
type Notice struct {
	ID           int64
	Subscription string
	Event        Lifecycle
	URL          string
	Secret       string
	Body         []byte
	Created      time.Time
	NotBefore    time.Time
	Attempts     int
}
