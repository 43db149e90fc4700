package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

// The clocks run again and again; a failure is told and does not end that, and the end of the server
// is no failure.
func TestRun(t *testing.T) {
	s := newServer(t)
	swept := make(chan int)
	n := 0
	s.store.due = func(ctx context.Context) ([]fleet.DeviceID, error) {
		n++
		swept <- n
		switch n {
		case 2:
			return nil, errScripted
		case 4:
			<-ctx.Done()
			return nil, errScripted
		}
		return nil, nil
	}
	stop := s.runs()
	for i := range 4 {
		select {
		case <-swept:
		case <-time.After(10 * time.Second):
			t.Fatalf("the clocks do not run for time %d", i+1)
		}
		if i == 1 {
			s.says("the clocks could not run; they are tried again")
		}
		if i < 3 {
			s.clock.ring <- s.clock.Now()
		}
	}
	if stop(); len(s.log) > 0 {
		t.Errorf("at its end it says %s", <-s.log)
	}
}

// One look takes all that is due, however much, and of several devices none keeps another waiting.
func TestSweepTakesAll(t *testing.T) {
	s := newServer(t)
	s.assigned(appA)
	last := s.enroll(fleet.Device{UDID: "1"})
	looks := 0
	s.store.due = func(context.Context) ([]fleet.DeviceID, error) {
		looks++
		if looks == 1 {
			return make([]fleet.DeviceID, 256), nil // as many as are looked at in one go
		}
		return []fleet.DeviceID{last}, nil
	}
	steps := 0
	s.store.update = func() error {
		if looks == 1 {
			return nil
		}
		steps++
		return nil
	}
	if err := s.Sweep(t.Context()); !errors.Is(err, fleet.ErrNotFound) {
		t.Fatalf("devices that do not exist: %v", err)
	}
	if looks != 1 {
		t.Fatalf("looked %d times after a failure", looks)
	}
	looks = 0
	s.store.due = func(context.Context) ([]fleet.DeviceID, error) {
		if looks++; looks == 1 {
			all := make([]fleet.DeviceID, 256)
			for i := range all {
				all[i] = last
			}
			return all, nil
		}
		return []fleet.DeviceID{last}, nil
	}
	if s.sweep(); looks != 2 || steps == 0 {
		t.Errorf("looked %d times, and did %d steps after that", looks, steps)
	}
}

// What a wrong clock misdated is looked for at the start and then every hour, after a failure again
// after a minute, and twice when the clock was put back, wherever it is.
func TestWhenToLookForAWrongClock(t *testing.T) {
	s := newServer(t)
	var behind []time.Duration
	var fails error
	s.store.ahead = func(at time.Time) ([]fleet.DeviceID, error) {
		behind = append(behind, at.Sub(s.clock.Now()))
		return nil, fails
	}
	const anywhere, ordinary = 0, 6*time.Hour + time.Minute
	for i, tt := range []struct {
		advance time.Duration
		looks   bool
		behind  time.Duration
		fails   error
	}{
		{0, true, ordinary, nil},
		{time.Hour - 1, false, 0, nil},
		{1, true, ordinary, errScripted},
		{time.Minute - 1, false, 0, nil},
		{1, true, ordinary, nil},
		{-time.Minute, false, 0, nil}, // clocks of servers differ
		{-time.Minute - 1, true, anywhere, nil},
		{time.Minute - 1, false, 0, nil},
		{1, true, anywhere, errScripted},
		{time.Minute, true, anywhere, nil},
		{time.Hour - 1, false, 0, nil},
		{1, true, ordinary, nil},
	} {
		s.clock.Advance(tt.advance)
		behind, fails = nil, tt.fails
		if err := s.Sweep(t.Context()); !errors.Is(err, tt.fails) {
			t.Fatalf("look %d: %v", i, err)
		}
		if len(behind) > 0 != tt.looks || tt.looks && behind[0] != tt.behind {
			t.Errorf("look %d: looked %v, want %t, %s", i, behind, tt.looks, tt.behind)
		}
	}
}

