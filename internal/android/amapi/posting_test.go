package amapi_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// newest are the postings of a device, the newest first.
func (w *world) postings(d *simulator.Device) []amapi.Posting {
	w.Helper()
	list, err := w.store.AndroidPostings(w.Context(), d.Name())
	w.must(err)
	return list
}

// An answer that is lost after Google did what was asked leaves it open whether it did. The next
// turn finds out, and posts nothing twice.
func TestAnswerLostAfterItsEffect(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	before := w.service.Calls("policies.patch")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", LoseAnswer: true, Times: 1})
	w.call(id, p)
	w.served()
	if v := w.postings(d)[0].Version; v != 0 {
		t.Fatalf("what was sent has version %d though its answer was lost", v)
	}
	w.quiet[d] = true
	w.clock.Advance(time.Second)
	w.must(d.Sync()) // the device is faster than the server, which does not know the version yet
	w.pull()
	if w.is(id, p, action.Removed) {
		t.Error("a version that is not known proves something")
	}
	w.within(10*time.Second, "its version is known", func() bool {
		return w.postings(d)[0].Version != 0
	})
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		t.Errorf("the document was sent %d times", n)
	}
	// what the device said meanwhile is looked up
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
}

// A process that ends between writing down what it is about to send and sending it has sent nothing:
// the next one finds that out, and sends.
func TestCrashBeforeSending(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	list := w.postings(d)
	w.must(w.store.AddAndroidPosting(t.Context(), d.Name(), amapi.Posting{
		Mark: list[0].Mark + 1, Hash: "of what was never sent", Manifest: list[0].Manifest}))
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	if ssids(d) != "" {
		t.Errorf("the device has %s", ssids(d))
	}
	for _, one := range w.postings(d) {
		if one.Version == 0 || one.Hash == "of what was never sent" {
			t.Errorf("there is still %+v", one)
		}
	}
}

// crashing is a store on which a process ends right behind a write.
type crashing struct {
	amapi.Store
	after string
	hit   *bool
}

var errCrash = errors.New("the process ends here")

func (s crashing) crash(where string, err error) error {
	if err == nil && where == s.after && !*s.hit {
		*s.hit = true
		return errCrash
	}
	return err
}

func (s crashing) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	return s.crash("intent", s.Store.AddAndroidPosting(ctx, name, p))
}

func (s crashing) FinishAndroidPosting(ctx context.Context, name string, mark,
	version int64) error {
	if s.after == "sent" && !*s.hit {
		*s.hit = true
		return errCrash // before the version is stored
	}
	return s.crash("version", s.Store.FinishAndroidPosting(ctx, name, mark, version))
}

func (s crashing) MoveAndroidPosting(ctx context.Context, name string, mark, to int64,
	m *payload.Manifest) error {
	return s.crash("moved", s.Store.MoveAndroidPosting(ctx, name, mark, to, m))
}

// Wherever a process ends while it posts a policy, the device gets what is wanted, and what is
// asked of it comes to its end.
func TestCrashesWhilePosting(t *testing.T) {
	for _, after := range []string{"intent", "sent", "version", "moved"} {
		t.Run(after, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.wifi("Office")
			d, id := w.enroll("S", simulator.DeviceOptions{})
			w.steady(id)
			hit := false
			w.wrap = func(s amapi.Store) amapi.Store { return crashing{s, after, &hit} }
			w.node = w.newNode()
			w.quiet[d] = true
			w.call(id, p)
			w.within(time.Minute, "the process ends", func() bool { return hit })
			w.wrap = nil
			w.clock.Advance(5 * time.Minute) // the lease of the one that ended
			w.node = w.newNode()
			w.quiet[d] = false
			w.within(10*time.Second, "it is removed",
				func() bool { return w.is(id, p, action.Removed) })
			if ssids(d) != "" {
				t.Errorf("the device has %s", ssids(d))
			}
		})
	}
}

// Two servers never work on one device at the same time.
func TestOneServerADevice(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	lease := "android/device/" + string(id)
	now := w.clock.Now()
	taken, err := w.store.TakeLease(t.Context(), lease, "another server", now,
		now.Add(time.Minute))
	if err != nil || !taken {
		t.Fatalf("the lease is not free: %v", err)
	}
	before := w.service.Calls("policies.patch")
	w.call(id, p)
	w.served()
	if n := w.service.Calls("policies.patch") - before; n > 0 {
		t.Fatalf("%d requests for a device that another server works on", n)
	}
	if w.channel.Waits() == 0 {
		t.Fatal("the device does not wait")
	}
	w.until("it is sent when the lease has ended", func() bool {
		return w.service.Calls("policies.patch") > before
	})
	if taken, err := w.store.TakeLease(t.Context(), lease, "another server", w.clock.Now(),
		w.clock.Now().Add(time.Minute)); err != nil || !taken {
		t.Errorf("the lease is not given back: %v", err)
	}
}

