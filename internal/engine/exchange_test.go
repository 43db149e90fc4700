package engine_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func (s *server) catalog() *catalog.Catalog {
	return catalog.New(s.store, catalog.MustForms(payload.Forms()), s.clock.Now, uuid.NewString)
}

// edit makes a new version of an app.
func (s *server) edit(id action.PayloadID) {
	s.Helper()
	url := json.RawMessage(`{"appStoreUrl":"https://apps.apple.com/app/id2000"}`)
	if _, err := s.catalog().Update(s.Context(), id, catalog.Patch{Properties: url}); err != nil {
		s.Fatal(err)
	}
}

func (s *server) idle(id fleet.DeviceID) *engine.Task {
	s.Helper()
	t, err := s.Idle(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return t
}

func (s *server) answer(id fleet.DeviceID, r engine.Report) *engine.Task {
	s.Helper()
	t, err := s.Answer(s.Context(), id, r)
	if err != nil {
		s.Fatal(err)
	}
	return t
}

// A device is handed what the catalog has at that moment, although no clock has told it of a change
// yet: the newest version, and nothing that was deleted.
func TestCatalogMovesOn(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA, appB)
	id := s.enroll(fleet.Device{UDID: "1"})
	task := s.idle(id) // facts
	before, err := s.catalog().Get(t.Context(), p[0])
	if err != nil {
		t.Fatal(err)
	}
	s.edit(p[0])
	if err := s.catalog().Delete(t.Context(), p[1]); err != nil {
		t.Fatal(err)
	}
	installed := 0
	for task != nil && task.Class != action.Apps {
		task = s.answer(id, engine.Report{Task: task.ID})
		if task == nil || task.Kind != action.Install {
			continue
		}
		if installed++; task.Payload.ID != p[0] || task.Payload.Version <= before.Version ||
			task.Content.Version != task.Payload.Version {
			t.Errorf("the device is handed %+v", task)
		}
	}
	if installed != 1 {
		t.Errorf("%d are installed, want 1", installed)
	}
}

// So is a document.
func TestCatalogMovesOnBeforeADocument(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA, appB)
	id := s.enroll(fleet.Device{UDID: "1"})
	s.edit(p[0])
	if err := s.catalog().Delete(t.Context(), p[1]); err != nil {
		t.Fatal(err)
	}
	doc, err := s.HandDocument(t.Context(), id)
	if err != nil || len(doc.Wanted) != 1 || doc.Wanted[0].ID != p[0] ||
		doc.Contents[p[0]].Version != doc.Wanted[0].Version {
		t.Fatalf("the document is %+v, %v", doc, err)
	}
	s.store.payload = func(action.PayloadID) error { return errScripted }
	if _, err := s.HandDocument(t.Context(), id); !errors.Is(err, errScripted) {
		t.Errorf("a content that cannot be read: %v", err)
	}
}

// What cannot be read is not handed over, and stays to be.
func TestContentThatCannotBeRead(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA)
	id := s.enroll(fleet.Device{UDID: "1"})
	facts := s.idle(id)
	s.store.payload = func(action.PayloadID) error { return errScripted }
	if _, err := s.Answer(t.Context(), id,
		engine.Report{Task: facts.ID}); !errors.Is(err, errScripted) {
		t.Fatalf("the answer is %v", err)
	}
	s.store.payload = nil
	if task := s.answer(id, engine.Report{Task: facts.ID}); task == nil ||
		task.Payload.ID != p[0] {
		t.Errorf("the device is handed %+v", task)
	}
}

// An answer without a name is to what was handed over last, and to nothing if there is none.
func TestAnswerToNothing(t *testing.T) {
	s := newServer(t)
	s.assigned(appA)
	id := s.enroll(fleet.Device{UDID: "1"})
	if _, err := s.Answer(t.Context(), id,
		engine.Report{}); !errors.Is(err, engine.ErrNothingAsked) {
		t.Errorf("with nothing handed over: %v", err)
	}
	if task, err := s.Answer(t.Context(), id, engine.Report{Task: "none"}); err != nil ||
		task == nil {
		t.Errorf("with another's name: %+v, %v", task, err)
	}
	if task := s.answer(id, engine.Report{}); task == nil || task.Kind != action.Install {
		t.Errorf("without a name: %+v", task)
	}
}

// What a device tells of itself is kept if it was asked, and then it is handed its next task.
func TestFactsOfAnAnswer(t *testing.T) {
	s := newServer(t)
	s.assigned(appA)
	id := s.enroll(fleet.Device{UDID: "1", Name: "one"})
	named := func(name string) *fleet.Facts {
		return &fleet.Facts{Device: fleet.Device{Name: name}}
	}
	expect := func(want string) {
		t.Helper()
		if d, err := s.store.Device(t.Context(), id); err != nil || d.Name != want {
			t.Errorf("the device is %+v, %v, want the name %s", d, err, want)
		}
	}
	facts := s.idle(id)
	s.answer(id, engine.Report{Task: "none", Facts: named("two")})
	expect("one")
	task := s.answer(id, engine.Report{Task: facts.ID, Facts: named("three")})
	if expect("three"); task == nil || task.Kind != action.Install {
		t.Errorf("the device is handed %+v", task)
	}
}

// A device that left is asked for nothing, its action has ended, and all of that is recorded; when
// it enrolls again it is the same one.
func TestUnenroll(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA)
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.call(id, engine.Call{}, p[0]); err != nil {
		t.Fatal(err)
	}
	record := func(do func(*audit.Draft) error) audit.Entry {
		t.Helper()
		draft := &audit.Draft{Entry: audit.Entry{ID: uuid.NewString(), At: s.clock.Now(),
			Activity: "some"}}
		if err := do(draft); err != nil {
			t.Fatal(err)
		}
		return draft.Complete()
	}
	entry := record(func(d *audit.Draft) error {
		return s.Unenroll(audit.With(t.Context(), d), id)
	})
	if len(entry.Objects) != 1 || string(entry.Objects[0].Before) != `{"enrolled":true}` ||
		string(entry.Objects[0].After) != `{"enrolled":false}` {
		t.Errorf("recorded is %+v", entry.Objects)
	}
	if d, err := s.store.Device(t.Context(), id); err != nil || d.Enrolled {
		t.Errorf("the device is %+v, %v", d, err)
	}
	if task := s.idle(id); task != nil {
		t.Errorf("it is handed %+v", task)
	}
	if _, latest := s.removed(id); latest.State != action.Canceled {
		t.Errorf("its action is %+v", latest)
	}
	for _, want := range []string{"some", "managedDevices.reenroll"} {
		entry = record(func(d *audit.Draft) error {
			again, err := s.Enroll(audit.With(t.Context(), d), fleet.Device{UDID: "1",
				Platform: fleet.IOS}, "")
			if again != id {
				t.Errorf("it is %s, want %s", again, id)
			}
			return err
		})
		if entry.Activity != want {
			t.Errorf("recorded as %s, want %s", entry.Activity, want)
		}
	}
	if err := s.Unenroll(t.Context(), "nobody"); !errors.Is(err, fleet.ErrNotFound) {
		t.Errorf("of an unknown device: %v", err)
	}
}
