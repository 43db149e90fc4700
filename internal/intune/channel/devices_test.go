package channel_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// All devices that the action could be for are mirrored as Intune tells of them, and those that it
// is not possible on with the reason.
func TestMirrorOfDevices(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	user := w.tenant.AddUser("adele")
	ipad := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad, Name: "Till 1"})
	phone := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPhone, User: user,
		Personal: true})
	scanner := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidDedicated})
	private := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidPersonalWorkProfile,
		User: user})
	aosp := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.AndroidAOSP})
	w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.WindowsPC})
	w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.Mac})
	enrolled := w.clock.Now()
	w.clock.advance(time.Hour)
	aosp.CheckIn()
	w.pass()
	w.wantManaged(ipad, phone, scanner, private, aosp)
	d := w.device(ipad.ID)
	if d.Name != "Till 1" || d.Platform != fleet.IPadOS || d.SerialNumber != ipad.Serial ||
		d.Model != "iPad Pro" || d.Manufacturer != "Apple" || d.Authority != channel.Authority ||
		!d.EnrolledAt.Equal(enrolled) || !d.LastSync.Equal(enrolled) || d.UserEnrolled ||
		len(d.Tags) != 1 || d.Tags[0] != fleet.DefaultTag {
		t.Errorf("the iPad is %+v", d)
	}
	if d := w.device(phone.ID); d.Platform != fleet.IOS || !d.UserEnrolled {
		t.Errorf("the phone is %+v", d)
	}
	for _, tt := range []struct {
		device *simulator.Device
		why    string
	}{{ipad, "does not start actions there yet"}, {scanner, "does not start actions there yet"},
		{private, "'userEnrollment'"}, {aosp, "'androidAOSPUserlessDeviceEnrollment'"}} {
		stored, err := w.store.IntuneDevice(t.Context(), fleet.DeviceID(tt.device.ID))
		if err != nil || !strings.Contains(stored.Details.Unsupported, tt.why) {
			t.Errorf("%s: %v, %v, want %s", tt.device.Name(), stored, err, tt.why)
		}
	}
	if s := w.state(); s.State.Listed != 7 || s.State.Left != 2 || s.Devices != 5 ||
		len(s.Warnings) > 0 || s.State.AnsweredAt.IsZero() {
		t.Errorf("the tenant is %+v", s)
	}
	if err := w.engine.Retire(t.Context(), fleet.DeviceID(ipad.ID), false); err == nil {
		t.Error("a device of Intune's is retired from here")
	}

	// What changes comes with a list of those that were in contact, and else with the next whole
	// one. Who leaves is not managed any more, and comes back as another device.
	ipad.Rename("Till 2")
	again := phone.Reenroll()
	scanner.CheckIn()
	w.later(3 * time.Minute)
	if w.device(ipad.ID).Name != "Till 1" || w.device(again.ID) == nil {
		t.Error("a list of recent devices is one of all, or is none")
	}
	if at := w.device(scanner.ID).LastSync; !at.Equal(enrolled.Add(time.Hour)) {
		t.Errorf("the scanner's last contact is %s", at)
	}
	w.wantManaged(ipad, phone, scanner, private, aosp, again)
	w.later(time.Hour)
	if w.device(ipad.ID).Name != "Till 2" {
		t.Error("a whole list does not rename")
	}
	w.wantManaged(ipad, scanner, private, aosp, again)
	if w.device(phone.ID).Enrolled {
		t.Error("the phone's old enrollment is managed")
	}
}

