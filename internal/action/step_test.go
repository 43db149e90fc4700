package action_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
)

// checkStep holds that a result's step and its status are of one mind.
func checkStep(t interface{ Fatalf(string, ...any) }, r action.Result) {
	var fits bool
	switch r.Status {
	case action.Initiated:
		fits = r.Step >= action.StepAsked && r.Step <= action.StepHandedOver
	case action.InProgress:
		fits = r.Step >= action.StepHandedOver && r.Step <= action.StepSettling
	case action.Error:
		fits = r.Step == action.StepFailed
	default:
		fits = r.Step == action.StepVerified
	}
	if !fits || r.Step.Final() != r.Status.Final() {
		t.Fatalf("a result of status %d has step %d: %+v", r.Status, r.Step, r)
	}
}

// A result goes through its steps as the device answers.
func TestSteps(t *testing.T) {
	b := newBench(t, 2)
	at := func(want action.Step) {
		t.Helper()
		r := b.d.Action.Results[0]
		if r.Step != want {
			t.Fatalf("step %d, want %d: %+v", r.Step, want, r)
		}
		checkStep(t, r)
	}
	_ = b.start(action.SyncPayloads, 0, 0)
	at(action.StepAsked)
	b.d.TellUnwakeable(b.step(), "no push certificate")
	at(action.StepUnwakeable)
	b.d.TellUnwakeable(b.step(), "")
	at(action.StepAsked)
	task := b.next()
	at(action.StepSent)
	b.d.TellUnwakeable(b.step(), "no push certificate")
	at(action.StepSent)
	b.answer(task, action.Outcome{Verdict: action.NotNow})
	at(action.StepNotNow)
	b.d.Contact()
	b.answer(b.next(), action.Outcome{Verdict: action.Retriable, Code: 7, Detail: "busy"})
	at(action.StepFailing)
	b.now = b.now.Add(time.Hour)
	b.answer(b.next(), action.Outcome{})
	at(action.StepAcknowledged)
	s := spec(pid(0), action.DeviceConfiguration, 1)
	b.answer(b.next(), action.Outcome{Sightings: []action.Sighting{{Identifier: s.Identifier,
		Working: true, Detail: "at it"}}})
	at(action.StepSettling)
	b.now = b.now.Add(time.Hour)
	b.serveWithout(0)
	at(action.StepVerified)

	_ = b.start(action.SyncPayloads, 0, 0)
	at(action.StepVerified) // off already
	_ = b.start(action.SyncPayloads, 0)
	at(action.StepAsked)
	b.answer(b.next(), action.Outcome{Verdict: action.Permanent, Code: 8, Detail: "never"})
	at(action.StepFailed)
	_ = b.start(action.SyncPayloads, 0, 1)
	b.d.Unenroll(b.step())
	at(action.StepFailed)
}
