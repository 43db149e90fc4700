package tenant_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// clock is time that passes when somebody waits for it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
	rung := make(chan time.Time, 1)
	rung <- c.at
	return rung
}

// call is a request that a service got.
type call struct {
	method, path, query, token string
	body                       string
	at                         time.Time
}

// service is Graph and its token endpoint, as a test scripts them.
type service struct {
	*testing.T
	*httptest.Server
	clock *clock
	graph func(w http.ResponseWriter, r *http.Request)

	mu     sync.Mutex
	tokens int
	calls  []call
}

func newService(t *testing.T, graph http.HandlerFunc) *service {
	s := &service{T: t, clock: newClock(), graph: graph}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		s.mu.Lock()
		s.tokens++
		n := s.tokens
		s.mu.Unlock()
		reply(w, http.StatusOK, map[string]any{"token_type": "Bearer", "expires_in": 3600,
			"access_token": token(n, "DeviceManagementManagedDevices.Read.All")})
		return
	}
	body := new(strings.Builder)
	_, _ = strings.NewReader("").WriteTo(body)
	text := make([]byte, 1<<16)
	n, _ := r.Body.Read(text)
	s.mu.Lock()
	s.calls = append(s.calls, call{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery,
		token: r.Header.Get("Authorization"), body: string(text[:n]), at: s.clock.Now()})
	s.mu.Unlock()
	s.graph(w, r)
}

// token is one as Entra ID makes them: nobody but Graph checks its signature.
func token(n int, roles ...string) string {
	claims, _ := json.Marshal(map[string]any{"n": n, "roles": roles})
	return "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *service) asked() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call{}, s.calls...)
}

func (s *service) client(change ...func(*tenant.Config)) *tenant.Client {
	s.Helper()
	c := tenant.Config{TenantID: "contoso.example", ClientID: "app", Authority: s.URL, Graph: s.URL,
		Credential: tenant.Credential{Secret: "s3cret"}, Now: s.clock.Now, After: s.clock.After}
	for _, fn := range change {
		fn(&c)
	}
	client, err := tenant.New(c)
	if err != nil {
		s.Fatal(err)
	}
	return client
}

const device = "11111111-2222-4333-8444-555555555555"
