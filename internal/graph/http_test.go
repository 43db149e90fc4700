package graph_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func TestAuthentication(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{devices, configurations, groups, "/beta/nothing",
		"/api/enrollments", "/nothing"} {
		for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer x",
			"Basic " + s.token, s.token, "Bearer " + s.token + "x"} {
			a := s.call("GET", path, nil, "Authorization", authorization)
			if a.status != http.StatusUnauthorized || a.code() != "InvalidAuthenticationToken" ||
				!strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with %q: got %s %v", path, authorization, a, a.header)
			}
			checkError(t, a)
		}
	}
	s.must(http.StatusOK, "GET", devices, nil, "Authorization", "bearer  "+s.token)
	s.must(http.StatusOK, "GET", "/healthz", nil, "Authorization", "")
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/beta", "/beta/", "/v1.0/deviceManagement/comanagedDevices",
		"/v2.0/groups", devices + "//", "/api/me/", "/beta//groups",
		"/beta/x/../groups", "/beta/deviceManagement/managedDevice", "/Api/me",
		devices + "/x/microsoft.graph.wipe", "/beta/microsoft.graph.groups",
		devices + "/microsoft.graph.$count", devices + "/x/wipe"} {
		a := s.call("GET", path, nil)
		if a.status != http.StatusNotFound || a.code() != "ResourceNotFound" {
			t.Errorf("%s: got %s", path, a)
		}
		checkError(t, a)
	}
	for _, tt := range []struct{ method, path, allow string }{
		{"PUT", devices, "GET, HEAD"},
		{"DELETE", devices + "/x/syncPayloads", "POST"},
		{"GET", devices + "/x/changeAssignments", "POST"},
		{"PUT", configurations + "/x", "GET, HEAD, PATCH, DELETE"},
		{"OPTIONS", groups, "GET, HEAD, POST"},
	} {
		a := s.call(tt.method, tt.path, nil)
		if a.status != http.StatusMethodNotAllowed || a.code() != "MethodNotAllowed" ||
			a.header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: got %s, Allow %q", tt.method, tt.path, a, a.header.Get("Allow"))
		}
		checkError(t, a)
	}
}

func TestUnsupportedOptions(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	for _, path := range []string{
		devices + "?$expand=colour", devices + "?$skip=-1", devices + "?$skip=100001",
		devices + "?$skip=1&$skiptoken=e30", devices + "?$search=", devices + "?$search=%22%22",
		"/v1.0/groups?top=1", devices + "?foo=bar", devices + "?$top=1&TOP=1",
		devices + "?$top=1&$top=2", devices + "?$top=-1", devices + "?$top=4294967296",
		devices + "?$top=x", devices + "?$top=",
		devices + "?$count=yes", devices + "?$orderby=udid", devices + "?$orderby=id,id",
		devices + "?$orderby=deviceName,",
		devices + "?$orderby=id,deviceName,model,osVersion", devices + "/$count?$top=1",
		devices + "/$count?$filter=x", groups + "/$count?$count=true",
		devices + "?$orderby=deviceName%20down",
		devices + "?$orderby=", devices + "?$filter=", devices + "?$select=",
		devices + "?$select=id,colour", devices + "?$skiptoken=x",
		devices + "?$skiptoken=", devices + "?$filter=colour%20eq%20'x'", devices + "?a=1;b=2",
		devices + "?$format=atom", devices + "?api-version=v1.0", "/api/tokens?TOP=1",
		p.path() + "?$filter=id%20eq%20'x'", p.path() + "?$select=colour",
		configurations + "?$filter=x", apps + "?$count=yes", apps + "?$expand=x",
		configurations + "?$orderby=version",
		configurations + "?$select=bundleId", groups + "?$orderby=description",
		groups + "?$filter=mails%20eq%20null", groups + "?$select=mails",
		// what only beta has
		"/v1.0/deviceManagement/managedDevices?$select=ownerType",
	} {
		a := s.call("GET", path, nil)
		if a.status != http.StatusBadRequest || a.code() != "BadRequest" {
			t.Errorf("%s: got %s", path, a)
		}
		checkError(t, a)
	}
	a := s.call("POST", p.path()+"/syncPayloads?$top=1", object{"deviceActionPayloads": []object{}})
	if a.status != http.StatusBadRequest || !strings.Contains(a.message(), "$top") {
		t.Errorf("an option on an action: got %s", a)
	}
}

