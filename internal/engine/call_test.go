package engine_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A call that has a key is carried out once for as long as the key is kept.
func TestKeys(t *testing.T) {
	s := newServer(t)
	a := s.assigned(appA, appB)
	id := s.enroll(fleet.Device{UDID: "1"})
	key := &engine.Key{Caller: "token:x", Name: "k"}
	call := func(want error, off ...action.PayloadID) action.ActionID {
		t.Helper()
		if err := s.call(id, engine.Call{Key: key}, off...); !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
		_, latest := s.removed(id)
		return latest.ID
	}
	first := call(nil, a[0])
	if err := s.call(id, engine.Call{}, a[1]); err != nil {
		t.Fatal(err)
	}
	_, other := s.removed(id)
	s.clock.Advance(engine.KeyLife - time.Second)
	for range 2 {
		if again := call(nil, a[0]); again != other.ID || again == first {
			t.Fatal("it is carried out twice")
		}
		if err := s.ForgetKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	call(engine.ErrKeyReused, a[1])
	s.clock.Advance(2 * time.Second)
	if again := call(nil, a[0]); again == other.ID {
		t.Fatal("the key is kept too long")
	}
}

// Old keys are deleted piece by piece, for as long as there are any.
func TestForgetKeys(t *testing.T) {
	s := newServer(t)
	pieces := []int{1000, 1000, 999}
	s.store.dropKeys = func(before time.Time) (int, error) {
		if want := s.clock.Now().Add(-engine.KeyLife); !before.Equal(want) || len(pieces) == 0 {
			t.Fatalf("keys from before %s are dropped, want %s", before, want)
		}
		n := pieces[0]
		pieces = pieces[1:]
		return n, nil
	}
	if err := s.ForgetKeys(t.Context()); err != nil || len(pieces) > 0 {
		t.Errorf("%v, with %d pieces to go", err, len(pieces))
	}
	s.store.dropKeys = func(time.Time) (int, error) { return 0, errScripted }
	if err := s.ForgetKeys(t.Context()); !errors.Is(err, errScripted) {
		t.Errorf("a failure is %v", err)
	}
}

// Old actions are looked through from mark to mark, to the end.
func TestForgetActionsGoesOn(t *testing.T) {
	s := newServer(t)
	marks := []engine.ActionMark{{ID: "a"}, {ID: "b"}, {}}
	looked := 0
	s.store.dropActions = func(after engine.ActionMark) (engine.ActionMark, error) {
		if want := marks[(looked+2)%3]; after != want || looked > 2 {
			t.Fatalf("look %d begins at %+v, want %+v", looked, after, want)
		}
		looked++
		return marks[looked-1], nil
	}
	if err := s.ForgetActions(t.Context(), s.clock.Now()); err != nil || looked != 3 {
		t.Errorf("%v after %d looks", err, looked)
	}
	looked = 0
	s.store.dropActions = func(engine.ActionMark) (engine.ActionMark, error) {
		looked++
		return marks[0], errScripted
	}
	if err := s.ForgetActions(t.Context(), s.clock.Now()); !errors.Is(err, errScripted) ||
		looked != 1 {
		t.Errorf("a failure is %v after %d looks", err, looked)
	}
}

// What a caller does not reach stays off the device, and cannot be named.
func TestReach(t *testing.T) {
	s := newServer(t)
	p := s.assigned("com.example.a", "com.example.b", "com.example.c", "com.example.d")
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.call(id, engine.Call{}, p[0], p[1]); err != nil {
		t.Fatal(err)
	}
	mine := engine.Call{Reach: []action.PayloadID{p[1], p[2]}}
	var refusal *action.Refusal
	if err := s.call(id, mine, p[2], p[3]); !errors.As(err, &refusal) ||
		refusal.Reason != action.NotAssigned || refusal.Index != 1 || refusal.Payload != p[3] {
		t.Errorf("what is beyond reach is named: %v", err)
	}
	s.expectRemoved(id, p[0], p[1])
	if err := s.call(id, mine, p[2]); err != nil {
		t.Fatal(err)
	}
	s.expectRemoved(id, p[0], p[2])
	if err := s.call(id, mine); err != nil {
		t.Fatal(err)
	}
	s.expectRemoved(id, p[0]) // p[1], which is on its way back, is not held
	if err := s.call(id, engine.Call{Reach: []action.PayloadID{}}); err != nil {
		t.Fatal(err)
	}
	s.expectRemoved(id, p[0])
}

// The tag of a set changes with every action, with what comes back by itself, and with nothing else;
// a call for another set than there is changes nothing.
func TestSetTag(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	c.mirror(action.Spec{ID: "a", Type: action.Application})
	tag := func() string {
		t.Helper()
		tag, err := c.SetTag(t.Context(), c.id)
		if err != nil {
			t.Fatal(err)
		}
		return tag
	}
	none := tag()
	c.mirror(action.Spec{ID: "a", Type: action.Application},
		action.Spec{ID: "b", Type: action.Application})
	if tag() != none {
		t.Error("an assignment changes it")
	}
	c.remove("a")
	removed := tag()
	doc := c.hand()
	c.report(doc, []action.PayloadID{"b"}, nil)
	if removed == none || tag() != removed {
		t.Error("an action does not change it, or its end does")
	}
	c.report(doc, []action.PayloadID{"a", "b"}, nil) // its own system brought it back
	back := tag()
	if back == removed {
		t.Error("what came back does not change it")
	}
	c.report(c.hand(), []action.PayloadID{"a", "b"}, nil)
	if tag() != back {
		t.Error("it changes when what came back is seen to stay")
	}
	for _, tt := range []struct {
		match string
		want  error
	}{{removed, engine.ErrChanged}, {back, nil}} {
		never := time.Duration(0)
		err := c.Start(t.Context(), c.id, engine.Call{Name: action.SyncPayloads, Set: apps("b"),
			RestoreAfter: &never, Match: func(tag string) bool { return tag == tt.match }})
		if !errors.Is(err, tt.want) {
			t.Errorf("%v, want %v", err, tt.want)
		}
		if _, err := c.SetTag(t.Context(), "nobody"); !errors.Is(err, fleet.ErrNotFound) {
			t.Errorf("of an unknown device: %v", err)
		}
	}
}

// A preview tells what a call would do without what would have it refused, and all of that.
func TestPreview(t *testing.T) {
	s := newServer(t)
	risky := map[action.PayloadID]bool{}
	var fails error
	s.with(engine.Config{Risks: func(p *catalog.Payload,
		_ []*x509.Certificate) ([]catalog.Risk, error) {
		if risky[p.ID] {
			return []catalog.Risk{{Reason: "it is the network"}}, fails
		}
		return nil, fails
	}})
	p := s.assigned(appA, appB)
	id := s.enroll(fleet.Device{UDID: "1"})
	risky[p[0]] = true
	var theirs []action.Spec
	var many []action.PayloadID
	for i := range 31 {
		many = append(many, action.PayloadID(rune('A'+i)))
		theirs = append(theirs, action.Spec{ID: many[i], Type: action.Application})
	}
	if err := s.Mirror(t.Context(), id, theirs); err != nil {
		t.Fatal(err)
	}
	preview := func(c engine.Call, off ...action.PayloadID) *engine.Preview {
		t.Helper()
		c.Set = apps(off...)
		found, err := s.Preview(t.Context(), id, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	found := preview(engine.Call{}, "none", many[0], p[0], p[0], p[1], "none")
	if len(found.Remove) != 3 || len(found.Refused) != 3 ||
		found.Refused[0].Reason != action.NotAssigned ||
		found.Refused[1].Reason != action.Duplicate {
		t.Errorf("the preview is %+v", found)
	}
	if len(found.Risks) != 1 || len(found.Risks[p[0]]) != 1 {
		t.Errorf("the risks are %+v", found.Risks)
	}
	if found = preview(engine.Call{}, many...); len(found.Refused) != 1 ||
		found.Refused[0].Reason != action.TooMany || len(found.Remove) > 0 {
		t.Errorf("31 at once are %+v", found)
	}
	found = preview(engine.Call{Reach: []action.PayloadID{p[1]}}, p[0], p[1])
	if len(found.Refused) != 1 || found.Refused[0].Payload != p[0] || len(found.Remove) != 1 {
		t.Errorf("beyond reach is %+v", found)
	}
	if _, err := s.Preview(t.Context(), "nobody", engine.Call{}, nil); !errors.Is(err,
		fleet.ErrNotFound) {
		t.Errorf("of an unknown device: %v", err)
	}
	call := engine.Call{Set: apps(p...)}
	fails = errScripted
	if _, err := s.Preview(t.Context(), id, call, nil); !errors.Is(err, errScripted) {
		t.Errorf("a risk that is not known: %v", err)
	}
	fails = nil
	s.store.payload = func(action.PayloadID) error { return errScripted }
	if _, err := s.Preview(t.Context(), id, call, nil); !errors.Is(err, errScripted) {
		t.Errorf("a content that cannot be read: %v", err)
	}
	s.with(engine.Config{})
	if _, err := s.Preview(t.Context(), id, call, nil); err != nil {
		t.Errorf("without anybody who knows risks: %v", err)
	}
}
