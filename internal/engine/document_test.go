package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// documentChannel hands a device over what is wanted as one document. The device takes it, and
// reports, when a test says so.
type documentChannel struct {
	*testing.T
	*engine.Engine
	store  *store.Store
	clock  *clocktest.Clock
	id     fleet.DeviceID
	woken  chan fleet.DeviceID
	number int64
}

// Wake implements engine.Channel.
func (c *documentChannel) Wake(_ context.Context, id fleet.DeviceID) error {
	c.woken <- id
	return nil
}

const theirs fleet.Authority = "their system"

// newDocumentChannel runs a server whose one device is managed by a system and served by the
// channel.
func newDocumentChannel(t *testing.T, authority fleet.Authority) *documentChannel {
	t.Helper()
	c := &documentChannel{T: t, store: storetest.Open(t), woken: make(chan fleet.DeviceID, 100),
		clock: clocktest.New(time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC))}
	c.run()
	id, err := c.Enroll(t.Context(), fleet.Device{UDID: "1", Name: "one", Platform: fleet.IOS,
		Authority: authority}, "")
	if err != nil {
		t.Fatal(err)
	}
	c.id = id
	return c
}

// run starts a server on what the store has.
func (c *documentChannel) run() {
	c.Engine = engine.New(engine.Config{Store: c.store, Clock: c.clock,
		Log: slog.New(slog.DiscardHandler)})
	// serves who has another authority, or none
	other := &node{T: c.T, woken: make(chan fleet.DeviceID, 100)}
	c.AttachAuthority(theirs, c, fleet.IOS)
	c.Attach(other, fleet.IOS)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = c.Engine.Run(ctx) })
	c.Cleanup(func() {
		cancel()
		running.Wait()
		for len(other.woken) > 0 {
			c.Errorf("the channel of this server is asked to wake %s", <-other.woken)
		}
	})
}

func (c *documentChannel) wakes() {
	c.Helper()
	select {
	case <-c.woken:
	case <-time.After(10 * time.Second):
		c.Fatal("the channel is not woken")
	}
}

func (c *documentChannel) quiet() {
	c.Helper()
	if err := c.Sweep(c.Context()); err != nil {
		c.Fatal(err)
	}
	if len(c.woken) > 0 {
		c.Fatal("the channel is woken")
	}
}

func (c *documentChannel) hand() *engine.Document {
	c.Helper()
	doc, err := c.HandDocument(c.Context(), c.id)
	if err != nil {
		c.Fatal(err)
	}
	return doc
}

// report tells what the device made of a document: the payloads that it shows, and how it took
// others.
func (c *documentChannel) report(doc *engine.Document, shown []action.PayloadID,
	outcomes map[action.PayloadID]action.Outcome) engine.DocumentReport {
	c.Helper()
	c.number++
	r := engine.DocumentReport{DocumentReport: action.DocumentReport{Number: c.number,
		Mark: doc.Mark, Outcomes: outcomes,
		Sightings: map[action.PayloadID]action.Sighting{}}, At: c.clock.Now()}
	for _, s := range slices.Concat(doc.Wanted, doc.HeldOff, doc.Ended) {
		r.Sightings[s.ID] = action.Sighting{Revision: s.Revision,
			Present: slices.Contains(shown, s.ID)}
	}
	c.take(r)
	return r
}

func (c *documentChannel) take(r engine.DocumentReport) {
	c.Helper()
	if err := c.TakeReport(c.Context(), c.id, r); err != nil {
		c.Fatal(err)
	}
}

func (c *documentChannel) remove(ids ...action.PayloadID) {
	c.Helper()
	never := time.Duration(0)
	if err := c.Start(c.Context(), c.id, engine.Call{Name: action.SyncPayloads, Actor: "admin",
		RestoreAfter: &never,
		Set:          apps(ids...)}); err != nil {
		c.Fatal(err)
	}
}