// A page that fails, and a list that shifts while it is read, make no device leave.
func TestListsThatFail(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	var devices []*simulator.Device
	for i := range 30 {
		devices = append(devices, w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad,
			Name: fmt.Sprint("Till ", i)}))
	}
	w.pass()
	w.wantManaged(devices...)
	small := func(r *http.Request) {
		if q := r.URL.Query(); q.Get("$top") == "999" {
			q.Set("$top", "7")
			r.URL.RawQuery = q.Encode()
		}
	}
	w.change = small
	w.site.SetFaults(simulator.Faults{ShiftPages: true, PageSizes: true})
	for range 5 {
		w.later(time.Hour)
		w.wantManaged(devices...)
	}
	w.site.SetFaults(simulator.Faults{})
	devices[3].Leave()
	w.site.Ask(simulator.Trouble{Path: "managedDevices", Skip: 2, Times: 50, Status: 500})
	w.clock.advance(time.Hour)
	if err := w.channel.Pass(t.Context(), w.id); err == nil {
		t.Error("a list whose third page fails is taken")
	}
	w.wantManaged(devices...)
	s := w.state()
	if len(s.Warnings) != 1 || !strings.HasPrefix(s.Warnings[0], "Intune unreachable since 2026-") {
		t.Errorf("the warnings are %q", s.Warnings)
	}
	since := s.State.UnreachableSince
	w.clock.advance(10 * time.Minute)
	_ = w.channel.Pass(t.Context(), w.id)
	if again := w.state().State.UnreachableSince; !again.Equal(since) {
		t.Errorf("it is unreachable since %s, and since %s", since, again)
	}
	// the faults end, and the list is whole
	for range 60 {
		w.clock.advance(10 * time.Minute)
		_ = w.channel.Pass(t.Context(), w.id)
	}
	w.wantManaged(append(devices[:3:3], devices[4:]...)...)
	if s := w.state(); len(s.Warnings) > 0 {
		t.Errorf("the warnings stay: %q", s.Warnings)
	}
}

// A device that a list lacks stays while Intune answers to its id, and a row that cannot be read
// makes no device leave at all.
func TestWhoLeftIsAsked(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	first := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	second := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	w.pass()
	// a list that heeds a filter which hides all devices
	w.change = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/managedDevices") {
			r.URL.RawQuery += "&" + url.Values{"$filter": {
				"lastSyncDateTime gt 2099-01-01T00:00:00Z"}}.Encode()
		}
	}
	second.Leave()
	w.later(time.Hour)
	w.wantManaged(first)
}

// Where Graph leaves a filter unheeded, all devices come: the list ends with its first page, and
// only whole lists are read for a day.
func TestFilterThatIsIgnored(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	w.clock.advance(time.Hour)
	fresh := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	w.pass()
	lists := 0
	w.change = func(r *http.Request) {
		if q := r.URL.Query(); q.Has("$filter") && strings.HasSuffix(r.URL.Path, "/managedDevices") {
			lists++
			q.Del("$filter")
			r.URL.RawQuery = q.Encode()
		}
	}
	fresh.Rename("renamed")
	fresh.CheckIn()
	for range 5 {
		w.later(3 * time.Minute)
	}
	if lists != 1 || w.state().State.FilterIgnored.IsZero() {
		t.Errorf("%d lists were filtered", lists)
	}
	if w.device(fresh.ID).Name != "renamed" {
		t.Error("who was in contact is not taken from the list")
	}
}

// A tenant cannot take a device over that another tenant, or this server, manages.
func TestDevicesOfOthers(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	victim := w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad, Name: "Intune's"})
	if _, err := w.engine.Enroll(t.Context(), fleet.Device{ID: fleet.DeviceID(victim.ID),
		UDID: "0000-1", Name: "ours", Platform: fleet.IPadOS}, ""); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if d := w.device(victim.ID); d.Name != "ours" || d.Authority != fleet.ThisServer {
		t.Errorf("it is %+v", d)
	}
	if s := w.state(); s.State.Refused != 1 || len(s.Warnings) != 1 || s.Devices != 0 {
		t.Errorf("the tenant is %+v", s)
	}
}

// Two servers do what is to be done once, and share the pace.
func TestTwoServers(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for range 20 {
		w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad})
	}
	nodes := []*channel.Channel{w.channel, w.node()}
	var all sync.WaitGroup
	for _, c := range nodes {
		all.Go(func() {
			if err := c.Pass(background(), w.id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	lists := 0
	for _, r := range w.site.Requests() {
		if r.Path == "deviceManagement/managedDevices" {
			lists++
		}
	}
	if lists != 1 || len(w.managed()) != 20 {
		t.Errorf("%d lists, %d devices", lists, len(w.managed()))
	}
	// both read what is assigned to devices as fast as they may
	for _, c := range nodes {
		all.Go(func() {
			for _, d := range w.tenant.Devices() {
				if err := c.Refresh(background(), fleet.DeviceID(d.ID), 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	requests := w.site.Requests()
	for i, r := range requests {
		reports, reads := 0, 0
		for _, other := range requests[i:] {
			if other.At.Sub(r.At) >= 20*time.Second {
				break
			}
			if strings.Contains(other.Path, "/reports/") {
				reports++
			} else {
				reads++
			}
		}
		if reports > 61 || reads > 1000 {
			t.Fatalf("%d reports and %d reads in 20 seconds", reports, reads)
		}
	}
}
