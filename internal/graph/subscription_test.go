package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/notify"
)

const subscriptions = "/beta/subscriptions"

// receiver is a webhook of somebody's: an HTTPS server that passes the handshake and keeps what
// comes.
type receiver struct {
	*httptest.Server
	got chan *delivery
}

type delivery struct {
	header http.Header
	body   object
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan *delivery, 100)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if token := q.URL.Query().Get("validationToken"); token != "" {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, token)
			return
		}
		d := &delivery{header: q.Header}
		if err := json.NewDecoder(q.Body).Decode(&d.body); err != nil {
			t.Errorf("a notification: %v", err)
		}
		r.got <- d
	}))
	t.Cleanup(r.Close)
	return r
}

// newSubscriptions is the service that the site tells changes with. Receivers may be on this
// machine.
func (s *site) newSubscriptions(payloads access.PayloadTags) *notify.Service {
	s.receiver = newReceiver(s.t)
	return notify.New(notify.Config{Store: s.store, Events: s.events,
		Access: &access.Gate{Tokens: s.tokens, Roles: s.roles}, Devices: s.store,
		Payloads: payloads,
		Tenant:   "0b8ccbe0-5c39-4f0a-9c3c-00000000beef",
		Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		RootCAs:  s.receiver.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs,
		Now:      s.clock.Now})
}

func (s *site) inHours(n int) string {
	return s.clock.Now().Add(time.Duration(n) * time.Hour).Format(time.RFC3339)
}

func (w *world) subscriptionBody() object { return w.subscription("/" + w.device) }

// subscription is a body of one to devices, or with a path behind them to one device.
func (s *site) subscription(path string) object {
	return object{"changeType": "updated", "notificationUrl": s.receiver.URL + "/hook?code=hidden",
		"expirationDateTime": s.inHours(48),
		"resource":           "deviceManagement/managedDevices" + path,
		"clientState":        "open sesame",
		"@odata.type":        "#microsoft.graph.subscription"}
}

func TestSubscription(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	body := s.subscription("/" + strings.ToUpper(string(p.id)))
	body["lifecycleNotificationUrl"], body["latestSupportedTlsVersion"],
		body["includeResourceData"] = s.receiver.URL+"/life", "v1_3", false
	made := s.must(http.StatusCreated, "POST", subscriptions, body)
	id, _ := made.body["id"].(string)
	for name, want := range map[string]any{"@odata.context": s.URL +
		"/beta/$metadata#subscriptions/$entity", "@odata.type": "#microsoft.graph.subscription",
		"changeType": "updated", "resource": body["resource"],
		"notificationUrl": body["notificationUrl"], "clientState": "open sesame",
		"lifecycleNotificationUrl": s.receiver.URL + "/life",
		"expirationDateTime":       "2025-02-15T10:17:05Z", "latestSupportedTlsVersion": "v1_3",
		"includeResourceData": false, "applicationId": nil} {
		if made.body[name] != want {
			t.Errorf("%s is %v, want %v", name, made.body[name], want)
		}
	}
	if secret, _ := at(made.body, "syncpayloads", "signingSecret").(string); len(secret) < 40 ||
		made.header.Get("Location") != s.URL+subscriptions+"/"+id {
		t.Errorf("made %s, at %s", made, made.header.Get("Location"))
	}
	got := s.must(http.StatusOK, "GET", subscriptions+"/"+strings.ToUpper(id), nil)
	if got.body["id"] != id || got.body["clientState"] != nil ||
		at(got.body, "syncpayloads", "signingSecret") != nil ||
		at(got.body, "syncpayloads", "delivery", "state") != "active" ||
		at(got.body, "syncpayloads", "delivery", "pending") != false {
		t.Errorf("got %s", got)
	}
	selected := s.must(http.StatusOK, "GET", subscriptions+"/"+id+"?$select=id,changeType", nil)
	if keys := keysOf(selected.body); !slices.Equal(keys,
		[]string{"@odata.context", "@odata.type", "changeType", "id"}) {
		t.Errorf("selected %v", keys)
	}
	renewed := s.must(http.StatusOK, "PATCH", subscriptions+"/"+id,
		object{"expirationDateTime": s.inHours(30 * 24)})
	if renewed.body["expirationDateTime"] != "2025-03-15T10:17:05Z" {
		t.Errorf("renewed %s", renewed)
	}
	s.must(http.StatusNoContent, "POST", subscriptions+"/"+id+"/reauthorize", nil)
	s.must(http.StatusNoContent, "POST", subscriptions+"/"+id+"/reauthorize", object{})
	s.must(http.StatusNoContent, "DELETE", subscriptions+"/"+id, nil)
	s.must(http.StatusNotFound, "GET", subscriptions+"/"+id, nil)
	s.must(http.StatusNotFound, "DELETE", subscriptions+"/"+id, nil)
}

