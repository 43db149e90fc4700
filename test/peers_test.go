package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// The tests of this file are troubles that users of other servers report, each shown not to happen
// here.

// phone is a site with one enrolled phone that has everything assigned.
func onePhone(t *testing.T) (*site, *simulator.Device, payload, payload) {
	t.Helper()
	s := newSite(t)
	vpn, app := s.profile("com.example.vpn"), s.app(0)
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone})
	s.eventually("everything assigned is installed and seen",
		func() bool { return has(phone, vpn, app) && s.due(phone) == 0 })
	return s, phone, vpn, app
}

func (s *site) ends(d *simulator.Device, what string) result {
	s.Helper()
	s.eventually(what, func() bool { return s.result(d).final() })
	return s.result(d)
}

// An item whose acknowledgement got lost stays pending for ever.
func TestLostAcknowledgementIsHealed(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.LoseAnswer})
	s.sync(phone, vpn)
	if r := s.ends(phone, "the removal ends"); r.of(vpn) != "remove/removed" {
		t.Fatalf("shown is %+v", r)
	}
}

// Removing what was never delivered ends in "not found", shown as failed with no way to clear it.
func TestRemovalBeforeDelivery(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	phone.SetLocked(true) // takes no profile
	wifi := s.profile("com.example.wifi")
	s.eventually("the installation is put off", func() bool {
		return slices.ContainsFunc(phone.Journal(), func(e simulator.Entry) bool {
			return e.Identifier == wifi.Identifier && e.Status == "NotNow"
		})
	})
	s.sync(phone, wifi)
	phone.SetLocked(false)
	if r := s.ends(phone, "the removal ends"); r.ActionState != "done" ||
		r.of(wifi) != "remove/removed" {
		t.Fatalf("shown is %+v", r)
	}
	if !has(phone, vpn, app) {
		t.Fatalf("the phone has %v", inventory(phone))
	}
}

// A postponed installation lands after the removal and silently brings the item back.
func TestPostponedInstallDoesNotComeBack(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	s.sync(phone, vpn)
	s.ends(phone, "the removal ends")
	phone.SetLocked(true)
	s.sync(phone)
	s.eventually("the restoration is put off", func() bool {
		return strings.Contains(s.result(phone).DeviceActionPayloads[0].Detail, "not now")
	})
	s.sync(phone, vpn)
	phone.SetLocked(false)
	if r := s.ends(phone, "the second removal ends"); r.of(vpn) != "remove/removed" ||
		!has(phone, app) {
		t.Fatalf("shown is %+v, the phone has %v", r, inventory(phone))
	}
	s.must("POST", "/beta/deviceManagement/managedDevices/"+s.ids[phone]+"/syncDevice", nil, nil)
	s.eventually("the next contact",
		func() bool { return !has(phone, vpn, app) && len(phone.Journal()) > 0 })
	if !has(phone, app) {
		t.Fatalf("later the phone has %v", inventory(phone))
	}
}

// The job that wakes devices again ignores "not now" and keeps them busy.
func TestNotNowIsRespected(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	phone.SetLocked(true)
	s.sync(phone, vpn)
	s.eventually("the removal is put off and the connection over", func() bool {
		return strings.Contains(s.result(phone).DeviceActionPayloads[0].Detail, "not now") &&
			s.due(phone) > 21*time.Minute
	})
	pushes := s.gateway.Stats().Delivered
	for range 20 * 60 {
		s.clock.Advance(time.Second)
	}
	s.sweep()
	if n := s.gateway.Stats().Delivered; n != pushes {
		t.Errorf("a phone that said not now was woken %d times in 20 minutes", n-pushes)
	}
	phone.SetLocked(false)
	if r := s.ends(phone, "the removal ends"); r.of(vpn) != "remove/removed" {
		t.Fatalf("shown is %+v", r)
	}
}

func (s *site) sweep() {
	if err := s.server.Engine().Sweep(s.Context()); err != nil {
		s.Error(err)
	}
}

// The push expires while the device is off, and the removal is never sent.
func TestDeviceIsWokenAgain(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	phone.SetOnline(false)
	before := s.gateway.Stats().Delivered
	status, answer := s.callWith("syncPayloads", phone, map[string]string{"Restore-After": "0"},
		vpn)
	if status != http.StatusNoContent {
		t.Fatalf("%d %s", status, answer)
	}
	woken := func() int64 { return s.gateway.Stats().Delivered - before }
	s.eventually("the first push", func() bool { return woken() > 0 })
	for day := range int64(3) {
		have := woken()
		s.clock.Advance(24 * time.Hour)
		s.eventually(fmt.Sprintf("a push on day %d", day+1), func() bool { return woken() > have })
	}
	phone.SetOnline(true)
	if r := s.ends(phone, "the removal ends"); r.of(vpn) != "remove/removed" {
		t.Fatalf("shown is %+v", r)
	}
}

// Commands of the same second change places.
func TestOrderWithinOneInstant(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	phone.SetOnline(false)
	for range 5 { // all at the same time of the clock
		s.sync(phone, vpn)
		s.sync(phone, app)
		s.sync(phone, vpn, app)
		s.sync(phone)
		s.sync(phone, app)
	}
	phone.SetOnline(true)
	if r := s.ends(phone, "the last call ends"); r.of(app) != "remove/removed" ||
		r.ActionState != "done" {
		t.Fatalf("shown is %+v", r)
	}
	if !has(phone, vpn) {
		t.Fatalf("the phone has %v", inventory(phone))
	}
}

// An app is shown as installed after its user declined it.
func TestDeclinedApp(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	s.sync(phone, app)
	s.ends(phone, "the removal ends")
	phone.AddHook(simulator.Hook{RequestType: "InstallApplication", Effect: simulator.UserReject})
	s.sync(phone)
	r := s.ends(phone, "the restoration ends")
	if line := r.DeviceActionPayloads[0]; r.ActionState != "failed" || line.Status != "error" ||
		!strings.Contains(line.Detail, "UserRejected") {
		t.Fatalf("shown is %+v", r)
	}
	// It can be tried again: it is still what an action took off.
	s.sync(phone)
	if r := s.ends(phone, "the second try ends"); r.of(app) != "restore/succeeded" ||
		!has(phone, vpn, app) {
		t.Fatalf("shown is %+v", r)
	}
}

// The device's own errors reach the admin whole: first code, all texts.
func TestErrorChain(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	s.sync(phone, vpn)
	s.ends(phone, "the removal ends")
	phone.AddHook(simulator.Hook{RequestType: "InstallProfile", Effect: simulator.AnswerError,
		Chain: []simulator.ErrorLink{
			{Domain: "MCProfileErrorDomain", Code: 1009,
				Description: "The profile could not be installed"},
			{Domain: "MCVPNErrorDomain", Code: 15000,
				Description: "The VPN service could not be created"}}})
	s.sync(phone)
	line := s.ends(phone, "the restoration ends").DeviceActionPayloads[0]
	if line.Status != "error" || line.ErrorCode != 1009 {
		t.Fatalf("shown is %+v", line)
	}
	for _, text := range []string{"MCProfileErrorDomain", "could not be installed",
		"MCVPNErrorDomain", "15000", "could not be created"} {
		if !strings.Contains(line.Detail, text) {
			t.Errorf("the detail does not have %q: %s", text, line.Detail)
		}
	}
}
