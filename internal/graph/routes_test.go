package graph

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// gate lets one bearer in.
type gate struct{}

func (gate) Authenticate(_ context.Context, bearer string) (*access.Principal, error) {
	if bearer != "good" {
		return nil, access.ErrUnauthenticated
	}
	return &access.Principal{ID: "1", Name: "one"}, nil
}

// TestEveryRoute walks the route table: none but the open ones answers without a token, and none ignores an option.
func TestEveryRoute(t *testing.T) {
	handler := New(Config{Authenticator: gate{}})
	seen := map[string]bool{}
	for _, rt := range routes() {
		if rt.name == "" || seen[rt.method+rt.pattern] {
			t.Errorf("%s %s: name %q", rt.method, rt.pattern, rt.name)
		}
		seen[rt.method+rt.pattern] = true
		path := strings.NewReplacer("{id}", "x", "{device}", "y").Replace(rt.pattern)
		for _, tt := range []struct {
			bearer, query string
			status        int
		}{
			{"", "", http.StatusUnauthorized},
			{"bad", "", http.StatusUnauthorized},
			{"good", "?$apply=x", http.StatusBadRequest},
			{"good", "?%zz", http.StatusBadRequest},
		} {
			want := tt.status
			if rt.open && tt.query == "" {
				want = http.StatusOK
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest(rt.method, path+tt.query, nil)
			r.Header.Set("Authorization", "Bearer "+tt.bearer)
			handler.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("%s %s%s with bearer %q: got %d %s, want %d", rt.method, path, tt.query, tt.bearer, w.Code, w.Body, want)
			}
		}
	}
}
