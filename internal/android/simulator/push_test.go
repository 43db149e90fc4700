package simulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// endpoint takes pushes and answers them with status.
type endpoint struct {
	*httptest.Server
	status  int
	tokens  []string
	kinds   []string
	bodyErr error
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{status: http.StatusNoContent}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Message      pubsub.PubsubMessage
			Subscription string
		}
		e.bodyErr = json.NewDecoder(r.Body).Decode(&body)
		e.tokens = append(e.tokens, r.Header.Get("Authorization"))
		e.kinds = append(e.kinds, body.Message.Attributes["notificationType"])
		w.WriteHeader(e.status)
	}))
	t.Cleanup(e.Close)
	return e
}

// A push carries a token that stands the checks of a stranger's OpenID Connect client, and comes
// again until it is taken.
func TestPush(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.listen()
	e := newEndpoint(t)
	_, err := w.queue.Projects.Subscriptions.ModifyPushConfig(subscription,
		&pubsub.ModifyPushConfigRequest{PushConfig: &pubsub.PushConfig{PushEndpoint: e.URL,
			OidcToken: &pubsub.OidcToken{ServiceAccountEmail: "push@example.com",
				Audience: "https://mdm.example.com"}}}).Do()
	w.must(err)
	e.status = http.StatusServiceUnavailable
	if taken := w.service.Push(t.Context()); taken != 0 || len(e.kinds) != 1 {
		t.Errorf("%d taken of %v", taken, e.kinds)
	}
	e.status = http.StatusOK
	if w.service.Push(t.Context()) != 0 {
		t.Error("it came again before the deadline")
	}
	w.advance(time.Minute)
	if w.service.Push(t.Context()) != 1 || w.service.Waiting(subscription) != 0 ||
		e.bodyErr != nil {
		t.Errorf("not taken: %v %v", e.kinds, e.bodyErr)
	}
	keys := oidc.NewRemoteKeySet(t.Context(), w.server.URL+"/certs")
	verifier := oidc.NewVerifier(simulator.Issuer, keys, &oidc.Config{
		ClientID: "https://mdm.example.com", Now: w.Now,
		SupportedSigningAlgs: []string{oidc.RS256}})
	token, err := verifier.Verify(t.Context(), e.tokens[1][len("Bearer "):])
	w.must(err)
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
	}
	w.must(token.Claims(&claims))
	if claims.Email != "push@example.com" || !claims.Verified {
		t.Errorf("claims %+v", claims)
	}
	stale := w.service.PushToken(simulator.PushClaims{Issuer: simulator.Issuer,
		Audience: "https://mdm.example.com", Expiry: w.Now().Add(-time.Hour).Unix()})
	if _, err := verifier.Verify(t.Context(), stale); err == nil {
		t.Error("a stale token stands")
	}
	w.service.Publish(w.enterprise, "USAGE_LOGS", []byte(`{"device":"x"}`))
	if w.service.Push(t.Context()) != 1 || e.kinds[len(e.kinds)-1] != "USAGE_LOGS" {
		t.Errorf("pushed %v", e.kinds)
	}
}

// An empty pull waits for a message, and ends with its caller.
func TestPullWaits(t *testing.T) {
	w := newWorld(t, simulator.Options{PullWait: time.Hour})
	w.listen()
	w.take()
	pull := func(ctx context.Context) (*pubsub.PullResponse, error) {
		return w.queue.Projects.Subscriptions.Pull(subscription,
			&pubsub.PullRequest{MaxMessages: 1}).Context(ctx).Do()
	}
	came := make(chan int)
	go func() {
		answer, err := pull(t.Context())
		if err != nil {
			t.Error(err)
			close(came)
			return
		}
		came <- len(answer.ReceivedMessages)
	}()
	w.service.Publish(w.enterprise, "STATUS_REPORT", []byte("{}"))
	if n := <-came; n != 1 {
		t.Errorf("%d messages", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := pull(ctx); err == nil {
		t.Error("a pull without messages ended")
	}
	answer, err := w.queue.Projects.Subscriptions.Pull(subscription,
		&pubsub.PullRequest{MaxMessages: 1, ReturnImmediately: true}).Do()
	w.must(err)
	if len(answer.ReceivedMessages) != 0 {
		t.Errorf("delivered again: %+v", answer)
	}
}

func TestUnorderedDelivery(t *testing.T) {
	w := newWorld(t, simulator.Options{Unordered: true, Seed: 1})
	w.listen()
	w.take()
	var sent []string
	for i := range 20 {
		kind := string(rune('A' + i))
		sent = append(sent, kind)
		w.service.Publish(w.enterprise, kind, []byte("{}"))
	}
	got, inOrder := w.take(), true
	for i, one := range got {
		inOrder = inOrder && one.kind == sent[i]
	}
	if len(got) != 20 || inOrder {
		t.Errorf("delivered %s", kinds(got))
	}
}

// Google's reference wants at least ten seconds, which its emulator does not check.
func TestShortDeadline(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.listen()
	_, err := w.queue.Projects.Subscriptions.Create(subscription+"-2",
		&pubsub.Subscription{Topic: topic, AckDeadlineSeconds: 9}).Do()
	w.refused(err, 400, "10 to 600")
}
