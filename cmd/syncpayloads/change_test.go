package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// result is an action as --json shows it.
type result struct {
	Type     string          `json:"@odata.type"`
	State    string          `json:"actionState"`
	Payloads []payloadResult `json:"deviceActionPayloads"`
}

type payloadResult struct {
	ID          string `json:"payloadId"`
	DisplayName string `json:"displayName"`
	Intent      string `json:"intent"`
	Status      string `json:"status"`
	ErrorCode   int64  `json:"errorCode"`
}

// played is what the latest action has become after the events that --json printed.
func played(t *testing.T, lines string) (r result) {
	t.Helper()
	for line := range strings.Lines(lines) {
		e := decode[struct {
			Type    string        `json:"type"`
			Value   []result      `json:"value"`
			State   string        `json:"actionState"`
			Payload payloadResult `json:"deviceActionPayload"`
		}](t, line)
		switch e.Type {
		case "snapshot":
			if len(e.Value) > 0 {
				r = e.Value[0]
			}
		case "actionStarted":
			r = result{Type: "#microsoft.graph.syncPayloadsActionResult", State: e.State}
		case "payloadChanged":
			r.Payloads = slices.DeleteFunc(r.Payloads,
				func(p payloadResult) bool { return p.ID == e.Payload.ID })
			r.Payloads = append(r.Payloads, e.Payload)
		case "actionChanged":
			r.State = e.State
		default:
			t.Errorf("an event of type %q", e.Type)
		}
	}
	return r
}

func decode[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, text)
	}
	return value
}

// summary is one word for each payload, by name.
func (r result) summary() map[string]string {
	found := make(map[string]string)
	for _, p := range r.Payloads {
		found[p.DisplayName] = p.Intent + "/" + p.Status
	}
	return found
}

func (r result) want(t *testing.T, state string, payloads map[string]string) {
	t.Helper()
	got := r.summary()
	if r.State != state || len(got) != len(payloads) ||
		r.Type != "#microsoft.graph.syncPayloadsActionResult" {
		t.Errorf("%s %s with %v, want %s with %v", r.Type, r.State, got, state, payloads)
	}
	for name, want := range payloads {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
}

func TestRemoveAndRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.fleet.devices[0]
	has := func(name string, want bool) {
		t.Helper()
		identifier := map[string]string{officeWiFi: profilePrefix + "wifi",
			companyVPN: profilePrefix + "vpn",
			keynote:    "com.apple.Keynote"}[name]
		if phone.has(identifier) != want {
			t.Errorf("%s on the device: %t, want %t", name, !want, want)
		}
	}

	out := w.run(t, "remove", "--wait", "--json", phone.name, officeWiFi)
	out.want(t, 0)
	played(t, out.stdout).want(t, "done", map[string]string{officeWiFi: "remove/removed"})
	has(officeWiFi, false)

	// By ids, in another letter case: the set is what is off already and what is named.
	vpn := w.payloads(t, phone)[companyVPN]
	out = w.run(t, "remove", "--wait", strings.ToUpper(phone.id), strings.ToUpper(vpn.ID),
		"KEYNOTE")
	out.want(t, 0,
		"removing Company VPN, Keynote; staying off, their time starting anew: Office Wi-Fi",
		"action done")
	has(officeWiFi, false)
	has(companyVPN, false)
	has(keynote, false)

	out = w.run(t, "restore", "--wait", "--json", phone.name, companyVPN)
	out.want(t, 0)
	played(t, out.stdout).want(t, "done",
		map[string]string{officeWiFi: "remove/removed", keynote: "remove/removed",
			companyVPN: "restore/succeeded"})
	has(companyVPN, true)
	has(keynote, false)

	w.run(t, "restore", phone.name, companyVPN).want(t, 1,
		`"Company VPN" is not removed from the device`)
	w.run(t, "payload", "list", phone.name).want(t, 0, "removed", "(in ")

	out = w.run(t, "restore", "--json", phone.name)
	out.want(t, 0)
	if state := decode[result](t, out.stdout).State; state == "" {
		t.Error("restore without --wait shows no state")
	}
	played(t, w.run(t, "watch", "--json", phone.name).stdout).want(t, "done",
		map[string]string{officeWiFi: "restore/succeeded", keynote: "restore/succeeded"})
	has(officeWiFi, true)
	has(keynote, true)
	w.run(t, "device", "show", phone.name).want(t, 0, phone.id, "restored", "syncPayloads, done")
	w.run(t, "watch", w.fleet.devices[1].name).want(t, 0, "no action has been run")
}

