package test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// The help desk's story: take the VPN off, look, put it back.
func TestRemoveAndRestore(t *testing.T) {
	s := newSite(t)
	wifi, vpn, mail := s.profile("com.example.wifi"), s.profile("com.example.vpn"), s.app(1)
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, Name: "Reception"})
	s.eventually("everything assigned is installed",
		func() bool { return has(phone, wifi, vpn, mail) })

	s.sync(phone, vpn, mail)
	s.eventually("the removal ends", func() bool { return s.result(phone).final() })
	r := s.result(phone)
	if r.ActionState != "done" || r.of(vpn) != "remove/removed" || r.of(mail) != "remove/removed" {
		t.Fatalf("shown is %+v", r)
	}
	if !has(phone, wifi) {
		t.Fatalf("the phone has %v", inventory(phone))
	}

	s.sync(phone, mail)
	s.eventually("the restoration ends", func() bool { return s.result(phone).final() })
	if r := s.result(phone); r.of(vpn) != "restore/succeeded" || r.of(mail) != "remove/removed" ||
		r.ActionState != "done" {
		t.Fatalf("shown is %+v", r)
	}
	if !has(phone, wifi, vpn) {
		t.Fatalf("the phone has %v", inventory(phone))
	}

	// Eight hours later the server puts back what is left by itself.
	s.clock.Advance(server8h)
	s.eventually("the automatic restore",
		func() bool { return has(phone, wifi, vpn, mail) && s.result(phone).final() })
	if r := s.result(phone); r.of(mail) != "restore/succeeded" {
		t.Fatalf("shown is %+v", r)
	}
}

const server8h = server.DefaultRestoreAfter
