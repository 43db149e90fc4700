package notify

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// Input describes a subscription to create.
type Input struct {
	Resource     string
	ChangeType   string
	URL          string
	LifecycleURL string
	ClientState  string
	TLS          string // empty: v1_2
	Expires      time.Time
}

// The kinds of change: a device was enrolled, something changed in its actions or payloads, or it
// left management.
const (
	Created = "created"
	Updated = "updated"
	Deleted = "deleted"
)

// Create creates a subscription, after its receivers have passed the handshake. The error is an
// *invalid.Input for input that cannot be used, an *Unvalidated, lane.ErrFull if too many
// handshakes wait, fleet.ErrNotFound for a device that the caller does not see, or ErrTooMany.
func (s *Service) Create(ctx context.Context, by *access.Principal,
	in Input) (*Subscription, error) {
	sub, err := s.draft(by, in)
	if err != nil {
		return nil, err
	}
	if sub.Device != "" {
		if _, err := s.config.Devices.Place(ctx, sub.Device); err != nil {
			return nil, err
		}
	}
	if sight, err := s.sightOf(ctx, sub, by); err != nil || sight == nil {
		if err == nil {
			err = fleet.ErrNotFound
		}
		return nil, err
	}
	if err := lane.Outside(ctx,
		func() error { return s.shakeHandsWithBoth(ctx, by.ID, &sub.Terms) }); err != nil {
		return nil, err
	}
	now := s.now()
	sub.Created, sub.LookAt, sub.NotBefore = now, now.Add(lookEvery), now
	note(ctx, nil, sub)
	if err := s.config.Store.InsertSubscription(ctx, sub, MaxPerOwner); err != nil {
		return nil, err
	}
	return sub, nil
}

// draft checks an input and makes a subscription from it, without what the store and the clock add.
func (s *Service) draft(by *access.Principal, in Input) (*Subscription, error) {
	sub := &Subscription{ID: uuid.NewString(), Owner: by.Identity,
		Expires: in.Expires.UTC().Truncate(time.Microsecond), Secret: newSecret(),
		Terms: Terms{Resource: in.Resource, URL: in.URL, LifecycleURL: in.LifecycleURL,
			ClientState: in.ClientState, TLS: in.TLS}}
	var err error
	if sub.Terms.ChangeType, err = changeType(in.ChangeType); err != nil {
		return nil, err
	}
	if sub.Terms.Set, sub.Device, err = resource(in.Resource); err != nil {
		return nil, err
	}
	if err := s.checkURL("notificationUrl", in.URL); err != nil {
		return nil, err
	}
	if in.LifecycleURL != "" {
		if err := s.checkURL("lifecycleNotificationUrl", in.LifecycleURL); err != nil {
			return nil, err
		}
	}
	if utf8.RuneCountInString(in.ClientState) > clientStateMax {
		return nil, &invalid.Input{Property: "clientState",
			Reason: fmt.Sprintf("it can have at most %d characters", clientStateMax)}
	}
	switch in.TLS {
	case "":
		sub.Terms.TLS = "v1_2"
	case "v1_2", "v1_3":
	default:
		return nil, &invalid.Input{Property: "latestSupportedTlsVersion",
			Reason: "it can be v1_2 or v1_3: this server speaks no older TLS"}
	}
	return sub, s.checkExpiry(sub, sub.Expires)
}

// checkExpiry checks and sets when a subscription expires, and when its owner is reminded of that.
func (s *Service) checkExpiry(sub *Subscription, expires time.Time) error {
	now := s.now()
	life := expires.Sub(now)
	if life <= 0 || life > MaxLifetime {
		return &invalid.Input{Property: "expirationDateTime",
			Reason: fmt.Sprintf("it must be in the future, and at most %d days ahead",
				MaxLifetime/(24*time.Hour))}
	}
	sub.Expires, sub.Remind = expires, expires.Add(-min(remindBefore,
		life/4)).Truncate(time.Microsecond)
	return nil
}

