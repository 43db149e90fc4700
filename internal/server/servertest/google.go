package servertest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// Google is what Android devices are managed through, simulated, with devices that act by
// themselves until the test ends.
type Google struct {
	*simulator.Service
	URL string
}

// StartGoogle serves it on this machine.
func StartGoogle(t testing.TB, o simulator.Options) *Google {
	t.Helper()
	o.RequireToken, o.Log = true, slog.New(slog.DiscardHandler)
	service := simulator.NewService(o)
	running := httptest.NewServer(service)
	ctx, stop := context.WithCancel(context.Background())
	acted := make(chan struct{})
	go func() { defer close(acted); service.Run(ctx) }()
	t.Cleanup(func() { stop(); <-acted; running.CloseClientConnections(); running.Close() })
	return &Google{service, running.URL}
}

// Use has a server manage Android devices through it.
func (g *Google) Use(c *server.Config) {
	c.Android.Endpoints = amapi.Endpoints{API: g.URL + "/", PubSub: g.URL + "/",
		Token: g.URL + "/token", PushKeys: g.URL + "/certs"}
	c.Android.PerSecond = 1000
}

// KeyFile is that of a service account, as Google's console gives it.
func (g *Google) KeyFile(t testing.TB) []byte {
	t.Helper()
	key, err := g.ServiceAccount(g.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// FollowSignup follows a sign-up link as an admin's browser does, and returns the address to which
// Google leads back.
func (g *Google) FollowSignup(t testing.TB, link string) *url.URL {
	t.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	answer, err := browser.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	back, err := answer.Location()
	if err != nil {
		t.Fatalf("the sign-up led to %s: %v", answer.Status, err)
	}
	return back
}

// SetUp makes a server's enterprise.
func (g *Google) SetUp(t testing.TB, s *server.Server) {
	t.Helper()
	channel := s.AndroidChannel()
	_, err := channel.SetServiceAccount(t.Context(), g.KeyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	link, err := channel.BeginSignup(t.Context(), s.URL()+"/console/android/signup")
	if err != nil {
		t.Fatal(err)
	}
	token := g.FollowSignup(t, link).Query().Get("enterpriseToken")
	if _, err := channel.FinishSignup(t.Context(), token, amapi.Pull); err != nil {
		t.Fatal(err)
	}
}

// Join enrolls a device with a token of its own. The server hears of it a moment later.
func (g *Google) Join(t testing.TB, s *server.Server, mode amapi.Mode, serial string,
	o simulator.DeviceOptions) *simulator.Device {
	t.Helper()
	token, err := s.AndroidChannel().CreateToken(t.Context(), amapi.TokenTerms{Mode: mode,
		OneTime: true, Valid: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	d, err := g.Enroll(token.Value, serial, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
