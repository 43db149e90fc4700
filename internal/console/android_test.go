package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestAndroidBeforeItIsSetUp(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	p := b.open("/console/android").has(http.StatusOK, "commercial EMM providers only",
		"1. Service account", "Next", "Give the key", "comes after the service account",
		"when the enterprise is there").hasNot("Begin the sign-up", "Make an enrollment token")
	p.controlsHaveNames()
	b.open("/console/health").hasNot("Google Cloud")
	b.open("/console/enrollment").has(http.StatusOK, "Enroll a device").hasNot("Android devices")
	b.sendFiles("/console/android/service-account", map[string][]byte{
		"key-file": []byte("<i>no key")}).has(http.StatusBadRequest,
		"The service account was not set", "it is no JSON").hasNot("<i>")
	b.sendFiles("/console/android/service-account", map[string][]byte{
		"key-file": []byte(`{"type":"authorized_user"}`)}).has(http.StatusBadRequest,
		"‘type’ is 'authorized_user'")
	b.sendFiles("/console/android/service-account", map[string][]byte{
		"key-file": make([]byte, 1<<20)}).has(http.StatusRequestEntityTooLarge)
	b.post("/console/android/signup", url.Values{}).has(http.StatusConflict,
		"The sign-up was not begun", "set one first")
	b.open("/console/android/signup").has(http.StatusOK, "begin the sign-up first")
	b.post("/console/android/tokens", url.Values{"mode": {"dedicated"},
		"validity": {"24h"}}).has(http.StatusConflict, "finish the set-up first")
	b.open("/console/android/tokens/1/revoke").has(http.StatusNotFound, "no such enrollment token")
}

func TestAndroidIsForThoseWhoMay(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.bearer("help", access.HelpDeskOperator, 0))
	b.open("/console/").hasNot("Android</a>")
	b.open("/console/android").has(http.StatusForbidden, "no role or permission")
	b.post("/console/android/signup", url.Values{}).has(http.StatusForbidden)

	reader := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	p := reader.open("/console/android").has(http.StatusOK, "An administrator has to give it")
	if strings.Contains(p.body, "<textarea") {
		t.Error("who may only read is offered the form")
	}
	for _, path := range []string{"service-account", "signup", "signup/finish", "tokens",
		"tokens/1/revoke"} {
		form := url.Values{"mode": {"dedicated"}, "key": {`{"type":"service_account"}`}}
		if path == "service-account" {
			reader.send("/console/android/"+path, form, "", nil).has(http.StatusForbidden)
			continue
		}
		reader.post("/console/android/"+path, form).has(http.StatusForbidden)
	}
}

// An admin goes all the way in the browser: key file, sign-up at Google, token, a device that
// enrolls with what the QR code says, revocation.
func TestAndroidSetUpInTheBrowser(t *testing.T) {
	google := servertest.StartGoogle(t, simulator.Options{})
	s := newSite(t, func(c *server.Config) { google.Use(c) })
	b := s.signedIn(s.token)
	p := b.sendFiles("/console/android/service-account",
		map[string][]byte{"key-file": google.KeyFile(t)}).has(http.StatusOK,
		"The service account is set", "simulated-project", "Begin the sign-up")
	if strings.Contains(p.body, "PRIVATE KEY") {
		t.Error("the key comes back")
	}
	p = b.post("/console/android/signup", url.Values{}).has(http.StatusOK, "Open Google's page")
	back := google.FollowSignup(t, p.leads("Open Google's page"))
	if back.Path != "/console/android/signup" || back.Scheme != "https" {
		t.Fatalf("Google leads back to %s", back)
	}
	p = b.open(back.RequestURI()).has(http.StatusOK, "Google has signed you up")
	p.controlsHaveNames()
	b.open("/console/android").has(http.StatusOK, "Begin the sign-up") // looking changed nothing
	p = p.form("/console/android/signup/finish").submit().has(http.StatusOK,
		"All is set up", "enterprises/LC", "This server asks for messages", "There is none")
	p.controlsHaveNames()
	b.open("/console/health").has(http.StatusOK, "simulated-project", "Devices whose policy waits")

	group := s.newGroup("Shops")
	p = p.form("/console/android/tokens").set("mode", "dedicated").set("group", group).
		set("one", "on").set("validity", "720h").submit().has(http.StatusCreated, "Dedicated device",
		"can enroll one device", "join Shops", "in 29 days", "tap six times")
	p.controlsHaveNames()
	if p.header.Get("Cache-Control") != "no-store" {
		t.Error("browsers may keep the page with the token")
	}
	value := p.filledID("token")
	if !p.has(http.StatusCreated).hasPicture() {
		t.Error("there is no picture of the code")
	}
	if _, err := google.Enroll(value, "SN-1", simulator.DeviceOptions{Model: "Pixel 9"}); err != nil {
		t.Fatal(err)
	}
	b.until("/console/?q=SN-1", "Pixel 9 SN-1")
	device := b.open("/console/?q=SN-1").leads("Pixel 9 SN-1")
	b.open(device).has(http.StatusOK, "Dedicated device", "Android 16", "Organization")
	b.open("/console/groups/"+group).has(http.StatusOK, "Pixel 9 SN-1")

	p = b.open("/console/android").has(http.StatusOK, "one device", "Shops", "by admin")
	p = b.open(p.leads("Revoke")).has(http.StatusOK, "no device enrolls with it")
	p.controlsHaveNames()
	p.form("/revoke").submit().has(http.StatusOK, "was revoked").hasNot("by admin")
	b.open("/console/enrollment").has(http.StatusOK, "Enroll an Apple device",
		"Enroll Android devices").controlsHaveNames()
	b.open("/console/audit").has(http.StatusOK, "Finish signing up an Android enterprise",
		"Set the service account of an Android enterprise",
		"Make a new Android enrollment token", "Delete an Android enrollment token")
}

