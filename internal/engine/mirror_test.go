package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A list of another system's that says what is known already takes no step, and any other one does.
func TestMirrorOfWhatIsKnown(t *testing.T) {
	s := newServer(t)
	id := s.enroll(fleet.Device{UDID: "1"})
	created := s.clock.Now()
	spec := func(n int) action.Spec {
		return action.Spec{ID: action.PayloadID(fmt.Sprintf("p%04d", n)), Type: action.Application,
			DisplayName: "one", Created: created}
	}
	steps := 0
	s.store.update = func() error { steps++; return nil }
	later, renamed := spec(0), spec(0)
	later.Created, renamed.DisplayName = created.Add(time.Hour), "two"
	for i, tt := range []struct {
		specs []action.Spec
		step  bool
	}{
		{[]action.Spec{spec(0), spec(1)}, true},
		{[]action.Spec{spec(1), spec(0)}, false},
		{[]action.Spec{later, spec(1)}, true},
		{[]action.Spec{renamed, spec(1)}, true},
		{[]action.Spec{renamed}, true},
		{[]action.Spec{renamed}, false},
		{[]action.Spec{spec(1)}, true},
		{nil, true},
		{nil, false},
	} {
		steps = 0
		if err := s.Mirror(t.Context(), id, tt.specs); err != nil || steps > 0 != tt.step {
			t.Errorf("list %d: %d steps, %v, want any: %t", i, steps, err, tt.step)
		}
	}
	many := make([]action.Spec, 2001)
	for i := range many {
		many[i] = spec(i)
	}
	if err := s.Mirror(t.Context(), id, many); !errors.Is(err, engine.ErrTooManyMirrored) {
		t.Errorf("2001 are mirrored: %v", err)
	}
	s.store.update = func() error { return errScripted } // as far as it is let
	if err := s.Mirror(t.Context(), id, many[:2000]); !errors.Is(err, errScripted) {
		t.Errorf("2000 are not let through: %v", err)
	}
}

// A document has the content of what this server installs beside what another one does.
func TestDocumentOfTwoSystems(t *testing.T) {
	s := newServer(t)
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.Mirror(t.Context(), id,
		[]action.Spec{{ID: "0", Type: action.Application}}); err != nil {
		t.Fatal(err)
	}
	doc, err := s.HandDocument(t.Context(), id)
	if err != nil || len(doc.Wanted) != 1 || doc.Wanted[0].ID != "0" {
		t.Fatalf("with what is mirrored alone the document is %+v, %v", doc, err)
	}
	p := s.assigned(appA)
	s.sweep()
	doc, err = s.HandDocument(t.Context(), id)
	if err != nil || len(doc.Wanted) != 2 || len(doc.Contents) != 1 || doc.Contents[p[0]] == nil {
		t.Errorf("the document is %+v, %v", doc, err)
	}
}

// An imported action is restored when its own system says, which can be never.
func TestImportKeepsItsClock(t *testing.T) {
	s := newServer(t)
	s.with(engine.Config{RestoreAfter: 8 * time.Hour})
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.Mirror(t.Context(), id,
		[]action.Spec{{ID: "0", Type: action.Application}}); err != nil {
		t.Fatal(err)
	}
	hour := time.Hour
	for _, after := range []*time.Duration{&hour, nil} {
		want := time.Duration(0)
		if after != nil {
			want = *after
		}
		if _, err := s.Import(t.Context(), id, engine.Call{Name: action.SyncPayloads,
			Set: apps("0"), RestoreAfter: after}); err != nil {
			t.Fatal(err)
		}
		if _, latest := s.removed(id); latest.RestoreAfter != want {
			t.Errorf("it is restored after %s, want %s", latest.RestoreAfter, want)
		}
	}
}
