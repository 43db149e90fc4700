package test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// A phone takes a removal and is silent. It is restored meanwhile, as its inventory shows; then the
// phone does what it was told first. The server finds out, and puts it back, and what it says of
// the action in force stays.
func TestLateRemoval(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Effect: simulator.AnswerLate})
	s.sync(phone, vpn)
	s.eventually("the phone takes the command",
		func() bool { _, pending := phone.Late(); return pending })
	s.sync(phone)
	if r := s.ends(phone, "the restoration ends"); r.ActionState != "done" ||
		!has(phone, vpn, app) {
		t.Fatalf("shown is %+v, the phone has %v", r, inventory(phone))
	}
	for n := 0; n == 0; n, _ = phone.Late() {
		if err := phone.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s.eventually("what was removed late is put back",
		func() bool { return has(phone, vpn, app) && s.due(phone) == 0 })
	if r := s.result(phone); r.ActionState != "done" || r.of(vpn) != "restore/succeeded" {
		t.Errorf("shown is %+v", r)
	}
}