func apps(ids ...action.PayloadID) (set []action.Selection) {
	for _, id := range ids {
		set = append(set, action.Selection{ID: id, Type: action.Application})
	}
	return set
}

// result is the latest action's result of a payload, and the action's state, as the store has them.
func (c *documentChannel) result(id action.PayloadID) (action.Result, action.State) {
	c.Helper()
	actions, err := c.Actions(c.Context(), c.id)
	if err != nil || len(actions) == 0 {
		c.Fatalf("%d actions, %v", len(actions), err)
	}
	for _, r := range actions[0].Results {
		if r.Payload == id {
			return r, actions[0].State
		}
	}
	c.Fatalf("the latest action has no result of %s", id)
	return action.Result{}, 0
}

func (c *documentChannel) expect(id action.PayloadID, status action.Status, step action.Step,
	state action.State) action.Result {
	c.Helper()
	r, got := c.result(id)
	if r.Status != status || r.Step != step || got != state {
		c.Fatalf("%s: status %d, step %d, action %d (%s); want %d, %d, %d", id, r.Status, r.Step,
			got, r.Detail, status, step, state)
	}
	return r
}

// A removal goes out in one document, waits for the device however long, and ends by a report on
// that document alone. It survives a restart at every point, and its events are in the log.
func TestDocumentChannel(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	a, b := assign(t, c.store, c.clock, appA), assign(t, c.store, c.clock, appB)
	c.quietSoon()
	first := c.hand()
	if len(first.Wanted) != 2 || first.Contents[a] == nil || first.Contents[b] == nil ||
		len(first.HeldOff)+len(first.Ended) > 0 {
		t.Fatalf("the first document is %+v", first)
	}
	early := c.report(first, []action.PayloadID{a, b}, nil)

	c.remove(a)
	c.wakes()
	c.expect(a, action.Initiated, action.StepAsked, action.Pending)
	second := c.hand()
	if len(second.Wanted) != 1 || second.Wanted[0].ID != b || len(second.HeldOff) != 1 ||
		second.HeldOff[0].ID != a || second.Contents[a] == nil || second.Mark <= first.Mark {
		t.Fatalf("the second document is %+v", second)
	}
	c.expect(a, action.Initiated, action.StepHandedOver, action.Pending)

	c.run() // a server that starts anew knows all of it
	c.report(second, []action.PayloadID{b},
		map[action.PayloadID]action.Outcome{a: {Verdict: action.Waiting, Detail: "accepted"}})
	if r := c.expect(a, action.Initiated, action.StepHandedOver,
		action.Pending); r.Detail != "accepted" {
		t.Errorf("the detail is %q", r.Detail)
	}
	c.clock.Advance(30 * 24 * time.Hour) // no clock runs before the device has it
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.wakes()
	c.expect(a, action.Initiated, action.StepHandedOver, action.Pending)

	// newer, of the older document: the device does not have it, for another reason
	c.report(first, []action.PayloadID{b}, nil)
	c.take(early)
	c.expect(a, action.Initiated, action.StepHandedOver, action.Pending)
	c.report(second, []action.PayloadID{a, b}, map[action.PayloadID]action.Outcome{a: {}})
	c.expect(a, action.InProgress, action.StepFailing, action.Active)
	c.clock.Advance(time.Hour)
	third := c.hand()
	c.report(third, []action.PayloadID{b}, nil)
	c.expect(a, action.Removed, action.StepVerified, action.Done)
	c.quietSoon()

	var told []string
	events, err := c.store.Events(t.Context(), c.id, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == live.PayloadChanged {
			told = append(told, stepNames[e.Result.Step])
		}
	}
	if got := strings.Join(told,
		" "); got != "asked handedOver handedOver failing handedOver verified" {
		t.Errorf("the log tells %s", got)
	}
}

var stepNames = map[action.Step]string{action.StepAsked: "asked",
	action.StepHandedOver: "handedOver", action.StepFailing: "failing",
	action.StepAcknowledged: "acknowledged", action.StepVerified: "verified",
	action.StepFailed: "failed"}

