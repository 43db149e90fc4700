package action

import (
	"time"
)

// clockSkew is how far the clocks of servers on one database may be apart.
const clockSkew = time.Minute

// CorrectPauses ends every pause of which more is left than it is ever long: it began by a clock
// that was ahead and has been put right, and nobody knows how much of it has passed. Automatic
// restores are not pauses: they are when somebody asked.
func (d *Device) CorrectPauses(env Env) {
	for _, p := range d.Payloads {
		w := &p.Work
		longest := backoff(env.Policy.RetryBase, env.Policy.RetryMax, w.Attempt)
		if w.Phase == Verifying {
			longest = backoff(env.Policy.PollBase, env.Policy.PollMax, w.Polls)
		}
		if !env.misdated(w.NotBefore, longest) {
			continue
		}
		if r := d.Action.open(p.ID); r != nil && r.Step == StepFailing {
			d.reportStep(env, p.ID, StepFailing,
				withMore(w.Failure, "next try when the device connects"))
		}
		w.NotBefore = time.Time{}
	}
	if env.misdated(d.Leave.NotBefore,
		backoff(env.Policy.RetryBase, env.Policy.RetryMax, d.Leave.Attempt)) {
		d.Leave.NotBefore = time.Time{}
	}
	for c := range d.Inventories {
		i := &d.Inventories[c]
		if env.misdated(i.NotBefore, backoff(env.Policy.RetryBase, env.Policy.RetryMax,
			i.Attempt)) {
			i.NotBefore = time.Time{}
		}
	}
}

func (env Env) misdated(notBefore time.Time, longest time.Duration) bool {
	return notBefore.After(env.Now.Add(longest + clockSkew))
}

func nextTry(at time.Time) string { return "; next try at " + at.UTC().Format(time.RFC3339) }

const detailUnwakeable = "the device cannot be woken, and this waits until it connects by itself: "

// TellUnwakeable puts into every payload that the device was not sent yet why the device cannot be
// woken; empty: it can.
func (d *Device) TellUnwakeable(env Env, why string) {
	if d.Action == nil || d.Action.State.Final() {
		return
	}
	for i := range d.Action.Results {
		r := &d.Action.Results[i]
		switch {
		case why != "" && (r.Step == StepAsked || r.Step == StepUnwakeable):
			d.reportStep(env, r.Payload, StepUnwakeable, detailUnwakeable+why)
		case why == "" && r.Step == StepUnwakeable:
			d.reportStep(env, r.Payload, StepAsked, "")
		}
	}
}