// A change of a device arrives at a receiver as Graph sends it.
func TestSubscriptionDelivers(t *testing.T) {
	s := newSite(t)
	p, id := s.enrollPhone(), s.addProfile("wifi")
	s.enroll(fleet.Device{Name: "second", UDID: "2", Platform: fleet.MacOS})
	p.connect()
	made := s.must(http.StatusCreated, "POST", subscriptions, s.subscription(""))
	p.sync(config(id))
	if err := s.notify.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := <-s.receiver.got
	path := "deviceManagement/managedDevices/" + string(p.id)
	for _, tt := range []struct {
		name string
		got  any
		want any
	}{
		{"subscriptionId", at(d.body, "value", 0, "subscriptionId"), made.body["id"]},
		{"clientState", at(d.body, "value", 0, "clientState"), "open sesame"},
		{"changeType", at(d.body, "value", 0, "changeType"), "updated"},
		{"tenantId", at(d.body, "value", 0, "tenantId"), "0b8ccbe0-5c39-4f0a-9c3c-00000000beef"},
		{"resource", at(d.body, "value", 0, "resource"), path},
		{"@odata.type", at(d.body, "value", 0, "resourceData", "@odata.type"),
			"#Microsoft.Graph.managedDevice"},
		{"@odata.id", at(d.body, "value", 0, "resourceData", "@odata.id"), path},
		{"id", at(d.body, "value", 0, "resourceData", "id"), string(p.id)},
		{"subscriptionExpirationDateTime", at(d.body, "value", 0, "subscriptionExpirationDateTime"),
			"2025-02-15T10:17:05Z"},
		{"a second one", at(d.body, "value", 1), nil},
	} {
		if tt.got != tt.want {
			t.Errorf("%s is %v, want %v in %v", tt.name, tt.got, tt.want, d.body)
		}
	}
	got := s.must(http.StatusOK, "GET", subscriptions+"/"+made.body["id"].(string), nil)
	if at(got.body, "syncpayloads", "delivery", "lastDeliveryDateTime") != "2025-02-13T10:17:05Z" {
		t.Errorf("got %s", got)
	}
}

func TestRefusedSubscriptions(t *testing.T) {
	s := newSite(t)
	for name, tt := range map[string]struct {
		property string
		value    any
		status   int
		code     string
	}{
		"one of a list": {"changeType", "updated,replaced", 400, "BadRequest"},
		"an empty one":  {"changeType", "updated,", 400, "BadRequest"},
		"no change":     {"changeType", "updates", 400, "BadRequest"},
		"none":          {"changeType", nil, 400, "BadRequest"},
		"no type":       {"changeType", 1, 400, "BadRequest"},
		"users":         {"resource", "users", 400, "BadRequest"},
		"part of a device": {"resource", "deviceManagement/managedDevices/x/y", 400,
			"BadRequest"},
		"empty id": {"resource", "deviceManagement/managedDevices/", 400,
			"BadRequest"},
		"strange device": {"resource", "deviceManagement/managedDevices/x", 404,
			"ResourceNotFound"},
		"http":                  {"notificationUrl", "http://example.com/", 400, "BadRequest"},
		"private":               {"notificationUrl", "https://10.1.2.3/", 400, "BadRequest"},
		"private for lifecycle": {"lifecycleNotificationUrl", "https://[::1]/", 400, "BadRequest"},
		"nobody listens": {"notificationUrl", "https://127.0.0.1:1/", 400,
			"ValidationError"},
		"nobody lives": {"lifecycleNotificationUrl", "https://127.0.0.1:1/", 400,
			"ValidationError"},
		"in the past":  {"expirationDateTime", s.inHours(-1), 400, "BadRequest"},
		"now":          {"expirationDateTime", s.inHours(0), 400, "BadRequest"},
		"too late":     {"expirationDateTime", s.inHours(30*24 + 1), 400, "BadRequest"},
		"no time":      {"expirationDateTime", "tomorrow", 400, "BadRequest"},
		"long state":   {"clientState", strings.Repeat("ä", 256), 400, "BadRequest"},
		"old TLS":      {"latestSupportedTlsVersion", "v1_1", 400, "BadRequest"},
		"with data":    {"includeResourceData", true, 400, "BadRequest"},
		"encrypted":    {"encryptionCertificate", "x", 400, "BadRequest"},
		"unknown":      {"colour", "x", 400, "BadRequest"},
		"another type": {"@odata.type", "#microsoft.graph.user", 400, "BadRequest"},
	} {
		body := s.subscription("")
		body[tt.property] = tt.value
		a := s.call("POST", subscriptions, body)
		if a.status != tt.status || a.code() != tt.code ||
			tt.status == 400 && !strings.Contains(a.message(), tt.property) {
			t.Errorf("%s: got %s", name, a)
		}
		checkError(t, a)
	}
	if list := s.must(http.StatusOK, "GET", subscriptions, nil).values(); len(list) > 0 {
		t.Errorf("refused, and made: %v", list)
	}
	for _, resource := range []string{"/deviceManagement/managedDevices",
		"deviceManagement/comanagedDevices"} {
		body := s.subscription("")
		body["resource"], body["clientState"], body["changeType"] = resource,
			strings.Repeat("ä", 255), "updated, updated"
		s.must(http.StatusCreated, "POST", subscriptions, body)
	}
}

