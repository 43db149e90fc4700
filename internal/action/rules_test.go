package action_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// bench is one device with example payloads, driven step by step.
type bench struct {
	*testing.T
	d   *action.Device
	now time.Time
	ids int
}

// newBench returns a device that has n assigned configurations p0, p1, ... installed and seen.
func newBench(t *testing.T, n int) *bench {
	b := &bench{T: t, d: &action.Device{}, now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}
	b.d.Enroll(b.step(), "")
	b.assign(1, n)
	b.serve(n)
	return b
}

func (b *bench) step() action.Step {
	return action.Step{Now: b.now, Policy: action.DefaultPolicy, NewID: func() string { b.ids++; return "t" + strconv.Itoa(b.ids) }}
}

func (b *bench) assign(version int64, n int) {
	var specs []action.Spec
	for i := range n {
		specs = append(specs, spec(pid(i), action.DeviceConfiguration, version))
	}
	b.d.Assign(b.step(), specs)
}

func pid(i int) action.PayloadID { return action.PayloadID("p" + strconv.Itoa(i)) }

func selection(ids ...int) (set []action.Selection) {
	for _, i := range ids {
		set = append(set, action.Selection{ID: pid(i), Type: action.DeviceConfiguration})
	}
	return set
}

func (b *bench) start(name action.Name, after time.Duration, ids ...int) error {
	b.Helper()
	b.ids++
	_, _, err := b.d.Start(b.step(), action.Request{ID: action.ActionID("a" + strconv.Itoa(b.ids)), Name: name, Actor: "admin",
		Set: selection(ids...), RestoreAfter: after})
	return err
}

func (b *bench) next() action.Task {
	b.Helper()
	task, ok := b.d.Next(b.step())
	if !ok {
		b.Fatal("no task for the device")
	}
	return task
}

func (b *bench) answer(t action.Task, o action.Outcome) { b.d.Answer(b.step(), t.ID, o) }

// list is the inventory of a device that has these payloads in this version.
func list(version int64, ids ...int) action.Outcome {
	var o action.Outcome
	for _, i := range ids {
		s := spec(pid(i), action.DeviceConfiguration, version)
		o.Sightings = append(o.Sightings, action.Sighting{Identifier: s.Identifier, Revision: s.Revision, Present: true})
	}
	return o
}

// serve lets the device do all it is asked, where its profiles afterwards are p0 to p(n-1).
func (b *bench) serve(n int) {
	var ids []int
	for i := range n {
		ids = append(ids, i)
	}
	for {
		task, ok := b.d.Next(b.step())
		if !ok {
			return
		}
		o := action.Outcome{}
		if n > 0 && task.Kind == action.TakeInventory && task.Class == action.Profiles {
			o = list(b.d.Payloads[0].Version, ids...)
		}
		b.answer(task, o)
	}
}

// shown is one payload's result as "intent status code detail", and the action's state.
func (b *bench) shown(i int) string {
	for _, r := range b.d.Action.Results {
		if r.Payload == pid(i) {
			return fmt.Sprintf("%d %d %d %s", r.Intent, r.Status, r.Code, r.Detail)
		}
	}
	return "none"
}

func (b *bench) expect(i int, want string) {
	b.Helper()
	if got := b.shown(i); !strings.HasPrefix(got, want) {
		b.Fatalf("payload %d shows %q, want %q", i, got, want)
	}
}

func (b *bench) expectState(want action.State) {
	b.Helper()
	if got := b.d.Action.State; got != want {
		b.Fatalf("action state is %d, want %d", got, want)
	}
}

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
		b.expect(0, fmt.Sprintf("0 1 0 attempt %d of 5 failed: busy (code 42); next try at %s", i+1, b.now.Add(wait).Format(time.RFC3339)))
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
	b.answer(b.next(), action.Outcome{Verdict: action.Permanent, Code: 4001, Detail: "MCInstallationErrorDomain 4001: no"})
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
	working := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier, Working: true, Detail: "Installing"}}}
	b.answer(b.next(), working)
	if r := b.d.Action.Results[0]; r.Status != action.InProgress || r.Detail != "Installing" {
		t.Fatalf("shown as %+v", r)
	}
	if b.d.Ready(b.now) {
		t.Fatal("looked at again at once")
	}
	b.now = b.d.NextDue(b.now)
	rejected := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier, Failed: true, Code: 7, Detail: "UserRejected"}}}
	b.answer(b.next(), rejected)
	if r := b.d.Action.Results[0]; r.Status != action.Error || r.Code != 7 || r.Detail != "UserRejected" {
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
	b.expect(0, fmt.Sprintf("0 3 %d acknowledged, but the device refuses its inventory: no list (code 9)", action.CodeNotVerified))
}

