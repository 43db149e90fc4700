package graph_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// androidService stands where a channel to Google would: it keeps in memory what it is told.
type androidService struct {
	mu       sync.Mutex
	clock    *clocktest.Clock
	health   graph.AndroidHealth
	tokens   []graph.AndroidToken
	made     int
	key      string
	callback string
	refuse   error // what the next call to Google ends with
}

func newAndroid(c *clocktest.Clock) *androidService {
	return &androidService{clock: c, health: graph.AndroidHealth{Step: "notStarted"}}
}

func (a *androidService) asked() error {
	err := a.refuse
	a.refuse = nil
	return err
}

func (a *androidService) AndroidHealth(context.Context) (*graph.AndroidHealth, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.health
	return &h, nil
}

func (a *androidService) SetAndroidServiceAccount(_ context.Context, keyFile []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !strings.Contains(string(keyFile), "private_key") {
		return &invalid.Input{Property: "private_key", Reason: "is missing"}
	}
	if err := a.asked(); err != nil {
		return err
	}
	a.key, a.health.Step, a.health.Project = string(keyFile), "serviceAccount", "fleet-123456"
	return nil
}

func (a *androidService) BeginAndroidSignup(_ context.Context, callback string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.key == "" {
		return "", &graph.AndroidConflict{Reason: "no service account has been set: set one first"}
	}
	a.callback = callback
	return "https://play.google.example/work/adminsignup?token=1", a.asked()
}

func (a *androidService) FinishAndroidSignup(_ context.Context, token, delivery string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.asked(); err != nil {
		return err
	}
	if token != "EAH1" {
		return &invalid.Input{Property: "enterpriseToken", Reason: "is not one of Google's"}
	}
	a.health.Step, a.health.Name, a.health.Delivery = "ready", "enterprises/LC1", delivery
	return nil
}

func (a *androidService) CreateAndroidToken(_ context.Context,
	terms graph.AndroidTokenTerms) (*graph.AndroidToken, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.asked(); err != nil {
		return nil, err
	}
	a.made++
	t := graph.AndroidToken{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", a.made), Terms: terms,
		Created: a.clock.Now(), Expires: a.clock.Now().Add(terms.Valid)}
	a.tokens = append(a.tokens, t)
	t.Value, t.QRText = "ABCDEFGHIJ", `{"token":"ABCDEFGHIJ"}`
	return &t, nil
}

func (a *androidService) AndroidTokens(context.Context) ([]graph.AndroidToken, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.tokens), nil
}

func (a *androidService) RevokeAndroidToken(_ context.Context, id string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := len(a.tokens)
	a.tokens = slices.DeleteFunc(a.tokens,
		func(t graph.AndroidToken) bool { return t.ID == id })
	if len(a.tokens) == n {
		return graph.ErrNoAndroidToken
	}
	return a.asked()
}

const (
	androidPath   = "/api/android"
	androidTokens = androidPath + "/enrollmentTokens"
)

var serviceAccount = object{"type": "service_account", "project_id": "fleet-123456",
	"private_key": "-----BEGIN PRIVATE KEY-----", "client_email": "s@fleet.example"}

// setUpAndroid has an enterprise.
func (s *site) setUpAndroid() {
	s.t.Helper()
	s.must(http.StatusOK, "PUT", androidPath+"/serviceAccount", serviceAccount)
	s.must(http.StatusOK, "POST", androidPath+"/signup", object{})
	s.must(http.StatusOK, "POST", androidPath+"/signup/finish", object{"enterpriseToken": "EAH1"})
}

func TestAndroidSetUp(t *testing.T) {
	s := newSite(t)
	if got := s.must(http.StatusOK, "GET", androidPath, nil).body; got["step"] != "notStarted" ||
		got["enterprise"] != nil || got["lastRefusal"] != nil {
		t.Errorf("at first: %v", got)
	}
	if a := s.call("POST", androidPath+"/signup", object{}); a.status != http.StatusConflict ||
		!strings.Contains(a.message(), "set one first") {
		t.Errorf("a sign-up without a service account: %s", a)
	}
	a := s.must(http.StatusOK, "PUT", androidPath+"/serviceAccount", serviceAccount)
	if a.body["step"] != "serviceAccount" || a.body["project"] != "fleet-123456" ||
		strings.Contains(string(a.text), "PRIVATE") ||
		!strings.Contains(s.channel.android.key, `"private_key":"-----BEGIN PRIVATE KEY-----"`) {
		t.Errorf("a service account was set: %s; kept %q", a, s.channel.android.key)
	}
	a = s.must(http.StatusOK, "POST", androidPath+"/signup", object{})
	if want := s.URL + "/console/android/signup"; s.channel.android.callback != want ||
		a.body["callbackUrl"] != want ||
		a.body["url"] != "https://play.google.example/work/adminsignup?token=1" {
		t.Errorf("a sign-up began: %s", a)
	}
	s.must(http.StatusOK, "POST", androidPath+"/signup",
		object{"callbackUrl": "https://mine.example/here"})
	if s.channel.android.callback != "https://mine.example/here" {
		t.Errorf("Google leads back to %s", s.channel.android.callback)
	}
	a = s.must(http.StatusOK, "POST", androidPath+"/signup/finish",
		object{"enterpriseToken": "EAH1", "delivery": "push"})
	if a.body["step"] != "ready" || a.body["enterprise"] != "enterprises/LC1" ||
		a.body["delivery"] != "push" {
		t.Errorf("the sign-up is finished: %s", a)
	}
}

