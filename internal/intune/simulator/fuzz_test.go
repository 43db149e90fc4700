package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// closed is a Site that is called without a network.
type closed struct {
	site   *simulator.Site
	tenant *simulator.Tenant
	app    *simulator.App
	device *simulator.Device
	token  string
}

func newClosed(tb testing.TB) *closed {
	tb.Helper()
	c := &closed{site: simulator.New(simulator.Options{Clock: clocktest.New(start),
		URL: "https://graph.example.com", KeepRequests: 10,
		Limits: simulator.Limits{Devices: simulator.Limit{Writes: 1 << 40, Any: 1 << 40},
			Reports: simulator.Limit{Writes: 1 << 40, Any: 1 << 40}}})}
	c.tenant = c.site.AddTenant("Contoso")
	c.app = c.tenant.Register("fuzz", allRoles...)
	c.device = c.tenant.Enroll(simulator.DeviceOptions{})
	c.tenant.AddItem(simulator.ItemOptions{Name: "a", Type: simulator.ConfigurationPolicy,
		AllDevices: true})
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.app.ID},
		"client_secret": {c.app.AddSecret(1 << 60)},
		"scope":         {"https://graph.example.com/.default"}}
	w := c.send(http.MethodPost, "/"+c.tenant.ID+"/oauth2/v2.0/token",
		"application/x-www-form-urlencoded", form.Encode())
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		tb.Fatal(err)
	}
	c.token = body["access_token"].(string)
	return c
}

func (c *closed) send(method, path, kind, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://graph.example.com"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+c.token)
	w := httptest.NewRecorder()
	c.site.ServeHTTP(w, r)
	return w
}

// refusal checks that an answer is good, or an error that says something.
func refusal(t *testing.T, w *httptest.ResponseRecorder, member string) {
	t.Helper()
	if w.Code == http.StatusNoContent {
		return
	}
	var body map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %q: %v", w.Code, w.Body, err)
	}
	if w.Code >= 500 || w.Code >= 300 && body[member] == nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "lastSyncDateTime gt 2026-03-02T08:00:30Z",
		"not (a eq 'b''c' and (d ne 1 or e le 2))", "startswith(a,'b')", "((((((", "a eq '", "a in (1)",
		"enrolledDateTime lt 2026-03-02T08:00:30Z and lastSyncDateTime gt 2020-01-01T00:00:00Z",
		"IntuneDeviceId eq 'x' and PolicyId ne 'y'", strings.Repeat("(", 30) + "a eq 1"} {
		f.Add(seed)
	}
	c := newClosed(f)
	f.Fuzz(func(t *testing.T, text string) {
		refusal(t, c.send(http.MethodGet, "/beta/deviceManagement/managedDevices?$filter="+
			url.QueryEscape(text), "", ""), "error")
		body, err := json.Marshal(map[string]string{"filter": text})
		if err != nil {
			t.Skip()
		}
		refusal(t, c.send(http.MethodPost, "/beta/deviceManagement/reports/"+
			"getConfigurationPoliciesReportForDevice", "application/json", string(body)), "error")
	})
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{"", "grant_type=client_credentials&client_id=x",
		"grant_type=a&grant_type=b", "%", "client_assertion=a.b.c&client_assertion_type=x",
		"grant_type=refresh_token&refresh_token=x", "scope=a+b&client_id="} {
		f.Add(seed)
	}
	c := newClosed(f)
	f.Fuzz(func(t *testing.T, form string) {
		form = strings.ReplaceAll(form, "APP", c.app.ID)
		for _, endpoint := range []string{"token", "devicecode"} {
			w := c.send(http.MethodPost, "/"+c.tenant.ID+"/oauth2/v2.0/"+endpoint,
				"application/x-www-form-urlencoded", form)
			refusal(t, w, "error_description")
			if w.Code == http.StatusOK {
				t.Fatalf("a token for %q", form)
			}
		}
	})
}

func FuzzBatch(f *testing.F) {
	for _, seed := range []string{"", `{"requests":[]}`, `{"requests":[{"id":"1","method":"GET",
		"url":"/deviceManagement/managedDevices?$top=1"}]}`, `{"requests":[{"id":"1",
		"method":"POST","url":"deviceManagement/managedDevices/x/changeAssignments","headers":
		{"Content-Type":"application/json"},"body":{"deviceAssignmentItems":[]}},{"id":"2",
		"method":"GET","url":"/organization","dependsOn":["1"]}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"http://[::1"}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"%zz"}]}`} {
		f.Add(seed)
	}
	c := newClosed(f)
	f.Fuzz(func(t *testing.T, body string) {
		refusal(t, c.send(http.MethodPost, "/beta/$batch", "application/json", body), "error")
	})
}

func FuzzAction(f *testing.F) {
	for _, seed := range []string{"", `{"deviceAssignmentItems":[]}`, `{"deviceAssignmentItems":[
		{"itemId":"x","itemType":"application","assignmentItemActionIntent":"remove"}]}`,
		`{"deviceAssignmentItems":[null]}`, `{"deviceAssignmentItems":[{"itemId":1}]}`, `[]{}`} {
		f.Add(seed)
	}
	c := newClosed(f)
	f.Fuzz(func(t *testing.T, body string) {
		refusal(t, c.send(http.MethodPost, "/beta/deviceManagement/managedDevices/"+c.device.ID+
			"/changeAssignments", "application/json", body), "error")
		if len(c.device.ToBeOff()) > 30 {
			t.Fatal("more than 30 items are to be off")
		}
	})
}