func TestAutomaticRestore(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.ChangeAssignments, 8*time.Hour, 0)
	b.serveWithout(0)
	if due := b.d.NextDue(b.now); !due.Equal(b.now.Add(8 * time.Hour)) {
		t.Fatalf("restore is due %s", due)
	}
	// The same set again restarts the clock and sends nothing.
	b.now = b.now.Add(7 * time.Hour)
	_ = b.start(action.ChangeAssignments, 8*time.Hour, 0)
	b.expect(0, "0 2 0")
	b.expectState(action.Done)
	if due := b.d.NextDue(b.now); !due.Equal(b.now.Add(8 * time.Hour)) {
		t.Fatalf("the clock did not start again: %s", due)
	}
	b.now = b.now.Add(8 * time.Hour)
	if _, started := b.d.RestoreExpired(b.step(), "system"); !started {
		t.Fatal("nothing was restored")
	}
	if a := b.d.Action; a.Actor != action.SystemActor || a.Name != action.ChangeAssignments {
		t.Fatalf("restored by %s as %s", a.Actor, a.Name)
	}
	b.serve(2)
	b.expect(0, "1 4 0")
}

func (b *bench) serveWithout(gone int) {
	for {
		task, ok := b.d.Next(b.step())
		if !ok {
			return
		}
		o := action.Outcome{}
		if task.Kind == action.TakeInventory {
			for i, p := range b.d.Payloads {
				if i != gone {
					o.Sightings = append(o.Sightings, action.Sighting{Identifier: p.Identifier, Revision: p.Revision, Present: true})
				}
			}
		}
		b.answer(task, o)
	}
}

func TestRemovalNeverDeliveredIsWithdrawn(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, time.Hour, 0)
	b.now = b.now.Add(time.Hour)
	if superseded, _ := b.d.RestoreExpired(b.step(), "system"); superseded == nil || superseded.State != action.Canceled {
		t.Fatalf("the removal is %+v, want canceled", superseded)
	}
	b.expect(0, "1 4 0 the removal was withdrawn")
	b.expectState(action.Done)
	if task, ok := b.d.Next(b.step()); ok {
		t.Fatalf("the device comes back and is sent %+v", task)
	}
}

func TestAssignmentEndedWhileRemoved(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.assign(1, 0)
	_ = b.start(action.SyncPayloads, 0)
	b.expect(0, "1 2 0 not restored: its assignment ended")
	b.expectState(action.Done)
	if len(b.d.Payloads) != 0 {
		t.Fatalf("the record stays: %+v", b.d.Payloads[0])
	}
}

func TestSupersede(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0)
	held := b.next()
	first := b.d.Action
	_ = b.start(action.SyncPayloads, 0, 1)
	if first.State != action.Canceled || first.Results[0].Code != action.CodeSuperseded {
		t.Fatalf("the earlier action is %+v", first)
	}
	b.expect(0, "1 0 0")
	b.answer(held, action.Outcome{Verdict: action.Permanent, Code: 5, Detail: "late"})
	b.expect(0, "1 0 0") // the late answer is not this action's
}

