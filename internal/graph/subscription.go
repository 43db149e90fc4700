package graph

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

// Subscriptions keeps who wants to be told of changes. *notify.Service implements it; its errors are *catalog.Invalid,
// *notify.Unvalidated, notify.ErrNotFound, notify.ErrTooMany and fleet.ErrNotFound.
type Subscriptions interface {
	// Create makes a subscription of the caller's, after its receiver has passed the handshake.
	Create(ctx context.Context, by *access.Principal, in notify.Input) (*notify.Subscription, error)
	Get(ctx context.Context, by *access.Principal, id string) (*notify.Subscription, error)
	// List returns the caller's subscriptions by ascending id from behind after, at most limit.
	List(ctx context.Context, by *access.Principal, after string, limit int) ([]*notify.Subscription, error)
	Renew(ctx context.Context, by *access.Principal, id string, expires time.Time) (*notify.Subscription, error)
	Reauthorize(ctx context.Context, by *access.Principal, id string) error
	Delete(ctx context.Context, by *access.Principal, id string) error
}

const (
	subscriptionSet  = "subscriptions"
	subscriptionType = "subscription"
	codeValidation   = "ValidationError"
)

var subscriptions = &resource{name: "subscriptions", path: versionPath + subscriptionSet, odataType: subscriptionType,
	object: "subscription", noun: "subscription", category: categoryOther, stable: true,
	setByServer: []string{"id", "applicationId", "creatorId", "notificationUrlAppId"}}

var toReauthorize = &verb{name: "reauthorize", method: "POST", suffix: "/{id}/reauthorize"}

// subscriptionRoutes are open to who may read devices: as in Graph, a subscription needs the right to its resource, and
// everybody has but their own.
func subscriptionRoutes() []route {
	needs := may(access.ReadDevices)
	routes := []route{
		subscriptions.route(toList, needs, listOptions, (*call).listSubscriptions),
		subscriptions.route(toCreate, needs, nil, (*call).createSubscription),
		subscriptions.route(toGet, needs, []string{optionSelect}, (*call).getSubscription),
		subscriptions.route(toUpdate, needs, nil, (*call).renewSubscription),
		subscriptions.route(toDelete, needs, nil, (*call).deleteSubscription),
		subscriptions.route(toReauthorize, needs, nil, (*call).reauthorizeSubscription),
	}
	for i := range routes {
		handle := routes[i].handle
		routes[i].handle = func(c *call) error { return c.subscriptionFault(handle(c)) }
	}
	return routes
}

// subscriptionFault turns the errors of Subscriptions into what the caller is told.
func (c *call) subscriptionFault(err error) error {
	var unvalidated *notify.Unvalidated
	switch {
	case errors.As(err, &unvalidated):
		f := badRequest(unvalidated.Property, "Subscription validation request failed: %s: %s.", unvalidated.Property, unvalidated.Reason)
		f.code = codeValidation
		return f
	case errors.Is(err, notify.ErrNotFound):
		return notFound("There is no object with this id.")
	case errors.Is(err, lane.ErrFull):
		return unavailable(busyRetryAfter)
	case errors.Is(err, notify.ErrTooMany):
		return forbidden("'%s' has %d subscriptions, and more are not possible. Delete some.", c.caller.Name, notify.MaxPerOwner)
	default:
		return err
	}
}

var subscriptionProperties = properties{
	{"id", edmString}, {"resource", edmString}, {"applicationId", edmString}, {"changeType", edmString},
	{"clientState", edmString}, {"notificationUrl", edmString}, {"notificationQueryOptions", edmString},
	{"lifecycleNotificationUrl", edmString}, {"expirationDateTime", edmDateTime}, {"creatorId", edmString},
	{"includeResourceData", edmBoolean}, {"latestSupportedTlsVersion", edmString},
	{"encryptionCertificate", edmString}, {"encryptionCertificateId", edmString},
	{"notificationUrlAppId", edmString}, {ownProperty, ownNamespace + "subscriptionDetails"},
}

// ownProperty has what is this server's own and not Graph's.
const ownProperty = "syncpayloads"

// subscriptionFields shows a subscription as Graph's (Microsoft Graph beta reference, subscription resource type). Its
// secrets are shown once, to who makes it.
func subscriptionFields(s *notify.Subscription, made bool) fields {
	application := any(nil)
	if id, ok := strings.CutPrefix(s.Owner.ID, "app:"); ok {
		application = id
	}
	clientState := any(nil)
	own := fields{{"delivery", deliveryFields(s)}}
	if made {
		clientState = textOrNull(s.Terms.ClientState)
		own = append(fields{{"signingSecret", s.Secret}}, own...)
	}
	return fields{
		{"id", s.ID},
		{"resource", s.Terms.Resource},
		{"applicationId", application},
		{"changeType", s.Terms.ChangeType},
		{"clientState", clientState},
		{"notificationUrl", s.Terms.URL},
		{"notificationQueryOptions", nil},
		{"lifecycleNotificationUrl", textOrNull(s.Terms.LifecycleURL)},
		{"expirationDateTime", timestamp(s.Expires)},
		{"creatorId", s.Owner.ID},
		{"includeResourceData", false},
		{"latestSupportedTlsVersion", s.Terms.TLS},
		{"encryptionCertificate", nil},
		{"encryptionCertificateId", nil},
		{"notificationUrlAppId", nil},
		{ownProperty, own},
	}
}

