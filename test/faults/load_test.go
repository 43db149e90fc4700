package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// load is an admin for each device, who declares one random set after the other, and makes each
// call again until it is accepted. What was accepted must be what the server says, whoever of the
// servers answers.
type load struct {
	*site
	devices []*device
	asked   [][]payload // by each admin last
	stop    context.CancelFunc
	admins  sync.WaitGroup
	calls   atomic.Int64 // accepted
	refused atomic.Int64 // or without an answer
}

func (s *site) load(devices []*device) *load {
	ctx, stop := context.WithCancel(s.Context())
	l := &load{site: s, devices: slices.Clone(devices), asked: make([][]payload, len(devices)),
		stop: stop}
	for i := range l.devices {
		l.admins.Go(func() { l.admin(ctx, i) })
	}
	s.Cleanup(func() { stop(); l.admins.Wait() })
	return l
}

func (l *load) admin(ctx context.Context, i int) {
	random := rand.New(rand.NewPCG(3, uint64(i)))
	d := l.devices[i]
	for ctx.Err() == nil {
		var set []payload
		for _, p := range l.catalog {
			if random.IntN(2) == 0 {
				set = append(set, p)
			}
		}
		end := time.Now().Add(5 * time.Minute)
		for !l.accepted(d, set) {
			l.refused.Add(1)
			if time.Now().After(end) {
				l.Errorf("a call of device %s is never accepted", d.id)
				return
			}
			time.Sleep(50 * time.Millisecond) // as a client waits before it calls again
		}
		l.calls.Add(1)
		l.asked[i] = set
		l.recall(d, set)
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
	}
}

func (l *load) accepted(d *device, set []payload) bool { return l.declare(l.url, d, set, "0") }

// declare asks a server for a set to be off a device, until it restores it. A server in trouble may
// say so, and nothing else.
func (s *site) declare(server string, d *device, set []payload,
	restoreAfter string) (accepted bool) {
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"payloadId": p.ID, "payloadType": p.Type})
	}
	status, answer, err := s.send(server, "POST",
		"/beta/deviceManagement/managedDevices/"+d.id+"/syncPayloads",
		map[string]string{"Restore-After": restoreAfter},
		map[string]any{"deviceActionPayloads": items})
	if status != 0 && status != http.StatusNoContent && status < 500 {
		s.Errorf("a call is answered %d %s", status, answer)
	}
	if status != http.StatusNoContent {
		fmt.Fprintf(s.troubles, "a call of device %s is answered %d %s %v\n", d.id, status, answer,
			err)
	}
	return status == http.StatusNoContent
}

// recall looks whether the server knows what it accepted, if it answers.
func (l *load) recall(d *device, set []payload) {
	r, ok := l.result(d)
	if !ok {
		return
	}
	for _, p := range set {
		if got := r.of(p); !strings.HasPrefix(got, "remove/") {
			l.Errorf("%s was accepted to be removed from device %s, and is shown as %s",
				p.Identifier, d.id, got)
		}
	}
}

// result is how an action stands.
type result struct {
	ActionName, ActionState string
	DeviceActionPayloads    []struct {
		PayloadID, Intent, Status, Detail string
		ErrorCode                         int64
	}
}

// result reads a device's latest action; false if the server did not answer.
func (s *site) result(d *device) (r result, ok bool) {
	status, answer, err := s.call("GET",
		"/beta/deviceManagement/managedDevices/"+d.id+"?$select=id,deviceActionResults", nil)
	if err != nil || status >= 500 {
		return r, false
	}
	var found struct{ DeviceActionResults []result }
	if err := json.Unmarshal(answer, &found); err != nil || status != http.StatusOK {
		s.Errorf("device %s is read as %d %s", d.id, status, answer)
		return r, false
	}
	for _, r := range found.DeviceActionResults {
		if r.ActionName == string(action.SyncPayloads) {
			return r, true
		}
	}
	return r, true
}

