package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// Pages go through the limit of who asks for them, whatever they are made of, and share it with the
// same caller's calls.
func TestRateLimitOfPages(t *testing.T) {
	s := newSite(t, func(c *server.Config) { c.RateLimit, c.RateBurst = 0.5, 3 })
	b := s.signedIn(s.token) // is sent to its first page
	for _, path := range []string{"/console/fleet", "/console/catalog"} {
		if p := b.open(path); p.status != http.StatusOK {
			t.Fatalf("%s: %s", path, p)
		}
	}
	for method, path := range map[string]string{"GET": "/console/", "POST": "/console/groups",
		"HEAD": "/console/events"} {
		p := b.do(method, path, nil)
		if p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") != "2" ||
			method != "HEAD" && !strings.Contains(p.text(), "Wait 2 seconds") {
			t.Errorf("%s %s: %d, %v", method, path, p.status, p.header)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL()+"/beta/groups", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := b.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a call of the same caller is answered %s", answer.Status)
	}
	if other := s.signedIn(s.bearer("other", access.Administrator,
		0)); other.open("/console/").status != http.StatusOK {
		t.Error("another caller waits, too")
	}
	s.clock.advance(2 * time.Second)
	if p := b.open("/console/"); p.status != http.StatusOK {
		t.Errorf("later: %s", p)
	}
}

// Who signs out is recorded, once, and so is whose session ends because their browser signs in
// anew.
func TestSigningOutIsRecorded(t *testing.T) {
	s := newSite(t)
	recorded := func() (entries []string) {
		t.Helper()
		var list struct {
			Value []struct {
				ActivityType, ActivityResult string
				Actor                        struct {
					UserPrincipalName, ApplicationDisplayName,
					IPAddress string
				}
			}
		}
		s.api("GET", "/beta/deviceManagement/auditEvents?$top=100", nil, &list)
		for _, e := range list.Value {
			if e.ActivityType == "session.signOut" {
				entries = append(entries,
					strings.TrimSpace(e.Actor.UserPrincipalName+e.Actor.ApplicationDisplayName+" "+e.Actor.IPAddress+" "+e.ActivityResult))
			}
		}
		return entries
	}
	b := s.signedIn(s.token)
	form := b.open("/console/").form("/sign-out")
	form.submit()
	form.submit() // has ended already
	if got := recorded(); len(got) != 1 || got[0] != "admin 127.0.0.1 Success" {
		t.Errorf("signing out is recorded as %q", got)
	}
	b = s.signedIn(s.token)
	b.post("/console/sign-in", map[string][]string{"token": {s.bearer("other", access.Administrator,
		0)}})
	if got := recorded(); len(got) != 2 {
		t.Errorf("signing in anew is recorded as %q", got)
	}
	if p := b.open("/console/audit"); !strings.Contains(p.text(), "Sign out") {
		t.Errorf("the record shows %s", p)
	}
}