// What lies ahead for a good reason is read and not written; what cannot be read is told.
func TestLookAtWhatIsRightlyAhead(t *testing.T) {
	s := newServer(t)
	s.assigned(appA)
	id := s.enroll(fleet.Device{UDID: "1"})
	s.sweep()
	task := s.idle(id)
	s.answer(id, engine.Report{Task: task.ID, Outcome: action.Outcome{Verdict: action.NotNow}})
	steps := 0
	s.store.update = func() error { steps++; return nil }
	s.store.due = func(context.Context) ([]fleet.DeviceID, error) { return nil, nil }
	s.store.ahead = func(time.Time) ([]fleet.DeviceID, error) { return []fleet.DeviceID{id}, nil }
	s.clock.Advance(time.Minute)
	task = s.idle(id)
	s.answer(id, engine.Report{Task: task.ID})
	next := s.idle(id)
	s.answer(id, engine.Report{Task: next.ID, Outcome: action.Outcome{Verdict: action.NotNow}})
	steps = 0
	s.clock.Advance(time.Hour)
	s.sweep()
	if steps != 0 {
		t.Errorf("%d devices are written that are not late", steps)
	}
	s.store.ahead = func(time.Time) ([]fleet.DeviceID, error) {
		return []fleet.DeviceID{"nobody"}, nil
	}
	s.clock.Advance(time.Hour)
	if err := s.Sweep(t.Context()); !errors.Is(err, fleet.ErrNotFound) || steps != 0 {
		t.Errorf("one that cannot be read: %v, %d written", err, steps)
	}
}

// Last contacts are written together, half a minute apart, and at the end.
func TestLastContact(t *testing.T) {
	s := newServer(t)
	id := s.enroll(fleet.Device{UDID: "1"})
	expect := func(want time.Time) {
		t.Helper()
		if d, err := s.store.Device(t.Context(), id); err != nil || !d.LastSync.Equal(want) {
			t.Errorf("last seen at %s, %v, want %s", d.LastSync, err, want)
		}
	}
	contact := func(after time.Duration) time.Time {
		t.Helper()
		s.clock.Advance(after)
		s.idle(id)
		return s.clock.Now()
	}
	first := contact(time.Minute)
	s.sweep()
	expect(first)
	second := contact(time.Second)
	s.clock.Advance(29*time.Second - 1)
	s.sweep()
	expect(first)
	s.clock.Advance(1)
	s.sweep()
	expect(second)
	third := contact(time.Second)
	s.sweep()
	expect(second)
	s.runs()()
	expect(third)
}

// sleeper is a channel whose devices are woken as a test says.
type sleeper struct {
	wake func(ctx context.Context) error
}

// Wake implements engine.Channel.
func (c *sleeper) Wake(ctx context.Context, _ fleet.DeviceID) error { return c.wake(ctx) }

// unwakeable is why a device cannot be woken.
type unwakeable string

func (u unwakeable) Error() string      { return "not woken: " + string(u) }
func (u unwakeable) Unwakeable() string { return string(u) }

