package amapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// Enterprise tells how far the set-up has come, and what there is. Only the store is asked.
func (c *Channel) Enterprise(ctx context.Context) (Enterprise, error) {
	setup, err := c.store.AndroidSetup(ctx)
	if err != nil {
		return Enterprise{}, err
	}
	e := setup.shown()
	e.Devices, err = c.store.CountAndroidEnrollments(ctx)
	return e, err
}

func (s *Setup) shown() Enterprise {
	refusals := s.Refusals
	if len(refusals) == 0 && s.LastRefusal != nil { // noted before each action had its own
		refusals = []Refusal{*s.LastRefusal}
	}
	return Enterprise{Step: s.step(), Project: s.Project, ClientEmail: s.ClientEmail,
		Name: s.Enterprise, DisplayName: s.DisplayName, Delivery: s.Delivery, Topic: s.Topic,
		Subscription: s.Subscription, PushURL: s.PushURL, LastRefusal: s.LastRefusal,
		Refusals: refusals}
}

func (s *Setup) step() Step {
	switch {
	case s.ready():
		return StepReady
	case s.Enterprise != "":
		return StepEnterprise
	case s.SignupName != "":
		return StepSignup
	case s.KeyID != "":
		return StepServiceAccount
	default:
		return StepNothing
	}
}

// SetServiceAccount takes the key of a service account, JSON as Google Cloud gives it, checks with
// Google that it may use the Android Management API, and keeps it in place of the present one. The
// errors are an *invalid.Input of serviceAccount, a *Refused, and ErrOtherProject.
func (c *Channel) SetServiceAccount(ctx context.Context, keyJSON []byte) (Enterprise, error) {
	key, err := readAccountKey(keyJSON)
	if err != nil {
		return Enterprise{}, err
	}
	other := func(s *Setup) error {
		if s.Enterprise != "" && s.Project != key.Project {
			return ErrOtherProject
		}
		return nil
	}
	setup, err := c.store.AndroidSetup(ctx)
	if err == nil {
		err = other(setup)
	}
	if err != nil {
		return Enterprise{}, err
	}
	g, err := c.newGoogle(keyJSON)
	if err != nil {
		return Enterprise{}, err
	}
	if err := g.check(ctx, setup.Enterprise); err != nil {
		return Enterprise{}, shownError(err)
	}
	err = c.store.SetServiceAccount(ctx, keypair.KeyPair{CertificatePEM: []byte{},
		KeyPEM: keyJSON}, func(s *Setup) error {
		if err := other(s); err != nil {
			return err
		}
		before := s.noted()
		if s.Project != key.Project {
			s.SignupName = "" // it was another project's
		}
		s.Project, s.ClientEmail, s.KeyID = key.Project, key.ClientEmail, keyID(keyJSON)
		audit.Note(ctx, audit.Object{Type: setupObject, ID: s.Project, Name: s.ClientEmail,
			Before: before, After: s.noted()})
		return nil
	})
	if err != nil {
		return Enterprise{}, err
	}
	return c.Enterprise(ctx)
}

// check asks something that only who may use the Android Management API is told.
func (g *google) check(ctx context.Context, enterprise string) error {
	return g.ask(ctx, "use the Android Management API", func(ctx context.Context) (err error) {
		if enterprise != "" {
			_, err = g.amapi.Enterprises.Get(enterprise).Context(ctx).Do()
			return err
		}
		_, err = g.amapi.Enterprises.List().ProjectId(g.project).PageSize(1).Context(ctx).Do()
		return err
	})
}

// BeginSignup begins the sign-up and returns the address of Google's page, where an admin makes the
// enterprise. Google leads them back to callback, an https URL of this server, with the query
// parameter enterpriseToken. The errors are an *invalid.Input of callback, a *Refused and
// ErrNoServiceAccount. With an enterprise already there, it is an *invalid.Input, too.
func (c *Channel) BeginSignup(ctx context.Context, callback string) (link string, err error) {
	u, err := url.Parse(callback)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(callback) > 2000 {
		return "", &invalid.Input{Property: "callback", Reason: "must be an https URL"}
	}
	g, setup, err := c.client(ctx)
	if err != nil {
		return "", err
	}
	if setup.Enterprise != "" {
		return "", &invalid.Input{Property: "callback", Reason: "leads to nothing: the enterprise " +
			setup.Enterprise + " is set up already"}
	}
	var signup *androidmanagement.SignupUrl
	err = g.ask(ctx, "begin a sign-up", func(ctx context.Context) (err error) {
		signup, err = g.amapi.SignupUrls.Create().ProjectId(g.project).CallbackUrl(callback).
			Context(ctx).Do()
		return err
	})
	if err != nil {
		return "", shownError(err)
	}
	return signup.Url, c.store.UpdateAndroidSetup(ctx, func(s *Setup) error {
		if s.Enterprise == "" {
			s.SignupName = signup.Name
		}
		return nil
	})
}

