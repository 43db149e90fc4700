package amapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

func (w *world) stepIs(want amapi.Step) amapi.Enterprise {
	w.Helper()
	e, err := w.channel.Enterprise(w.Context())
	if err != nil || e.Step != want {
		w.Fatalf("the set-up is at %q, %v; want %q", e.Step, err, want)
	}
	return e
}

// The set-up goes from step to step, in one order, and each says what is missing.
func TestSetUp(t *testing.T) {
	w := newBareWorld(t, simulator.Options{Quota: 1000})
	ctx := t.Context()
	w.stepIs(amapi.StepNothing)
	if _, err := w.channel.BeginSignup(ctx, "https://mdm.example/x"); !errors.Is(err,
		amapi.ErrNoServiceAccount) {
		t.Errorf("a sign-up without a service account: %v", err)
	}
	if _, err := w.channel.CreateToken(ctx, amapi.TokenTerms{Mode: amapi.Dedicated}); !errors.Is(
		err, amapi.ErrNoEnterprise) {
		t.Errorf("a token without an enterprise: %v", err)
	}
	var why engine.Unwakeable
	if err := w.channel.Wake(ctx, "a device"); !errors.As(err, &why) {
		t.Errorf("a device is woken without an enterprise: %v", err)
	}
	key, err := w.service.ServiceAccount(w.google.URL, "")
	w.must(err)
	draft := &audit.Draft{Entry: audit.Entry{ID: "1", At: w.clock.Now(), Activity: "set"}}
	_, err = w.channel.SetServiceAccount(audit.With(ctx, draft), key)
	w.must(err)
	if text, _ := json.Marshal(draft.Complete()); !bytes.Contains(text,
		[]byte("emm-1@simulated-project")) || bytes.Contains(text, []byte("PRIVATE")) {
		t.Errorf("the record has %s", text)
	}
	if e := w.stepIs(amapi.StepServiceAccount); e.Project != "simulated-project" ||
		!strings.HasPrefix(e.ClientEmail, "emm-1@") {
		t.Errorf("the enterprise is %+v", e)
	}
	if _, err := w.channel.FinishSignup(ctx, "x", amapi.Pull); !errors.Is(err,
		amapi.ErrNoSignup) {
		t.Errorf("an end without a beginning: %v", err)
	}
	token := w.signUp()
	w.stepIs(amapi.StepSignup)
	var refused *amapi.Refused
	if _, err := w.channel.FinishSignup(ctx, "of somebody else", amapi.Pull); !errors.As(err,
		&refused) || refused.Code != 400 {
		t.Errorf("with another token: %v", err)
	}
	w.stepIs(amapi.StepSignup)
	w.service.AddTrouble(simulator.Trouble{Method: "subscriptions.create", Status: 503, Times: 1})
	if _, err := w.channel.FinishSignup(ctx, token, amapi.Pull); !errors.As(err, &refused) {
		t.Errorf("while Google fails: %v", err)
	}
	w.stepIs(amapi.StepEnterprise)
	_, err = w.channel.FinishSignup(ctx, "", amapi.Pull)
	w.must(err)
	e := w.stepIs(amapi.StepReady)
	if e.Delivery != amapi.Pull || e.Topic == "" || e.Subscription == "" {
		t.Errorf("the enterprise is %+v", e)
	}
	if w.service.Calls("enterprises.create") != 2 {
		t.Errorf("%d enterprises were asked for", w.service.Calls("enterprises.create"))
	}
	var wrong *invalid.Input
	if _, err := w.channel.BeginSignup(ctx, "https://mdm.example/x"); !errors.As(err, &wrong) {
		t.Errorf("a second sign-up: %v", err)
	}
	other, err := w.service.ServiceAccount(w.google.URL, "another-project")
	w.must(err)
	if _, err := w.channel.SetServiceAccount(ctx, other); !errors.Is(err,
		amapi.ErrOtherProject) {
		t.Errorf("another project's service account: %v", err)
	}
	w.service.RevokeTokens() // as when Google forgets them; the key gets others
	renewed, err := w.service.ServiceAccount(w.google.URL, "")
	w.must(err)
	if e, err := w.channel.SetServiceAccount(ctx, renewed); err != nil ||
		strings.HasPrefix(e.ClientEmail, "emm-1@") || e.Step != amapi.StepReady {
		t.Errorf("a renewed key: %+v, %v", e, err)
	}
	w.idOf(w.enrollWith(w.token(amapi.Dedicated, access.EnrollmentTerms{}), "S",
		simulator.DeviceOptions{}))
}