func TestLateInstallAfterVerifiedRemoval(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	_ = b.start(action.SyncPayloads, 0)
	late := b.next() // the device holds this installation for long
	_ = b.start(action.SyncPayloads, 0, 0)
	b.serve(0)
	b.expect(0, "0 2 0")
	b.answer(late, action.Outcome{})
	b.answer(b.next(), list(1, 0)) // and there it is again
	if task := b.next(); task.Kind != action.Uninstall {
		t.Fatalf("the device has what was asked to be off and is sent %+v", task)
	}
	b.expect(0, "0 2 0")
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
		"wrong type":   {[]action.Selection{{ID: pid(0), Type: action.Application}}, action.WrongType, 0},
		"31 payloads":  {selection(many...), action.TooMany, 31},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 40)
			_, _, err := b.d.Start(b.step(), action.Request{ID: "a", Name: action.SyncPayloads, Set: c.set})
			var refusal *action.Refusal
			if !errors.As(err, &refusal) || refusal.Reason != c.reason || refusal.Index != c.index || b.d.Action != nil {
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

func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(*bench)
		state action.State
		code  int64
	}{
		"wiped":       {func(b *bench) { b.d.Enroll(b.step(), "") }, action.Canceled, action.CodeUnenrolled},
		"checked out": {func(b *bench) { b.d.Unenroll(b.step()) }, action.Canceled, action.CodeUnenrolled},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1)
			_ = b.start(action.SyncPayloads, 0, 0)
			task := b.next()
			c.end(b)
			b.expectState(c.state)
			b.expect(0, fmt.Sprintf("0 3 %d", c.code))
			b.assign(1, 1)
			b.answer(task, action.Outcome{})
			if p := b.d.Find(pid(0)); p.Away || p.Presence != action.Unknown {
				t.Fatalf("the device does not start clean: %+v", p)
			}
		})
	}
}

func TestDeviceThatCannotDoIt(t *testing.T) {
	b := &bench{T: t, d: &action.Device{}, now: time.Now()}
	b.d.Enroll(b.step(), "a user enrollment cannot do it")
	b.assign(1, 1)
	if err := b.start(action.SyncPayloads, 0, 0); err != nil {
		t.Fatal(err)
	}
	b.expectState(action.NotSupported)
	b.expect(0, fmt.Sprintf("0 3 %d a user enrollment cannot do it", action.CodeNotSupported))
	if b.d.Find(pid(0)).Away {
		t.Fatal("it counts as removed")
	}
}

func TestRepeatedCallChangesNothing(t *testing.T) {
	b := newBench(t, 2)
	_ = b.start(action.SyncPayloads, time.Hour, 0, 1)
	first := b.d.Action
	_ = b.start(action.SyncPayloads, time.Hour, 1, 0)
	if b.d.Action != first {
		t.Fatal("the same set in force was started again")
	}
	_ = b.start(action.ChangeAssignments, time.Hour, 1, 0)
	if b.d.Action == first {
		t.Fatal("a call under the other name is another action")
	}
}

// An app's configuration waits for the app, fails with it, and is set again when it comes back.
func TestConfigurationFollowsItsApp(t *testing.T) {
	b := newBench(t, 0)
	app := action.Spec{ID: "app", Type: action.Application, Identifier: "com.example.app", Version: 1}
	configuration := action.Spec{ID: "config", Type: action.AppConfiguration, Identifier: app.Identifier, Revision: "r", Version: 1}
	b.d.Assign(b.step(), []action.Spec{configuration, app})
	there := action.Outcome{Sightings: []action.Sighting{{Identifier: app.Identifier, Present: true}}}
	expectNext := func(kind action.TaskKind, id action.PayloadID, class action.Class, o action.Outcome) {
		t.Helper()
		task := b.next()
		if task.Kind != kind || task.Payload.ID != id || task.Class != class {
			t.Fatalf("next is %+v", task)
		}
		b.answer(task, o)
	}
	expectNext(action.Install, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, there)
	expectNext(action.Install, "config", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.AppConfigurations, there)

	set := []action.Selection{{ID: "app", Type: action.Application}}
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "a", Name: action.SyncPayloads, Set: set}); err != nil {
		t.Fatal(err)
	}
	expectNext(action.Uninstall, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, action.Outcome{})
	b.expectState(action.Done)

	if _, _, err := b.d.Start(b.step(), action.Request{ID: "b", Name: action.SyncPayloads}); err != nil {
		t.Fatal(err)
	}
	expectNext(action.Install, "app", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.Apps, there)
	b.expectState(action.Done)
	expectNext(action.TakeInventory, "", action.AppConfigurations, action.Outcome{}) // it went with the app
	expectNext(action.Install, "config", 0, action.Outcome{})
	expectNext(action.TakeInventory, "", action.AppConfigurations, there)
	if b.d.Ready(b.now) {
		t.Fatal("something is left to do")
	}
}