func TestAndroidRefusesInput(t *testing.T) {
	s := newSite(t)
	s.setUpAndroid()
	key := s.channel.android.key
	for _, tt := range []struct{ method, path, body, says string }{
		{"PUT", "/serviceAccount", `{}`, "'type'"},
		{"PUT", "/serviceAccount", `{"type":"authorized_user"}`, "service_account"},
		{"PUT", "/serviceAccount", `{"type":7}`, "'type'"},
		{"PUT", "/serviceAccount", `{"type":"service_account"}`, "'private_key'"},
		{"PUT", "/serviceAccount", `[]`, ""},
		{"PUT", "/serviceAccount", `{"type":"service_account","private_key":"` +
			strings.Repeat("a", 17<<10) + `"}`, "bytes"},
		{"POST", "/signup", `{"callbackUrl":"http://mine.example"}`, "'callbackUrl'"},
		{"POST", "/signup", `{"callbackUrl":"https://` + strings.Repeat("a", 2048) + `"}`,
			"'callbackUrl'"},
		{"POST", "/signup", `{"callback":"https://mine.example"}`, "'callback'"},
		{"POST", "/signup/finish", `{"enterpriseToken":"` + strings.Repeat("a", 4097) + `"}`,
			"'enterpriseToken'"},
		{"POST", "/signup/finish", `{"enterpriseToken":"other"}`, "'enterpriseToken'"},
		{"POST", "/signup/finish", `{"enterpriseToken":"EAH1","delivery":"post"}`, "'delivery'"},
		{"POST", "/enrollmentTokens", `{}`, "'mode'"},
		{"POST", "/enrollmentTokens", `{"mode":"workProfile"}`, "fullyManaged, dedicated"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","oneTimeOnly":"yes"}`, "'oneTimeOnly'"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","expiresIn":"91d"}`, "'expiresIn'"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","expiresIn":"P91D"}`, "90 days"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","expiresIn":"0"}`, "'expiresIn'"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","group":"x"}`, "'group'"},
		{"POST", "/enrollmentTokens",
			`{"mode":"dedicated","groupId":"7f1c9c1e-0000-4000-8000-000000000000"}`, "'groupId'"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","groupName":"Nobody"}`,
			"there is no group of devices 'Nobody'"},
		{"POST", "/enrollmentTokens", `{"mode":"dedicated","groupName":7}`, "'groupName'"},
		{"POST", "/enrollmentTokens",
			`{"mode":"dedicated","groupName":"A","groupId":"7f1c9c1e-0000-4000-8000-000000000000"}`,
			"give one of them"},
	} {
		a := s.call(tt.method, androidPath+tt.path, tt.body)
		if a.status != http.StatusBadRequest || !strings.Contains(a.message(), tt.says) {
			t.Errorf("%s %.80s: got %s", tt.path, tt.body, a)
		}
	}
	if s.channel.android.key != key || len(s.channel.android.tokens) != 0 {
		t.Error("something was changed all the same")
	}
}

