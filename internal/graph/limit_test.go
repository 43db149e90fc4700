package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

func TestRateLimit(t *testing.T) {
	s := newSite(t, func(c *graph.Config) { c.RateLimit, c.RateBurst = 0.5, 4 })
	_, other, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "other", Role: access.ReadOnlyOperator})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.must(http.StatusOK, "GET", groups, nil)
	}
	s.must(http.StatusNotFound, "GET", "/beta/nothing", nil) // counts, too
	refused := s.call("POST", groups, object{"displayName": "x"})
	if refused.status != http.StatusTooManyRequests || refused.code() != "TooManyRequests" ||
		refused.header.Get("Retry-After") != "2" {
		t.Errorf("got %s, Retry-After %q", refused, refused.header.Get("Retry-After"))
	}
	checkError(t, refused)
	if list, err := s.store.Entries(t.Context(), audit.Query{Limit: 10}); err != nil ||
		len(list) != 0 {
		t.Errorf("recorded %v, %v", list, err)
	}
	s.as(other, http.StatusOK, "GET", groups, nil)
	s.must(http.StatusOK, "GET", "/healthz", nil)
	s.must(http.StatusOK, "GET", "/beta/$metadata", nil)
	s.must(http.StatusUnauthorized, "GET", groups, nil, "Authorization", "Bearer x")
	s.clock.Advance(time.Second)
	if a := s.call("GET", groups, nil); a.header.Get("Retry-After") != "1" {
		t.Errorf("got %s, Retry-After %q", a, a.header.Get("Retry-After"))
	}
	s.clock.Advance(time.Second)
	s.must(http.StatusOK, "GET", groups, nil)
	s.must(http.StatusTooManyRequests, "GET", groups, nil)
	s.clock.Advance(-time.Hour) // a clock that is set back takes nothing away, and gives nothing
	s.must(http.StatusTooManyRequests, "GET", groups, nil)
	s.clock.Advance(24 * time.Hour) // no more than the burst is saved up
	for range 4 {
		s.must(http.StatusOK, "GET", groups, nil)
	}
	s.must(http.StatusTooManyRequests, "GET", groups, nil)
}

// Each request of a batch counts, and those that are too many fail alone.
func TestRateLimitOfBatches(t *testing.T) {
	s := newSite(t, func(c *graph.Config) { c.RateLimit, c.RateBurst = 1, 3 })
	var items []object
	for i := range 4 {
		items = append(items, request(fmt.Sprint(i), "GET", "/groups", nil))
	}
	parts := s.must(http.StatusOK, "POST", batchURL, batchOf(items...)).parts()
	if parts["0"].status != 200 || parts["1"].status != 200 || parts["2"].status != 429 ||
		parts["3"].status != 429 ||
		parts["3"].header.Get("Retry-After") != "1" || parts["3"].code() != "TooManyRequests" {
		t.Errorf("got %v", parts)
	}
}

// What the console asks for a visitor does not count here: the console counts its pages.
func TestRateLimitOfTheConsole(t *testing.T) {
	var api http.Handler
	newSite(t, func(c *graph.Config) { c.RateLimit, c.RateBurst = 1, 1; api = graph.New(*c) })
	ctx := access.WithPrincipal(context.Background(), administrator)
	for range 5 {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", groups, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
}

// A call that is broken off is not answered as if it had been carried out, should somebody read the
// answer after all.
func TestBrokenOffCall(t *testing.T) {
	var api http.Handler
	s := newSite(t, func(c *graph.Config) { api = graph.New(*c) })
	ctx, breakOff := context.WithCancel(access.WithPrincipal(t.Context(), administrator))
	breakOff()
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", groups,
		strings.NewReader(`{"displayName": "x"}`))
	r.Header.Set("Content-Type", "application/json")
	api.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answered %d %q", w.Code, w.Body)
	}
	if n := len(s.must(http.StatusOK, "GET", groups, nil).values()); n != 0 {
		t.Errorf("%d groups were made", n)
	}
}

// Every answer says when it was made.
func TestDate(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{groups, "/beta/nothing", "/healthz", "/beta/$metadata"} {
		if _, err := http.ParseTime(s.call("GET", path, nil).header.Get("Date")); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