func TestRequestIDs(t *testing.T) {
	s := newSite(t)
	a := s.must(http.StatusOK, "GET", devices, nil, "client-request-id", "mine")
	b := s.must(http.StatusNotFound, "GET", devices+"/x", nil, "client-request-id", "mine")
	if a.header.Get("client-request-id") != "mine" || b.header.Get("client-request-id") != "mine" ||
		a.header.Get("request-id") == b.header.Get("request-id") ||
		at(b.body, "error", "innerError", "client-request-id") != "mine" {
		t.Errorf("got %v and %v %s", a.header, b.header, b)
	}
	c := s.must(http.StatusOK, "GET", devices, nil, "client-request-id", strings.Repeat("x", 200))
	if id := c.header.Get("client-request-id"); id != c.header.Get("request-id") {
		t.Errorf("an over-long id is given back as %q", id)
	}
}

// broken reads devices from a database that fails.
type broken struct{ err error }

func (b broken) Device(context.Context, fleet.DeviceID) (*fleet.Device, error) { return nil, b.err }
func (b broken) Devices(context.Context, query.Query) (query.Page[fleet.Device], error) {
	return query.Page[fleet.Device]{}, b.err
}
func (b broken) CountDevices(context.Context, fleet.Condition) (int, error) { return 0, b.err }
func (b broken) Place(context.Context, fleet.DeviceID) (fleet.Place, error) {
	return fleet.Place{}, b.err
}

func TestUnexpectedErrors(t *testing.T) {
	busy := errors.New("database is locked")
	for _, tt := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("SELECT secret FROM devices: disk I/O error"), http.StatusInternalServerError,
			"InternalServerError"},
		{busy, http.StatusServiceUnavailable, "ServiceUnavailable"},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, "ServiceUnavailable"},
	} {
		s := newSite(t, func(c *graph.Config) {
			c.Devices = broken{tt.err}
			c.Busy = func(err error) bool { return errors.Is(err, busy) }
		})
		a := s.call("GET", devices, nil)
		if a.status != tt.status || a.code() != tt.code ||
			strings.Contains(string(a.text), tt.err.Error()) {
			t.Errorf("%v: got %s", tt.err, a)
		}
		if (a.header.Get("Retry-After") != "") != (a.status == http.StatusServiceUnavailable) {
			t.Errorf("%v: Retry-After is %q", tt.err, a.header.Get("Retry-After"))
		}
		if log := s.log.text(); !strings.Contains(log, tt.err.Error()) ||
			!strings.Contains(log, a.header.Get("request-id")) {
			t.Errorf("%v: logged %q", tt.err, log)
		}
		checkError(t, a)
	}
}

// waiting reads devices only when the caller has gone.
type waiting struct {
	broken
	came chan struct{}
}

func (w waiting) Devices(ctx context.Context, _ query.Query) (query.Page[fleet.Device], error) {
	close(w.came)
	<-ctx.Done()
	return query.Page[fleet.Device]{}, ctx.Err()
}

func TestCallerWhoLeavesIsNoError(t *testing.T) {
	w := waiting{came: make(chan struct{})}
	s := newSite(t, func(c *graph.Config) { c.Devices = w })
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+devices, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	go func() {
		<-w.came
		leave()
	}()
	if response, err := s.Client().Do(r); err == nil {
		_ = response.Body.Close()
		t.Fatal("the call was answered")
	}
	s.Close() // waits for the handler
	if log := s.log.text(); log != "" {
		t.Errorf("logged %q", log)
	}
}

