package graph

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// Android sets up the management of Android devices, which goes through a service of Google's. What
// Google refused is an *AndroidRefusal, what cannot be done as things stand an *AndroidConflict,
// and input that cannot be used an *invalid.Input.
type Android interface {
	// AndroidHealth tells how far the set-up is, and how the server and Google get on. It asks
	// nobody outside.
	AndroidHealth(ctx context.Context) (*AndroidHealth, error)
	// SetAndroidServiceAccount keeps the key by which the server calls Google, the JSON file as
	// Google's console gives it, if Google takes it.
	SetAndroidServiceAccount(ctx context.Context, keyFile []byte) error
	// BeginAndroidSignup returns the page of Google's on which an admin makes the enterprise. Google
	// then sends the browser to the callback, with the parameter `enterpriseToken`.
	BeginAndroidSignup(ctx context.Context, callback string) (url string, err error)
	// FinishAndroidSignup makes the enterprise with that parameter, and what it needs. If that failed
	// in the middle it goes on from there, and needs no parameter once the enterprise is made.
	// delivery is one of AndroidDeliveries.
	FinishAndroidSignup(ctx context.Context, enterpriseToken, delivery string) error
	// CreateAndroidToken makes an enrollment token. Its Value and QRText cannot be read again.
	CreateAndroidToken(ctx context.Context, terms AndroidTokenTerms) (*AndroidToken, error)
	// AndroidTokens lists those that can still be used, the newest first.
	AndroidTokens(ctx context.Context) ([]AndroidToken, error)
	// RevokeAndroidToken ends one; ErrNoAndroidToken if there is none of this id.
	RevokeAndroidToken(ctx context.Context, id string) error
}

// AndroidHealth is how the set-up stands, and how the server and Google get on.
type AndroidHealth struct {
	// how far the set-up has come: notStarted, serviceAccount (it is set), signup (it was begun),
	// enterprise (it is made, and something is left to finish), ready
	Step         string
	Project      string // of Google Cloud, whose service account the server uses; empty: none yet
	ClientEmail  string // of the service account
	Name         string // enterprises/…; empty: none yet
	DisplayName  string
	Delivery     string // one of AndroidDeliveries: how Google tells of devices
	Subscription string // of Pub/Sub
	Devices      int    // that are enrolled

	Refusal     *AndroidRefusal  // what Google refused last; nil: nothing
	Refusals    []AndroidRefusal // the last one of each action, the newest first
	Waiting     int              // devices whose policy waits to be sent or read
	PausedUntil time.Time        // the server asks Google nothing until then; zero: it does
	Pulled      time.Time        // when messages were last asked for; zero: not since the start
	Listed      time.Time        // when all devices were last listed; zero: not since the start
	PullFailure string           // why messages do not come; empty: they do
}

// The steps of the set-up at which something is shown or asked for.
const (
	androidNotStarted = "notStarted"
	androidReady      = "ready"
)

// AndroidDeliveries are the ways in which Google tells of devices. pull: the server asks for
// messages, and needs no way in from outside. push: Google's servers call this one.
var AndroidDeliveries = []string{"pull", "push"}

// AndroidRefusal is what Google did not do, with its own words.
type AndroidRefusal struct {
	At      time.Time
	Action  string // what it was asked to do, as in: set a policy
	Status  int    // of HTTP; 0: Google was not reached
	Message string
}

func (e *AndroidRefusal) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("Google was not reached to %s: %s", e.Action, e.Message)
	}
	return fmt.Sprintf("Google refused to %s (%d): %s", e.Action, e.Status, e.Message)
}

// AndroidConflict is why something cannot be done as things stand, and what has to be done first.
type AndroidConflict struct{ Reason string }

func (e *AndroidConflict) Error() string { return e.Reason }

var androidEnterprise = &resource{name: "androidEnterprise", path: "/api/android",
	object: "androidEnterprise", noun: "Android enterprise", category: categoryEnrollment}

// androidRoutes set up Android. Graph has none of this: its reference does it in its own console.
func androidRoutes() []route {
	r := androidEnterprise
	set := may(access.OnboardAndroid)
	return append([]route{
		r.route(&verb{name: "get", method: "GET"}, may(access.ReadAndroid), nil,
			(*call).getAndroidEnterprise),
		r.route(&verb{name: "setServiceAccount", method: "PUT", suffix: "/serviceAccount"}, set,
			nil, (*call).setAndroidServiceAccount),
		r.route(&verb{name: "beginSignup", method: "POST", suffix: "/signup"}, set, nil,
			(*call).beginAndroidSignup),
		r.route(&verb{name: "finishSignup", method: "POST", suffix: "/signup/finish"}, set, nil,
			(*call).finishAndroidSignup),
	}, androidTokenRoutes()...)
}

