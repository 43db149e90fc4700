package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// mayAsk is all that a server asks of a tenant.
var mayAsk = regexp.MustCompile(`^(GET /beta/deviceManagement/(managedDevices(/[0-9a-f-]{36})?|` +
	`deviceConfigurations|configurationPolicies|remoteActionAudits)|` +
	`GET /beta/deviceAppManagement/mobileApp(s|Configurations)|POST /beta/\$batch|` +
	`POST /beta/deviceManagement/reports/getConfigurationPoliciesReportForDevice|` +
	`POST /beta/deviceManagement/managedDevices/[0-9a-f-]{36}/(changeAssignments|syncDevice))$`)

// mayAskInBatch is what is asked together with others.
var mayAskInBatch = regexp.MustCompile(`^(/deviceManagement/managedDevices/[0-9a-f-]{36}` +
	`(/managedDeviceMobileAppConfigurationStates)?(\?.*)?|` +
	`/users\('[0-9a-f-]{36}'\)/mobileAppIntentAndStates\('[0-9a-f-]{36}'\))$`)

// checkBatch looks into a batch, and leaves it as it is for the next reader.
func (s *site) checkBatch(r *http.Request) {
	text, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	r.Body = io.NopCloser(bytes.NewReader(text))
	var batch struct {
		Requests []struct{ Method, URL string }
	}
	if err := json.Unmarshal(text, &batch); err != nil {
		s.Errorf("a batch is %s", text)
	}
	for _, one := range batch.Requests {
		if one.Method != http.MethodGet || !mayAskInBatch.MatchString(one.URL) {
			s.Errorf("the tenant was asked %s %s in a batch", one.Method, one.URL)
		}
	}
}

// asTenant has a site stand for an Intune tenant. It adds what a site is not: Entra ID, whose token
// is the site's own, and the report of policies, made of what the site says is assigned.
func (s *site) asTenant() *httptest.Server {
	s.Helper()
	at, err := url.Parse(s.url)
	if err != nil {
		s.Fatal(err)
	}
	on := &httputil.ReverseProxy{Transport: s.transport(),
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at); r.SetXForwarded() }}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked := r.Method + " " + r.URL.Path; {
		case strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token"):
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer",
				"expires_in": 3600, "access_token": s.token})
		case !mayAsk.MatchString(asked):
			s.Errorf("the tenant was asked %s", asked)
			w.WriteHeader(http.StatusForbidden)
		case strings.HasSuffix(r.URL.Path, "PoliciesReportForDevice"):
			s.reportPolicies(w, r)
		default:
			if strings.HasSuffix(asked, "/$batch") {
				s.checkBatch(r)
			}
			on.ServeHTTP(w, r)
		}
	}))
	s.Cleanup(front.Close)
	return front
}

var guid = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

func (s *site) reportPolicies(w http.ResponseWriter, r *http.Request) {
	var body struct{ Filter string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	device := guid.FindString(body.Filter)
	var list struct {
		Value []struct{ ID, Type, DisplayName string }
	}
	status, text := s.call("GET", "/api/devices/"+device+"/payloads", nil)
	if err := json.Unmarshal(text, &list); err != nil || status != http.StatusOK {
		s.Errorf("what is assigned to the device: %d %s", status, text)
		w.WriteHeader(http.StatusBadRequest) // a failure that is not waited out
		return
	}
	base := map[string]string{
		"deviceConfiguration":                 "Microsoft.Management.Services.Api.DeviceConfiguration",
		"deviceManagementConfigurationPolicy": "DeviceManagementConfigurationPolicy"}
	rows := [][]any{}
	for _, p := range list.Value {
		if base[p.Type] != "" {
			rows = append(rows, []any{p.ID, base[p.Type], p.DisplayName})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"TotalRowCount": len(rows), "Values": rows,
		"Schema": []any{map[string]any{"Column": "PolicyId"},
			map[string]any{"Column": "PolicyBaseTypeName"}, map[string]any{"Column": "PolicyName"}}})
}

// afterAll lets the time that somebody waits for pass at once.
func (s *site) afterAll(d time.Duration) <-chan time.Time {
	rung := s.clock.After(d)
	s.clock.Advance(d)
	return rung
}

// A server is another one's tenant: its devices, and what is assigned to them, are there as a
// tenant's are, and the main job goes through the client that speaks with Intune.
func TestServerAsTenant(t *testing.T) {
	s := newSite(t)
	wifi, vpn, mail := s.profile("com.example.wifi"), s.profile("com.example.vpn"), s.app(1)
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, Name: "Reception"})
	s.eventually("everything assigned is installed",
		func() bool { return has(phone, wifi, vpn, mail) })
	front := s.asTenant()

	data := storetest.Open(t)
	works := engine.New(engine.Config{Store: data, Clock: s.clock})
	mirror, err := channel.New(channel.Config{Store: data, Engine: works, Now: s.clock.Now,
		After: s.afterAll, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	works.AttachAuthority(channel.Authority, mirror, fleet.IOS, fleet.IPadOS, fleet.Android)
	directory := "33333333-2222-4333-8444-555555555555"
	shown, err := mirror.Connect(t.Context(), channel.Connection{Name: "Other",
		TenantID: directory, ClientID: directory, Secret: "x", Authority: front.URL,
		Graph: front.URL})
	if err != nil {
		t.Fatal(err)
	}
	if err := mirror.Pass(t.Context(), shown.ID); err != nil {
		t.Fatal(err)
	}
	id := fleet.DeviceID(s.ids[phone])
	if d, err := data.Device(t.Context(), id); err != nil || d.Name != "Reception" {
		t.Fatalf("the mirror has %+v, %v", d, err)
	}
	if err := mirror.Refresh(t.Context(), id, 0); err != nil {
		t.Fatal(err)
	}
	assigned, err := works.Payloads(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range assigned {
		ids = append(ids, string(p.ID))
	}
	for _, p := range []payload{wifi, vpn, mail} {
		if !slices.Contains(ids, p.ID) {
			t.Errorf("%s is assigned there; the mirror has %v", p.Identifier, ids)
		}
	}

	client, err := tenant.New(tenant.Config{TenantID: directory, ClientID: directory,
		Authority: front.URL, Graph: front.URL, Credential: tenant.Credential{Secret: "x"},
		Now: s.clock.Now, After: s.afterAll})
	if err != nil {
		t.Fatal(err)
	}
	change := func(set ...payload) {
		t.Helper()
		var items []tenant.ActionItem
		for _, p := range set {
			items = append(items, tenant.ActionItem{ID: p.ID, Kind: tenant.Kind(p.Type),
				Intent: tenant.Remove})
		}
		if _, err := client.ChangeAssignments(t.Context(), s.ids[phone], items); err != nil {
			t.Fatal(err)
		}
	}
	says := func(want string) func() bool {
		return func() bool {
			found, err := client.Actions(t.Context(), s.ids[phone])
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range found.Results {
				if r.Name == "changeAssignments" {
					return len(r.Items) == 2 && !slices.ContainsFunc(r.Items,
						func(i tenant.ItemResult) bool {
							return string(i.Intent)+" "+i.Status != want
						})
				}
			}
			return false
		}
	}
	change(vpn, mail)
	s.eventually("the removal is told", says("remove removed"))
	if !has(phone, wifi) {
		t.Fatalf("the phone has %v", inventory(phone))
	}
	change()
	s.eventually("the restore is told", says("restore succeeded"))
	if !has(phone, wifi, vpn, mail) {
		t.Fatalf("the phone has %v", inventory(phone))
	}
}