func TestAndroidTokens(t *testing.T) {
	s := newSite(t)
	s.setUpAndroid()
	group := s.must(http.StatusCreated, "POST", groups, object{"displayName": "shops",
		"mailEnabled": false, "mailNickname": "g", "securityEnabled": true}).body["id"].(string)
	a := s.must(http.StatusCreated, "POST", androidTokens, object{"mode": "dedicated",
		"groupId": strings.ToUpper(group), "oneTimeOnly": true, "expiresIn": "48h"})
	id := a.body["id"].(string)
	want := object{"id": id, "mode": "dedicated", "groupId": group, "oneTimeOnly": true,
		"roleScopeTagIds": []any{"0"}, "createdBy": "help desk",
		"createdDateTime": "2025-02-13T10:17:05Z", "expiresDateTime": "2025-02-15T10:17:05Z"}
	list := s.must(http.StatusOK, "GET", androidTokens, nil).values()
	if len(list) != 1 || !reflect.DeepEqual(list[0], want) {
		t.Errorf("listed %v, want %v", list, want)
	}
	want["value"], want["qrCode"] = "ABCDEFGHIJ", `{"token":"ABCDEFGHIJ"}`
	if !reflect.DeepEqual(a.body, want) {
		t.Errorf("made %v, want %v", a.body, want)
	}
	terms := s.channel.android.tokens[0].Terms
	if terms.Maker == "" || terms.Maker != "token:"+strings.TrimPrefix(terms.Maker, "token:") ||
		terms.Group != group || terms.Valid != 48*time.Hour || !terms.OneTime {
		t.Errorf("the channel was told %+v", terms)
	}
	b := s.must(http.StatusCreated, "POST", androidTokens, object{"mode": "fullyManaged"})
	if b.body["groupId"] != nil || b.body["oneTimeOnly"] != false ||
		b.body["expiresDateTime"] != "2025-03-15T10:17:05Z" {
		t.Errorf("with defaults: %s", b)
	}
	named := s.must(http.StatusCreated, "POST", androidTokens,
		object{"mode": "dedicated", "groupName": "shops"})
	if named.body["groupId"] != group {
		t.Errorf("with the group's name: %s", named)
	}
	s.must(http.StatusNoContent, "DELETE", androidTokens+"/"+named.body["id"].(string), nil)
	s.must(http.StatusCreated, "POST", groups, object{"displayName": "shops",
		"mailEnabled": false, "mailNickname": "g", "securityEnabled": true})
	if a := s.call("POST", androidTokens, object{"mode": "dedicated",
		"groupName": "shops"}); a.status != http.StatusBadRequest ||
		!strings.Contains(a.message(), "2 groups are called 'shops'") {
		t.Errorf("with the name of two groups: %s", a)
	}
	s.must(http.StatusNoContent, "DELETE", androidTokens+"/"+id, nil)
	s.must(http.StatusNotFound, "DELETE", androidTokens+"/"+id, nil)
	if list := s.must(http.StatusOK, "GET", androidTokens, nil).values(); len(list) != 1 ||
		list[0]["id"] != b.body["id"] {
		t.Errorf("after one was revoked: %v", list)
	}
}

// Who is limited to a group sees, makes and revokes tokens of that group, and of no other.
func TestAndroidTokensOfAnArea(t *testing.T) {
	w := newWorld(newSite(t))
	w.setUpAndroid()
	mine := w.bearer(access.SchoolAdministrator, []string{w.group}, nil)
	others := w.bearer(access.SchoolAdministrator, []string{w.otherGroup}, nil)
	as := func(bearer string, status int, method, path string, body any) answer {
		t.Helper()
		a := w.callAs(bearer, method, path, body)
		if a.status != status {
			t.Fatalf("%s %s: got %s, want %d", method, path, a, status)
		}
		return a
	}
	a := as(mine, http.StatusCreated, "POST", androidTokens, object{"mode": "dedicated"})
	if a.body["groupId"] != w.group {
		t.Errorf("its devices join %v, and not the group that its maker is limited to", a.body)
	}
	as(mine, http.StatusBadRequest, "POST", androidTokens,
		object{"mode": "dedicated", "groupId": w.otherGroup})
	for group, status := range map[string]int{w.group: http.StatusCreated,
		w.otherGroup: http.StatusBadRequest} {
		name := w.must(http.StatusOK, "GET", groups+"/"+group, nil).body["displayName"]
		as(mine, status, "POST", androidTokens, object{"mode": "dedicated", "groupName": name})
	}
	id := a.body["id"].(string)
	listed := func(bearer string) bool {
		return strings.Contains(string(as(bearer, http.StatusOK, "GET", androidTokens, nil).text), id)
	}
	if listed(others) {
		t.Error("beyond its area it is listed")
	}
	as(others, http.StatusNotFound, "DELETE", androidTokens+"/"+id, nil)
	if !listed(mine) {
		t.Error("its maker does not see it")
	}
	as(mine, http.StatusNoContent, "DELETE", androidTokens+"/"+id, nil)
}

