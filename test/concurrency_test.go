package test

import (
	"database/sql"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// 64 calls at once leave one action in force, and the device as that one asked.
func TestSimultaneousCalls(t *testing.T) {
	s := newSite(t)
	var all []payload
	for i := range int64(8) {
		all = append(all, s.app(i))
	}
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone})
	s.eventually("everything assigned is installed", func() bool { return has(phone, all...) })

	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			var set []payload
			for _, p := range all {
				if random.IntN(2) == 0 {
					set = append(set, p)
				}
			}
			if status, answer := s.post(phone, "syncPayloads",
				set); status != http.StatusNoContent {
				t.Errorf("%d %s", status, answer)
			}
		})
	}
	wg.Wait()
	open, last := s.actions(phone)
	if open > 1 {
		t.Fatalf("%d actions are in force", open)
	}
	r := s.ends(phone, "the last call ends")
	var left []payload
	for _, p := range all {
		if r.of(p) != "remove/removed" {
			left = append(left, p)
		}
	}
	if r.ActionState != "done" || len(all)-len(left) != last || !has(phone, left...) {
		t.Fatalf("shown is %+v, the last set had %d, the phone has %v", r, last, inventory(phone))
	}
}

// actions counts the device's actions that have not ended, in the database itself, and the latest
// one's set.
func (s *site) actions(d *simulator.Device) (open, set int) {
	s.Helper()
	s.query(&open, "SELECT count(*) FROM actions WHERE state IN ($1, $2) AND device_id = $3",
		action.Pending, action.Active, s.ids[d])
	var doc []byte
	s.query(&doc, "SELECT doc FROM actions WHERE device_id = $1 ORDER BY number DESC LIMIT 1",
		s.ids[d])
	var latest action.Action
	if err := json.Unmarshal(doc, &latest); err != nil {
		s.Fatal(err)
	}
	return open, len(latest.Set)
}

// A phone that sends every answer twice ends as asked all the same.
func TestRepeatedAnswers(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	phone.SetFaults(simulator.Faults{RepeatedAnswer: 1})
	s.sync(phone, vpn, app)
	if r := s.ends(phone, "the removal ends"); r.ActionState != "done" || !has(phone) {
		t.Fatalf("shown is %+v, the phone has %v", r, inventory(phone))
	}
	s.sync(phone)
	if r := s.ends(phone, "the restoration ends"); r.ActionState != "done" ||
		!has(phone, vpn, app) {
		t.Fatalf("shown is %+v, the phone has %v", r, inventory(phone))
	}
}

// An answer to a command that the server never sent loses nothing that is queued.
func TestUnknownAnswer(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	phone.SetOnline(false)
	s.sync(phone, vpn, app)
	next, err := s.server.Engine().Answer(t.Context(), fleet.DeviceID(s.ids[phone]),
		engine.Report{Task: "unknown"})
	if err != nil || next == nil {
		t.Fatalf("next is %+v, %v", next, err)
	}
	phone.SetOnline(true)
	if r := s.ends(phone, "the removal ends"); r.ActionState != "done" || !has(phone) {
		t.Fatalf("shown is %+v, the phone has %v", r, inventory(phone))
	}
}

// A phone that is wiped and enrolled anew in the middle starts clean, and an answer from before
// changes nothing.
func TestReEnrollment(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	id := fleet.DeviceID(s.ids[phone])
	phone.SetOnline(false)
	s.sync(phone, vpn)
	// the phone takes the removal and is wiped before it answers
	held, err := s.server.Engine().Idle(t.Context(), id)
	if err != nil || held == nil {
		t.Fatalf("the phone was handed %+v, %v", held, err)
	}
	phone.Wipe()
	phone.SetOnline(true)
	s.enrollAgain(phone)
	if s.ids[phone] != string(id) {
		t.Fatalf("the phone is managed as %s and as %s", id, s.ids[phone])
	}
	if r := s.result(phone); r.ActionState != "canceled" {
		t.Fatalf("shown is %+v", r)
	}
	if _, err := s.server.Engine().Answer(t.Context(), id,
		engine.Report{Task: held.ID}); err != nil {
		t.Fatal(err)
	}
	s.eventually("everything assigned is installed anew",
		func() bool { return has(phone, vpn, app) })
	if r := s.result(phone); r.ActionState != "canceled" {
		t.Fatalf("a final state changed: %+v", r)
	}
}

// The queue leaves nothing behind: after a hundred calls the device's record is no larger than
// after one.
func TestNothingPilesUp(t *testing.T) {
	s, phone, vpn, app := onePhone(t)
	cycle := func() {
		s.sync(phone, vpn, app)
		s.ends(phone, "the removal ends")
		s.sync(phone)
		s.ends(phone, "the restoration ends")
	}
	cycle()
	first := s.ledgerSize(phone)
	for range 50 {
		cycle()
	}
	if last := s.ledgerSize(phone); last > first+first/10 {
		t.Fatalf("the device's record grew from %d to %d bytes", first, last)
	}
}

func (s *site) ledgerSize(d *simulator.Device) (size int) {
	s.Helper()
	s.query(&size, "SELECT length(doc) FROM ledgers WHERE device_id = $1", s.ids[d])
	return size
}

// due is how long it is until the server does something about the device by itself; 0: it has
// nothing to do.
func (s *site) due(d *simulator.Device) time.Duration {
	s.Helper()
	var at sql.NullInt64
	s.query(&at, "SELECT due_at FROM ledgers WHERE device_id = $1", s.ids[d])
	if !at.Valid {
		return 0
	}
	return max(1, time.UnixMicro(at.Int64).Sub(s.clock.Now()))
}

// query reads one value from the database beside the running server.
func (s *site) query(into any, text string, args ...any) {
	s.Helper()
	storetest.Query(s, s.config.Database, into, text, args...)
}
