package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func TestSignInWithToken(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	b.http.CheckRedirect = func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}
	for _, token := range []string{"", "x", "sp_0123456789abcdef_" + strings.Repeat("A", 43),
		s.token + "x"} {
		p := b.post("/console/sign-in", url.Values{"token": {token}})
		if p.status != http.StatusUnauthorized || !strings.Contains(p.text(), "not valid") ||
			p.header.Get("Set-Cookie") != "" {
			t.Errorf("token %q: %s", token, p)
		}
	}
	p := b.do("GET", "/console/sign-in?token="+s.token, nil)
	if p.status != http.StatusOK || p.header.Get("Set-Cookie") != "" {
		t.Errorf("a token in the address: %s", p)
	}
	p = b.post("/console/sign-in", url.Values{"token": {" " + s.token + "\n"}})
	cookie, err := http.ParseSetCookie(p.header.Get("Set-Cookie"))
	if err != nil || p.status != http.StatusSeeOther || p.header.Get("Location") != "/console/" {
		t.Fatalf("%s, %v", p, err)
	}
	if cookie.Name != "__Host-syncpayloads" || !cookie.Secure || !cookie.HttpOnly ||
		cookie.SameSite != http.SameSiteLaxMode ||
		cookie.Path != "/" || cookie.Domain != "" || cookie.MaxAge != 0 || len(cookie.Value) < 43 {
		t.Errorf("the cookie is %q", cookie.Raw)
	}
	if p := b.open("/console/"); p.status != http.StatusOK ||
		!strings.Contains(p.text(), "admin Administrator") {
		t.Errorf("signed in: %s", p)
	}
}

func TestSignInLeadsBack(t *testing.T) {
	s := newSite(t)
	for target, want := range map[string]string{
		"/console/?q=x&sort=-name":   "/console/?q=x&sort=-name",
		"/console/devices/1/history": "/console/devices/1/history",
		"":                           "/console/", "//evil.example/console/": "/console/",
		"https://evil.example/console/": "/console/", "/beta/x": "/console/",
		`/\evil.example`: "/console/", "/console/../beta": "/console/",
		"/console//evil.example": "/console/", `/console/\evil`: "/console/",
		"javascript:alert(1)":         "/console/",
		"/console/%0d%0aSet-Cookie:x": "/console/%0d%0aSet-Cookie:x", "console/": "/console/",
	} {
		b := s.browser()
		b.http.CheckRedirect = func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		}
		f := b.open("/console/sign-in?" + url.Values{"return": {target}}.Encode()).form("/sign-in")
		p := f.set("token", s.token).submit()
		if got := p.header.Get("Location"); p.status != http.StatusSeeOther || got != want {
			t.Errorf("from %q it leads to %q; want %q", target, got, want)
		}
	}
	for _, path := range []string{"/console/?q=a", "/console/devices/1",
		"/console/devices/1/review?pick=set", "/console/devices/1/history", "/console/nothing"} {
		p := s.browser().open(path)
		if p.path() != "/console/sign-in" || p.url.Query().Get("return") != path {
			t.Errorf("%s without a session leads to %s", path, p.url)
		}
	}
	for _, path := range []string{"/console/devices/1/actions", "/console/devices/1/sync"} {
		if p := s.browser().post(path, nil); p.path() != "/console/sign-in" {
			t.Errorf("POST %s without a session leads to %s", path, p)
		}
	}
	for _, path := range []string{"/console/events", "/console/devices/1/events"} {
		if p := s.browser().open(path); p.status != http.StatusUnauthorized {
			t.Errorf("%s without a session: %s", path, p)
		}
	}
	if p := s.browser().open("/"); p.path() != "/console/sign-in" {
		t.Errorf("the root leads to %s", p)
	}
}

