package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
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
