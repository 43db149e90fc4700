package engine_test

import (
	"errors"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A device and what its ledger says of it come to be at once: whoever reads meanwhile finds the
// device as it was, and if the last write fails there is nothing of all.
func TestEnrollmentIsOneStep(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA)
	expect := func(when string, want bool) {
		t.Helper()
		err := s.store.View(t.Context(), func(tx engine.Tx) error {
			d, err := tx.DeviceByUDID(t.Context(), "1")
			if !want && errors.Is(err, fleet.ErrNotFound) {
				return nil
			}
			if err != nil {
				return err
			}
			l, err := tx.Ledger(t.Context(), d.ID)
			if err == nil && (d.Enrolled != want || l.Device.Enrolled != want) {
				t.Errorf("%s: managed %t, by its ledger %t, want %t", when, d.Enrolled,
					l.Device.Enrolled, want)
			}
			if err == nil && want && (len(l.Device.Payloads) != 1 || l.Changed ||
				l.Device.Payloads[0].ID != p[0]) {
				t.Errorf("%s: its ledger has %d payloads, and waits for more: %t", when,
					len(l.Device.Payloads), l.Changed)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	var id fleet.DeviceID
	for _, round := range []string{"new", "again"} {
		steps, read := 0, 0
		s.store.update = func() error { steps++; return nil }
		s.store.saveLedger = func() error {
			read++
			expect(round+", meanwhile", false)
			return errScripted
		}
		d := fleet.Device{UDID: "1", Platform: fleet.IOS}
		if _, err := s.Enroll(t.Context(), d, ""); !errors.Is(err, errScripted) {
			t.Fatalf("%s: its last write fails: %v", round, err)
		}
		expect(round+", after a failure", false)
		s.store.saveLedger = func() error { expect(round+", meanwhile", false); return nil }
		id = s.enroll(d)
		if expect(round, true); steps != 2 || read != 1 {
			t.Errorf("%s: two enrollments take %d steps, and %d writes of a ledger failed", round,
				steps, read)
		}
		s.store.update, s.store.saveLedger = nil, nil
		if err := s.Unenroll(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

// However many payloads a document names, their contents are one query.
func TestContentsOfADocumentAreOneQuery(t *testing.T) {
	s := newServer(t)
	p := s.assigned(appA, appB, "com.example.c", "com.example.d")
	id := s.enroll(fleet.Device{UDID: "1"})
	if err := s.call(id, engine.Call{}, p[2], p[3]); err != nil {
		t.Fatal(err)
	}
	s.store.contents = 0
	doc, err := s.HandDocument(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Wanted) != 2 || len(doc.HeldOff) != 2 || len(doc.Contents) != 4 {
		t.Errorf("of %d wanted and %d held off there are %d contents", len(doc.Wanted),
			len(doc.HeldOff), len(doc.Contents))
	}
	for id, content := range doc.Contents {
		if content.ID != id || len(content.Content) == 0 {
			t.Errorf("%s has the content of %s, %d bytes", id, content.ID, len(content.Content))
		}
	}
	if s.store.contents != 1 {
		t.Errorf("%d queries read contents", s.store.contents)
	}
}