func TestExternalAddress(t *testing.T) {
	forwarded := []string{"X-Forwarded-Proto", "https, http", "X-Forwarded-Host",
		"graph.example, inner"}
	for _, tt := range []struct {
		name   string
		change func(*graph.Config)
		want   string // empty: the address called
	}{
		{"as called", func(*graph.Config) {}, ""},
		{"its own name", func(c *graph.Config) { c.OwnURL = "https://own.example:8443" },
			"https://own.example:8443"},
		{"its own name, and a proxy's", func(c *graph.Config) {
			c.OwnURL, c.TrustForwarded = "https://own.example", true
		}, "https://graph.example"},
		{"behind a proxy", func(c *graph.Config) { c.TrustForwarded = true },
			"https://graph.example"},
		{"configured", func(c *graph.Config) {
			c.BaseURL, c.TrustForwarded = "https://mdm.example:8443/", true
		}, "https://mdm.example:8443"},
	} {
		s := newSite(t, tt.change)
		s.enrollPhone()
		s.enroll(fleet.Device{Name: "second", UDID: "2", Platform: fleet.MacOS})
		want := tt.want
		if want == "" {
			want = s.URL
		}
		a := s.must(http.StatusOK, "GET", devices+"?$top=1", nil, forwarded...)
		link, _ := a.body["@odata.nextLink"].(string)
		if !strings.HasPrefix(link, want+devices+"?$") ||
			a.body["@odata.context"] != want+"/beta/$metadata#deviceManagement/managedDevices" {
			t.Errorf("%s: got %s", tt.name, a)
		}
	}
}

func TestEnrollmentLinks(t *testing.T) {
	s := newSite(t)
	for body, ttl := range map[string]time.Duration{`{}`: 24 * time.Hour,
		`{"expiresIn":"90m"}`:  90 * time.Minute,
		`{"expiresIn":"P30D"}`: 720 * time.Hour, `{"expiresIn":null}`: 24 * time.Hour} {
		a := s.must(http.StatusCreated, "POST", "/api/enrollments", body)
		if s.channel.ttl != ttl || a.body["url"] != "https://mdm.example/enroll/abc" ||
			a.body["expiresDateTime"] != s.clock.Now().Add(ttl).Format(time.RFC3339) {
			t.Errorf("%s: %s asked for, got %s", body, s.channel.ttl, a)
		}
	}
	for _, body := range []string{`{"expiresIn":"0"}`, `{"expiresIn":"-1h"}`, `{"expiresIn":"31d"}`,
		`{"expiresIn":"P31D"}`, `{"expiresIn":24}`,
		`{"expires":"24h"}`, `{"for":""}`, `{"for":"a b"}`, `{"for":7}`, `{"replace":"yes"}`,
		`{"groupId":"7f1c9c1e-0000-4000-8000-000000000000"}`} {
		if a := s.call("POST", "/api/enrollments", body); a.status != http.StatusBadRequest ||
			!strings.Contains(a.message(), "expires") && !strings.Contains(a.message(), "'for'") &&
				!strings.Contains(a.message(), "'replace'") &&
				!strings.Contains(a.message(), "'groupId'") {
			t.Errorf("%s: got %s", body, a)
		}
	}
}

func TestPushCertificate(t *testing.T) {
	s := newSite(t)
	const path = "/beta/deviceManagement/applePushNotificationCertificate"
	s.must(http.StatusNotFound, "GET", path, nil)
	for _, body := range []object{{}, {"certificate": "x"}, {"certificate": "x", "privateKey": "y"},
		{"certificate": "-----BEGIN", "privateKey": "key", "topic": "mine"}} {
		a := s.call("PATCH", path, body)
		if a.status != http.StatusBadRequest || s.channel.certificate != nil {
			t.Errorf("%v: got %s", body, a)
		}
	}
	set := s.must(http.StatusOK, "PATCH", path,
		object{"certificate": "-----BEGIN", "privateKey": "secret", "id": nil,
			"topicIdentifier": "mine"})
	got := s.must(http.StatusOK, "GET", path, nil)
	for _, a := range []answer{set, got} {
		if a.body["topicIdentifier"] != "com.apple.mgmt.External.1" ||
			a.body["certificateSerialNumber"] != "0A" ||
			a.body["expirationDateTime"] != "2025-02-13T11:17:05Z" ||
			strings.Contains(string(a.text), "secret") {
			t.Errorf("got %s", a)
		}
	}
	if s.channel.key != "secret" {
		t.Errorf("the key set is %q", s.channel.key)
	}
	selected := s.must(http.StatusOK, "GET", path+"?$select=expirationDateTime", nil)
	if keys := keysOf(selected.body); !slices.Equal(keys,
		[]string{"@odata.context", "expirationDateTime"}) {
		t.Errorf("selected %v", keys)
	}
}