func TestRestoreAfter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.fleet.devices[0]
	w.run(t, "remove", "--wait", "--restore-after", "0", phone.name, officeWiFi).want(t, 0)
	if p := w.payloads(t, phone)[officeWiFi]; !p.Removed || !p.Restore.IsZero() {
		t.Errorf("with --restore-after 0: %+v", p)
	}
	// The clock restores by itself: the last action is the system's.
	w.run(t, "remove", "--wait", "--restore-after", "1s", phone.name, officeWiFi).want(t, 0)
	for update, err := range w.client.Watch(t.Context(), phone.id) {
		if err != nil {
			t.Fatal(err)
		}
		if list := update.Results[0].Payloads; len(list) == 1 && list[0].Intent == client.Restore &&
			list[0].Status == client.Succeeded {
			break
		}
	}
	if !phone.has(profilePrefix + "wifi") {
		t.Error("the profile is not back")
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone, other := w.fleet.devices[0], w.fleet.devices[1]

	phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerError,
		Times: simulator.Always,
		Chain: []simulator.ErrorLink{{Domain: "MCMDMErrorDomain", Code: 12021,
			Description: "This cannot be."}}})
	w.run(t, "remove", "--wait", phone.name, officeWiFi).want(t, exitPayloads, "action failed",
		"This cannot be.", "code 12021")
	out := w.run(t, "watch", "--json", phone.name)
	out.want(t, exitPayloads, "1 of 1 payloads ended in error; the first: Office Wi-Fi")
	played(t, out.stdout).want(t, "failed", map[string]string{officeWiFi: "remove/error"})

	other.SetOnline(false)
	w.run(t, "remove", "--wait", "--timeout", "500ms", other.name, officeWiFi).want(t, exitTimeout,
		"not ended after 500ms; it goes on")
	w.run(t, "watch", "--timeout", "300ms", other.name).want(t, exitTimeout)
	other.SetOnline(true)
	w.run(t, "watch", other.name).want(t, 0, "removed")

	for _, test := range []struct {
		name string
		code int
		args []string
		says string
	}{
		{"unknown device", 1, []string{"remove", "No-Such", officeWiFi},
			`no device with the id or name "No-Such"`},
		{"name with a quote", 1, []string{"remove", "O'Brien's", officeWiFi},
			`no device with the id or name "O'Brien's"`},
		{"unknown id", 1, []string{"watch", "00000000-0000-4000-8000-000000000000"},
			"no device with the id or name"},
		{"unknown payload", 1, []string{"remove", phone.name, "No such"},
			`no payload with the id or name "No such"`},
		{"lists what there is", 1, []string{"remove", phone.name, "No such"}, "Company VPN (vpn)"},
		{"bad filter", 1, []string{"device", "list", "--filter", "colour eq 'red'"},
			"400 BadRequest"},
		{"bad token", 1, []string{"device", "list", "--token", "sp_wrong"},
			"401 InvalidAuthenticationToken"},
		{"bad restore-after", 1, []string{"remove", "--restore-after=-1s", phone.name, keynote},
			"Restore-After"},
		{"nothing listens", 1, []string{"device", "list", "--url", "https://127.0.0.1:1"},
			"the server does not answer"},
		{"CA not trusted", 1, []string{"device", "list", "--ca", ""},
			"give the server's ca.pem as CA file"},
		{"no token", exitUsage, []string{"device", "list", "--token", ""}, "token create"},
		{"http", exitUsage, []string{"device", "list", "--url", "http://localhost:1"},
			"give https://host[:port]"},
		{"no such CA file", exitUsage, []string{"device", "list", "--ca", "/nowhere.pem"},
			"/nowhere.pem"},
		{"no payload", exitUsage, []string{"remove", phone.name}, "payload"},
		{"unknown flag", exitUsage, []string{"watch", "--colour", phone.name}, "--colour"},
		{"unknown command", exitUsage, []string{"obliterate"}, "obliterate"},
		{"not a duration", exitUsage, []string{"watch", "--timeout", "soon", phone.name},
			"--timeout"},
		{"not a probability", exitUsage, []string{"simulate", "--not-now", "1.5"},
			"--not-now is a probability"},
		{"half a key pair", exitUsage, []string{"serve", "--tls-cert", "x.pem"},
			"--tls-cert and --tls-key belong together"},
		{"impatient", exitUsage, []string{"serve", "--retry-base", "2h"}, "--retry-max not less"},
		{"unknown shell", exitUsage, []string{"completion", "tcsh"}, "bash"},
	} {
		t.Run(test.name,
			func(t *testing.T) { w.run(t, test.args...).want(t, test.code, test.says) })
	}
}