func (r result) of(p payload) string {
	for _, line := range r.DeviceActionPayloads {
		if line.PayloadID == p.ID {
			return line.Intent + "/" + line.Status
		}
	}
	return "none"
}

// inventory is what a device has, by its own stores.
func inventory(d *simulator.Device) []string {
	found := []string{}
	for _, p := range d.Profiles() {
		if !strings.HasPrefix(p.Identifier, "com.github.syncpayloads.") {
			found = append(found, p.Identifier)
		}
	}
	for _, a := range d.Apps() {
		if a.State == simulator.AppManaged {
			found = append(found, a.Identifier)
		}
	}
	slices.Sort(found)
	return found
}

// left is what a device has when a set is off it.
func (s *site) left(set []payload) []string {
	left := []string{}
	for _, p := range s.catalog {
		if !slices.Contains(set, p) {
			left = append(left, p.Identifier)
		}
	}
	slices.Sort(left)
	return left
}

// finish stops the admins, lets everything settle and compares what was asked, what the server
// says, what each device has, and what it was asked to do.
func (l *load) finish() {
	l.Helper()
	l.stop()
	l.admins.Wait()
	end := time.Now().Add(2 * time.Minute)
	for i, d := range l.devices {
		want := l.left(l.asked[i])
		for {
			r, ok := l.result(d)
			if ok && r.ActionState == "done" && slices.Equal(inventory(d.Device), want) {
				break
			}
			if l.Failed() || time.Now().After(end) {
				l.Fatalf("device %s has %v, asked was %v; the server says %+v", d.id,
					inventory(d.Device), want, r)
			}
			time.Sleep(20 * time.Millisecond) // devices connect by themselves
		}
		l.askedOnce(d)
	}
	l.log()
	l.Logf("%d calls accepted, %d times refused or without an answer", l.calls.Load(),
		l.refused.Load())
}

// askedOnce: what a device reported, and knows that the server took, it is never asked again.
func (s *site) askedOnce(d *device) {
	s.Helper()
	taken := map[string]bool{}
	for _, e := range d.Journal() {
		if taken[e.CommandUUID] {
			s.Errorf("device %s was asked %s again, which it had reported", d.id, e.RequestType)
		}
		taken[e.CommandUUID] = e.Status != "" && e.Status != "NotNow" && !e.Lost
	}
}

// log: an action that has ended never changes again, and none is left that has not.
func (s *site) log() {
	s.Helper()
	states := map[action.ActionID]action.State{}
	all := s.events()
	s.told(all)
	for _, e := range all {
		if e.Kind.OfDevice() {
			continue
		}
		if was := states[e.Action]; was.Final() {
			s.Errorf("action %s was in state %d, and then in %d", e.Action, was, e.State)
		}
		// The payloads' last changes come with the state, which is told last.
		if e.Kind == live.ActionChanged {
			states[e.Action] = e.State
		} else if _, known := states[e.Action]; !known {
			states[e.Action] = action.Pending
		}
	}
	for id, state := range states {
		if !state.Final() {
			s.Errorf("action %s is forgotten in state %d", id, state)
		}
	}
}

// events are all events, as the database has them.
func (s *site) events() (all []live.Event) {
	s.Helper()
	st, err := store.Open(s.Context(), s.database)
	if err != nil {
		s.Fatal(err)
	}
	defer st.Close()
	for after := int64(0); ; after = all[len(all)-1].Position {
		next, err := st.Events(s.Context(), "", after, 1000)
		if err != nil {
			s.Fatal(err)
		}
		if len(next) == 0 {
			return all
		}
		all = append(all, next...)
	}
}

// again waits until calls are accepted again, as many as there are two of each admin.
func (l *load) again() {
	l.Helper()
	accepted := l.calls.Load() + int64(2*len(l.devices))
	for end := time.Now().Add(2 * time.Minute); l.calls.Load() < accepted; {
		if l.Failed() || time.Now().After(end) {
			l.Fatal("the servers do not recover")
		}
		time.Sleep(20 * time.Millisecond) // the admins go on by themselves
	}
}
