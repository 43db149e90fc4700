package action_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

var nothing = map[action.PayloadID]action.Sighting{}

// A report says whether the device took something that was waiting for it.
func TestReportTakesWhatWaits(t *testing.T) {
	b := newDesk(t, 2)
	_ = b.start(action.SyncPayloads, 0, 0, 1)
	doc := b.hand()
	waiting := map[action.PayloadID]action.Outcome{pid(0): {Verdict: action.Waiting},
		pid(1): {Verdict: action.Waiting}}
	if b.report(doc.Mark, nothing, waiting) {
		t.Error("what the device has not taken is taken")
	}
	delete(waiting, pid(0))
	if !b.report(doc.Mark, nothing, waiting) {
		t.Error("what the device has taken is not")
	}
	if b.report(doc.Mark, nothing, waiting) {
		t.Error("it is taken twice")
	}
	if !b.report(doc.Mark, nothing, nil) {
		t.Error("the last one is not taken")
	}
}

// A report on an older document is that of all that was not handed over again since.
func TestReportOnAnOlderDocument(t *testing.T) {
	b := newDesk(t, 2)
	_ = b.start(action.SyncPayloads, 0, 1)
	older := b.hand()
	b.d.Assign(b.step(), []action.Spec{spec(pid(0), action.DeviceConfiguration, 2),
		spec(pid(1), action.DeviceConfiguration, 1)})
	b.hand()
	b.report(older.Mark, b.present(1, 1), nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Delivered {
		t.Errorf("what was handed over later is %+v", p.Work)
	}
	b.report(older.Mark, map[action.PayloadID]action.Sighting{pid(1): {}}, nil)
	b.at(action.StepVerified, action.Done)
}

// What an earlier document asked, and nobody asks any more, is forgotten when the device has a
// later one.
func TestDocumentReplacesTheOneBefore(t *testing.T) {
	b := newDesk(t, 1)
	before := b.d.Documents.Last
	_ = b.start(action.SyncPayloads, 0, 0)
	b.hand()
	_ = b.start(action.SyncPayloads, 0)
	if len(b.d.Orphans) != 1 {
		t.Fatalf("%d are left over, want 1", len(b.d.Orphans))
	}
	b.report(before, nothing, nil)
	if len(b.d.Orphans) != 1 {
		t.Error("the removal is forgotten, which the device may have taken")
	}
	b.report(b.hand().Mark, nothing, nil)
	if len(b.d.Orphans) > 0 {
		t.Error("the removal is remembered, in whose place there is another document")
	}
}

// What waits for its next try is in every document, and a report on one shows it done.
func TestReportOnWhatWaitsForItsNextTry(t *testing.T) {
	b := newDesk(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.report(b.hand().Mark, nothing,
		map[action.PayloadID]action.Outcome{pid(0): {Verdict: action.Retriable}})
	b.at(action.StepFailing, action.Active)
	doc := b.hand()
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Queued || len(doc.HeldOff) != 1 {
		t.Fatalf("it does not wait: %+v", p.Work)
	}
	b.report(doc.Mark, map[action.PayloadID]action.Sighting{pid(0): {}}, nil)
	b.at(action.StepVerified, action.Done)
}

// A report on the document before can make what is known of a payload doubtful; if it shows what is
// known, or does not tell of the payload, or is of an earlier enrollment, it does not. What is
// known to be there is not handed over again when its removal is withdrawn.
func TestReportBeforeTheHandOver(t *testing.T) {
	gone := map[action.PayloadID]action.Sighting{pid(0): {}}
	there := map[action.PayloadID]action.Sighting{pid(0): {Present: true}}
	for name, tt := range map[string]struct {
		handed bool  // a document, since the device enrolled
		mark   int64 // of the report, from that of the document on
		seen   map[action.PayloadID]action.Sighting
		doubt  bool
	}{
		"gone":     {true, 0, gone, true},
		"there":    {true, 0, there, false},
		"at it":    {true, 0, map[action.PayloadID]action.Sighting{pid(0): {Working: true}}, true},
		"not told": {true, 0, nothing, false},
		"there, and at it": {true, 0, map[action.PayloadID]action.Sighting{pid(0): {Present: true,
			Working: true}}, true},
		"of an earlier enrollment":         {true, -1, gone, false},
		"before the first document is out": {false, 0, gone, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := &desk{bench: &bench{T: t, d: &action.Device{},
				now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
			b.d.Enroll(b.step(), "")
			b.d.Assign(b.step(), []action.Spec{{ID: pid(0), Type: action.DeviceConfiguration,
				Identifier: "x", Version: 1, Mirrored: true}})
			var mark int64
			if tt.handed {
				mark = b.hand().Mark + tt.mark
			}
			_ = b.start(action.SyncPayloads, 0, 0)
			b.report(mark, tt.seen, nil)
			if doubt := b.d.Find(pid(0)).Presence != action.Present; doubt != tt.doubt {
				t.Errorf("doubtful: %t, want %t", doubt, tt.doubt)
			}
			if b.at(action.StepAsked, action.Pending); tt.doubt {
				return
			}
			_ = b.start(action.SyncPayloads, 0)
			b.at(action.StepVerified, action.Done)
		})
	}
}
