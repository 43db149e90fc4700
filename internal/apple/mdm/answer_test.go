package mdm_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func link(domain string, code int, text string) dict {
	return dict{"ErrorDomain": domain, "ErrorCode": code, "LocalizedDescription": "(" + text + ")",
		"USEnglishDescription": text}
}

// tell has the device answer a command and returns what the engine is told.
func tell(t *testing.T, m dict) engine.Report {
	t.Helper()
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	if m["CommandUUID"] == nil {
		m["CommandUUID"] = task
	}
	d.want(http.StatusOK, d.report(m))
	r := s.engine.lastReport(t)
	if r.Task != task {
		t.Errorf("the answer is to task %s", r.Task)
	}
	return r
}

func TestAnswersToCommands(t *testing.T) {
	fail := func(links ...dict) dict { return dict{"Status": "Error", "ErrorChain": links} }
	notInstalled := link("MDMErrorDomain", 12075, "The profile “x” is not installed.")
	for name, c := range map[string]struct {
		answer dict
		want   action.Outcome
	}{
		"acknowledged": {dict{"Status": "Acknowledged"}, action.Outcome{Verdict: action.Accepted}},
		"app accepted": {dict{"Status": "Acknowledged", "Identifier": "app", "State": "Queued"},
			action.Outcome{Verdict: action.Accepted}},
		"not now": {dict{"Status": "NotNow"}, action.Outcome{Verdict: action.NotNow}},
		"one error": {fail(link("MCProfileErrorDomain", 1009, "It did not work.")),
			action.Outcome{Verdict: action.Permanent, Code: 1009,
				Detail: "MCProfileErrorDomain 1009: It did not work."}},
		"a chain": {fail(link("MCInstallationErrorDomain", 4001, "A."),
			link("MCSCEPErrorDomain", 22005, "B.")),
			action.Outcome{Verdict: action.Retriable, Code: 4001,
				Detail: "MCInstallationErrorDomain 4001: A. MCSCEPErrorDomain 22005: B."}},
		"a chain of what are no sentences": {fail(link("A", 1, "No"), link("B", 2, "Why?"),
			link("C", 3, "Who knows")),
			action.Outcome{Verdict: action.Permanent, Code: 1,
				Detail: "A 1: No; B 2: Why? C 3: Who knows"}},
		"no description in English": {dict{"Status": "Error",
			"ErrorChain": []dict{{"ErrorDomain": "D", "ErrorCode": 3,
				"LocalizedDescription": "Nein."}}},
			action.Outcome{Verdict: action.Permanent, Code: 3, Detail: "D 3: Nein."}},
		"no reason": {fail(), action.Outcome{Verdict: action.Permanent, Code: action.CodeNoCode,
			Detail: "the device gave no reason"}},
		"profile not there": {fail(notInstalled),
			action.Outcome{Verdict: action.NotFound, Code: 12075,
				Detail: "MDMErrorDomain 12075: The profile “x” is not installed."}},
		"on a Mac": {fail(link("MDMClientError", 89, "Not found.")),
			action.Outcome{Verdict: action.NotFound, Code: 89,
				Detail: "MDMClientError 89: Not found."}},
		"same code, other domain": {fail(link("NSCocoaErrorDomain", 89, "Else.")),
			action.Outcome{Verdict: action.Permanent, Code: 89,
				Detail: "NSCocoaErrorDomain 89: Else."}},
		"app not managed": {fail(link("MCMDMErrorDomain", 12029, "No.")),
			action.Outcome{Verdict: action.NotFound, Code: 12029,
				Detail: "MCMDMErrorDomain 12029: No."}},
		"locked": {fail(link("MCInstallationErrorDomain", 4009, "Locked.")),
			action.Outcome{Verdict: action.Retriable, Code: 4009,
				Detail: "MCInstallationErrorDomain 4009: Locked."}},
		"offline": {fail(link("NSURLErrorDomain", -1009, "Offline.")),
			action.Outcome{Verdict: action.Retriable, Code: -1009,
				Detail: "NSURLErrorDomain -1009: Offline."}},
		"rejected": {dict{"Status": "Error", "RejectionReason": "AppStoreDisabled",
			"ErrorChain": []dict{link("MCMDMErrorDomain", 12031, "Off.")}},
			action.Outcome{Verdict: action.Permanent, Code: 12031,
				Detail: "MCMDMErrorDomain 12031: Off. RejectionReason AppStoreDisabled"}},
		"queued already": {dict{"Status": "Error", "RejectionReason": "AppAlreadyQueued",
			"ErrorChain": []dict{link("MCMDMErrorDomain", 12025, "There.")}},
			action.Outcome{Verdict: action.Accepted, Detail: "AppAlreadyQueued"}},
		"not understood": {dict{"Status": "CommandFormatError",
			"ErrorChain": []dict{link("MCMDMErrorDomain", 12023, "What?")}},
			action.Outcome{Verdict: action.Permanent,
				Code:   12023,
				Detail: "the device does not understand the command: MCMDMErrorDomain 12023: What?"}},
		"setting failed": {dict{"Status": "Acknowledged",
			"Settings": []dict{{"Item": "ApplicationConfiguration", "Status": "Error",
				"ErrorChain": []dict{link("MCMDMErrorDomain", 12038, "Not managed.")}}}},
			action.Outcome{Verdict: action.NotFound, Code: 12038,
				Detail: "MCMDMErrorDomain 12038: Not managed."}},
		"setting as documented": {dict{"Status": "Acknowledged",
			"Settings": dict{"Status": "Error", "ErrorChain": []dict{link("D", 5, "E.")}}},
			action.Outcome{Verdict: action.Permanent, Code: 5, Detail: "D 5: E."}},
		"setting done": {dict{"Status": "Acknowledged",
			"Settings": []dict{{"Status": "Acknowledged"}}},
			action.Outcome{Verdict: action.Accepted}},
		"unknown status": {dict{"Status": "Maybe"},
			action.Outcome{Verdict: action.Permanent, Code: action.CodeNotSupported,
				Detail: `the device answered with a status that is not known: "Maybe"`}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Source = action.CodeOf(c.want.Code, action.ByServer).Source
			if got := tell(t, c.answer).Outcome; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestInventories(t *testing.T) {
	configuration := dict{"server": "https://example", "port": 443}
	for name, c := range map[string]struct {
		kind   string
		answer dict
		want   []action.Sighting
	}{
		"profiles": {"profiles", dict{"ProfileList": []dict{{"PayloadIdentifier": "a",
			"PayloadUUID": "ABCD-1"},
			{"PayloadIdentifier": "b", "PayloadUUID": "x"}}},
			[]action.Sighting{{Identifier: "a", Revision: "abcd-1", Present: true},
				{Identifier: "b", Revision: "x", Present: true}}},
		"no profiles": {"profiles", dict{"ProfileList": []dict{}}, []action.Sighting{}},
		"no apps":     {"apps", dict{"ManagedApplicationList": dict{}}, []action.Sighting{}},
		"apps of a Mac": {"apps", dict{"InstalledApplicationList": []dict{
			{"Identifier": "done", "Installing": false},
			{"Identifier": "loading", "Installing": true},
			{"Identifier": "failed", "DownloadFailed": true},
			{"Identifier": "paused", "Installing": true, "DownloadPaused": true},
			{"Identifier": "waiting", "DownloadWaiting": true},
			{"Identifier": "canceled", "DownloadCancelled": true}, {"Name": "nameless"},
			{"Identifier": "twice", "Installing": true}, {"Identifier": "twice"}}},
			[]action.Sighting{
				{Identifier: "canceled", Failed: true, Code: action.CodeNoCode,
					Detail: "the user canceled the download"},
				{Identifier: "done", Present: true},
				{Identifier: "failed", Failed: true, Retriable: true, Code: action.CodeNoCode,
					Detail: "the download failed"},
				{Identifier: "loading", Working: true, Detail: "downloading"},
				{Identifier: "paused", Working: true, Detail: "the user paused the download"},
				{Identifier: "twice", Present: true},
				{Identifier: "waiting", Working: true, Detail: "waiting to download"}}},
		"configurations": {"configurations", dict{"ApplicationConfigurations": []dict{
			{"Identifier": "a", "Configuration": configuration}, {"Identifier": "b"},
			{"Identifier": "c", "Configuration": dict{}}}},
			[]action.Sighting{{Identifier: "a", Present: true,
				Revision: payload.ConfigurationRevision(configuration)}}},
	} {
		t.Run(name, func(t *testing.T) {
			c.answer["Status"], c.answer["CommandUUID"] = "Acknowledged", task+"."+c.kind
			r := tell(t, c.answer)
			if r.Outcome.Verdict != action.Accepted ||
				!reflect.DeepEqual(r.Outcome.Sightings, c.want) {
				t.Errorf("got  %+v\nwant %+v", r.Outcome, c.want)
			}
		})
	}
}

// The states are those of Apple's ManagedApplicationListResponse.
func TestManagedAppStates(t *testing.T) {
	const present, working, failed, retriable = 1, 2, 4, 8
	states := map[string]int{
		"Managed": present, "PromptingForUpdate": present, "PromptingForUpdateLogin": present,
		"UpdateRejected": present,
		"Queued":         working, "Redeeming": working, "Prompting": working,
		"PromptingForLogin":  working,
		"ValidatingPurchase": working,
		"Installing":         working, "PromptingForManagement": working,
		"ValidatingUpdate": present | working, "Updating": present | working,
		"Unknown": working, "SomethingNew": working,
		"Failed": failed | retriable, "ManagedButUninstalled": failed | retriable,
		"UserInstalledApp": failed | retriable,
		"NeedsRedemption":  failed, "UserRejected": failed, "ManagementRejected": failed,
	}
	list := dict{}
	for state := range states {
		list["app."+state] = dict{"Status": state, "ManagementFlags": 1, "HasConfiguration": false}
	}
	r := tell(t, dict{"CommandUUID": task + ".apps", "Status": "Acknowledged",
		"ManagedApplicationList": list})
	if len(r.Outcome.Sightings) != len(states) {
		t.Fatalf("%d sightings of %d", len(r.Outcome.Sightings), len(states))
	}
	for _, g := range r.Outcome.Sightings {
		got := 0
		for flag, set := range map[int]bool{present: g.Present, working: g.Working,
			failed: g.Failed, retriable: g.Retriable} {
			if set {
				got |= flag
			}
		}
		if state := strings.TrimPrefix(g.Identifier, "app."); got != states[state] {
			t.Errorf("%s: %+v", state, g)
		}
		if g.Failed && g.Code == 0 || g.Detail == "" && g.Identifier != "app.Managed" {
			t.Errorf("%s says too little: %+v", g.Identifier, g)
		}
	}
}

func TestInventoryWithoutItsListProvesNothing(t *testing.T) {
	for kind, other := range map[string]dict{"profiles": {"ManagedApplicationList": dict{}},
		"apps":           {"ProfileList": []dict{}},
		"configurations": {"ProfileList": []dict{}}, "facts": {"ProfileList": []dict{}}} {
		for _, answer := range []dict{{}, other} {
			answer["CommandUUID"], answer["Status"] = task+"."+kind, "Acknowledged"
			if r := tell(t, answer); r.Outcome.Verdict != action.Retriable ||
				r.Outcome.Sightings != nil ||
				!strings.Contains(r.Outcome.Detail, "has no") {
				t.Errorf("%s: %+v", kind, r.Outcome)
			}
		}
	}
	r := tell(t, dict{"CommandUUID": task + ".profiles", "Status": "Acknowledged",
		"ProfileList": "none"})
	if r.Outcome.Verdict != action.Retriable ||
		!strings.Contains(r.Outcome.Detail, "cannot be read") {
		t.Errorf("an unreadable list: %+v", r.Outcome)
	}
	if r := tell(t, dict{"CommandUUID": task + ".profiles",
		"Status": "NotNow"}); r.Outcome.Verdict != action.NotNow {
		t.Errorf("not now: %+v", r.Outcome)
	}
}

func TestFacts(t *testing.T) {
	s := newServer(t)
	d := s.newDevice(t, "1", 1)
	d.facts = nil
	d.want(http.StatusOK, d.authenticate())
	d.want(http.StatusOK, d.report(dict{"CommandUUID": task + ".facts", "Status": "Acknowledged",
		"QueryResponses": dict{
			"DeviceName": "Desk", "OSVersion": "15.4",
			"ProductName": mac, "ModelName": "Mac mini", "SerialNumber": 7, "IsSupervised": true}}))
	r := s.engine.lastReport(t)
	yes := true
	want := &fleet.Facts{Device: fleet.Device{Name: "Desk", Model: mac, OSVersion: "15.4",
		Platform: fleet.MacOS}, Supervised: &yes}
	if r.Outcome.Verdict != action.Accepted || !reflect.DeepEqual(r.Facts, want) {
		t.Errorf("got %+v, %+v", r.Outcome, r.Facts)
	}
	s.engine.give(inventory(action.Apps, "a"))
	if got := decode(t, d.idle().body); got["CommandUUID"] != task+".managed" {
		t.Errorf("the device turned out to be a Mac, and got %v", got)
	}
}

func TestAnswerCarriesTheNextCommand(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	s.engine.give(uninstall(action.DeviceConfiguration, "a"),
		uninstall(action.DeviceConfiguration, "b"))
	d.want(http.StatusOK, d.idle())
	got := decode(t, d.want(http.StatusOK, d.report(dict{"Status": "Acknowledged",
		"CommandUUID": task})).body)
	if got["Command"].(dict)["Identifier"] != "b" {
		t.Errorf("got %v", got)
	}
	d.want(http.StatusOK, d.report(dict{"Status": "Acknowledged"}))
	if r := s.engine.lastReport(t); r.Task != "" || r.Outcome.Verdict != action.Accepted {
		t.Errorf("the answer to the last command is told as %+v", r)
	}
	d.want(http.StatusBadRequest, d.report(dict{"Status": "Acknowledged"}))
}
