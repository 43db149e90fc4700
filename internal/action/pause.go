package action

import (
	"strings"
	"time"
)

// clockSkew is how far the clocks of servers on one database may be apart.
const clockSkew = time.Minute

// CorrectPauses ends every pause of which more is left than it is ever long: it began by a clock that was ahead and has been
// put right, and nobody knows how much of it has passed. Automatic restores are not pauses: they are when somebody asked.
func (d *Device) CorrectPauses(s Step) {
	for _, p := range d.Payloads {
		w := &p.Work
		longest := backoff(s.Policy.RetryBase, s.Policy.RetryMax, w.Attempt)
		if w.Phase == Verifying {
			longest = backoff(s.Policy.PollBase, s.Policy.PollMax, w.Polls)
		}
		if !s.misdated(w.NotBefore, longest) {
			continue
		}
		if r := d.Action.open(p.ID); r != nil {
			if failed, ok := strings.CutSuffix(r.Detail, nextTry(w.NotBefore)); ok {
				d.report(s, p.ID, r.Status, Code{r.Code, r.Source}, failed+"; next try when the device connects")
			}
		}
		w.NotBefore = time.Time{}
	}
	for c := range d.Inventories {
		i := &d.Inventories[c]
		if s.misdated(i.NotBefore, backoff(s.Policy.RetryBase, s.Policy.RetryMax, i.Attempt)) {
			i.NotBefore = time.Time{}
		}
	}
}

func (s *Step) misdated(notBefore time.Time, longest time.Duration) bool {
	return notBefore.After(s.Now.Add(longest + clockSkew))
}

func nextTry(at time.Time) string { return "; next try at " + at.UTC().Format(time.RFC3339) }

const detailUnwakeable = "the device cannot be woken, and this waits until it connects by itself: "

// TellUnwakeable puts into every payload that the device was not sent yet why the device cannot be woken; empty: it can.
func (d *Device) TellUnwakeable(s Step, why string) {
	if d.Action == nil || d.Action.State.Final() {
		return
	}
	for i := range d.Action.Results {
		r := &d.Action.Results[i]
		if r.Status != Initiated || why == "" && !strings.HasPrefix(r.Detail, detailUnwakeable) {
			continue
		}
		detail := ""
		if why != "" {
			detail = detailUnwakeable + why
		}
		d.report(s, r.Payload, Initiated, Code{}, detail)
	}
}
