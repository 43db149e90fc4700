package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
)

func newClock() *clocktest.Ringing {
	return clocktest.NewRinging(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
}

// managed renders what ManagedApplicationList says.
func managed(t *testing.T, server *testServer, device *simulator.Device, only ...any) string {
	t.Helper()
	list := server.do(t, device, "ManagedApplicationList",
		keyed{"Identifiers": only}).values["ManagedApplicationList"]
	var apps []string
	for bundleID, item := range list.(keyed) {
		apps = append(apps, fmt.Sprintf("%s %s", bundleID, item.(keyed)["Status"]))
	}
	slices.Sort(apps)
	return strings.Join(apps, ", ")
}

func TestStoreAppInstallsAtOnceByDefault(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t,
		server.fleet(simulator.Options{Apps: map[int64]string{361309726: "com.apple.Pages"}}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	install := keyed{"iTunesStoreID": 361309726, "ManagementFlags": 1}
	answer := server.do(t, device, "InstallApplication", install)
	if answer.values["Identifier"] != "com.apple.Pages" || answer.values["State"] != "Queued" {
		t.Errorf("answer is %v", answer.values)
	}
	if got := managed(t, server, device); got != "com.apple.Pages Managed" {
		t.Errorf("list is %q", got)
	}
	if got := managed(t, server, device, "com.example.other"); got != "" {
		t.Errorf("list filtered by another identifier is %q", got)
	}
	if again := server.do(t, device, "InstallApplication",
		install); again.Status != "Acknowledged" {
		t.Errorf("an update of a managed app: %s %s", again.Status, chain(again))
	}
	server.do(t, device, "RemoveApplication", keyed{"Identifier": "com.apple.Pages"})
	if got := managed(t, server, device); got != "" || len(device.Apps()) != 0 {
		t.Errorf("after removal the list is %q", got)
	}
}

func TestSlowAppByLooks(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.SetFaults(simulator.Faults{AppLooks: 3})
	install := keyed{"Identifier": "com.example.app"}
	server.do(t, device, "InstallApplication", install)
	if again := server.do(t, device, "InstallApplication",
		install); again.values["RejectionReason"] != "AppAlreadyQueued" {
		t.Errorf("a second install while queued: %v", again.values)
	}
	for look, want := range []string{"Queued", "Queued", "Installing", "Managed", "Managed"} {
		if got := managed(t, server, device); got != "com.example.app "+want {
			t.Errorf("look %d: %q, want %s", look+1, got, want)
		}
	}
}

func TestSlowAppByTime(t *testing.T) {
	server, clock := newServer(t), newClock()
	device := server.enrolled(t, server.fleet(simulator.Options{Clock: clock}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.SetFaults(simulator.Faults{AppTime: time.Minute})
	server.do(t, device, "InstallApplication", keyed{"Identifier": "com.example.app"})
	for _, want := range []string{"Queued", "Installing", "Managed"} {
		if got := managed(t, server, device); got != "com.example.app "+want {
			t.Errorf("at %v: %q, want %s", clock.Now(), got, want)
		}
		clock.Advance(30 * time.Second)
	}
}

func TestRemovalEndsPendingInstall(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.SetFaults(simulator.Faults{AppLooks: 1})
	server.do(t, device, "InstallApplication", keyed{"Identifier": "com.example.app"})
	answer := server.do(t, device, "RemoveApplication", keyed{"Identifier": "com.example.app"})
	if answer.Status != "Acknowledged" {
		t.Errorf("answer is %s", answer.Status)
	}
	if got := managed(t, server, device); got != "" {
		t.Errorf("list is %q", got)
	}
}

func TestRefusedInstallIsReportedOnce(t *testing.T) {
	for effect, want := range map[simulator.Effect][]string{
		simulator.UserReject:  {"Queued", "Prompting", "UserRejected"},
		simulator.FailInstall: {"Queued", "Installing", "Failed"},
	} {
		server := newServer(t)
		device := server.enrolled(t, server.fleet(simulator.Options{}),
			simulator.Config{Kind: simulator.IPad, Seed: 1})
		device.SetFaults(simulator.Faults{AppLooks: 2})
		device.AddHook(simulator.Hook{Identifier: "com.example.app", Effect: effect})
		server.do(t, device, "InstallApplication", keyed{"Identifier": "com.example.app"})
		for _, state := range want {
			if got := managed(t, server, device); got != "com.example.app "+state {
				t.Errorf("list is %q, want %s", got, state)
			}
		}
		if got := managed(t, server, device); got != "" {
			t.Errorf("after %s was reported, the list is %q", want[2], got)
		}
		device.SetFaults(simulator.Faults{})
		server.do(t, device, "InstallApplication", keyed{"Identifier": "com.example.app"})
		if got := managed(t, server, device); got != "com.example.app Managed" {
			t.Errorf("a second try ends in %q", got)
		}
	}
}

func TestAppFromManifest(t *testing.T) {
	manifest := keyed{"items": []any{keyed{"metadata": keyed{"bundle-identifier": "com.example.inhouse",
		"bundle-version": "2.1", "title": "In-house", "kind": "software"}}}}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(encode(manifest))
	}))
	defer site.Close()
	for _, test := range []struct {
		kind        simulator.Kind
		requestType string
		keys        keyed
	}{
		{simulator.IPhone, "InstallApplication", keyed{"ManifestURL": site.URL}},
		{simulator.Mac, "InstallApplication",
			keyed{"ManifestURL": site.URL, "InstallAsManaged": true}},
		{simulator.Mac, "InstallEnterpriseApplication",
			keyed{"ManifestURL": site.URL, "InstallAsManaged": true}},
		{simulator.Mac, "InstallEnterpriseApplication",
			keyed{"Manifest": manifest, "InstallAsManaged": true}},
	} {
		server := newServer(t)
		device := server.enrolled(t, server.fleet(simulator.Options{}),
			simulator.Config{Kind: test.kind, Seed: 1})
		server.do(t, device, test.requestType, test.keys)
		if got := managed(t, server, device); got != "com.example.inhouse Managed" {
			t.Errorf("%s %s %v: list is %q", test.kind, test.requestType, test.keys, got)
		}
		want := simulator.App{Identifier: "com.example.inhouse", Name: "In-house", Version: "2.1",
			State: "Managed"}
		if apps := device.Apps(); len(apps) != 1 || apps[0] != want {
			t.Errorf("apps are %+v", apps)
		}
	}
}

func TestBrokenManifests(t *testing.T) {
	var body string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, body)
	}))
	defer site.Close()
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	for _, broken := range []keyed{{}, {"items": []any{}}, {"items": "x"},
		{"items": []any{keyed{}}},
		{"items": []any{keyed{"metadata": keyed{"bundle-identifier": 5}}}}} {
		body = string(encode(broken))
		answer := server.do(t, device, "InstallApplication", keyed{"ManifestURL": site.URL})
		if chain(answer) != "MDMErrorDomain 12024" {
			t.Errorf("%v: %s %s", broken, answer.Status, chain(answer))
		}
	}
}

