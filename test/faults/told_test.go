package faults

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// told: who has read all events knows of every action what the server shows of it.
func (s *site) told(all []live.Event) {
	s.Helper()
	type line struct {
		action  action.ActionID
		payload action.PayloadID
	}
	results, states := map[line]action.Result{}, map[action.ActionID]action.State{}
	for _, e := range all {
		if e.Result != nil {
			results[line{e.Action, e.Result.Payload}] = *e.Result
		}
		states[e.Action] = e.State
	}
	st, err := store.Open(s.Context(), s.database)
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	for _, d := range s.devices {
		past, err := st.PastActions(s.Context(), fleet.DeviceID(d.id), 0, 100_000)
		if err != nil {
			s.Fatal(err)
		}
		for _, a := range past {
			if states[a.ID] != a.State {
				s.Errorf("action %s is told to be in state %d, and is in %d", a.ID, states[a.ID],
					a.State)
			}
			for _, r := range a.Results {
				if got := results[line{a.ID, r.Payload}]; got != r {
					s.Errorf("of action %s is told %+v, and it is %+v", a.ID, got, r)
				}
			}
		}
	}
}

// Devices that are silent when they have taken a command, and do what it says, and say so, when
// another call has been made long since: they end as was asked last.
func TestLateAnswers(t *testing.T) {
	t.Parallel()
	s, _ := onFile(t, 5)
	for _, d := range s.devices {
		d.SetFaults(simulator.Faults{LateAnswer: 0.4})
	}
	l := s.load(s.devices)
	for range 8 {
		l.again()
	}
	l.stop()
	l.admins.Wait()
	late := 0
	for _, d := range s.devices { // nobody is late any more, but with what is still to come
		d.SetFaults(simulator.Faults{})
		// devices connect by themselves
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			n, pending := d.Late()
			if !pending {
				late += n
				break
			}
			if time.Now().After(end) {
				t.Fatal("a device does not connect")
			}
		}
	}
	l.finish()
	if late == 0 {
		t.Error("no answer was late")
	}
	t.Logf("%d answers were late", late)
}