func TestLinkSignsInOnce(t *testing.T) {
	s := newSite(t)
	who, err := s.server.Tokens().Identify(t.Context(), s.token)
	if err != nil {
		t.Fatal(err)
	}
	code, err := s.server.Sessions().Link(t.Context(), who, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first, second := s.browser(), s.browser()
	link := "/console/sign-in?code=" + code
	p := first.open(link)
	first.open(link) // to look does not use it up
	if p.header.Get("Referrer-Policy") != "no-referrer" ||
		strings.Contains(p.header.Get("Set-Cookie"), "syncpayloads") {
		t.Errorf("the link's page has %v", p.header)
	}
	if p := p.form("/sign-in").submit(); p.path() != "/console/" ||
		strings.Contains(p.url.String(), code) || !strings.Contains(p.text(), "admin") {
		t.Errorf("the link leads to %s", p)
	}
	if p := second.open(link).form("/sign-in").submit(); p.status != http.StatusUnauthorized {
		t.Errorf("the link used again leads to %s", p)
	}
}

func TestSessionsEnd(t *testing.T) {
	s := newSite(t)
	s.bearer("visitor", access.ReadOnlyOperator, 0)
	isOut := func(b *browser) bool { return b.open("/console/").path() == "/console/sign-in" }

	idle := s.signedIn(s.token)
	s.clock.advance(access.DefaultIdle - time.Minute)
	if isOut(idle) {
		t.Error("signed out too early")
	}
	s.clock.advance(access.DefaultIdle - time.Minute)
	if p := idle.do("GET", "/console/", nil, "Syncpayloads-Refresh", "1"); p.path() != "/console/" {
		t.Error("the use did not prolong it")
	}
	s.clock.advance(2 * time.Minute) // the refresh does not
	if !isOut(idle) {
		t.Error("not signed out although idle")
	}

	bearer := s.bearer("leaver", access.Administrator, 0)
	leaver := s.signedIn(bearer)
	if err := s.server.Tokens().Revoke(t.Context(), "leaver"); err != nil {
		t.Fatal(err)
	}
	if !isOut(leaver) {
		t.Error("not signed out although the token was revoked")
	}

	out := s.signedIn(s.token)
	address, _ := url.Parse(s.server.URL())
	cookies := out.http.Jar.Cookies(address)
	if p := out.open("/console/").form("/sign-out").submit(); p.path() != "/console/sign-in" ||
		!isOut(out) {
		t.Errorf("signing out leads to %s", p)
	}
	thief := s.browser()
	thief.http.Jar.SetCookies(address, []*http.Cookie{{Name: cookies[0].Name,
		Value: cookies[0].Value, Path: "/", Secure: true}})
	if !isOut(thief) {
		t.Error("the session went on after it was signed out")
	}
}

func TestSignInIsThrottled(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	var p *page
	for n := range 11 {
		if p = b.post("/console/sign-in", url.Values{"token": {"wrong"}}); n < 10 &&
			p.status != http.StatusUnauthorized {
			t.Fatalf("attempt %d: %s", n, p)
		}
	}
	if p.status != http.StatusTooManyRequests || p.header.Get("Retry-After") == "" {
		t.Fatalf("after ten failures: %s", p)
	}
	if p = b.post("/console/sign-in",
		url.Values{"token": {s.token}}); p.status != http.StatusTooManyRequests {
		t.Errorf("a good token among them: %s", p)
	}
	s.clock.advance(5 * time.Minute)
	if p = b.post("/console/sign-in", url.Values{"token": {s.token}}); p.path() != "/console/" {
		t.Errorf("later: %s", p)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	s := newSite(t)
	_, id := s.enroll("phone")
	b := s.signedIn(s.token)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, path := range []string{"/console/sign-in", "/console/sign-out",
			"/console/devices/" + id + "/actions", "/console/devices/" + id + "/sync"} {
			if p := b.post(path, url.Values{"token": {s.token}},
				header...); p.status != http.StatusForbidden ||
				!strings.Contains(p.text(), "another site") {
				t.Errorf("%s with %v: %s", path, header, p)
			}
		}
	}
	if p := b.open("/console/"); p.path() != "/console/" {
		t.Error("another site signed the browser out")
	}
	if p := b.post("/console/devices/"+id+"/sync", nil, "Origin",
		s.server.URL()); p.status != http.StatusOK {
		t.Errorf("from the console itself: %s", p)
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	for _, path := range []string{"/console/", "/console/nothing", "/console/sign-in?code=x",
		"/console/devices/none"} {
		p := b.open(path)
		if got := p.header.Get("Content-Security-Policy"); got != "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" {
			t.Errorf("%s: policy %q", path, got)
		}
		if p.header.Get("X-Content-Type-Options") != "nosniff" ||
			p.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, p.header)
		}
		for _, n := range append(p.all("script"), p.all("link")...) {
			address, _ := attribute(n, "src")
			if address == "" {
				address, _ = attribute(n, "href")
			}
			a := b.open(address)
			if a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"),
				"immutable") || a.header.Get("Content-Type") == "" {
				t.Errorf("%s refers to %q: %s", path, address, a)
			}
		}
		if len(p.all("style")) > 0 || strings.Contains(p.body, " style=") ||
			strings.Contains(p.body, " onclick=") {
			t.Errorf("%s has what the policy forbids", path)
		}
	}
	if p := b.open("/console/assets/console.0000000000000000.css"); p.status != http.StatusNotFound {
		t.Errorf("an asset that there is not: %s", p)
	}
}
