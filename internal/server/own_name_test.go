package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// Links name the server as it knows itself, whatever Host a request has: who reads a link may be
// somebody else than who chose the Host. What a trusted proxy says counts.
func TestLinksNameTheServerItself(t *testing.T) {
	for name, c := range map[string]struct {
		config server.Config
		want   string // empty: the server's own
	}{
		"by itself":      {server.Config{}, ""},
		"behind a proxy": {server.Config{TrustForwarded: true}, "https://proxy.example"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCrowded(t, c.config)
			want := c.want
			if want == "" {
				want = s.URL()
			}
			r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+"/beta/groups",
				strings.NewReader(`{"displayName":"x"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header, r.Host = bearer(s.bearer), "evil.example"
			r.Header.Set("X-Forwarded-Host", "proxy.example")
			r.Header.Set("X-Forwarded-Proto", "https")
			answer, err := s.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			text, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if location := answer.Header.Get("Location"); !strings.HasPrefix(location,
				want+"/beta/groups/") || !strings.Contains(string(text), want+"/beta/$metadata") {
				t.Errorf("links go to %q, %s; want %s", location, text, want)
			}
		})
	}
}