// That a device cannot be woken is shown until it can, and told in the log each time.
func TestDevicesThatCannotBeWoken(t *testing.T) {
	s := newServer(t)
	committed := make(chan []live.Event, 100)
	s.with(engine.Config{Committed: func(events []live.Event) { committed <- events }})
	var why error
	woken := make(chan struct{}, 100)
	s.Attach(&sleeper{func(context.Context) error {
		defer func() { woken <- struct{}{} }()
		return why
	}}, fleet.IOS)
	wakes := func() {
		t.Helper()
		select {
		case <-woken:
		case <-time.After(10 * time.Second):
			t.Fatal("the device is not woken")
		}
	}
	p := s.assigned(appA)
	var ids []fleet.DeviceID
	for _, udid := range []string{"1", "2"} {
		id := s.enroll(fleet.Device{UDID: udid})
		ids = append(ids, id)
		there := action.Outcome{Sightings: []action.Sighting{{Identifier: appA, Present: true}}}
		for task := s.idle(id); task != nil; {
			task = s.answer(id, engine.Report{Task: task.ID, Outcome: there})
		}
	}
	s.sweep() // of the assignment, which both know already
	for len(committed) > 0 {
		<-committed
	}
	why = unwakeable("no certificate")
	stop := s.runs()
	steps := func(id fleet.DeviceID) (found []action.Step) {
		t.Helper()
		select {
		case events := <-committed:
			for _, e := range events {
				if e.Device != id {
					t.Errorf("device %s is told of, want %s", e.Device, id)
				}
				if e.Result != nil {
					found = append(found, e.Result.Step)
				}
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nothing is told")
		}
		return found
	}
	expect := func(id fleet.DeviceID, want action.Step) {
		t.Helper()
		if got := steps(id); len(got) != 1 || got[0] != want {
			t.Errorf("the steps are %v, want %d", got, want)
		}
	}
	for _, id := range ids {
		if err := s.call(id, engine.Call{}, p[0]); err != nil {
			t.Fatal(err)
		}
		wakes()
		expect(id, action.StepAsked)
		expect(id, action.StepUnwakeable)
		s.says("device not woken")
		if _, latest := s.removed(id); latest.Results[0].Detail !=
			"the device cannot be woken, and this waits until it connects by itself: no certificate" {
			t.Errorf("shown is %+v", latest.Results[0])
		}
	}
	why = errors.New("the push service is not there")
	for _, id := range ids { // which says nothing of the device
		if err := s.Sync(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wakes()
		s.says("the push service is not there")
	}
	why = unwakeable("no token") // and nothing else was told before
	for _, id := range ids {
		if err := s.Sync(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wakes()
		expect(id, action.StepUnwakeable)
		s.says("no token")
	}
	why = nil
	for _, id := range ids {
		if err := s.Sync(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wakes()
		expect(id, action.StepAsked)
	}
	if stop(); len(committed) > 0 || len(s.log) > 0 {
		t.Error("more is told")
	}
}

// Why a device is not woken is told, but not when the server ends.
func TestWakeUpsThatFail(t *testing.T) {
	s := newServer(t)
	began := make(chan struct{})
	s.Attach(&sleeper{func(ctx context.Context) error {
		close(began)
		<-ctx.Done()
		return ctx.Err()
	}}, fleet.IOS)
	const mac fleet.Platform = fleet.MacOS
	ours, err := s.Enroll(t.Context(), fleet.Device{UDID: "1", Platform: mac}, "")
	if err != nil {
		t.Fatal(err)
	}
	others, err := s.Enroll(t.Context(), fleet.Device{UDID: "2", Platform: mac,
		Authority: theirs}, "")
	if err != nil {
		t.Fatal(err)
	}
	stop := s.runs()
	for id, want := range map[fleet.DeviceID]string{
		ours:   `no channel serves platform macOS"`,
		others: "no channel serves platform macOS of " + string(theirs),
	} {
		if err := s.Sync(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		s.says(want)
	}
	waits := s.enroll(fleet.Device{UDID: "3"})
	if err := s.Sync(t.Context(), waits); err != nil {
		t.Fatal(err)
	}
	<-began
	if stop(); len(s.log) > 0 {
		t.Errorf("at its end it says %s", <-s.log)
	}
}

// That it could not be written why a device is not woken is told as well.
func TestUnwakeableThatIsNotWritten(t *testing.T) {
	s := newServer(t)
	s.Attach(&sleeper{func(context.Context) error {
		s.store.update = func() error { return errScripted }
		return unwakeable("no certificate")
	}}, fleet.IOS)
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.Sync(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop := s.runs()
	s.says("device not woken")
	s.says("it is not told that a device cannot be woken")
	stop()
}

// What is not configured has a default, and what is stays as it is.
func TestDefaults(t *testing.T) {
	s := newServer(t)
	e := engine.New(engine.Config{Store: s.store})
	p := s.assigned(appA)
	before := time.Now().Add(-time.Second)
	id, err := e.Enroll(t.Context(), fleet.Device{UDID: "1", Platform: fleet.IOS}, "")
	if err != nil || len(id) != 36 {
		t.Fatalf("the id is %s, %v", id, err)
	}
	if d, err := s.store.Device(t.Context(), id); err != nil || d.EnrolledAt.Before(before) {
		t.Errorf("enrolled at %s, %v", d.EnrolledAt, err)
	}
	if err := e.Start(t.Context(), id, engine.Call{Name: action.SyncPayloads,
		Set: apps(p...)}); err != nil {
		t.Fatal(err)
	}
	result := func(e *engine.Engine) action.Result {
		t.Helper()
		task, err := e.Idle(t.Context(), id)
		for err == nil && task != nil && task.Kind != action.Uninstall {
			task, err = e.Answer(t.Context(), id, engine.Report{Task: task.ID})
		}
		if err == nil {
			_, err = e.Answer(t.Context(), id, engine.Report{Task: task.ID,
				Outcome: action.Outcome{Verdict: action.Retriable}})
		}
		if err != nil {
			t.Fatal(err)
		}
		_, latest := s.removed(id)
		return latest.Results[0]
	}
	if r := result(e); r.Step != action.StepFailing {
		t.Errorf("one failure ends in %+v", r)
	}

	policy := action.DefaultPolicy
	policy.MaxAttempts = 1
	e = engine.New(engine.Config{Store: s.store, Policy: policy, Clock: s.clock,
		NewID: func() string { return "an id" }})
	id = "an id"
	if got, err := e.Enroll(t.Context(), fleet.Device{UDID: "2", Platform: fleet.IOS},
		""); err != nil || got != id {
		t.Fatalf("the id is %s, %v", got, err)
	}
	if d, err := s.store.Device(t.Context(), id); err != nil ||
		!d.EnrolledAt.Equal(s.clock.Now()) {
		t.Errorf("enrolled at %s, %v", d.EnrolledAt, err)
	}
	e = engine.New(engine.Config{Store: s.store, Policy: policy, Clock: s.clock})
	if err := e.Start(t.Context(), id, engine.Call{Name: action.SyncPayloads,
		Set: apps(p...)}); err != nil {
		t.Fatal(err)
	}
	if r := result(e); r.Step != action.StepFailed {
		t.Errorf("with one try a failure ends in %+v", r)
	}
}
