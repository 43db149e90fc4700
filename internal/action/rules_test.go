package action_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

func TestRemovalIsVerifiedBeforeItCounts(t *testing.T) {
	b := newBench(t, 2)
	if err := b.start(action.SyncPayloads, 0, 0); err != nil {
		t.Fatal(err)
	}
	b.expect(0, "0 0 0")
	b.expectState(action.Pending)
	b.d.Contact()
	remove := b.next()
	b.expect(0, "0 1 0 sent to the device")
	b.expectState(action.Active)
	b.answer(remove, action.Outcome{Verdict: action.NotFound, Detail: "no such profile"})
	b.expect(0, "0 1 0 acknowledged, verifying")
	inventory := b.next()
	if inventory.Kind != action.TakeInventory || inventory.Class != action.Profiles {
		t.Fatalf("after the removal comes %+v, not an inventory of profiles", inventory)
	}
	b.answer(inventory, list(1, 1))
	b.expect(0, "0 2 0 the device did not have it: no such profile")
	b.expectState(action.Done)
}

func TestStaleInventoryDoesNotCount(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.answer(b.next(), action.Outcome{})
	stale := b.next() // p0 is off now; this answer is late
	_ = b.start(action.SyncPayloads, 0)
	b.answer(b.next(), action.Outcome{}) // p0 installed again
	b.answer(stale, list(1, 1))
	b.expect(0, "1 1 0 acknowledged, verifying")
	b.answer(b.next(), list(1, 0, 1))
	b.expect(0, "1 4 0")
}

func TestEditWhileInstalling(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	_ = b.start(action.SyncPayloads, 0)
	old := b.next()
	b.assign(2, 1)
	b.answer(old, action.Outcome{})
	renewed := b.next()
	if renewed.ID == old.ID || renewed.Payload.Version != 2 {
		t.Fatalf("the edited payload comes as %+v after %+v", renewed, old)
	}
	b.answer(renewed, action.Outcome{})
	b.answer(b.next(), list(2, 0))
	b.expect(0, "1 4 0")
}

func TestEditWhileRemovedIsNotPushed(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.assign(2, 1)
	if task, ok := b.d.Next(b.step()); ok {
		t.Fatalf("an edit of a removed payload sends %+v", task)
	}
	_ = b.start(action.SyncPayloads, 0)
	if task := b.next(); task.Kind != action.Install || task.Payload.Version != 2 {
		t.Fatalf("restored with %+v, want version 2", task)
	}
}

func TestNotNow(t *testing.T) {
	b := newBench(t, 3)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	first := b.next()
	b.answer(first, action.Outcome{Verdict: action.NotNow})
	b.expect(0, "0 1 0 the device said not now")
	second := b.next()
	if second.Payload.ID != pid(1) {
		t.Fatalf("after not now comes %+v, want the other payload", second)
	}
	b.answer(second, action.Outcome{})
	b.answer(b.next(), list(1, 0, 2))
	if task, ok := b.d.Next(b.step()); ok {
		t.Fatalf("sent again on the same connection: %+v", task)
	}
	b.d.Contact()
	if again := b.next(); again.ID != first.ID {
		t.Fatalf("the device came back and gets %+v, want %+v", again, first)
	}
}

func TestRetriesAreBounded(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	waits := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute}
	seen := map[action.TaskID]bool{}
	for i, wait := range waits {
		task := b.next()
		if seen[task.ID] {
			t.Fatalf("try %d has the id of an earlier one", i+1)
		}
		seen[task.ID] = true
		b.answer(task, action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"})
		b.expect(0, fmt.Sprintf("0 1 0 attempt %d of 5 failed: busy (code 42); next try at %s", i+1,
			b.now.Add(wait).Format(time.RFC3339)))
		if b.d.Ready(b.now.Add(wait-time.Second)) || !b.d.NextDue(b.now).Equal(b.now.Add(wait)) {
			t.Fatalf("try %d does not wait %s", i+2, wait)
		}
		b.now = b.now.Add(wait)
	}
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 42, Detail: "busy"})
	b.expect(0, "0 3 42 gave up after 5 attempts: busy")
	b.expectState(action.Failed)
}

