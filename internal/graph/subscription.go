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
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// Subscriptions keeps who wants to be told of changes. *notify.Service implements it; its errors
// are *invalid.Input, *notify.Unvalidated, notify.ErrNotFound, notify.ErrTooMany and
// fleet.ErrNotFound.
type Subscriptions interface {
	// Create makes a subscription of the caller's, after its receiver has passed the handshake.
	Create(ctx context.Context, by *access.Principal, in notify.Input) (*notify.Subscription, error)
	Get(ctx context.Context, by *access.Principal, id string) (*notify.Subscription, error)
	// List returns the caller's subscriptions by ascending id that come after an id, at most limit.
	List(ctx context.Context, by *access.Principal, after string,
		limit int) ([]*notify.Subscription, error)
	Renew(ctx context.Context, by *access.Principal, id string,
		expires time.Time) (*notify.Subscription, error)
	Reauthorize(ctx context.Context, by *access.Principal, id string) error
	Delete(ctx context.Context, by *access.Principal, id string) error
}

const (
	subscriptionSet  = "subscriptions"
	subscriptionType = "subscription"
	codeValidation   = "ValidationError"
)

var subscriptions = &resource{name: "subscriptions", path: odata.BetaPath + subscriptionSet,
	odataType: subscriptionType,
	object:    "subscription", noun: "subscription", category: categoryOther, stable: true,
	setByServer: []string{"id", "applicationId", "creatorId", "notificationUrlAppId"}}

var toReauthorize = &verb{name: "reauthorize", method: "POST", suffix: "/{id}/reauthorize"}

// subscriptionRoutes are open to who may read devices: as in Graph, a subscription needs the right
// to its resource, and everybody has but their own.
func subscriptionRoutes() []route {
	needs := may(access.ReadDevices)
	routes := []route{
		subscriptions.route(toList, needs, odata.ListOptions, (*call).listSubscriptions),
		subscriptions.route(toCreate, needs, nil, (*call).createSubscription),
		subscriptions.route(toGet, needs, []string{odata.OptionSelect}, (*call).getSubscription),
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
		f := odata.BadRequest(unvalidated.Property,
			"Subscription validation request failed: %s: %s.", unvalidated.Property,
			unvalidated.Reason)
		f.Code = codeValidation
		return f
	case errors.Is(err, notify.ErrNotFound):
		return odata.NotFound("There is no object with this id.")
	case errors.Is(err, lane.ErrFull):
		return odata.Busy(busyRetryAfter)
	case errors.Is(err, notify.ErrTooMany):
		return forbidden("'%s' has %d subscriptions, and more are not possible. Delete some.",
			c.caller.Name, notify.MaxPerOwner)
	default:
		return err
	}
}

var subscriptionProperties = odata.Properties{
	{"id", odata.String}, {"resource", odata.String}, {"applicationId", odata.String},
	{"changeType", odata.String},
	{"clientState", odata.String}, {"notificationUrl", odata.String},
	{"notificationQueryOptions", odata.String},
	{"lifecycleNotificationUrl", odata.String}, {"expirationDateTime", odata.DateTime},
	{"creatorId", odata.String},
	{"includeResourceData", odata.Boolean}, {"latestSupportedTlsVersion", odata.String},
	{"encryptionCertificate", odata.String}, {"encryptionCertificateId", odata.String},
	{"notificationUrlAppId", odata.String}, {ownProperty,
		odata.OwnNamespace + "subscriptionDetails"},
}

var subscriptionShape = newShape(subscriptionType, subscriptionProperties)

// ownProperty has what is this server's own and not Graph's.
const ownProperty = "syncpayloads"