func TestAndroidSaysWhatGoogleSays(t *testing.T) {
	s := newSite(t)
	s.setUpAndroid()
	for _, tt := range []struct {
		refused error
		status  int
		says    string
	}{
		{&graph.AndroidRefusal{Action: "make an enrollment token", Status: 403,
			Message: "Permissible usage"}, http.StatusConflict,
			"Google refused to make an enrollment token (403): Permissible usage."},
		{&graph.AndroidRefusal{Action: "make it", Status: 429, Message: "Quota"},
			http.StatusServiceUnavailable, "Try again in a minute."},
		{&graph.AndroidRefusal{Action: "make it", Status: 503, Message: "backend"},
			http.StatusServiceUnavailable, "Try again in a minute."},
		{&graph.AndroidRefusal{Action: "make it", Message: "no route to host"},
			http.StatusServiceUnavailable, "Google was not reached to make it: no route to host."},
		{&graph.AndroidConflict{Reason: "finish the sign-up first"}, http.StatusConflict,
			"It cannot be done: finish the sign-up first."},
		{errors.New("the database broke"), http.StatusInternalServerError, "log has the cause"},
	} {
		s.channel.android.refuse = tt.refused
		a := s.call("POST", androidTokens, object{"mode": "dedicated"})
		if a.status != tt.status || !strings.Contains(a.message(), tt.says) {
			t.Errorf("%v: got %s", tt.refused, a)
		}
		if retry := a.header.Get("Retry-After"); (a.status == http.StatusServiceUnavailable) !=
			(retry == "60") {
			t.Errorf("%v: Retry-After is %q", tt.refused, retry)
		}
	}
	if len(s.channel.android.tokens) != 0 {
		t.Error("a token was made all the same")
	}
}

func TestAndroidHealth(t *testing.T) {
	s := newSite(t)
	health := func() object { return s.must(http.StatusOK, "GET", "/api/health", nil).body }
	if got := health(); got["android"] != nil || strings.Contains(fmt.Sprint(got), "Android") {
		t.Errorf("nobody has set it up: %v", got)
	}
	s.must(http.StatusOK, "PUT", androidPath+"/serviceAccount", serviceAccount)
	if got := health(); at(got, "android", "project") != "fleet-123456" ||
		!strings.Contains(fmt.Sprint(got["warnings"]), "not finished") {
		t.Errorf("half set up: %v", got)
	}
	s.setUpAndroid()
	if got := health(); at(got, "android", "enterprise") != "enterprises/LC1" ||
		strings.Contains(fmt.Sprint(got["warnings"]), "Android") {
		t.Errorf("set up: %v", got)
	}
	now := s.clock.Now()
	for says, change := range map[string]func(*graph.AndroidHealth){
		"At 2025-02-13 09:17 UTC, for Android: Google refused to set a policy (403): no.": func(h *graph.AndroidHealth) {
			h.Refusal = &graph.AndroidRefusal{At: now.Add(-time.Hour), Action: "set a policy",
				Status: 403, Message: "no"}
		},
		"wait until 2025-02-13 10:18 UTC": func(h *graph.AndroidHealth) {
			h.PausedUntil = now.Add(time.Minute)
		},
		"do not come": func(h *graph.AndroidHealth) { h.PullFailure = "it is gone" },
		"last listed": func(h *graph.AndroidHealth) { h.Listed = now.Add(-4 * time.Hour) },
	} {
		healthy := s.channel.android.health
		change(&s.channel.android.health)
		if got := health(); !strings.Contains(fmt.Sprint(got["warnings"]), says) {
			t.Errorf("no warning %q in %v", says, got["warnings"])
		}
		s.channel.android.health = healthy
	}
	s.channel.android.health.Refusals = []graph.AndroidRefusal{
		{At: now, Action: "make a web app", Status: 400, Message: "no icon"},
		{At: now.Add(-48 * time.Hour), Action: "set a policy", Status: 403, Message: "no"}}
	refusals, _ := at(health(), "android", "refusals").([]any)
	want := map[string]any{"dateTime": "2025-02-11T10:17:05Z", "action": "set a policy",
		"status": 403, "message": "no"}
	if len(refusals) != 2 || fmt.Sprint(refusals[1]) != fmt.Sprint(want) {
		t.Errorf("of each kind: %v", refusals)
	}
	// What was refused long ago, and lists in good time, are no matter.
	s.channel.android.health.Refusal = &graph.AndroidRefusal{At: now.Add(-25 * time.Hour)}
	s.channel.android.health.Listed = now.Add(-time.Hour)
	s.channel.android.health.PausedUntil = now.Add(-time.Second)
	if got := health(); strings.Contains(fmt.Sprint(got["warnings"]), "Android") {
		t.Errorf("warnings of what has passed: %v", got["warnings"])
	}
}
