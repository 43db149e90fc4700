package action_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// Whatever becomes of documents and of the reports on them, no result says what is not so.
func TestHistoriesOfDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newDocumentWorld(t, rapid.SampledFrom([]int{2, 3, 5, 40}).Draw(t, "payloads"), false,
			false).history(t)
	})
}

// A document has one payload for each place.
func TestHistoriesOfDocumentsOfOneIdentifier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newDocumentWorld(t, rapid.SampledFrom([]int{2, 3, 6, 8, 24}).Draw(t, "payloads"), true,
			false).history(t)
	})
}

// What another system installs is taken off and given back, and never installed.
func TestHistoriesOfMirroredPayloads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		newDocumentWorld(t, rapid.SampledFrom([]int{2, 3, 5, 40}).Draw(t, "payloads"), false,
			true).history(t)
	})
}

// desk is a bench whose device is handed documents.
type desk struct {
	*bench
	number int64
}

// newDesk returns a device whose n payloads are on it by a document.
func newDesk(t *testing.T, n int) *desk {
	b := &desk{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
	b.d.Enroll(b.step(), "")
	b.assign(1, n)
	doc := b.hand()
	b.report(doc.Mark, b.present(1, n), nil)
	return b
}

func (b *desk) hand() action.Document { return b.d.HandDocument(b.step()) }

// shown are sightings of n payloads in a version.
func (b *desk) present(version int64, n int) map[action.PayloadID]action.Sighting {
	seen := make(map[action.PayloadID]action.Sighting)
	for i := range n {
		seen[pid(i)] = action.Sighting{Present: true,
			Revision: spec(pid(i), action.DeviceConfiguration, version).Revision}
	}
	return seen
}

func (b *desk) report(mark int64, seen map[action.PayloadID]action.Sighting,
	outcomes map[action.PayloadID]action.Outcome) bool {
	b.number++
	r := action.DocumentReport{Number: b.number, Mark: mark, Sightings: seen, Outcomes: outcomes}
	return b.d.TakeReport(b.step(), &r)
}

func (b *desk) at(step action.Step, state action.State) action.Result {
	b.Helper()
	r := b.d.Action.Results[0]
	if r.Step != step || b.d.Action.State != state {
		b.Fatalf("step %d, action %d, want %d, %d: %+v", r.Step, b.d.Action.State, step, state, r)
	}
	return r
}

// How a report says that a device took a payload, and what becomes of it.
func TestOutcomesOfDocument(t *testing.T) {
	gone := map[action.PayloadID]action.Sighting{pid(0): {}}
	for name, tt := range map[string]struct {
		outcome action.Outcome
		seen    map[action.PayloadID]action.Sighting
		step    action.Step
		state   action.State
		code    int64
	}{
		"taken, and gone":  {action.Outcome{}, gone, action.StepVerified, action.Done, 0},
		"taken, and there": {action.Outcome{}, nil, action.StepFailing, action.Active, 0},
		"taken, and not told of": {action.Outcome{}, map[action.PayloadID]action.Sighting{},
			action.StepSettling, action.Active, 0},
		"taken, and at it": {action.Outcome{},
			map[action.PayloadID]action.Sighting{pid(0): {Working: true, Detail: "x"}},
			action.StepSettling, action.Active, 0},
		"waiting": {action.Outcome{Verdict: action.Waiting}, gone, action.StepHandedOver,
			action.Pending, 0},
		"waiting, not now": {action.Outcome{Verdict: action.NotNow}, gone, action.StepHandedOver,
			action.Pending, 0},
		"not there": {action.Outcome{Verdict: action.NotFound}, gone, action.StepVerified,
			action.Done, 0},
		"busy": {action.Outcome{Verdict: action.Retriable, Code: 7}, gone,
			action.StepFailing, action.Active, 0},
		"never": {action.Outcome{Verdict: action.Permanent, Code: 8}, gone,
			action.StepFailed, action.Failed, 8},
	} {
		t.Run(name, func(t *testing.T) {
			b := newDesk(t, 1)
			_ = b.start(action.SyncPayloads, 0, 0)
			if tt.seen == nil {
				tt.seen = b.present(1, 1)
			}
			b.report(b.hand().Mark, tt.seen,
				map[action.PayloadID]action.Outcome{pid(0): tt.outcome})
			if r := b.at(tt.step, tt.state); r.Code != tt.code {
				t.Errorf("code %d, want %d", r.Code, tt.code)
			}
		})
	}
}

// While a device has not taken a document no clock runs. From then on what it never shows ends in
// error, with the channel's code if it has one.
func TestClockOfDocument(t *testing.T) {
	b := newDesk(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	doc := b.hand()
	waiting := map[action.PayloadID]action.Outcome{pid(0): {Verdict: action.Waiting,
		Detail: "the device is off"}}
	for range 100 {
		b.now = b.now.Add(day)
		b.report(doc.Mark, nil, waiting)
	}
	b.at(action.StepHandedOver, action.Pending)
	if due := b.d.NextDue(b.now); !due.IsZero() {
		t.Fatalf("a clock runs until %s", due)
	}
	working := map[action.PayloadID]action.Sighting{pid(0): {Working: true, Code: 77,
		Detail: "at it"}}
	b.report(doc.Mark, working, nil)
	b.at(action.StepSettling, action.Active)
	b.now = b.now.Add(day - time.Second)
	b.report(doc.Mark, working, nil)
	b.at(action.StepSettling, action.Active)
	b.now = b.now.Add(time.Second)
	b.report(doc.Mark, working, nil)
	if r := b.at(action.StepFailed, action.Failed); r.Code != 77 {
		t.Errorf("code %d, want the channel's", r.Code)
	}
	// good later: the result stays
	b.report(doc.Mark, map[action.PayloadID]action.Sighting{pid(0): {}}, nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Idle || p.Presence != action.Absent {
		t.Errorf("what was seen later is not known: %+v", p)
	}
	b.at(action.StepFailed, action.Failed)
}

// Only a report on the hand-over, or on a later one, that is newer than those before counts.
func TestReportsThatDoNotCount(t *testing.T) {
	gone := map[action.PayloadID]action.Sighting{pid(0): {}}
	b := newDesk(t, 1)
	first := b.d.Documents.Last
	_ = b.start(action.SyncPayloads, 0, 0)
	if b.report(first, gone, nil) {
		t.Error("a report on the document before the removal was taken")
	}
	// it is not there, and the document that is in force brings it back
	b.at(action.StepAsked, action.Pending)
	second := b.hand()
	b.report(first, gone, nil)
	b.at(action.StepHandedOver, action.Pending)
	b.report(second.Mark+1, gone, nil)
	b.at(action.StepHandedOver, action.Pending)
	b.number = 0
	b.report(second.Mark, gone, nil)
	b.at(action.StepHandedOver, action.Pending)
	b.number = 100
	b.report(b.hand().Mark, gone, nil)
	b.at(action.StepVerified, action.Done)

	b.d.Enroll(b.step(), "")
	b.assign(1, 1)
	b.hand()
	b.report(second.Mark, b.present(1, 1), nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Delivered {
		t.Errorf("a report of an earlier enrollment counts: %+v", p)
	}
}

// What an edit asks is shown by the new revision alone.
func TestRevisionInReport(t *testing.T) {
	b := newDesk(t, 1)
	b.assign(2, 1)
	doc := b.hand()
	b.report(doc.Mark, b.present(1, 1), nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Queued || p.Work.Attempt != 1 {
		t.Fatalf("the old revision counts: %+v", p)
	}
	b.now = b.now.Add(time.Hour)
	b.report(b.hand().Mark, b.present(2, 1), nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Idle || p.Installed != 2 {
		t.Fatalf("the new revision does not count: %+v", p)
	}
}

// What stays behind is told with the end.
func TestNoteOfSighting(t *testing.T) {
	b := newDesk(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	b.report(b.hand().Mark,
		map[action.PayloadID]action.Sighting{pid(0): {Note: "the default applies"}}, nil)
	if r := b.at(action.StepVerified, action.Done); r.Detail != "the default applies" {
		t.Errorf("the detail is %q", r.Detail)
	}
}

// An app and its configuration go out together, and come to rest by one report.
func TestAppAndConfigurationInOneDocument(t *testing.T) {
	b := &desk{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
	b.d.Enroll(b.step(), "")
	app, configuration := spec("app", action.Application, 1),
		spec("set", action.AppConfiguration, 1)
	configuration.Identifier = app.Identifier
	b.d.Assign(b.step(), []action.Spec{app, configuration})
	doc := b.hand()
	if len(doc.Wanted) != 2 {
		t.Fatalf("the document has %+v", doc)
	}
	b.report(doc.Mark, map[action.PayloadID]action.Sighting{"app": {Present: true,
		Revision: app.Revision},
		"set": {Present: true, Revision: configuration.Revision}}, nil)
	if b.d.Ready(b.now) {
		t.Errorf("there is work left: %+v, %+v", b.d.Find("app").Work, b.d.Find("set").Work)
	}
}

// An imported action may restore more than a result has room for.
func TestImportBeyondTheLimit(t *testing.T) {
	b := newDesk(t, 60)
	ids := make([]int, action.MaxPayloads)
	for i := range ids {
		ids[i] = i
	}
	_ = b.start(action.SyncPayloads, time.Hour, ids...)
	b.hand()
	for i := range ids {
		ids[i] += 30
	}
	req := action.Request{ID: "theirs", Set: selection(ids...)}
	if _, _, err := b.d.Start(b.step(), req); err == nil {
		t.Fatal("60 results are possible")
	}
	req.Imported = true
	if _, started, err := b.d.Start(b.step(), req); err != nil || !started ||
		len(b.d.Action.Results) != action.MaxPayloads {
		t.Fatalf("imported: %v, %v, %d results", started, err, len(b.d.Action.Results))
	}
	if doc := b.hand(); len(doc.Wanted) != 30 || len(doc.HeldOff) != 30 {
		t.Errorf("%d are wanted and %d held off", len(doc.Wanted), len(doc.HeldOff))
	}
	b.d.RestoreExpired(b.step(), "later") // does not count what is on its way back
}

// A mirrored payload that is not on the device is its own system's to install, and one that comes
// back by that system is not removed again.
func TestMirroredPayloadIsItsOwners(t *testing.T) {
	b := &desk{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
	b.d.Enroll(b.step(), "")
	b.d.Assign(b.step(), []action.Spec{{ID: pid(0), Type: action.DeviceConfiguration,
		Identifier: "x", Version: 1, Mirrored: true}})
	gone := map[action.PayloadID]action.Sighting{pid(0): {}}
	there := map[action.PayloadID]action.Sighting{pid(0): {Present: true}}
	b.report(b.hand().Mark, gone, nil)
	if p := b.d.Find(pid(0)); p.Work != (action.Work{}) || b.d.Ready(b.now) {
		t.Fatalf("it is to be installed: %+v", p.Work)
	}
	_ = b.start(action.SyncPayloads, 0, 0)
	doc := b.hand()
	b.report(doc.Mark, gone, nil)
	b.at(action.StepVerified, action.Done)
	b.report(doc.Mark, there, nil)
	if doc = b.hand(); len(doc.HeldOff) > 0 || len(doc.Wanted) != 1 {
		t.Fatalf("it is removed again: %+v", doc)
	}
	b.report(doc.Mark, there, nil)
	if p := b.d.Find(pid(0)); p.Away || p.Work != (action.Work{}) {
		t.Fatalf("it is not its owner's again: %+v", p)
	}
}

// What an edit asks is not fulfilled by a report on the document before, if reports do not tell
// versions apart.
func TestEditThatNoReportShows(t *testing.T) {
	b := &desk{bench: &bench{T: t, d: &action.Device{},
		now: time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)}}
	b.d.Enroll(b.step(), "")
	app := action.Spec{ID: pid(0), Identifier: "x", Version: 1}
	there := map[action.PayloadID]action.Sighting{pid(0): {Present: true}}
	b.d.Assign(b.step(), []action.Spec{app})
	first := b.hand()
	b.report(first.Mark, there, nil)
	app.Version = 2
	b.d.Assign(b.step(), []action.Spec{app})
	b.report(first.Mark, there, nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Queued || p.Installed != 1 {
		t.Fatalf("the edit is taken for installed: %+v", p)
	}
	b.report(b.hand().Mark, there, nil)
	if p := b.d.Find(pid(0)); p.Work.Phase != action.Idle || p.Installed != 2 {
		t.Fatalf("the edit is not installed: %+v", p)
	}
}
