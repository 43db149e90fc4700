package amapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// Messages can be pushed, and are taken only with a token that Google signed for this server and
// the account that was set up.
func TestPush(t *testing.T) {
	w := newBareWorld(t, simulator.Options{Quota: 1_000_000})
	w.setUp(amapi.Push)
	e := w.stepIs(amapi.StepReady)
	if e.PushURL != "https://mdm.example/android/push" {
		t.Fatalf("pushes go to %s", e.PushURL)
	}
	d, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "S",
		simulator.DeviceOptions{})
	w.must(err)
	told, err := w.channel.Read(t.Context(), d.Name())
	w.must(err)
	data, err := json.Marshal(told)
	w.must(err)
	body, err := json.Marshal(map[string]any{"subscription": e.Subscription, "message": map[string]any{
		"attributes": map[string]string{"notificationType": "ENROLLMENT"},
		"data":       base64.StdEncoding.EncodeToString(data), "messageId": "1"}})
	w.must(err)
	send := func(token string, body []byte) int {
		r := httptest.NewRequest("POST", "/android/push", bytes.NewReader(body))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		answer := httptest.NewRecorder()
		w.channel.Handler().ServeHTTP(answer, r)
		return answer.Code
	}
	now := w.clock.Now()
	good := simulator.PushClaims{Issuer: simulator.Issuer, Audience: e.PushURL, Subject: "1",
		Email: e.ClientEmail, EmailVerified: true, IssuedAt: now.Unix(),
		Expiry: now.Add(time.Hour).Unix()}
	for name, change := range map[string]func(*simulator.PushClaims){
		"another issuer":    func(c *simulator.PushClaims) { c.Issuer = "https://example.com" },
		"another audience":  func(c *simulator.PushClaims) { c.Audience = "https://other.example" },
		"another account":   func(c *simulator.PushClaims) { c.Email = "x@example.com" },
		"an unproven one":   func(c *simulator.PushClaims) { c.EmailVerified = false },
		"an expired one":    func(c *simulator.PushClaims) { c.Expiry = now.Add(-time.Hour).Unix() },
		"no audience":       func(c *simulator.PushClaims) { c.Audience = "" },
		"no account at all": func(c *simulator.PushClaims) { c.Email = "" },
	} {
		claims := good
		change(&claims)
		if code := send(w.service.PushToken(claims), body); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, code)
		}
	}
	token := w.service.PushToken(good)
	parts := strings.Split(token, ".")
	parts[2] = base64.RawURLEncoding.EncodeToString(make([]byte, 256))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	for name, bad := range map[string]string{"none": "", "no token": "x",
		"another signature": strings.Join(parts, "."), "unsigned": none,
		"a long one": strings.Repeat("a", 10<<10)} {
		if code := send(bad, body); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, code)
		}
	}
	if n, err := w.store.CountAndroidEnrollments(t.Context()); err != nil || n > 0 {
		t.Fatalf("pushes that nobody proved enrolled %d devices", n)
	}
	for name, bad := range map[string][]byte{"no JSON": []byte("x"), "no message": []byte("{}"),
		"too much": append([]byte(`{"message":{"data":"`), bytes.Repeat([]byte("A"), 9<<20)...)} {
		if code := send(token, bad); code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := send(token, body); code != http.StatusNoContent {
		t.Fatalf("a good push: %d", code)
	}
	w.idOf(d)
	// what cannot be taken now comes again
	w.service.AddTrouble(simulator.Trouble{Method: "devices.get", Status: 503, Times: 1})
	other, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "T",
		simulator.DeviceOptions{})
	w.must(err)
	again := bytes.Replace(body, []byte(base64.StdEncoding.EncodeToString(data)),
		[]byte(base64.StdEncoding.EncodeToString(bytes.Replace(data, []byte(d.Name()),
			[]byte(other.Name()), 1))), 1)
	if code := send(token, again); code != http.StatusServiceUnavailable {
		t.Errorf("a push that is not taken: %d", code)
	}
	if code := send(token, again); code != http.StatusNoContent {
		t.Errorf("the same push again: %d", code)
	}
	w.idOf(other)
}
