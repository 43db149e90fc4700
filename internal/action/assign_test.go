package action_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// What failed for good is tried again when it is edited or assigned anew, and not because somebody
// looked.
func TestAssignOfWhatFailed(t *testing.T) {
	fails := action.Outcome{Verdict: action.Permanent, Code: 4001, Detail: "never"}
	installing := func(t *testing.T) *bench { // p0 could not be installed
		b := newBench(t, 0)
		b.assign(1, 2)
		b.answer(b.next(), fails)
		b.answer(b.next(), action.Outcome{})
		b.answer(b.next(), list(1, 1))
		return b
	}
	removing := func(t *testing.T) *bench { // it could not be removed
		b := newBench(t, 1)
		b.assign(1, 0)
		b.answer(b.next(), fails)
		return b
	}
	for name, tt := range map[string]struct {
		failed  func(*testing.T) *bench
		version int64
		n       int
		phase   action.Phase
	}{
		"as before":            {installing, 1, 2, action.Stuck},
		"edited":               {installing, 2, 2, action.Queued},
		"removed as before":    {removing, 1, 0, action.Stuck},
		"removed and assigned": {removing, 1, 1, action.Queued},
	} {
		t.Run(name, func(t *testing.T) {
			b := tt.failed(t)
			if p := b.d.Find(pid(0)); p.Work.Phase != action.Stuck {
				t.Fatalf("it did not fail: %+v", p.Work)
			}
			b.assign(tt.version, tt.n)
			if p := b.d.Find(pid(0)); p.Work.Phase != tt.phase {
				t.Errorf("it stands as %+v", p.Work)
			}
		})
	}
	b := installing(t)
	if b.assign(1, 0); b.d.Find(pid(0)) != nil {
		t.Error("what ended and is not there is remembered")
	}
}

// A device that is not enrolled is asked for nothing, and what ends for it is forgotten.
func TestAssignToNobody(t *testing.T) {
	b := &bench{T: t, d: &action.Device{}}
	b.assign(1, 2)
	for _, p := range b.d.Payloads {
		if p.Work != (action.Work{}) {
			t.Errorf("%s is worked on: %+v", p.ID, p.Work)
		}
	}
	if b.assign(1, 1); len(b.d.Payloads) != 1 {
		t.Errorf("%d payloads are remembered, want 1", len(b.d.Payloads))
	}
}

// Work that goes on as it is wanted is left alone, and work that does not is redirected at once.
func TestAssignWhileWorkGoesOn(t *testing.T) {
	b := newBench(t, 0)
	b.assign(1, 1)
	install := b.next()
	b.assign(1, 1)
	if again := b.next(); again.ID != install.ID || len(b.d.Orphans) > 0 {
		t.Fatalf("the installation was begun anew: %+v after %+v", again, install)
	}
	b.assign(2, 1)
	if edited := b.next(); edited.ID == install.ID || edited.Payload.Version != 2 ||
		len(b.d.Orphans) != 1 {
		t.Fatalf("an edit sends %+v after %+v", edited, install)
	}
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), list(2, 0))
	b.assign(2, 0)
	remove := b.next()
	b.assign(2, 0)
	if again := b.next(); remove.Kind != action.Uninstall || again.ID != remove.ID ||
		len(b.d.Orphans) != 1 {
		t.Fatalf("the removal was begun anew: %+v after %+v", again, remove)
	}
	b.assign(2, 1)
	if back := b.next(); back.Kind != action.Install || back.ID == remove.ID {
		t.Fatalf("what is assigned again is sent %+v after %+v", back, remove)
	}
	b.assign(2, 0)
	b.answer(b.next(), action.Outcome{Verdict: action.NotFound})
	b.answer(b.next(), action.Outcome{})
	if _, ok := b.d.Next(b.step()); ok || len(b.d.Payloads) != 0 {
		t.Errorf("%d payloads are left", len(b.d.Payloads))
	}
}

// A removal that goes on for an action is not begun anew by an edit of what is removed.
func TestEditWhileRemoving(t *testing.T) {
	b := newBench(t, 1)
	_ = b.start(action.SyncPayloads, 0, 0)
	remove := b.next()
	b.assign(2, 1)
	if again := b.next(); again.ID != remove.ID {
		t.Fatalf("it is sent %+v after %+v", again, remove)
	}
}

// The configuration of an app that arrives is looked for among all that is assigned.
func TestConfigurationBehindOthers(t *testing.T) {
	b := newBench(t, 0)
	app, configuration := spec("app", action.Application, 1),
		spec("set", action.AppConfiguration, 1)
	configuration.Identifier = app.Identifier
	b.d.Assign(b.step(), []action.Spec{spec("other", action.AppConfiguration, 1), configuration,
		app})
	see := func(specs ...action.Spec) (o action.Outcome) {
		for _, s := range specs {
			o.Sightings = append(o.Sightings, action.Sighting{Identifier: s.Identifier,
				Revision: s.Revision, Present: true})
		}
		return o
	}
	for {
		task, ok := b.d.Next(b.step())
		if !ok {
			break
		}
		o := see(app)
		if task.Class == action.AppConfigurations {
			o = see(spec("other", action.AppConfiguration, 1), configuration)
		}
		b.answer(task, o)
	}
	set := []action.Selection{{ID: "app", Type: action.Application}}
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "a", Set: set}); err != nil {
		t.Fatal(err)
	}
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), action.Outcome{})
	b.expectState(action.Done)
	if _, _, err := b.d.Start(b.step(), action.Request{ID: "b"}); err != nil {
		t.Fatal(err)
	}
	b.answer(b.next(), action.Outcome{})
	b.answer(b.next(), see(app))
	if p := b.d.Find("set"); p.Work.Phase != action.Verifying {
		t.Errorf("the configuration stands as %+v", p.Work)
	}
	if p := b.d.Find("other"); p.Work.Phase != action.Idle {
		t.Errorf("another app's configuration stands as %+v", p.Work)
	}
}