const (
	longestServiceAccount  = 16 << 10 // bytes; Google's have 2.4 KiB
	longestEnterpriseToken = 4096     // characters
	longestCallback        = 2048
)

func (c *call) getAndroidEnterprise() error { return c.replyAndroidEnterprise() }

func (c *call) replyAndroidEnterprise() error {
	h, err := c.config.Android.AndroidHealth(c.req.Context())
	if err != nil {
		return err
	}
	return c.req.Reply(http.StatusOK, androidFields(h))
}

func androidFields(h *AndroidHealth) odata.Fields {
	shown := func(r *AndroidRefusal) odata.Fields {
		return odata.Fields{{"dateTime", odata.Timestamp(r.At)}, {"action", r.Action},
			{"status", r.Status}, {"message", r.Message}}
	}
	var refusal any
	if h.Refusal != nil {
		refusal = shown(h.Refusal)
	}
	refusals := []odata.Fields{}
	for i := range h.Refusals {
		refusals = append(refusals, shown(&h.Refusals[i]))
	}
	return odata.Fields{
		{"step", h.Step},
		{"project", odata.TextOrNull(h.Project)},
		{"clientEmail", odata.TextOrNull(h.ClientEmail)},
		{"enterprise", odata.TextOrNull(h.Name)},
		{"displayName", odata.TextOrNull(h.DisplayName)},
		{"delivery", odata.TextOrNull(h.Delivery)},
		{"subscription", odata.TextOrNull(h.Subscription)},
		{"devices", h.Devices},
		{"lastRefusal", refusal},
		{"refusals", refusals},
	}
}

// setAndroidServiceAccount takes the key file as its body, as it is. It is never served.
func (c *call) setAndroidServiceAccount() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	kind, err := body.RequiredText("type")
	if err != nil {
		return err
	}
	if kind != "service_account" {
		return odata.BadRequest("type",
			"Property 'type' is '%s': give the JSON key file of a service account, in which it is 'service_account'.",
			odata.Clip(kind))
	}
	text, err := body.MarshalJSON()
	if err != nil {
		return err
	}
	if len(text) > longestServiceAccount {
		return odata.BadRequest("", "The key file has %d bytes; one of a service account has at most %d.",
			len(text), longestServiceAccount)
	}
	if err := c.config.Android.SetAndroidServiceAccount(c.req.Context(), text); err != nil {
		return androidFault(err)
	}
	return c.replyAndroidEnterprise()
}

// beginAndroidSignup answers with the page of Google's on which the enterprise is made.
func (c *call) beginAndroidSignup() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only("callbackUrl"); err != nil {
		return err
	}
	callback, given, err := body.Text("callbackUrl")
	if err != nil {
		return err
	}
	if given && (len(callback) > longestCallback || !strings.HasPrefix(callback, "https://")) {
		return odata.BadRequest("callbackUrl",
			"Property 'callbackUrl' is not valid: give an address that begins with https:// and has at most %d characters, or leave it out.",
			longestCallback)
	}
	if !given {
		callback = c.server.baseOf(c.req.HTTP) + androidCallback
	}
	url, err := c.config.Android.BeginAndroidSignup(c.req.Context(), callback)
	if err != nil {
		return androidFault(err)
	}
	return c.req.Reply(http.StatusOK, odata.Fields{{"url", url}, {"callbackUrl", callback}})
}

// androidCallback is the console's page to which Google sends the browser at the end of a sign-up.
const androidCallback = "/console/android/signup"

func (c *call) finishAndroidSignup() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only("enterpriseToken", "delivery"); err != nil {
		return err
	}
	token, _, err := body.Text("enterpriseToken")
	if err != nil {
		return err
	}
	if len(token) > longestEnterpriseToken {
		return odata.BadRequest("enterpriseToken",
			"Property 'enterpriseToken' has more than %d characters.", longestEnterpriseToken)
	}
	delivery := 0
	if body.Values["delivery"] != nil {
		if delivery, err = body.Member("delivery", AndroidDeliveries); err != nil {
			return err
		}
	}
	if err := c.config.Android.FinishAndroidSignup(c.req.Context(), token,
		AndroidDeliveries[delivery]); err != nil {
		return androidFault(err)
	}
	return c.replyAndroidEnterprise()
}
