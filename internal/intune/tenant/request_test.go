package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// A token goes to no other host: not with a redirect, nor with the link to a next page.
func TestTokensStayHome(t *testing.T) {
	stolen := ""
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen += r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + "\n"
	}))
	t.Cleanup(thief.Close)
	var s *service
	next := ""
	s = newService(t, func(w http.ResponseWriter, r *http.Request) {
		if next == "" {
			http.Redirect(w, r, thief.URL, http.StatusTemporaryRedirect)
			return
		}
		reply(w, http.StatusOK, map[string]any{"value": []any{}, "@odata.nextLink": next})
	})
	c := s.client()
	for _, next = range []string{"", thief.URL + "/beta/deviceManagement/managedDevices?x=1",
		strings.Replace(s.URL, "http:", "https:", 1) + "/beta/deviceManagement/managedDevices",
		s.URL + "/v1.0/deviceManagement/managedDevices", s.URL + "/beta/../deviceManagement/managedDevices",
		s.URL + "/beta/me", s.URL + "/beta/deviceManagement/managedDevices/" + device + "/wipe",
		s.URL + "@evil.example/beta/deviceManagement/managedDevices", "://", "/beta/me",
		strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/beta/deviceManagement/managedDevices",
		strings.Replace(s.URL, "//", "//somebody@", 1) + "/beta/deviceManagement/managedDevices",
	} {
		before := len(s.asked())
		err := c.Devices(t.Context(), time.Time{}, func(tenant.Page) (bool, error) {
			return true, nil
		})
		if err == nil || len(s.asked()) != before+1 {
			t.Errorf("%q was followed: %v", next, err)
		}
	}
	if stolen != "" {
		t.Errorf("another host was asked %s", stolen)
	}
	next = s.URL + "/beta/deviceManagement/managedDevices?$skiptoken=1"
	before := len(s.asked())
	err := c.Devices(t.Context(), time.Time{}, func(tenant.Page) (bool, error) { return true, nil })
	var refused *tenant.Refused
	if !errors.As(err, &refused) || !strings.Contains(refused.Message, "does not end") ||
		len(s.asked())-before > 10 {
		t.Errorf("a list that leads back to itself: %d calls, %v", len(s.asked())-before, err)
	}
}

// A token that Graph does not take is replaced once. A claims challenge says what to do.
func TestTokenThatIsNotTaken(t *testing.T) {
	first, challenge := "", ""
	s := newService(t, nil)
	s.graph = func(w http.ResponseWriter, r *http.Request) {
		if first == "" {
			first = r.Header.Get("Authorization")
		}
		if challenge == "" && first != r.Header.Get("Authorization") {
			reply(w, http.StatusOK, map[string]any{"id": device})
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer error=\"invalid_token\""+challenge)
		reply(w, http.StatusUnauthorized, map[string]any{"error": map[string]any{
			"code": "InvalidAuthenticationToken", "message": "Lifetime validation failed.",
			"innerError": map[string]any{"request-id": "r-1"}}})
	}
	c := s.client()
	if _, err := c.Device(t.Context(), device); err != nil || len(s.asked()) != 2 {
		t.Fatalf("%d calls, %v", len(s.asked()), err)
	}
	s.graph = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}
	if _, err := c.Device(t.Context(), device); !tenant.IsStatus(err,
		http.StatusUnauthorized) || len(s.asked()) != 4 {
		t.Errorf("%d calls, %v", len(s.asked()), err)
	}
	s.graph = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_claims", claims="eyJ4In0="`)
		w.WriteHeader(http.StatusUnauthorized)
	}
	_, err := c.Device(t.Context(), device)
	if err == nil || !strings.Contains(err.Error(), "conditional access") || len(s.asked()) != 5 {
		t.Errorf("%d calls, %v", len(s.asked()), err)
	}
}

// A failure is told with Microsoft's own words and the id of the request.
func TestRefusalInWords(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("request-id", "abc-1")
		reply(w, http.StatusForbidden, map[string]any{"error": map[string]any{"code": "Forbidden",
			"message": `{"_version":3,"Message":"Application is not authorized\nto do this"}`}})
	})
	_, err := s.client().Device(t.Context(), device)
	const want = "Intune did not read a device: 403 Forbidden: Application is not authorized to " +
		"do this (request-id abc-1)"
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	s.Close()
	_, err = s.client().Device(t.Context(), device)
	if err == nil || !strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "*") {
		t.Errorf("nobody is there: %v", err)
	}
}

