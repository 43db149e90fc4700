package tenant_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""}

// mayBe is all that may ever be asked, as this test knows it.
var mayBe = map[string]bool{
	"GET deviceManagement/managedDevices":                                                          true,
	"GET deviceManagement/managedDevices/" + device:                                                true,
	"GET deviceManagement/managedDevices/" + device + "/managedDeviceMobileAppConfigurationStates": true,
	"GET users('" + device + "')/mobileAppIntentAndStates('" + device + "')":                       true,
	"GET deviceManagement/deviceConfigurations":                                                    true,
	"GET deviceManagement/configurationPolicies":                                                   true,
	"GET deviceAppManagement/mobileApps":                                                           true,
	"GET deviceAppManagement/mobileAppConfigurations":                                              true,
	"GET deviceManagement/remoteActionAudits":                                                      true,
	"POST deviceManagement/reports/getConfigurationPoliciesReportForDevice":                        true,
	"POST $batch": true,
	"POST deviceManagement/managedDevices/" + device + "/changeAssignments": true,
	"POST deviceManagement/managedDevices/" + device + "/syncDevice":        true,
}

// Whatever is not on the list never leaves the process, nor does it cost a token.
func TestNothingElseIsAsked(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{})
	})
	c := s.client()
	paths := []string{"", "/", "me", "organization", "groups", "users", "users/" + device,
		"deviceManagement", "deviceManagement/managedDevices/", "deviceManagement/managedDevices/$count",
		"deviceManagement/comanagedDevices", "deviceManagement/managedDevices/" + device + "/",
		"deviceManagement/managedDevices/executeAction", "deviceManagement/manageddevices",
		"deviceManagement/managedDevices/" + device + "/../" + device + "/wipe",
		"deviceManagement/managedDevices/" + device + "%2Fwipe",
		"deviceManagement/managedDevices/a b", "deviceManagement/managedDevices/" + device + "?x",
		"deviceManagement/managedDevices('" + device + "')",
		"deviceManagement/managedDevices/" + device + "/changeAssignments/x",
		"deviceManagement/managedDevices/" + device + "/microsoft.graph.wipe",
		"deviceManagement/managedDevices/" + device + "\n/wipe", "https://evil.example/beta/me",
		"deviceManagement/reports/getConfigurationPoliciesReportForDevice/x",
		"deviceManagement/deviceConfigurations/" + device, "$batch/x", "../v1.0/me"}
	for _, verb := range []string{"wipe", "retire", "delete", "resetPasscode", "remoteLock",
		"disableLostMode", "rebootNow", "shutDown", "cleanWindowsDevice", "setDeviceName",
		"locateDevice", "rotateBitLockerKeys", "assign", "bypassActivationLock",
		"moveDevicesToOU", "changeassignments"} {
		paths = append(paths, "deviceManagement/managedDevices/"+device+"/"+verb)
	}
	for path := range mayBe {
		_, path, _ = strings.Cut(path, " ")
		paths = append(paths, path)
	}
	refused := 0
	for _, path := range paths {
		for _, method := range methods {
			if mayBe[method+" "+path] {
				continue
			}
			if err := c.Send(t.Context(), method, path); !errors.Is(err, tenant.ErrNotAllowed) {
				t.Errorf("%s %q: %v", method, path, err)
			}
			refused++
		}
		if _, err := c.Batch(t.Context(), path); !mayBe["GET "+path] &&
			!errors.Is(err, tenant.ErrNotAllowed) {
			t.Errorf("a batch of %q: %v", path, err)
		}
	}
	for _, one := range s.asked() {
		if one.path != "/beta/$batch" {
			t.Errorf("%s %s was asked", one.method, one.path)
		}
	}
	if refused < 400 {
		t.Errorf("only %d were tried", refused)
	}
	for one := range mayBe {
		method, path, _ := strings.Cut(one, " ")
		if err := c.Send(t.Context(), method, path); err != nil {
			t.Errorf("%s: %v", one, err)
		}
	}
}

// Of a tenant that is only read nothing is changed, whoever asks.
func TestReadOnlyChangesNothing(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"id": device})
	})
	c := s.client(func(c *tenant.Config) { c.ReadOnly = true })
	if _, err := c.ChangeAssignments(t.Context(), device, nil); !errors.Is(err,
		tenant.ErrReadOnly) {
		t.Errorf("the action: %v", err)
	}
	if err := c.SyncDevice(t.Context(), device); !errors.Is(err, tenant.ErrReadOnly) {
		t.Errorf("a check-in: %v", err)
	}
	if len(s.asked()) > 0 {
		t.Errorf("it was asked %v", s.asked())
	}
	if _, err := c.Device(t.Context(), device); err != nil {
		t.Errorf("a device is not read: %v", err)
	}
}

// Ids cannot make another path of one that is allowed.
func TestIDsStayIDs(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"id": device})
	})
	c := s.client()
	for _, id := range []string{"", ".", "..", "a/b", "a?b", "a#b", "a%2Fb", "')/x('", "a b",
		device + "/wipe", strings.Repeat("a", 129)} {
		if _, err := c.Device(t.Context(), id); err == nil {
			t.Errorf("%q was read", id)
		}
		if _, err := c.ChangeAssignments(t.Context(), id, nil); err == nil {
			t.Errorf("%q was changed", id)
		}
		if _, err := c.Assigned(t.Context(), id, ""); err == nil {
			t.Errorf("what is assigned to %q was read", id)
		}
	}
	if len(s.asked()) > 0 {
		t.Errorf("it was asked %v", s.asked())
	}
}

func TestWhereTokensGo(t *testing.T) {
	for _, tt := range []struct {
		authority, graph string
		ok               bool
	}{
		{"", "", true},
		{"https://login.example", "https://graph.example:8443/x", true},
		{"http://127.0.0.1:1", "http://localhost:2", true},
		{"http://[::1]:1", "", true},
		{"http://login.example", "", false},
		{"", "http://10.0.0.1", false},
		{"", "http://127.0.0.1.evil.example", false},
		{"", "ftp://127.0.0.1", false},
		{"", "https://u:p@graph.example", false},
		{"", "https://graph.example?x=1", false},
		{"", "graph.example", false},
		{"", "https:///beta", false},
	} {
		_, err := tenant.New(tenant.Config{TenantID: "t", ClientID: "c", Authority: tt.authority,
			Graph: tt.graph, Credential: tenant.Credential{Secret: "s"}})
		if (err == nil) != tt.ok {
			t.Errorf("%q, %q: %v", tt.authority, tt.graph, err)
		}
	}
	for _, bad := range []tenant.Config{{TenantID: "../x", ClientID: "c"},
		{TenantID: "t", ClientID: "c?"}, {TenantID: "", ClientID: "c"},
		{TenantID: "t", ClientID: "c", Cloud: "moon"}} {
		bad.Credential.Secret = "s"
		if _, err := tenant.New(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, err := tenant.New(tenant.Config{TenantID: "t", ClientID: "c"}); err == nil {
		t.Error("an app without a credential is taken")
	}
	for _, cloud := range tenant.Clouds() {
		if _, err := tenant.New(tenant.Config{Cloud: cloud, TenantID: "t", ClientID: "c",
			Credential: tenant.Credential{Secret: "s"}}); err != nil {
			t.Errorf("%s: %v", cloud, err)
		}
	}
}