// A lease that was lost meanwhile keeps a document from being sent: another server may have sent a
// newer one.
func TestLeaseLostBeforeSending(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	lost := false
	w.wrap = func(s amapi.Store) amapi.Store {
		return stealing{s, "android/device/" + string(id), &lost}
	}
	w.node = w.newNode()
	before := w.service.Calls("policies.patch")
	w.call(id, p)
	w.served()
	if n := w.service.Calls("policies.patch") - before; n > 0 || !lost {
		t.Fatalf("%d requests without a lease", n)
	}
}

// stealing is a store that gives a lease to another server once it was taken.
type stealing struct {
	amapi.Store
	name string
	lost *bool
}

func (s stealing) AddAndroidPosting(ctx context.Context, name string, p amapi.Posting) error {
	err := s.Store.AddAndroidPosting(ctx, name, p)
	if *s.lost = true; err == nil {
		now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err = s.TakeLease(ctx, s.name, "another server", now, now.Add(time.Hour))
	}
	return err
}

// When Google says that a project asks too much, nothing more is asked for a minute, of no device,
// and nothing is counted against anybody.
func TestTooManyRequests(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	var ids []fleet.DeviceID
	for _, serial := range []string{"A", "B", "C", "D"} {
		_, id := w.enroll(serial, simulator.DeviceOptions{})
		ids = append(ids, id)
	}
	for _, id := range ids {
		w.steady(id)
	}
	before := w.service.Calls("policies.patch")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 429, Times: 1})
	for _, id := range ids {
		w.call(id, p)
	}
	w.served()
	for range 50 {
		w.step(time.Second)
	}
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		t.Errorf("%d requests within a minute of being told that there are too many", n)
	}
	h, err := w.channel.Health(t.Context())
	if err != nil || h.PausedUntil.IsZero() || h.LastRefusal == nil ||
		h.LastRefusal.Code != http.StatusTooManyRequests {
		t.Errorf("the health is %+v, %v", h, err)
	}
	// another server of the same project is told by the store
	other := w.newNode()
	w.must(other.channel.Wake(t.Context(), ids[0]))
	other.channel.ServeDue(t.Context())
	if n := w.service.Calls("policies.patch") - before; n != 1 {
		t.Errorf("another server asked within that minute")
	}
	for _, id := range ids {
		w.until("all are removed", func() bool { return w.is(id, p, action.Removed) })
		if r := w.result(id, p); strings.Contains(r.Detail, "attempt") {
			t.Errorf("it is counted against a device: %s", r.Detail)
		}
	}
}

// Google's own failures are waited out, and not counted against the device.
func TestGoogleFails(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	_, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 503, Times: 10})
	w.call(id, p)
	w.within(20*time.Second, "it is removed",
		func() bool { return w.is(id, p, action.Removed) })
	if r := w.result(id, p); strings.Contains(r.Detail, "attempt") {
		t.Errorf("it is counted against the device: %s", r.Detail)
	}
}

// A policy that Google refuses whole is posted without what it is refused for, also where Google
// does not say for what.
func TestRefusedForReasonsUnknown(t *testing.T) {
	w := newWorld(t)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	old := w.wifi("Old")
	w.steady(id)
	one, two := w.wifi("One"), w.wifi("Two")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 400, Times: 2,
		Message: "Request contains an invalid argument."})
	w.until("one of them failed", func() bool {
		return w.payload(id, one).Work.Phase == action.Stuck ||
			w.payload(id, two).Work.Phase == action.Stuck
	})
	if w.payload(id, two).Work.Phase == action.Stuck {
		t.Error("both have failed, or the one that Google takes")
	}
	w.until("the rest is there", func() bool { return ssids(d) == "Old Two" })
	if w.payload(id, old).Work.Phase != action.Idle {
		t.Errorf("what was there is %+v", w.payload(id, old).Work)
	}
	// nothing is left to find out: both are new, and Google takes neither
	three, four := w.wifi("Three"), w.wifi("Four")
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 400, Times: 4,
		Message: "Request contains an invalid argument."})
	w.until("both failed", func() bool {
		return w.payload(id, three).Work.Phase == action.Stuck &&
			w.payload(id, four).Work.Phase == action.Stuck
	})
	if ssids(d) != "Old Two" {
		t.Errorf("the device has %s", ssids(d))
	}
}