// deliveryFields tell how the receiver does.
func deliveryFields(s *notify.Subscription) fields {
	state, next := "active", any(nil)
	switch {
	case s.Paused:
		state = "paused"
	case s.Attempts > 0:
		state, next = "failing", timestamp(s.NotBefore)
	}
	return fields{
		{"state", state},
		{"lastDeliveryDateTime", timestamp(s.Delivered)},
		{"failingSinceDateTime", timestamp(s.Failing)},
		{"lastError", textOrNull(s.LastError)},
		{"pending", !s.Trying.IsZero()},
		{"nextTryDateTime", next},
	}
}

func (c *call) listSubscriptions() error {
	selected, err := c.selected(subscriptionProperties.names())
	if err != nil {
		return err
	}
	after, size, err := c.plainPage()
	if err != nil {
		return err
	}
	list, err := c.Subscriptions.List(c.r.Context(), c.caller, after, size+1)
	if err != nil {
		return err
	}
	list, next := cut(list, size, func(s *notify.Subscription) string { return s.ID })
	page := page{collection: subscriptionSet, next: next, value: make([]fields, len(list))}
	for i, s := range list {
		page.value[i] = typed(subscriptionType, subscriptionFields(s, false).pick(selected))
	}
	return c.list(page)
}

func (c *call) getSubscription() error {
	selected, err := c.selected(subscriptionProperties.names())
	if err != nil {
		return err
	}
	s, err := c.Subscriptions.Get(c.r.Context(), c.caller, c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, subscriptionSet, subscriptionType, subscriptionFields(s, false).pick(selected))
}

func (c *call) createSubscription() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	in, err := subscriptionInput(body)
	if err != nil {
		return err
	}
	s, err := c.Subscriptions.Create(c.r.Context(), c.caller, in)
	if err != nil {
		return err
	}
	return c.created(subscriptionSet, s.ID, subscriptionType, subscriptionFields(s, true))
}

func subscriptionInput(body *object) (in notify.Input, err error) {
	const encryption, encryptionID, query = "encryptionCertificate", "encryptionCertificateId", "notificationQueryOptions"
	err = errors.Join(body.ofType(subscriptionType), body.only("changeType", "notificationUrl", "lifecycleNotificationUrl", "resource",
		"expirationDateTime", "clientState", "latestSupportedTlsVersion", "includeResourceData",
		encryption, encryptionID, query))
	if err != nil {
		return in, err
	}
	if v := body.values["includeResourceData"]; v != nil && v != false {
		return in, badRequest("includeResourceData", "Property 'includeResourceData' can only be false: notifications have no resource data.")
	}
	for _, name := range []string{encryption, encryptionID, query} {
		if body.values[name] != nil {
			return in, badRequest(name, "Property '%s' is not supported: notifications have no resource data.", name)
		}
	}
	for name, to := range map[string]*string{"changeType": &in.ChangeType, "notificationUrl": &in.URL, "resource": &in.Resource} {
		if *to, err = body.requiredText(name); err != nil {
			return in, err
		}
	}
	for name, to := range map[string]*string{"lifecycleNotificationUrl": &in.LifecycleURL, "clientState": &in.ClientState,
		"latestSupportedTlsVersion": &in.TLS} {
		if *to, _, err = body.text(name); err != nil {
			return in, err
		}
	}
	in.Expires, err = body.expiration()
	return in, err
}

func (o *object) expiration() (time.Time, error) {
	const name = "expirationDateTime"
	text, err := o.requiredText(name)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, badRequest(name, "Property '%s' must be a time such as 2026-01-02T03:04:05Z.", name)
	}
	return at, nil
}

// renewSubscription is PATCH …/{id}: of a subscription, its expiry can be set.
func (c *call) renewSubscription() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := errors.Join(body.ofType(subscriptionType), body.only("expirationDateTime")); err != nil {
		return err
	}
	expires, err := body.expiration()
	if err != nil {
		return err
	}
	s, err := c.Subscriptions.Renew(c.r.Context(), c.caller, c.r.PathValue("id"), expires)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, subscriptionSet, subscriptionType, subscriptionFields(s, false))
}

func (c *call) deleteSubscription() error {
	if err := c.Subscriptions.Delete(c.r.Context(), c.caller, c.r.PathValue("id")); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) reauthorizeSubscription() error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := c.Subscriptions.Reauthorize(c.r.Context(), c.caller, c.r.PathValue("id")); err != nil {
		return err
	}
	return c.noContent()
}
