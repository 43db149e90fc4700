package server_test

import (
	"net/http"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// The limit that the operator sets holds for a caller on every connection; who is unknown has none
// to use up.
func TestRateLimit(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t), RateLimit: 0.001, RateBurst: 2})
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "test", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	get := func(bearer string, want int) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/beta/groups",
			nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+bearer)
		answer, err := browser(t, trust(t, s)).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want ||
			(answer.Header.Get("Retry-After") != "") != (want == http.StatusTooManyRequests) {
			t.Errorf("got %d, Retry-After %q; want %d", answer.StatusCode,
				answer.Header.Get("Retry-After"), want)
		}
	}
	for _, want := range []int{200, 200, 429, 429} {
		get(bearer, want)
	}
	get("sp_0123456789abcdef_nobody", 401)
}
