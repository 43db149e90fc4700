package amapi_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// hasPolicy reports whether Google has a policy of a device's own.
func (w *world) hasPolicy(id fleet.DeviceID) bool {
	w.Helper()
	names, err := w.channel.Policies(w.Context())
	w.must(err)
	return slices.ContainsFunc(names,
		func(name string) bool { return strings.HasSuffix(name, "/"+string(id)) })
}

// The policy of a device that left goes at Google, as soon as Google lets it go, and nothing brings
// it back; that of one that enrolled again stays.
func TestPoliciesOfDevicesThatLeft(t *testing.T) {
	w := newWorld(t)
	p := w.wifi("Office")
	gone, goneID := w.enroll("A", simulator.DeviceOptions{})
	back, backID := w.enroll("B", simulator.DeviceOptions{})
	user, userID := w.enroll("C", simulator.DeviceOptions{})
	for _, id := range []fleet.DeviceID{goneID, backID, userID} {
		w.steady(id)
	}
	w.must(w.channel.Tidy(t.Context()))
	if n := w.service.Calls("policies.delete"); n > 0 {
		t.Fatalf("%d policies were deleted while their devices are there", n)
	}
	w.call(goneID, p) // there is work for it when it leaves
	for _, d := range []*simulator.Device{gone, back} {
		d.Reset(simulator.Unnoticed)
	}
	w.pull()
	w.must(w.channel.Sweep(t.Context()))
	again, againID := w.enroll("B", simulator.DeviceOptions{})
	if againID != backID {
		t.Fatalf("%s is another device", again.Serial())
	}
	w.steady(backID)
	// somebody gave the policy to another device: Google keeps it as long as that has it
	w.must(w.channel.Assign(t.Context(), user.Name(), goneID))
	w.must(w.channel.Tidy(t.Context()))
	if !w.hasPolicy(goneID) || w.service.Calls("policies.delete") != 1 {
		t.Errorf("of the policy that another device has: it is there: %t; deletions: %d",
			w.hasPolicy(goneID), w.service.Calls("policies.delete"))
	}
	w.must(w.channel.Tidy(t.Context()))
	if n := w.service.Calls("policies.delete"); n != 1 {
		t.Errorf("it was tried %d times at once", n)
	}
	w.must(w.channel.Assign(t.Context(), user.Name(), userID))
	w.clock.Advance(11 * time.Minute)
	w.service.AddTrouble(simulator.Trouble{Method: "policies.delete", Status: 503, Times: 1})
	w.must(w.channel.Tidy(t.Context()))
	for range 3 {
		w.clock.Advance(time.Hour)
		w.must(w.channel.Tidy(t.Context()))
	}
	if w.hasPolicy(goneID) || !w.hasPolicy(backID) || !w.hasPolicy(userID) {
		t.Errorf("Google has a policy of: who left %t, who came back %t, who stayed %t",
			w.hasPolicy(goneID), w.hasPolicy(backID), w.hasPolicy(userID))
	}
	if n := w.service.Calls("policies.delete"); n != 3 {
		t.Errorf("it was tried %d times", n)
	}
	for range 3 { // what is late, lists and clocks bring nothing back
		w.must(w.channel.Wake(t.Context(), goneID))
		w.step(time.Hour)
		w.must(w.channel.Sweep(t.Context()))
	}
	if w.hasPolicy(goneID) || w.service.Calls("policies.delete") != 3 {
		t.Errorf("it is back, or was deleted %d times", w.service.Calls("policies.delete"))
	}
	if ssids(again) != "Office" || ssids(user) != "Office" {
		t.Errorf("who stayed has %q and %q", ssids(again), ssids(user))
	}
}

// While a server posts a device's policy nobody deletes it, and what Google says of too many requests
// ends the tidying for all.
func TestTidyingWaits(t *testing.T) {
	w := newWorld(t)
	w.wifi("Office")
	var ids []fleet.DeviceID
	for _, serial := range serials(3) {
		d, id := w.enroll(serial, simulator.DeviceOptions{})
		w.steady(id)
		d.Reset(simulator.Unnoticed)
		w.pull()
		w.must(w.channel.Sweep(t.Context()))
		ids = append(ids, id)
	}
	now := w.clock.Now()
	taken, err := w.store.TakeLease(t.Context(), "android/device/"+string(ids[0]),
		"another server", now, now.Add(time.Hour))
	if err != nil || !taken {
		t.Fatalf("the lease is not free: %v", err)
	}
	w.service.AddTrouble(simulator.Trouble{Method: "policies.delete", Status: 429, Times: 1})
	if err := w.channel.Tidy(t.Context()); err == nil {
		t.Error("too many requests are no reason to stop")
	}
	_ = w.channel.Tidy(t.Context())
	if n := w.service.Calls("policies.delete"); n != 1 {
		t.Errorf("%d requests within a minute of being told that there are too many", n)
	}
	w.clock.Advance(2 * time.Minute)
	w.must(w.channel.Tidy(t.Context()))
	if !w.hasPolicy(ids[0]) || w.hasPolicy(ids[1]) || w.hasPolicy(ids[2]) {
		t.Errorf("Google has %t, %t, %t", w.hasPolicy(ids[0]), w.hasPolicy(ids[1]),
			w.hasPolicy(ids[2]))
	}
	w.clock.Advance(time.Hour)
	w.must(w.channel.Tidy(t.Context()))
	if w.hasPolicy(ids[0]) {
		t.Error("when the other server is done it is still there")
	}
}

// lateStore tells of policies of devices that are managed again since.
type lateStore struct {
	amapi.Store
	again fleet.DeviceID
}

func (s lateStore) OldAndroidPolicies(context.Context, time.Time,
	int) ([]amapi.OldPolicy, error) {
	return []amapi.OldPolicy{{Device: s.again}}, nil
}

// A device that is managed again while its old policy is about to be deleted keeps it.
func TestPolicyInUseIsNotDeleted(t *testing.T) {
	w := newWorld(t)
	w.wifi("Office")
	_, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.wrap = func(s amapi.Store) amapi.Store { return lateStore{s, id} }
	w.must(w.newNode().channel.Tidy(t.Context()))
	if n := w.service.Calls("policies.delete"); n > 0 || !w.hasPolicy(id) {
		t.Errorf("%d policies in use were to be deleted", n)
	}
}

// With the record of a device goes what was posted for it.
func TestPostingsGoWithTheRecord(t *testing.T) {
	w := newWorld(t)
	w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	name := d.Name()
	d.Reset(simulator.Unnoticed)
	w.pull()
	w.must(w.channel.Sweep(t.Context()))
	if list, err := w.store.AndroidPostings(t.Context(), name); err != nil || len(list) > 0 {
		t.Errorf("of a device that left there are %d postings, %v", len(list), err)
	}
	w.must(w.catalog.DeleteDevice(t.Context(), id))
	if _, err := w.store.AndroidEnrollment(t.Context(), name); err == nil {
		t.Error("there is still an enrollment of the device whose record was deleted")
	}
	w.service.AddTrouble(simulator.Trouble{Method: "policies.delete", LoseAnswer: true, Times: 1})
	for range 4 {
		w.must(w.channel.Tidy(t.Context()))
		w.clock.Advance(2 * time.Hour)
	}
	if n := w.service.Calls("policies.delete"); n != 2 || w.hasPolicy(id) {
		t.Errorf("its policy, whose deletion was not answered, was deleted %d times; it is there: %t",
			n, w.hasPolicy(id))
	}
	_, again := w.enroll("S", simulator.DeviceOptions{})
	w.steady(again)
	if again == id {
		t.Error("it has the record that was deleted")
	}
}