// subscriptionFields shows a subscription as Graph's (Microsoft Graph beta reference, subscription
// resource type). Its secrets are shown once, to who makes it.
func subscriptionFields(s *notify.Subscription, made bool) odata.Fields {
	application := any(nil)
	if id, ok := strings.CutPrefix(s.Owner.ID, "app:"); ok {
		application = id
	}
	clientState := any(nil)
	own := odata.Fields{{"delivery", deliveryFields(s)}}
	if made {
		clientState = odata.TextOrNull(s.Terms.ClientState)
		own = append(odata.Fields{{"signingSecret", s.Secret}}, own...)
	}
	return odata.Fields{
		{"id", s.ID},
		{"resource", s.Terms.Resource},
		{"applicationId", application},
		{"changeType", s.Terms.ChangeType},
		{"clientState", clientState},
		{"notificationUrl", s.Terms.URL},
		{"notificationQueryOptions", nil},
		{"lifecycleNotificationUrl", odata.TextOrNull(s.Terms.LifecycleURL)},
		{"expirationDateTime", odata.Timestamp(s.Expires)},
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
func deliveryFields(s *notify.Subscription) odata.Fields {
	state, next := "active", any(nil)
	switch {
	case s.Paused:
		state = "paused"
	case s.Attempts > 0:
		state, next = "failing", odata.Timestamp(s.NotBefore)
	}
	return odata.Fields{
		{"state", state},
		{"lastDeliveryDateTime", odata.Timestamp(s.Delivered)},
		{"failingSinceDateTime", odata.Timestamp(s.Failing)},
		{"lastError", odata.TextOrNull(s.LastError)},
		{"pending", !s.Trying.IsZero()},
		{"nextTryDateTime", next},
	}
}

func (c *call) listSubscriptions() error {
	selected, err := c.selected(subscriptionShape)
	if err != nil {
		return err
	}
	after, size, err := c.req.PageByID()
	if err != nil {
		return err
	}
	list, err := c.config.Subscriptions.List(c.req.Context(), c.caller, after, size+1)
	if err != nil {
		return err
	}
	list, next := odata.SplitPage(list, size, func(s *notify.Subscription) string { return s.ID })
	page := odata.Page{Collection: subscriptionSet, Next: next,
		Value: make([]odata.Fields, len(list))}
	for i, s := range list {
		page.Value[i] = odata.Typed(subscriptionType, c.shown(subscriptionShape, subscriptionFields(s, false), selected))
	}
	return c.req.ReplyPage(page)
}

func (c *call) getSubscription() error {
	selected, err := c.selected(subscriptionShape)
	if err != nil {
		return err
	}
	s, err := c.config.Subscriptions.Get(c.req.Context(), c.caller, c.req.PathValue("id"))
	if err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, subscriptionSet, subscriptionType,
		c.shown(subscriptionShape, subscriptionFields(s, false), selected))
}

func (c *call) createSubscription() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	in, err := subscriptionInput(body)
	if err != nil {
		return err
	}
	s, err := c.config.Subscriptions.Create(c.req.Context(), c.caller, in)
	if err != nil {
		return err
	}
	return c.req.ReplyCreated(subscriptionSet, s.ID, subscriptionType,
		c.shown(subscriptionShape, subscriptionFields(s, true), c.view(subscriptionShape).names))
}

func subscriptionInput(body *odata.Object) (in notify.Input, err error) {
	const encryption, encryptionID, query = "encryptionCertificate", "encryptionCertificateId",
		"notificationQueryOptions"
	err = errors.Join(body.OfType(subscriptionType),
		body.Only("changeType", "notificationUrl", "lifecycleNotificationUrl", "resource",
			"expirationDateTime", "clientState", "latestSupportedTlsVersion", "includeResourceData",
			encryption, encryptionID, query))
	if err != nil {
		return in, err
	}
	if v := body.Values["includeResourceData"]; v != nil && v != false {
		return in, odata.BadRequest("includeResourceData",
			"Property 'includeResourceData' can only be false: notifications have no resource data.")
	}
	for _, name := range []string{encryption, encryptionID, query} {
		if body.Values[name] != nil {
			return in, odata.BadRequest(name,
				"Property '%s' is not supported: notifications have no resource data.", name)
		}
	}
	for name, to := range map[string]*string{"changeType": &in.ChangeType,
		"notificationUrl": &in.URL, "resource": &in.Resource} {
		if *to, err = body.RequiredText(name); err != nil {
			return in, err
		}
	}
	for name, to := range map[string]*string{"lifecycleNotificationUrl": &in.LifecycleURL,
		"clientState":               &in.ClientState,
		"latestSupportedTlsVersion": &in.TLS} {
		if *to, _, err = body.Text(name); err != nil {
			return in, err
		}
	}
	in.Expires, err = readExpiration(body)
	return in, err
}

func readExpiration(o *odata.Object) (time.Time, error) {
	const name = "expirationDateTime"
	text, err := o.RequiredText(name)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, odata.BadRequest(name,
			"Property '%s' must be a time such as 2026-01-02T03:04:05Z.", name)
	}
	return at, nil
}

// renewSubscription is PATCH …/{id}: of a subscription, its expiry can be set.
func (c *call) renewSubscription() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := errors.Join(body.OfType(subscriptionType),
		body.Only("expirationDateTime")); err != nil {
		return err
	}
	expires, err := readExpiration(body)
	if err != nil {
		return err
	}
	s, err := c.config.Subscriptions.Renew(c.req.Context(), c.caller, c.req.PathValue("id"),
		expires)
	if err != nil {
		return err
	}
	return c.req.ReplyEntity(http.StatusOK, subscriptionSet, subscriptionType,
		c.shown(subscriptionShape, subscriptionFields(s, false), c.view(subscriptionShape).names))
}

func (c *call) deleteSubscription() error {
	if err := c.config.Subscriptions.Delete(c.req.Context(), c.caller,
		c.req.PathValue("id")); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

func (c *call) reauthorizeSubscription() error {
	if err := c.req.ReadNoBody(); err != nil {
		return err
	}
	if err := c.config.Subscriptions.Reauthorize(c.req.Context(), c.caller,
		c.req.PathValue("id")); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}