// hasPicture reports whether the page has a QR code.
func (p *page) hasPicture() bool {
	for _, n := range p.all("svg") {
		if class, _ := attribute(n, "class"); strings.HasPrefix(class, "qr") {
			for d := range n.Descendants() {
				if path, _ := attribute(d, "d"); d.Type == html.ElementNode && len(path) > 1000 {
					return true
				}
			}
		}
	}
	return false
}

// newGroup makes a group of devices and returns its id.
func (s *site) newGroup(name string) string {
	s.Helper()
	var made struct{ ID string }
	s.api("POST", "/beta/groups", map[string]any{"displayName": name, "mailEnabled": false,
		"mailNickname": "g", "securityEnabled": true}, &made)
	return made.ID
}

// What Google refuses is told beside the form, and on the page until it is granted.
func TestAndroidTellsWhatGoogleRefuses(t *testing.T) {
	google := servertest.StartGoogle(t, simulator.Options{})
	s := newSite(t, func(c *server.Config) { google.Use(c) })
	google.SetUp(t, s.server)
	b := s.signedIn(s.token)
	google.AddTrouble(simulator.Trouble{Method: "enrollmentTokens.create", Status: 403,
		Message: "Permissible usage: this project may not."})
	form := url.Values{"mode": {"corporateWorkProfile"}, "validity": {"24h"}, "one": {"on"}}
	p := b.post("/console/android/tokens", form).has(http.StatusConflict, "No token was made",
		"Permissible usage: this project may not.")
	if p.filled("validity") != "24h" {
		t.Errorf("the form forgot what was chosen: %s", p)
	}
	b.open("/console/android").has(http.StatusOK, "What Google refused last",
		"Permissible usage: this project may not.")
	b.open("/console/health").has(http.StatusOK, "Google refused last",
		"Permissible usage: this project may not.")
	google.ClearTroubles()
	b.post("/console/android/tokens", form).has(http.StatusCreated, "work profile")
	s.clock.advance(25 * time.Hour)
	s.signedIn(s.token).open("/console/android").has(http.StatusOK, "There is none that can be used")
}

// However many groups there are, the form of a token finds each by its name, without a script too,
// and keeps what else is filled in.
func TestAndroidTokenFormFindsGroups(t *testing.T) {
	google := servertest.StartGoogle(t, simulator.Options{})
	s := newSite(t, func(c *server.Config) { google.Use(c) })
	b := s.signedIn(s.token)
	b.sendFiles("/console/android/service-account",
		map[string][]byte{"key-file": google.KeyFile(t)})
	back := google.FollowSignup(t, b.post("/console/android/signup",
		url.Values{}).leads("Open Google's page"))
	b.open(back.RequestURI()).form("/console/android/signup/finish").submit().has(http.StatusOK)
	var last string
	for i := range 40 {
		last = s.newGroup(fmt.Sprintf("Group %02d", i))
	}
	p := b.open("/console/android")
	if names, chosen := p.picked(); len(names) != 13 || !chosen[0] {
		t.Errorf("it begins with %d groups: %q, %v", len(names), names, chosen)
	}
	p = p.find(p.form("/console/android/tokens").set("mode", "dedicated"), "Group 39")
	if names, _ := p.picked(); len(names) != 2 || names[1] != "Group 39" {
		t.Fatalf("it finds %q", names)
	}
	form := p.form("/console/android/tokens")
	if form.values.Get("mode") != "dedicated" {
		t.Errorf("it forgot the mode: %v", form.values)
	}
	form.set("group", last).set("validity", "24h").submit().has(http.StatusCreated, "join Group 39")
	if p := b.open("/console/groups/pick?as=one&groups=39&chosen=1"); strings.Contains(p.body,
		"checked") || !strings.Contains(p.body, "Group 39") {
		t.Errorf("the script is given %s", p.body)
	}
}