func TestPermanentErrorEndsAtOnce(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, time.Hour, 0, 1)
	b.answer(b.next(), action.Outcome{Verdict: action.Permanent, Code: 4001,
		Detail: "MCInstallationErrorDomain 4001: no"})
	b.expect(0, "0 3 4001 MCInstallationErrorDomain 4001: no")
	b.expectState(action.Active)
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), list(1, 0))
	b.expect(1, "0 2 0")
	b.expectState(action.Failed)
}

func TestSlowAppIsLookedAtAgain(t *testing.T) {
	b := newBench(t, 0)
	app := spec("app", action.Application, 1)
	b.d.Assign(b.step(), []action.Spec{app})
	_, _, err := b.d.Start(b.step(), action.Request{ID: "a", Name: action.SyncPayloads,
		Set: []action.Selection{{ID: "app", Type: action.Application}}})
	if err != nil {
		t.Fatal(err)
	}
	b.serve(0)
	_, _, _ = b.d.Start(b.step(), action.Request{ID: "b", Name: action.SyncPayloads})
	b.answer(b.next(), action.Outcome{})
	working := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier,
		Working: true, Detail: "Installing"}}}
	b.answer(b.next(), working)
	if r := b.d.Action.Results[0]; r.Status != action.InProgress || r.Detail != "Installing" {
		t.Fatalf("shown as %+v", r)
	}
	if b.d.Ready(b.now) {
		t.Fatal("looked at again at once")
	}
	b.now = b.d.NextDue(b.now)
	rejected := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier,
		Failed: true, Code: 7, Detail: "UserRejected"}}}
	b.answer(b.next(), rejected)
	if r := b.d.Action.Results[0]; r.Status != action.Error || r.Code != 7 ||
		r.Detail != "UserRejected" {
		t.Fatalf("shown as %+v", r)
	}
}

func TestInventoryRefused(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.answer(b.next(), action.Outcome{})
	for range action.DefaultPolicy.MaxAttempts {
		b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 9, Detail: "no list"})
		if due := b.d.NextDue(b.now); !due.IsZero() {
			b.now = due
		}
	}
	b.expect(0,
		fmt.Sprintf("0 3 %d acknowledged, but the device refuses its inventory: no list (code 9)",
			action.CodeNotVerified))
}

func TestRefusals(t *testing.T) {
	many := make([]int, 31)
	for i := range many {
		many[i] = i
	}
	for name, c := range map[string]struct {
		set    []action.Selection
		reason action.Reason
		index  int
	}{
		"duplicate":    {selection(0, 1, 0), action.Duplicate, 2},
		"not assigned": {selection(0, 99), action.NotAssigned, 1},
		"wrong type": {[]action.Selection{{ID: pid(0), Type: action.Application}},
			action.WrongType, 0},
		"31 payloads": {selection(many...), action.TooMany, 31},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 40)
			_, _, err := b.d.Start(b.step(), action.Request{ID: "a", Name: action.SyncPayloads,
				Set: c.set})
			var refusal *action.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != c.reason ||
				refusal.Index != c.index || b.d.Action != nil {
				t.Fatalf("refused with %+v", err)
			}
		})
	}
}

func TestUnionOfRemoveAndRestoreIsLimited(t *testing.T) {
	b := newBench(t, 40)
	ids := make([]int, 30)
	for i := range ids {
		ids[i] = i
	}
	if err := b.start(action.SyncPayloads, 0, ids...); err != nil {
		t.Fatal(err)
	}
	if err := b.start(action.SyncPayloads, 0, 35); err == nil {
		t.Fatal("30 to restore and one to remove were accepted")
	}
	if err := b.start(action.SyncPayloads, 0, ids[1:]...); err != nil {
		t.Fatal(err)
	}
}
