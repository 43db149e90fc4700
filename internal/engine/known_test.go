package engine_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A new device keeps the id that it comes with and gets its tags; one that is known keeps those
// that it has.
func TestEnrollmentOfNewAndKnown(t *testing.T) {
	s := newServer(t)
	for _, d := range []fleet.Device{
		{ID: "its own", UDID: "1", Tags: []string{"5"}},
		{ID: "another", UDID: "1", Tags: []string{"6"}},
		{UDID: "1", Tags: []string{"7"}},
	} {
		if id := s.enroll(d); id != "its own" {
			t.Errorf("with the id %q it is %s", d.ID, id)
		}
		got, err := s.store.Device(t.Context(), "its own")
		if err != nil || !slices.Equal(got.Tags, []string{"5"}) {
			t.Errorf("with the id %q its tags are %v, %v", d.ID, got.Tags, err)
		}
	}
}

// A connection of a device for which there is nothing takes no step, but what the catalog has
// changed meanwhile is seen, whether a clock has come to it or not.
func TestIdleWithoutWork(t *testing.T) {
	s := newServer(t)
	id := s.enroll(fleet.Device{UDID: "1"})
	for task := s.idle(id); task != nil; {
		task = s.answer(id, engine.Report{Task: task.ID})
	}
	steps := 0
	s.store.update = func() error { steps++; return nil }
	for range 3 {
		if task := s.idle(id); task != nil {
			t.Fatalf("it is handed %+v", task)
		}
	}
	if steps != 0 {
		t.Errorf("%d steps are taken", steps)
	}
	p := s.assigned(appA)
	if n, err := s.store.SpreadChanges(t.Context(), s.clock.Now(), 100); n == 0 || err != nil {
		t.Fatalf("%d devices are told of it, %v", n, err)
	}
	if task := s.idle(id); task == nil || task.Payload.ID != p[0] || steps == 0 {
		t.Errorf("after %d steps it is handed %+v", steps, task)
	}
	steps = 0
	if _, err := s.Idle(t.Context(), "nobody"); !errors.Is(err, fleet.ErrNotFound) || steps != 0 {
		t.Errorf("of an unknown device: %v after %d steps", err, steps)
	}
}

// Recorded is what was to be off the device before a call and after it, without what is on its way
// back.
func TestRecordOfACall(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA, appB)
	id := s.enroll(fleet.Device{UDID: "1"})
	type set struct {
		Removed      []action.PayloadID `json:"removedPayloads"`
		RestoreAfter string             `json:"restoreAfter"`
	}
	hour := time.Hour
	expect := func(before []action.PayloadID, off ...action.PayloadID) {
		t.Helper()
		draft := &audit.Draft{Entry: audit.Entry{ID: uuid.NewString(), At: s.clock.Now(),
			Activity: "some"}}
		if err := s.Start(audit.With(t.Context(), draft), id, engine.Call{
			Name: action.SyncPayloads, Set: apps(off...), RestoreAfter: &hour}); err != nil {
			t.Fatal(err)
		}
		objects := draft.Complete().Objects
		if len(objects) != 1 {
			t.Fatalf("recorded is %+v", objects)
		}
		var was, is set
		if err := errors.Join(json.Unmarshal(objects[0].Before, &was),
			json.Unmarshal(objects[0].After, &is)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(was.Removed, before) || was.RestoreAfter != "" ||
			!slices.Equal(is.Removed, off) || is.RestoreAfter != "1h0m0s" {
			t.Errorf("recorded is %+v and then %+v, want %v and %v", was, is, before, off)
		}
	}
	gone := action.Outcome{Sightings: []action.Sighting{{Identifier: appB, Present: true}}}
	expect(nil, p[0])
	for task := s.idle(id); task != nil; {
		task = s.answer(id, engine.Report{Task: task.ID, Outcome: gone})
	}
	expect(p[:1])
	expect(nil, p[1])
}

// A preview tells what a set does to the places: what comes because one is free, and what leaves
// because an older one returns, which then is not restored.
func TestPreviewOfPlaces(t *testing.T) {
	c := newDocumentChannel(t, theirs)
	older := action.Spec{ID: "older", Type: action.Application, Identifier: "x",
		Created: c.clock.Now()}
	newer := older
	newer.ID, newer.Created = "newer", older.Created.Add(time.Second)
	c.mirror(older, newer)
	preview := func(off ...action.PayloadID) *engine.Preview {
		t.Helper()
		found, err := c.Preview(t.Context(), c.id, engine.Call{Set: apps(off...)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := preview("older"); len(found.Remove) != 1 || len(found.Install) != 1 ||
		found.Install[0].ID != "newer" || found.InPlace["older"].ID != "newer" {
		t.Errorf("without the older one: %+v", found)
	}
	c.remove("older")
	c.report(c.hand(), []action.PayloadID{"newer"}, nil)
	if found := preview(); len(found.Restore) != 1 || found.Restore[0].ID != "older" ||
		len(found.Displace) != 1 || found.Displace[0].ID != "newer" ||
		found.InPlace["newer"].ID != "older" {
		t.Errorf("with the older one again: %+v", found)
	}
	c.remove("older", "newer")
	c.report(c.hand(), nil, nil)
	if found := preview(); len(found.Restore) != 1 || found.Restore[0].ID != "older" ||
		len(found.Displace) != 1 {
		t.Errorf("with both again: %+v", found)
	}
}
