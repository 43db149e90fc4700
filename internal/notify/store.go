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
	// ErrNotFound is returned for a subscription that does not exist or is not the caller's.
	ErrNotFound = errors.New("there is no such subscription")
	// ErrTooMany is returned to an owner who already has MaxPerOwner subscriptions.
	ErrTooMany = errors.New("the owner has as many subscriptions as one can have")
)

// Store keeps subscriptions, and lifecycle notifications that are to be delivered. An expired
// subscription no longer exists for its owner, but can still be claimed, so that its receiver is
// told.
type Store interface {
	// InsertSubscription stores a subscription that follows the event log from its end. The error
	// is ErrTooMany if its owner has most already.
	InsertSubscription(ctx context.Context, s *Subscription, most int) error
	// Subscription returns an owner's subscription that has not expired; ErrNotFound if there is
	// none.
	Subscription(ctx context.Context, owner, id string, now time.Time) (*Subscription, error)
	// Subscriptions lists at most limit subscriptions of an owner by ascending id, after an id.
	Subscriptions(ctx context.Context, owner, after string, limit int,
		now time.Time) ([]*Subscription, error)
	// RenewSubscription stores Owner, Expires and Remind, and makes the subscription due at once;
	// ErrNotFound if it has gone.
	RenewSubscription(ctx context.Context, s *Subscription, now time.Time) error
	// DeleteSubscription deletes an owner's subscription, and lifecycle notifications of it that
	// wait; ErrNotFound if it has gone.
	DeleteSubscription(ctx context.Context, owner, id string) error

	// ClaimSubscriptions claims at most limit subscriptions that have something to do and that
	// nobody else has claimed. A claim ends at until. Subscriptions that have not failed come
	// first, and among them those that have waited longest.
	ClaimSubscriptions(ctx context.Context, node string, now, until time.Time,
		limit int) ([]*Subscription, error)
	// SettleSubscription stores the outcome for a claimed subscription and releases the claim;
	// ErrNotFound if the claim was lost.
	SettleSubscription(ctx context.Context, node, id string, o *Outcome, now time.Time) error
	// ClaimNotices and SettleNotice do the same for lifecycle notifications. SettleNotice deletes
	// one whose NotBefore is zero.
	ClaimNotices(ctx context.Context, node string, now, until time.Time, limit int) ([]*Notice,
		error)
	SettleNotice(ctx context.Context, node string, n *Notice) error

	// Events and EventRange are those of live.Store.
	Events(ctx context.Context, device fleet.DeviceID, after int64, limit int) ([]live.Event, error)
	EventRange(ctx context.Context) (oldest, newest int64, err error)
}

// Subscription is an owner's request to be notified of changes.
type Subscription struct {
	ID      string
	Owner   access.Identity // as of its creation or last renewal
	Device  fleet.DeviceID  // empty: all devices
	Terms   Terms
	Secret  string // the key that signs notifications
	Created time.Time
	Expires time.Time
	Remind  time.Time // when to tell the owner that it expires soon; zero: they were told
	Delivery
	OwnerGone bool // the owner's token was revoked or has expired; set only by claims
}

// TokenID returns the id of the server's own token that owns the subscription; empty: its owner
// comes from an identity provider.
func (s *Subscription) TokenID() string { return (&access.Session{Identity: s.Owner}).TokenID() }

// Terms are what the owner asked for. They never change.
type Terms struct {
	Resource     string // as the owner wrote it
	Set          string // managedDevices or comanagedDevices
	ChangeType   string // some of Created, Updated and Deleted, with commas between
	URL          string
	LifecycleURL string // empty: none
	ClientState  string
	TLS          string // latestSupportedTlsVersion
}

// Delivery says how far a subscription has come, and how its receiver does.
type Delivery struct {
	Position  int64     // of the last event that was delivered or skipped
	Paused    bool      // the owner's rights do not cover the resource
	LookAt    time.Time // when to look at it next even if nothing happens
	NotBefore time.Time
	Attempts  int       // failed attempts since the last delivery
	Trying    time.Time // when the present delivery first failed; zero: it has not
	Failing   time.Time // the first failure since the last success; zero: none
	Delivered time.Time // the last successful delivery; zero: never
	LastError string    // why the last attempt failed; empty: it succeeded
}

// Outcome is the result of one visit to a claimed subscription.
type Outcome struct {
	Delivery
	Remove   bool
	Reminded bool
	Notices  []Notice // to be delivered; not stored again if the same already waits
}

// Notice is a lifecycle notification that is to be delivered.
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