// quietSoon lets wake-ups arrive that are on their way, and holds that there are no more.
func (c *documentChannel) quietSoon() {
	c.Helper()
	if err := c.Sweep(c.Context()); err != nil {
		c.Fatal(err)
	}
	for len(c.woken) > 0 {
		<-c.woken
	}
}

// A channel that was handed what is wanted is woken to look again after waits that grow, and not at
// once.
func TestDocumentIsWaitedFor(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	a := assign(t, c.store, c.clock, appA)
	if err := c.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.wakes()
	doc := c.hand()
	c.report(doc, []action.PayloadID{a}, nil)
	for len(c.woken) > 0 {
		<-c.woken
	}
	c.quiet()
	c.remove(a)
	c.wakes()
	c.hand()
	for _, wait := range []time.Duration{time.Minute, 4 * time.Minute, 16 * time.Minute,
		64 * time.Minute} {
		c.clock.Advance(wait - time.Second)
		c.quiet()
		c.clock.Advance(time.Second)
		if err := c.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.wakes()
		c.hand() // it looks, and has nothing new to hand over
	}
}

// What is edited after it was handed over is not fulfilled by a report on the document of before.
func TestDocumentOfAnOlderVersion(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	a := assign(t, c.store, c.clock, appA)
	doc := c.hand()
	c.report(doc, []action.PayloadID{a}, nil)
	c.remove(a)
	removal := c.hand()
	c.report(removal, nil, nil)
	c.expect(a, action.Removed, action.StepVerified, action.Done)
	c.remove() // comes back
	back := c.hand()
	c.report(removal, []action.PayloadID{a}, nil)
	c.expect(a, action.Initiated, action.StepHandedOver, action.Pending)
	c.report(back, []action.PayloadID{a}, nil)
	c.expect(a, action.Succeeded, action.StepVerified, action.Done)
	err := c.TakeReport(t.Context(), "nobody", engine.DocumentReport{})
	if !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("a report of an unknown device: %v", err)
	}
	if _, err := c.HandDocument(t.Context(), "nobody"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("a document for an unknown device: %v", err)
	}
}

// A report changes what is known of the device itself, and when it was last in contact, by the
// device's own time.
func TestFactsOfReport(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	c.clock.Advance(24 * time.Hour)
	at := c.clock.Now().Add(-time.Hour)
	c.take(engine.DocumentReport{DocumentReport: action.DocumentReport{Number: 1},
		Facts: &fleet.Facts{Device: fleet.Device{Name: "two"}}, At: at})
	c.take(engine.DocumentReport{DocumentReport: action.DocumentReport{Number: 1},
		Facts: &fleet.Facts{Device: fleet.Device{Name: "late"}}, At: at.Add(-time.Hour)})
	c.clock.Advance(time.Minute)
	c.quietSoon()
	d, err := c.store.Device(t.Context(), c.id)
	if err != nil || d.Name != "two" || !d.LastSync.Equal(at) || d.Authority != theirs {
		t.Errorf("the device is %+v, %v; want the name two, seen at %s", d, err, at)
	}
}