// FinishSignup makes the enterprise of the token that Google's page gave, the topic and the
// subscription by which Google tells of devices, and the policy that devices start with, in that
// order: no device can enroll before all is there. Where a step fails, calling it again goes on
// from there; once the enterprise is there, the token may be empty. Called when all is there, it
// changes how messages come, and makes anew what was deleted at Google since. The errors are an *invalid.Input of enterpriseToken or delivery, a
// *Refused, ErrNoServiceAccount and ErrNoSignup.
func (c *Channel) FinishSignup(ctx context.Context, enterpriseToken string,
	d Delivery) (Enterprise, error) {
	if d = cmp.Or(d, Pull); d != Pull && d != Push {
		return Enterprise{}, &invalid.Input{Property: "delivery",
			Reason: "must be pull or push"}
	}
	g, setup, err := c.client(ctx)
	if err != nil {
		return Enterprise{}, err
	}
	if setup.ready() {
		setup.Told, setup.StartPolicy = false, ""
	}
	steps := audit.With(ctx, nil) // what is recorded is the whole, at the end
	for _, step := range []func(context.Context, *google, *Setup) error{
		func(ctx context.Context, g *google, s *Setup) error {
			return c.makeEnterprise(ctx, g, s, enterpriseToken)
		},
		func(ctx context.Context, g *google, s *Setup) error {
			return c.makeMessages(ctx, g, s, d)
		},
		c.makeStartPolicy,
	} {
		if err := step(steps, g, setup); err != nil {
			return Enterprise{}, shownError(err)
		}
	}
	audit.Note(ctx, audit.Object{Type: setupObject, ID: setup.Project, Name: setup.Enterprise,
		After: setup.noted()})
	if err := c.keep(ctx, setup); err != nil {
		return Enterprise{}, err
	}
	return c.Enterprise(ctx)
}

// keep stores what a step of the set-up came to.
func (c *Channel) keep(ctx context.Context, setup *Setup) error {
	return c.store.UpdateAndroidSetup(ctx, func(s *Setup) error {
		if s.Project != setup.Project ||
			s.Enterprise != "" && s.Enterprise != setup.Enterprise {
			return &invalid.Input{Property: "enterpriseToken",
				Reason: "was overtaken: somebody else set up another enterprise meanwhile"}
		}
		kept := *setup
		kept.KeyID, kept.ClientEmail = s.KeyID, s.ClientEmail
		kept.LastRefusal, kept.Refusals = s.LastRefusal, s.Refusals
		*s = kept
		return nil
	})
}

func (c *Channel) makeEnterprise(ctx context.Context, g *google, s *Setup, token string) error {
	if s.Enterprise != "" {
		return nil
	}
	if s.SignupName == "" {
		return ErrNoSignup
	}
	if token == "" || len(token) > 4096 {
		return &invalid.Input{Property: "enterpriseToken",
			Reason: "must be the one that Google's page added to the address it led back to"}
	}
	var made *androidmanagement.Enterprise
	err := g.ask(ctx, "make the enterprise", func(ctx context.Context) (err error) {
		made, err = g.amapi.Enterprises.Create(&androidmanagement.Enterprise{}).
			ProjectId(g.project).SignupUrlName(s.SignupName).EnterpriseToken(token).
			Context(ctx).Do()
		return err
	})
	if err != nil {
		return err
	}
	s.Enterprise, s.DisplayName = made.Name, made.EnterpriseDisplayName
	return c.keep(ctx, s)
}

// makeStartPolicy makes the policy that devices have until they get their own: one that has none
// for five minutes is reset by Google.
func (c *Channel) makeStartPolicy(ctx context.Context, g *google, s *Setup) error {
	if s.StartPolicy != "" {
		return nil
	}
	name := s.Enterprise + "/policies/start"
	if _, err := g.postPolicy(ctx, name, payload.StartPolicy()); err != nil {
		return err
	}
	s.StartPolicy = name
	return c.keep(ctx, s)
}

const setupObject = "androidEnterprise"

// noted is what the audit record keeps of the set-up; nil: there is none.
func (s *Setup) noted() json.RawMessage {
	noted := map[string]any{}
	for name, value := range map[string]string{"project": s.Project,
		"serviceAccount": s.ClientEmail, "key": s.KeyID, "enterprise": s.Enterprise,
		"delivery": string(s.Delivery), "topic": s.Topic} {
		if value != "" {
			noted[name] = value
		}
	}
	if len(noted) == 0 {
		return nil
	}
	text, _ := json.Marshal(noted) // texts marshal
	return text
}

// shownError is an error as a caller may see it.
func shownError(err error) error {
	var wait *paused
	if errors.As(err, &wait) {
		return &Refused{Code: http.StatusTooManyRequests, Text: wait.Error(), Action: "answer"}
	}
	return err
}