// changeType parses a list of changes. Duplicates count once.
func changeType(text string) (string, error) {
	var changes []string
	for change := range strings.SplitSeq(text, ",") {
		switch change = strings.TrimSpace(change); change {
		case Created, Updated, Deleted:
			if !slices.Contains(changes, change) {
				changes = append(changes, change)
			}
		default:
			return "", &invalid.Input{Property: "changeType",
				Reason: fmt.Sprintf("%.40q is no change: "+
					"give created, updated, deleted, or several of them", change)}
		}
	}
	return strings.Join(changes, ","), nil
}

// wants reports whether the subscription is for a kind of change.
func (t *Terms) wants(change string) bool {
	return slices.Contains(strings.Split(t.ChangeType, ","), change)
}

// resource parses what is subscribed to: all devices, or one of them. Case does not matter, as in
// any path of Graph.
func resource(text string) (set string, device fleet.DeviceID, err error) {
	parts := strings.Split(strings.TrimPrefix(text, "/"), "/")
	sets := []string{"managedDevices", "comanagedDevices"}
	i := -1
	if len(parts) == 2 || len(parts) == 3 {
		i = slices.IndexFunc(sets,
			func(set string) bool { return strings.EqualFold(set, parts[1]) })
	}
	if i < 0 || !strings.EqualFold(parts[0], "deviceManagement") || parts[len(parts)-1] == "" {
		return "", "", &invalid.Input{Property: "resource",
			Reason: "it must be deviceManagement/managedDevices, " +
				"or deviceManagement/managedDevices/ and the id of a device"}
	}
	if len(parts) == 3 {
		device = fleet.DeviceID(strings.ToLower(parts[2]))
	}
	return sets[i], device, nil
}

// newSecret returns a new signing key. Its prefix lets secret scanners recognise it.
func newSecret() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	return "spsig_" + base64.RawURLEncoding.EncodeToString(random)
}

func (s *Service) shakeHandsWithBoth(ctx context.Context, owner string, t *Terms) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.shakeHands(ctx, owner, "notificationUrl", t.URL) })
	if t.LifecycleURL != "" {
		g.Go(func() error {
			return s.shakeHands(ctx, owner, "lifecycleNotificationUrl", t.LifecycleURL)
		})
	}
	return g.Wait()
}

// Get returns a subscription of the caller; ErrNotFound if there is none.
func (s *Service) Get(ctx context.Context, by *access.Principal, id string) (*Subscription, error) {
	return s.config.Store.Subscription(ctx, by.ID, strings.ToLower(id), s.now())
}

// List returns at most limit of the caller's subscriptions by ascending id, after an id.
func (s *Service) List(ctx context.Context, by *access.Principal, after string,
	limit int) ([]*Subscription, error) {
	return s.config.Store.Subscriptions(ctx, by.ID, strings.ToLower(after), limit, s.now())
}

// Renew extends a subscription of the caller until a time, and gives it the rights that the caller
// has now. The error is ErrNotFound or an *invalid.Input.
func (s *Service) Renew(ctx context.Context, by *access.Principal, id string,
	expires time.Time) (*Subscription, error) {
	return s.renewed(ctx, by, id, func(sub *Subscription) error {
		return s.checkExpiry(sub, expires.UTC().Truncate(time.Microsecond))
	})
}

// Reauthorize gives a subscription of the caller the rights that the caller has now; ErrNotFound if
// there is none.
func (s *Service) Reauthorize(ctx context.Context, by *access.Principal, id string) error {
	_, err := s.renewed(ctx, by, id, func(*Subscription) error { return nil })
	return err
}

func (s *Service) renewed(ctx context.Context, by *access.Principal, id string,
	change func(*Subscription) error) (*Subscription, error) {
	sub, err := s.Get(ctx, by, id)
	if err != nil {
		return nil, err
	}
	was := *sub
	sub.Owner = by.Identity
	if err := change(sub); err != nil {
		return nil, err
	}
	note(ctx, &was, sub)
	if err := s.config.Store.RenewSubscription(ctx, sub, s.now()); err != nil {
		return nil, err
	}
	s.signal(s.slotFreed)
	return sub, nil
}

// Delete deletes a subscription of the caller; ErrNotFound if there is none.
func (s *Service) Delete(ctx context.Context, by *access.Principal, id string) error {
	sub, err := s.Get(ctx, by, id)
	if err != nil {
		return err
	}
	note(ctx, sub, nil)
	return s.config.Store.DeleteSubscription(ctx, by.ID, sub.ID)
}