func TestMacManagesOnlyWhenTold(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.Mac, Seed: 1})
	install := func(asManaged bool) {
		server.do(t, device, "InstallApplication",
			keyed{"Identifier": "com.example.app", "InstallAsManaged": asManaged})
	}
	install(false)
	if got := managed(t, server, device); got != "" {
		t.Errorf("managed without InstallAsManaged: %q", got)
	}
	if got := server.do(t, device, "RemoveApplication",
		keyed{"Identifier": "com.example.app"}); got.Status != "Error" {
		t.Errorf("removal of an app that is not managed: %s", got.Status)
	}
	list := server.do(t, device, "InstalledApplicationList",
		nil).values["InstalledApplicationList"].([]any)
	if len(list) != 1 || list[0].(keyed)["Identifier"] != "com.example.app" {
		t.Errorf("installed apps are %v", list)
	}
	install(true)
	if got := managed(t, server, device); got != "com.example.app Managed" {
		t.Errorf("after taking management: %q", got)
	}
	install(false)
	if got := managed(t, server, device); got != "" ||
		device.Apps()[0].State != simulator.AppUnmanaged {
		t.Errorf("after giving management up: %q %+v", got, device.Apps())
	}
	only := server.do(t, device, "InstalledApplicationList", keyed{"ManagedAppsOnly": true})
	if list := only.values["InstalledApplicationList"].([]any); len(list) != 0 {
		t.Errorf("managed apps only: %v", list)
	}
}
