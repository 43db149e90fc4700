package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// changed is a change of a device, with the position of its last event.
type changed struct {
	change
	position int64
}

type change struct {
	device fleet.DeviceID
	kind   string // Created, Updated or Deleted
}

func changeOf(e *live.Event) change {
	switch e.Kind {
	case live.DeviceEnrolled:
		return change{e.Device, Created}
	case live.DeviceLeft, live.DeviceDeleted:
		return change{e.Device, Deleted}
	default:
		return change{e.Device, Updated}
	}
}

// changes returns the changes of the next delivery in the order of their last events, and the
// position up to which they are complete. Several events of one change make one notification. The
// error is live.ErrGone if events are missing.
func (s *Service) changes(ctx context.Context, sub *Subscription,
	sees *access.Sight) (list []changed, reach int64, err error) {
	events, reach, err := s.nextEvents(ctx, sub)
	if err != nil {
		return nil, 0, err
	}
	last := make(map[change]int64)
	for i := range events {
		e := &events[i]
		c := changeOf(e)
		if !sub.Terms.wants(c.kind) {
			continue
		}
		seen, err := sees.SeesChange(ctx, e.Device, e.Place, e.Result)
		if err != nil {
			return nil, 0, err
		}
		if !seen {
			continue
		}
		if _, known := last[c]; !known && len(last) == notificationsPerDelivery {
			reach = e.Position - 1
			break
		}
		last[c] = e.Position
	}
	for c, position := range last {
		list = append(list, changed{c, position})
	}
	slices.SortFunc(list, func(a, b changed) int { return cmp.Compare(a.position, b.position) })
	return list, reach, nil
}

// nextEvents returns the next events of a subscription, and the position up to which there are no
// others.
func (s *Service) nextEvents(ctx context.Context,
	sub *Subscription) (events []live.Event, reach int64, err error) {
	_, reach, err = s.config.Store.EventRange(ctx)
	if err == nil {
		events, err = s.config.Store.Events(ctx, sub.Device, sub.Position, readBatch)
	}
	if err != nil {
		return nil, 0, err
	}
	// Checked after the read, to notice events that were deleted just before it.
	oldest, newest, err := s.config.Store.EventRange(ctx)
	// A position that was never given out comes from before a backup was restored.
	if err == nil && (sub.Position < oldest-1 || sub.Position > newest) {
		err = live.ErrGone
	}
	switch n := len(events); {
	case n == readBatch:
		reach = events[n-1].Position
	case n > 0:
		reach = max(reach, events[n-1].Position)
	}
	return events, reach, err
}

// The bodies of notifications (Microsoft Graph beta reference, changeNotification and
// changeNotificationCollection).
type (
	collection struct {
		Value []any `json:"value"`
	}
	changeNotification struct {
		ID           string       `json:"id"` // the position of the change's last event
		Subscription string       `json:"subscriptionId"`
		Expires      string       `json:"subscriptionExpirationDateTime"`
		ClientState  *string      `json:"clientState"`
		ChangeType   string       `json:"changeType"`
		Tenant       string       `json:"tenantId"`
		Resource     string       `json:"resource"`
		Data         resourceData `json:"resourceData"`
	}
	resourceData struct {
		Type string         `json:"@odata.type"`
		Path string         `json:"@odata.id"`
		ID   fleet.DeviceID `json:"id"`
	}
	lifecycleNotification struct {
		Event        Lifecycle `json:"lifecycleEvent"`
		Subscription string    `json:"subscriptionId"`
		Expires      string    `json:"subscriptionExpirationDateTime"`
		ClientState  *string   `json:"clientState"`
		Tenant       string    `json:"tenantId"`
		Resource     string    `json:"resource"`
	}
)

// Lifecycle says what happened to a subscription itself (Microsoft Graph, "Reduce missing
// subscriptions and change notifications").
type Lifecycle string

const (
	// ReauthorizationRequired says that the subscription expires soon, or that its owner's rights
	// no longer cover it.
	ReauthorizationRequired Lifecycle = "reauthorizationRequired"
	// SubscriptionRemoved says that the subscription has expired, or that its owner's token is no
	// longer valid.
	SubscriptionRemoved Lifecycle = "subscriptionRemoved"
	// Missed says that changes were not delivered and will not be: the receiver has to read the
	// present state itself.
	Missed Lifecycle = "missed"
)

func (s *Service) changeBody(sub *Subscription, list []changed) []byte {
	value := make([]any, len(list))
	for i, c := range list {
		path := "deviceManagement/" + sub.Terms.Set + "/" + string(c.device)
		value[i] = changeNotification{ID: strconv.FormatInt(c.position, 10), Subscription: sub.ID,
			Expires:     timestamp(sub.Expires),
			ClientState: orNull(sub.Terms.ClientState), ChangeType: c.kind, Tenant: s.config.Tenant,
			Resource: path,
			Data:     resourceData{"#Microsoft.Graph.managedDevice", path, c.device}}
	}
	return encode(collection{value})
}

func (s *Service) notice(sub *Subscription, event Lifecycle) Notice {
	body := encode(collection{[]any{lifecycleNotification{event, sub.ID, timestamp(sub.Expires),
		orNull(sub.Terms.ClientState), s.config.Tenant, sub.Terms.Resource}}})
	now := s.now()
	return Notice{Subscription: sub.ID, Event: event, URL: sub.Terms.LifecycleURL,
		Secret: sub.Secret, Body: body, Created: now, NotBefore: now}
}

func encode(c collection) []byte {
	text, err := json.Marshal(c)
	if err != nil {
		// it has only strings
		panic(fmt.Sprintf("notify: a notification does not marshal: %v", err))
	}
	return text
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func timestamp(t time.Time) string {
	return t.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
}