// A key that cannot be one is refused with what is wrong about it, and one that Google does not
// know with Google's words; neither is kept.
func TestServiceAccountRefused(t *testing.T) {
	w := newBareWorld(t, simulator.Options{Quota: 1000})
	good, err := w.service.ServiceAccount(w.google.URL, "")
	w.must(err)
	change := func(name, value string) []byte {
		fields := map[string]string{}
		w.must(json.Unmarshal(good, &fields))
		fields[name] = value
		text, _ := json.Marshal(fields)
		return text
	}
	for name, key := range map[string][]byte{
		"nothing": nil, "no JSON": []byte("-----BEGIN"), "a list": []byte("[]"),
		"another type":    change("type", "authorized_user"),
		"no project":      change("project_id", ""),
		"an odd project":  change("project_id", "../x"),
		"no account":      change("client_email", "x"),
		"no key":          change("private_key", ""),
		"a key that is 0": change("private_key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
		"a long one":      append(bytes.Repeat([]byte(" "), 20<<10), good...),
	} {
		var wrong *invalid.Input
		if _, err := w.channel.SetServiceAccount(t.Context(), key); !errors.As(err, &wrong) ||
			wrong.Property != "serviceAccount" {
			t.Errorf("%s: %v", name, err)
		}
	}
	var refused *amapi.Refused
	if _, err := w.channel.SetServiceAccount(t.Context(),
		change("client_email", "nobody@simulated-project.iam.gserviceaccount.com")); !errors.As(err,
		&refused) || refused.Code != 401 || !strings.Contains(refused.Text, "account not found") {
		t.Errorf("an account that Google does not know: %v", err)
	}
	w.service.AddTrouble(simulator.Trouble{Method: "enterprises.list", Status: 403})
	if _, err := w.channel.SetServiceAccount(t.Context(), good); !errors.As(err, &refused) ||
		refused.Code != 403 || !strings.Contains(refused.Text, "PERMISSIBLE_USAGE") {
		t.Errorf("an account that may not: %v", err)
	}
	w.stepIs(amapi.StepNothing)
}

// A token is made at Google with what it says, listed while it can be used, and taken back there.
func TestTokens(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for property, terms := range map[string]amapi.TokenTerms{
		"mode":     {Mode: "personal"},
		"validFor": {Mode: amapi.Dedicated, Valid: 100 * 24 * time.Hour},
	} {
		var wrong *invalid.Input
		if _, err := w.channel.CreateToken(ctx, terms); !errors.As(err, &wrong) ||
			wrong.Property != property {
			t.Errorf("%s: %v", property, err)
		}
	}
	once, err := w.channel.CreateToken(ctx, amapi.TokenTerms{Mode: amapi.Dedicated, OneTime: true,
		Valid: 2 * time.Hour, Terms: access.EnrollmentTerms{MakerName: "me"}})
	w.must(err)
	if once.Value == "" || !strings.Contains(once.QRText, once.Value) || !json.Valid(
		[]byte(once.QRText)) || !once.Expires.Equal(w.clock.Now().Add(2*time.Hour)) {
		t.Errorf("the token is %+v", once)
	}
	w.clock.Advance(time.Second)
	second := w.token(amapi.FullyManaged, access.EnrollmentTerms{})
	list, err := w.channel.Tokens(ctx)
	if err != nil || len(list) != 2 || list[0].ID != second.ID || list[1].Maker != "me" ||
		!list[1].OneTime || list[1].Value != "" {
		t.Errorf("the list is %+v, %v", list, err)
	}
	w.enrollWith(once, "A", simulator.DeviceOptions{})
	if _, err := w.service.Enroll(once.Value, "B", simulator.DeviceOptions{}); !errors.Is(err,
		simulator.ErrUsedToken) {
		t.Errorf("a token for one device is good for two: %v", err)
	}
	w.must(w.channel.RevokeToken(ctx, second.ID))
	if _, err := w.service.Enroll(second.Value, "C", simulator.DeviceOptions{}); err == nil {
		t.Error("a token that was taken back is good")
	}
	for _, id := range []string{second.ID, "unknown"} {
		if err := w.channel.RevokeToken(ctx, id); !errors.Is(err, amapi.ErrNoToken) {
			t.Errorf("%s is taken back: %v", id, err)
		}
	}
	w.clock.Advance(3 * time.Hour)
	if list, err := w.channel.Tokens(ctx); err != nil || len(list) > 0 {
		t.Errorf("tokens that nobody can use are listed: %+v, %v", list, err)
	}
}
