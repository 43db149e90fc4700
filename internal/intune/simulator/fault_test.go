package simulator_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// A result appears late: until then there is the one before, or none.
func TestResultsAppearLate(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{ResultDelay: 90 * time.Second}})
	p := w.policies("a")
	late := 0
	for range 10 {
		d := w.tenant.Enroll(simulator.DeviceOptions{})
		w.mustAct(d, p...)
		d.CheckIn()
		w.off(d, p...)
		if w.said(d) == "nothing" {
			late++
		}
		w.clock.Advance(90 * time.Second)
		w.saysOf(d, "done a:remove:removed")
		w.mustAct(d)
		if w.said(d) == "done a:remove:removed" {
			late++
		}
	}
	if late < 10 {
		t.Errorf("%d of 20 were late", late)
	}
}

func TestResultsAreOdd(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{OlderElements: true,
		ShuffleItems: true, UnknownMembers: 0.3, NullNames: 0.3, ResultsVanish: 24 * time.Hour}})
	p := w.policies("a", "b", "c", "d")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, p...)
	w.clock.Advance(time.Minute)
	w.mustAct(d, p[:3]...)
	seen := make(map[string]bool)
	for range 20 {
		list := w.results(d, "changeAssignments")
		if len(list) != 2 {
			t.Fatal(list)
		}
		seen["start "+list[0]["startDateTime"].(string)] = true
		order := ""
		for _, one := range list[0]["deviceAssignmentItems"].([]any) {
			i := one.(map[string]any)
			if i["itemDisplayName"] == nil {
				seen["no name"] = true
			}
			seen[i["assignmentItemActionStatus"].(string)] = true
			order += i["itemId"].(string)
		}
		seen["order "+order] = true
	}
	if len(seen) < 8 || !seen["no name"] || !seen["queuedForDevice"] {
		t.Error(seen)
	}
	d.CheckIn()
	w.advance(25 * time.Hour)
	d.CheckIn()
	w.advance(24*time.Hour + time.Second)
	for _, one := range w.results(d, "changeAssignments") {
		if one["actionState"] == "done" {
			t.Error(one)
		}
	}
}

func TestErrorThenRemoved(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{ErrorFirst: 1,
		ProgressTime: time.Minute}})
	p := w.policies("a")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	w.mustAct(d, p...)
	d.CheckIn()
	w.saysOf(d, "failed a:remove:error")
	w.off(d)
	d.CheckIn()
	w.saysOf(d, "active a:remove:inProgress")
	w.off(d, p...)
	w.clock.Advance(time.Minute)
	w.saysOf(d, "done a:remove:removed")
}

func TestAuditsAreOdd(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{AuditDelay: 5 * time.Minute,
		RepeatAudits: 1, AuditsWithoutUser: 0.5}})
	ada := w.tenant.AddAdmin("ada")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	for range 10 {
		if err := ada.ChangeAssignments(d); err != nil {
			t.Fatal(err)
		}
	}
	const path = "deviceManagement/remoteActionAudits"
	if rows := w.must(path).list(); len(rows) == 20 {
		t.Error("no audit is late")
	}
	w.clock.Advance(5 * time.Minute)
	rows := w.must(path).list()
	named := 0
	for _, row := range rows {
		if row["initiatedByUserPrincipalName"] != nil {
			named++
		}
	}
	if len(rows) != 20 || named == 0 || named == 20 {
		t.Errorf("%d audits, %d with a name", len(rows), named)
	}
}

func TestNestedMessages(t *testing.T) {
	w := newWorld(t, simulator.Options{Faults: simulator.Faults{NestedMessages: true}})
	r := w.get(managedDevices + "/x")
	message := r.body["error"].(map[string]any)["message"].(string)
	if r.status != http.StatusNotFound || !strings.Contains(message, `"_version": 3`) {
		t.Error(message)
	}
}

// In the faulty tenant a patient client gets done. The same seed goes wrong in the same way.
func TestFaultyTenant(t *testing.T) {
	play := func() (history string) {
		w := newWorld(t, simulator.Faulty(7))
		p := w.policies("a", "b", "c")
		d := w.tenant.Enroll(simulator.DeviceOptions{User: w.tenant.AddUser("uma")})
		patient := func(method, path string, body any) reply {
			for range 200 {
				r, err := w.try(method, path, body)
				switch {
				case err != nil:
					history += "cut "
				case r.status < 300:
					history += fmt.Sprint(r.status, " ")
					return r
				default:
					history += fmt.Sprint(r.status, " ", r.header.Get("Retry-After"), " ")
				}
				w.clock.Advance(20 * time.Second)
			}
			t.Fatal("200 times in vain")
			return reply{}
		}
		one := managedDevices + "/" + d.ID
		for i := range 12 {
			patient("POST", one+"/changeAssignments", set(p[i%3], p[(i+1)%3]))
			patient("GET", one, nil)
			patient("GET", "deviceManagement/remoteActionAudits", nil)
			patient("POST", "deviceManagement/reports/getConfigurationPoliciesReportForDevice",
				reportBody(d.ID))
			w.clock.Advance(2 * time.Minute)
			w.token = w.signIn(w.app, w.secret)
		}
		w.clock.Advance(10 * time.Minute)
		w.off(d, p[2], p[0])
		return history
	}
	first := play()
	for _, part := range []string{"cut", "429", "503", "504", "GMT"} {
		if !strings.Contains(first, part) {
			t.Errorf("nothing has %s", part)
		}
	}
	if second := play(); second != first {
		t.Errorf("the same seed has\n%s\n%s", first, second)
	}
}

// Devices check in by themselves, in the order of the clock.
func TestCheckInByItself(t *testing.T) {
	w := newWorld(t, simulator.Options{CheckInAfter: 30 * time.Second,
		CheckInEvery: 8 * time.Hour})
	p := w.policies("a")
	d := w.tenant.Enroll(simulator.DeviceOptions{})
	offline := w.tenant.Enroll(simulator.DeviceOptions{Offline: true})
	w.mustAct(d, p...)
	w.mustAct(offline, p...)
	w.clock.Advance(29 * time.Second)
	w.off(d)
	w.clock.Advance(time.Second)
	w.off(d, p...)
	w.off(offline)
	offline.SetOnline(true)
	w.clock.Advance(30 * time.Second)
	w.off(offline, p...)
	w.advance(40 * time.Hour) // Intune restores, and the next check-in brings it back
	if got := slices.Concat(d.Off(), offline.Off()); len(got) > 0 {
		t.Error(got)
	}
	last := w.must(managedDevices + "/" + d.ID).body["lastSyncDateTime"].(string)
	if at, err := time.Parse(time.RFC3339, last); err != nil ||
		at.Before(start.Add(32*time.Hour)) {
		t.Error(last, err)
	}
}