// What another system installs is taken off and given back, and nothing else is ever asked for it.
func TestMirroredPayloads(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	wifi := action.Spec{ID: "wifi", Type: action.Application, DisplayName: "Wi-Fi", SubType: "wiFi"}
	mail := action.Spec{ID: "mail", Type: action.Application, DisplayName: "Mail"}
	c.mirror(wifi, mail)
	c.wakes()
	c.mirror(mail, wifi)
	if held := c.hand().HeldOff; len(held) > 0 {
		t.Fatalf("a document that nobody asked for holds off %v", held)
	}
	for _, p := range c.payloads() {
		if p.Work != (action.Work{}) || !p.Mirrored {
			t.Fatalf("%s is worked on: %+v", p.ID, p.Work)
		}
	}
	c.remove("wifi")
	c.wakes()
	doc := c.hand()
	if len(doc.HeldOff) != 1 || doc.HeldOff[0].ID != "wifi" || len(doc.Contents) > 0 {
		t.Fatalf("the document is %+v", doc)
	}
	c.report(doc, []action.PayloadID{"mail"}, nil)
	c.expect("wifi", action.Removed, action.StepVerified, action.Done)

	c.report(doc, []action.PayloadID{"mail", "wifi"}, nil) // its own system brought it back
	c.wakes()
	if doc = c.hand(); len(doc.HeldOff) > 0 {
		t.Fatalf("it is removed again: %+v", doc)
	}
	c.report(doc, []action.PayloadID{"mail", "wifi"}, nil)
	c.mirror(mail)
	if list := c.payloads(); len(list) != 1 || list[0].ID != "mail" {
		t.Fatalf("after the other system took it back there are %d payloads", len(list))
	}
	if err := c.Mirror(t.Context(), c.id, make([]action.Spec, 3000)); !errors.Is(err,
		engine.ErrTooManyMirrored) {
		t.Errorf("3000 payloads are mirrored: %v", err)
	}
	if err := c.Mirror(t.Context(), "nobody", nil); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("payloads of an unknown device are mirrored: %v", err)
	}
}

func (c *documentChannel) mirror(specs ...action.Spec) {
	c.Helper()
	if err := c.Mirror(c.Context(), c.id, specs); err != nil {
		c.Fatal(err)
	}
}

func (c *documentChannel) payloads() []*action.Payload {
	c.Helper()
	list, err := c.Payloads(c.Context(), c.id)
	if err != nil {
		c.Fatal(err)
	}
	return list
}

// An action that somebody began in the other system supersedes ours, wakes nobody, and is recorded
// as theirs.
func TestImportedAction(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	c.mirror(action.Spec{ID: "a", Type: action.Application},
		action.Spec{ID: "b", Type: action.Application})
	c.wakes()
	c.report(c.hand(), []action.PayloadID{"a", "b"}, nil)
	c.remove("a")
	c.wakes()
	c.report(c.hand(), []action.PayloadID{"b"}, nil)
	c.expect("a", action.Removed, action.StepVerified, action.Done)
	c.quietSoon()

	call := engine.Call{Name: action.ChangeAssignments, Actor: "their admin", Set: apps("b")}
	draft := &audit.Draft{Entry: audit.Entry{ID: "an entry", At: c.clock.Now(), Activity: "import"}}
	doc, err := c.Import(audit.With(t.Context(), draft), c.id, call)
	if err != nil || doc == nil || len(doc.HeldOff) != 1 || doc.HeldOff[0].ID != "b" {
		t.Fatalf("imported as %+v, %v", doc, err)
	}
	c.quiet()
	c.expect("b", action.Initiated, action.StepHandedOver, action.Pending)
	c.expect("a", action.Initiated, action.StepHandedOver, action.Pending)
	if again, err := c.Import(t.Context(), c.id, call); err != nil || again != nil {
		t.Errorf("imported again as %+v, %v", again, err)
	}
	if entry := draft.Complete(); len(entry.Objects) != 1 ||
		!strings.Contains(string(entry.Objects[0].After), `"b"`) {
		t.Errorf("the audit record has %+v", entry.Objects)
	}
	c.report(doc, []action.PayloadID{"a"}, nil)
	c.expect("b", action.Removed, action.StepVerified, action.Done)
	c.expect("a", action.Succeeded, action.StepVerified, action.Done)
	if actions, _ := c.Actions(t.Context(), c.id); actions[0].Actor != "their admin" ||
		actions[0].RestoreAfter != 0 {
		t.Errorf("the action is %+v", actions[0])
	}
	var refusal *action.Refusal
	if _, err := c.Import(t.Context(), c.id, engine.Call{Set: apps("unknown")}); !errors.As(err,
		&refusal) {
		t.Errorf("what is not mirrored is imported: %v", err)
	}
}