// Everybody sees and changes their own subscriptions only, and has no more than there may be.
func TestSubscriptionsOfOthers(t *testing.T) {
	w := newWorld(newSite(t))
	mine, others := w.bearer(access.ReadOnlyOperator, nil, nil),
		w.bearer(access.Administrator, nil, nil)
	var ids []string
	for range notify.MaxPerOwner {
		ids = append(ids, w.as(mine, http.StatusCreated, "POST", subscriptions,
			w.subscription("")).body["id"].(string))
	}
	slices.Sort(ids)
	w.as(mine, http.StatusForbidden, "POST", subscriptions, w.subscription(""))
	w.as(others, http.StatusCreated, "POST", subscriptions, w.subscription(""))
	one := subscriptions + "/" + ids[0]
	w.as(others, http.StatusNotFound, "GET", one, nil)
	w.as(others, http.StatusNotFound, "PATCH", one, object{"expirationDateTime": w.inHours(1)})
	w.as(others, http.StatusNotFound, "POST", one+"/reauthorize", nil)
	w.as(others, http.StatusNotFound, "DELETE", one, nil)
	var listed []string
	for next := w.URL + subscriptions + "?$top=7&$select=id"; next != ""; {
		a := w.as(mine, http.StatusOK, "GET", next, nil)
		for _, v := range a.values() {
			listed = append(listed, v["id"].(string))
		}
		next, _ = a.body["@odata.nextLink"].(string)
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %v, made %v", listed, ids)
	}
}

// The record says who subscribed to what and where it goes, but has none of the secrets.
func TestSubscriptionsInTheRecord(t *testing.T) {
	s := newSite(t)
	made := s.must(http.StatusCreated, "POST", subscriptions, s.subscription(""))
	path := subscriptions + "/" + made.body["id"].(string)
	s.must(http.StatusOK, "PATCH", path, object{"expirationDateTime": s.inHours(72)})
	s.must(http.StatusNoContent, "POST", path+"/reauthorize", nil)
	s.must(http.StatusNoContent, "DELETE", path, nil)
	a := s.must(http.StatusOK, "GET", auditEvents, nil)
	var activities []string
	for _, e := range a.values() {
		if at(e, "resources", 0, "resourceId") == made.body["id"] &&
			at(e, "resources", 0, "auditResourceType") == "subscription" {
			activities = append(activities, e["activity"].(string))
		}
	}
	if !slices.Equal(activities, []string{"subscriptions.delete", "subscriptions.reauthorize",
		"subscriptions.update", "subscriptions.create"}) {
		t.Errorf("recorded %v", activities)
	}
	if !strings.Contains(string(a.text), s.receiver.URL+"/hook") {
		t.Errorf("the record does not say where to: %s", a)
	}
	for _, secret := range []string{"open sesame", "code=hidden",
		at(made.body, "syncpayloads", "signingSecret").(string)} {
		if strings.Contains(string(a.text), secret) {
			t.Errorf("the record has %s", secret)
		}
	}
}

// as is must as somebody else.
func (s *site) as(bearer string, status int, method, path string, body any) answer {
	s.t.Helper()
	return s.must(status, method, path, body, "Authorization", "Bearer "+bearer)
}