// Answers have bounds: of bytes and of depth.
func TestAnswersHaveBounds(t *testing.T) {
	body := ""
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	})
	c := s.client()
	deep := func(n int) string {
		return `{"id":"` + device + `","x":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}"
	}
	for _, tt := range []struct {
		what, body string
		ok         bool
	}{
		{"deep", deep(tenant.MostNested - 1), true},
		{"too deep", deep(tenant.MostNested), false},
		{"not JSON", "<html>", false},
		{"long", `{"id":"` + device + `","x":"` + strings.Repeat("x", 16<<20-100) + `"}`, true},
		{"too long", `{"id":"` + device + `","x":"` + strings.Repeat("x", 16<<20) + `"}`, false},
		{"too long by what says nothing", `{"id":"` + device + `"}` + strings.Repeat(" ", 16<<20), false},
		{"brackets in a text", `{"id":"` + device + `","x":"\"` + strings.Repeat("[", 100) + `"}`, true},
		{"another device", `{"id":"22222222-2222-4333-8444-555555555555"}`, false},
	} {
		body = tt.body
		if _, err := c.Device(t.Context(), device); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.what, err)
		} else if err != nil && strings.Contains(err.Error(), "unmarshal") {
			t.Errorf("%s is told in a parser's words: %v", tt.what, err)
		}
	}
}

// Who is asked to slow down waits as long as it is told, in both forms, and some time if not told.
// What changes a device is not sent again by itself.
func TestSlowingDown(t *testing.T) {
	for _, tt := range []struct {
		name         string
		after, date  string
		least, most  time.Duration
		status, left int
	}{
		{"seconds", "7", "", 7 * time.Second, 8 * time.Second, 429, 1},
		{"date", "Mon, 02 Mar 2026 09:00:12 GMT", "Mon, 02 Mar 2026 09:00:02 GMT",
			10 * time.Second, 11 * time.Second, 429, 1},
		{"missing", "", "", 0, 2 * time.Second, 429, 1},
		{"wrong", "soon", "", 0, 2 * time.Second, 503, 1},
		{"again", "", "", 0, 12 * time.Second, 504, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			left := tt.left
			s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
				if left--; left < 0 {
					reply(w, http.StatusOK, map[string]any{"id": device})
					return
				}
				if tt.after != "" {
					w.Header().Set("Retry-After", tt.after)
				}
				if tt.date != "" {
					w.Header().Set("Date", tt.date)
				}
				w.WriteHeader(tt.status)
			})
			c := s.client()
			began := s.clock.Now()
			if _, err := c.Device(t.Context(), device); err != nil {
				t.Fatal(err)
			}
			if waited := s.clock.Now().Sub(began); waited < tt.least || waited > tt.most {
				t.Errorf("it waited %s, want %s to %s", waited, tt.least, tt.most)
			}
			left = 1
			before := len(s.asked())
			_, err := c.ChangeAssignments(t.Context(), device, nil)
			var throttled *tenant.Throttled
			if tt.status == 429 != errors.As(err, &throttled) || err == nil ||
				len(s.asked()) != before+1 {
				t.Errorf("the action: %d calls, %v", len(s.asked())-before, err)
			}
		})
	}
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "300")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c := s.client()
	began := s.clock.Now()
	var throttled *tenant.Throttled
	if _, err := c.Device(t.Context(), device); !errors.As(err, &throttled) ||
		!s.clock.Now().Equal(began) || throttled.Until.Sub(began) < 300*time.Second {
		t.Errorf("five minutes are waited for: %v", err)
	}
}

// One who has no time to wait is told at once.
func TestNoTimeToWait(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var throttled *tenant.Throttled
	if _, err := s.client().Device(ctx, device); !errors.As(err, &throttled) ||
		len(s.asked()) != 1 {
		t.Errorf("%d calls, %v", len(s.asked()), err)
	}
}

// Each call of a batch has its own end, and those that are throttled are made again alone.
func TestBatch(t *testing.T) {
	throttle := map[string]int{"/deviceAppManagement/mobileApps": 2}
	s := newService(t, nil)
	s.graph = func(w http.ResponseWriter, r *http.Request) {
		calls := s.asked()
		var answers []any
		for i := 20; i >= 1; i-- { // in another order
			url := between(calls[len(calls)-1].body, fmt.Sprintf(`{"id":"%d"`, i), `"url":"`, `"`)
			switch {
			case url == "":
				continue
			case throttle[url] > 0:
				throttle[url]--
				answers = append(answers, map[string]any{"id": fmt.Sprint(i), "status": 429,
					"headers": map[string]string{"Retry-After": "3"}})
			case url == "/deviceManagement/configurationPolicies":
				answers = append(answers, map[string]any{"id": fmt.Sprint(i), "status": 404,
					"body": map[string]any{"error": map[string]any{"code": "ResourceNotFound",
						"message": "no"}}})
			case url == "/deviceManagement/remoteActionAudits": // no answer
			default:
				answers = append(answers, map[string]any{"id": fmt.Sprint(i), "status": 200,
					"body": map[string]any{}})
			}
		}
		reply(w, http.StatusOK, map[string]any{"responses": answers})
	}
	ends, err := s.client().Batch(t.Context(), "deviceManagement/managedDevices",
		"deviceAppManagement/mobileApps", "deviceManagement/configurationPolicies",
		"deviceManagement/remoteActionAudits")
	if err != nil || ends[0] != nil || ends[1] != nil || !tenant.IsStatus(ends[2], 404) ||
		ends[3] == nil || len(s.asked()) != 3 {
		t.Errorf("%v, %v, %d batches", ends, err, len(s.asked()))
	}
	if again := s.asked()[1].body; strings.Contains(again, "managedDevices") ||
		!strings.Contains(again, "mobileApps") {
		t.Errorf("made again: %s", again)
	}
	many := make([]string, 45)
	for i := range many {
		many[i] = "deviceManagement/managedDevices"
	}
	before := len(s.asked())
	ends, err = s.client().Batch(t.Context(), many...)
	if err != nil || len(ends) != 45 || len(s.asked())-before != 3 {
		t.Errorf("45 calls in %d batches: %v", len(s.asked())-before, err)
	}
	for _, end := range ends {
		if end != nil {
			t.Error(end)
		}
	}
}

func between(text, from, mark, end string) string {
	_, text, found := strings.Cut(text, from)
	if !found {
		return ""
	}
	_, text, _ = strings.Cut(text, mark)
	text, _, _ = strings.Cut(text, end)
	return text
}