// A policy that somebody else changes is set anew, and proves nothing meanwhile. One that somebody
// sets again as it was stays.
func TestForeignEdit(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	name, version := d.PolicyVersion()
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })

	w.service.EditPolicy(name, func(policy *androidmanagement.Policy) {
		policy.CameraAccess = "CAMERA_ACCESS_DISABLED"
	})
	w.reported(d)
	if d.Settings()["cameraAccess"] == nil {
		t.Fatal("the simulated device did not take the other policy")
	}
	w.until("the policy is ours again", func() bool { return d.Settings()["cameraAccess"] == nil })
	if w.payload(id, p).Presence != action.Absent {
		t.Errorf("the payload is %+v", w.payload(id, p))
	}
	before := w.service.Calls("policies.patch")
	again := w.service.EditPolicy(name, func(*androidmanagement.Policy) {})
	if again <= version {
		t.Fatalf("the simulated policy has version %d", again)
	}
	for range 5 {
		w.step(time.Second)
	}
	if n := w.service.Calls("policies.patch") - before; n > 0 {
		t.Errorf("a policy of our own content was set anew %d times", n)
	}
	w.call(id)
	w.until("it is restored", func() bool { return w.is(id, p, action.Succeeded) })
}

// A device that is lost or disabled takes nothing, which is no error, and says so.
func TestDeviceThatIsLost(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.SetAppliedState("LOST")
	w.call(id, p)
	w.served()
	w.reported(d)
	if r := w.result(id, p); r.Status != action.Initiated ||
		!strings.Contains(r.Detail, "lost mode") {
		t.Errorf("of a lost device: %+v", r)
	}
	w.clock.Advance(72 * time.Hour)
	w.reported(d)
	if r := w.result(id, p); r.Status != action.Initiated {
		t.Errorf("after three days: %+v", r)
	}
	d.SetAppliedState("")
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
}

// What is asked while the document of before is on its way supersedes it: the device ends as was
// asked last.
func TestCrossingCalls(t *testing.T) {
	w := newWorld(t)
	a, b := w.app("com.example.a"), w.app("com.example.b")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	for i := range 6 {
		w.call(id, []action.PayloadID{a, b}[i%2])
		if i%3 != 0 {
			w.served()
		}
		if i%2 == 0 {
			w.clock.Advance(time.Second)
			w.must(d.Sync())
			w.pull()
		}
	}
	w.quiet[d] = false
	w.until("the last call is done", func() bool { return w.latest(id).State == action.Done })
	if d.Has("com.example.b") || !d.Has("com.example.a") || !w.is(id, b, action.Removed) {
		t.Errorf("the device has %v; %+v", d.Apps(), w.latest(id).Results)
	}
	marks := w.postings(d)
	if !slices.IsSortedFunc(marks, func(a, b amapi.Posting) int { return int(b.Mark - a.Mark) }) ||
		len(marks) > amapi.KeptPostings+1 {
		t.Errorf("%d postings are kept", len(marks))
	}
}

// A removed app that comes back by another payload's document keeps its mark: the hand-over of a
// document that Google has already moves to it, and only a newer report counts for it.
func TestSameDocumentMovesItsMark(t *testing.T) {
	w := newWorld(t)
	a := w.settings("A", `{"cameraBlocked":true}`)
	b := w.settings("B", `{"cameraBlocked":true}`)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.quiet[d] = true
	before, version := w.service.Calls("policies.patch"), w.postings(d)[0].Version
	w.call(id, a) // B wants the same
	w.served()
	if n := w.service.Calls("policies.patch") - before; n > 0 {
		t.Errorf("a document that did not change was sent %d times", n)
	}
	if p := w.postings(d)[0]; p.Version != version || p.Manifest.Entries[a].Listing !=
		payload.HeldOff {
		t.Errorf("the posting is %+v", p)
	}
	if r := w.result(id, a); r.Status != action.Initiated {
		t.Errorf("a report of before counts: %+v", r)
	}
	w.clock.Advance(time.Second)
	w.must(d.Report())
	w.pull()
	if r := w.result(id, a); r.Status != action.Removed || !strings.Contains(r.Detail, "B") {
		t.Errorf("with a report on the same version: %+v; it shall name who keeps the camera off", r)
	}
	if w.payload(id, b).Work.Phase != action.Idle {
		t.Errorf("the other is %+v", w.payload(id, b).Work)
	}
}

// failing is a store that cannot write just now.
type failing struct {
	amapi.Store
	broken *bool
}

func (s failing) AndroidPostings(ctx context.Context, name string) ([]amapi.Posting, error) {
	if *s.broken {
		return nil, errCrash
	}
	return s.Store.AndroidPostings(ctx, name)
}