func TestSuperseded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.fleet.devices[0]
	phone.SetOnline(false)
	vpn := w.payloads(t, phone)[companyVPN]
	if err := w.client.SyncPayloads(t.Context(), phone.id, selections([]client.Payload{vpn}),
		client.SyncOptions{}); err != nil {
		t.Fatal(err)
	}
	results, err := w.client.ActionResults(t.Context(), phone.id)
	if err != nil {
		t.Fatal(err)
	}
	first := client.Latest(results)
	supersede := func(set ...client.Payload) {
		if err := w.client.SyncPayloads(t.Context(), phone.id, selections(set),
			client.SyncOptions{}); err != nil {
			t.Error(err)
		}
	}
	// Who waits for an action is told when it is superseded, and when it was.
	for range 2 {
		watched := watcher{server: w.client, device: phone.id,
			view: &onFirst{do: func() { supersede() }}, timeout: runTime, only: first}
		if err := watched.run(t.Context()); err == nil ||
			!strings.Contains(err.Error(), "superseded by a later one") {
			t.Errorf("waiting for a superseded action: %v", err)
		}
	}
	// Who watches whichever is the latest goes on with the next.
	supersede(vpn)
	latest := &onFirst{do: func() {
		supersede(vpn, w.payloads(t, phone)[officeWiFi])
		phone.SetOnline(true)
	}}
	watched := watcher{server: w.client, device: phone.id, view: latest, timeout: runTime}
	if err := watched.run(t.Context()); err != nil || latest.last.State != client.StateDone ||
		sameAction(latest.last, latest.first) {
		t.Errorf("the latest action ended with %+v, %v", latest.last, err)
	}
}

// onFirst does something when it is shown an action for the first time.
type onFirst struct {
	do          func()
	first, last *client.ActionResult
}

func (v *onFirst) close() error { return nil }

func (v *onFirst) showDevice(json.RawMessage, time.Time, string) error { return nil }

func (v *onFirst) show(_ json.RawMessage, r *client.ActionResult) error {
	v.last = r
	if v.first == nil {
		v.first = r
		v.do()
	}
	return nil
}

func TestSimulate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := w.run(t, "simulate", "--devices", "3", "--duration", "2s", "--poll", "300ms",
		"--not-now", "0.1", "--lost", "0.05", "--json")
	out.want(t, 0, "3 devices enrolled")
	counts := decode[simulationResult](t, out.stdout)
	if counts.Devices != 3 || counts.Connections < 3 || counts.Commands < 3 {
		t.Errorf("counts are %+v", counts)
	}
	listed := decode[[]client.Device](t, w.run(t, "device", "list", "--json").stdout)
	if want := len(demoHardware) + len(demoAndroids) + 3; len(listed) != want {
		t.Errorf("%d devices are listed, want %d", len(listed), want)
	}
}
