package amapi_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

func unreachableServer(w *world) {
	// Messages are asked for, so all of these tests are of a server that Google cannot reach. If
	// they do not come either, the list of all devices tells.
	p := w.wifi("Office")
	w.service.AddTrouble(simulator.Trouble{Method: "subscriptions.pull", Status: 503})
	d, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "S",
		simulator.DeviceOptions{})
	w.must(err)
	w.must(w.channel.Sweep(w.Context()))
	id := w.idOf(d)
	w.devices = append(w.devices, d)
	w.within(time.Minute, "it is done", func() bool {
		return ssids(d) == "Office" && w.payload(id, p).Work.Phase == action.Idle
	})
}

func leftWithoutAWord(w *world) {
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.Reset(simulator.Unnoticed)
	w.must(w.channel.Sweep(w.Context()))
	found, err := w.store.Device(w.Context(), id)
	if err != nil || found.Enrolled {
		w.Errorf("a device that left is %+v, %v", found, err)
	}
	for _, kind := range []string{"ENROLLMENT", "STATUS_REPORT"} {
		d, id := w.enroll("last "+kind, simulator.DeviceOptions{Faults: simulator.Faults{
			DeletedAs: kind}})
		w.steady(id)
		d.Reset(simulator.Notified)
		w.pull()
		if found, err := w.store.Device(w.Context(), id); err != nil || found.Enrolled {
			w.Errorf("after a last %s the device is %+v, %v", kind, found, err)
		}
	}
}

func oldMessages(w *world) {
	a := w.wifi("A")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	old := w.read(d)
	oldAt := old.LastStatusReportTime
	w.call(id, a)
	w.until("it is removed", func() bool { return w.is(id, a, action.Removed) })

	// a report of before, again and late
	w.message("STATUS_REPORT", old)
	w.message("ENROLLMENT", old)
	if p := w.payload(id, a); p.Presence != action.Absent || p.Work.Phase != action.Idle {
		w.Errorf("a report of %s made it %+v", oldAt, p)
	}
	// the enrollment of before, after the device has enrolled anew
	again, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value,
		"S", simulator.DeviceOptions{})
	w.must(err)
	w.devices = []*simulator.Device{again}
	w.pull()
	if now := w.idOf(again); now != id {
		w.Fatalf("the same device has become %s", now)
	}
	w.steady(id)
	w.message("ENROLLMENT", old)
	old.State, old.AppliedState = "DELETED", "DELETED"
	w.message("STATUS_REPORT", old)
	if found, err := w.store.Device(w.Context(), id); err != nil || !found.Enrolled ||
		!w.settled(id) {
		w.Errorf("by messages of before the device is %+v, %v", found, err)
	}
}

func sameDeviceTwice(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.until("it is removed", func() bool { return w.is(id, p, action.Removed) })
	old := d.Name()
	again := w.enrollWith(w.token(amapi.FullyManaged, access.EnrollmentTerms{}), "S",
		simulator.DeviceOptions{})
	if again.Name() == old {
		w.Fatal("the simulated device has its old name")
	}
	if now := w.idOf(again); now != id {
		w.Errorf("the same hardware is %s and %s", id, now)
	}
	if e, err := w.store.AndroidEnrollment(w.Context(), old); err != nil ||
		e.Standing != amapi.Replaced {
		w.Errorf("the old name is %+v, %v", e, err)
	}
	w.devices = []*simulator.Device{again}
	w.until("it starts clean, with all that is assigned", func() bool {
		return ssids(again) == "Office" && w.settled(id)
	})
}

func nothingIsDeleted(w *world) {
	w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	d.Reset(simulator.Unnoticed)
	w.must(w.channel.Sweep(w.Context()))
	w.must(w.channel.RevokeToken(w.Context(), w.token(amapi.Dedicated,
		access.EnrollmentTerms{}).ID))
	w.must(w.channel.Sweep(w.Context()))
	if n := w.service.Calls("devices.delete") + w.service.Calls("devices.issueCommand"); n > 0 {
		w.Errorf("%d requests that erase devices", n)
	}
}

func refusalsAreShown(w *world) {
	p := w.wifi("Office")
	_, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 403})
	w.call(id, p)
	w.served()
	r := w.result(id, p)
	if r.Status != action.Error || r.Code != 4403 ||
		!strings.Contains(r.Detail, "PERMISSIBLE_USAGE") {
		w.Errorf("the result is %+v", r)
	}
	h, err := w.channel.Health(w.Context())
	w.must(err)
	if h.LastRefusal == nil || h.LastRefusal.Code != http.StatusForbidden ||
		!strings.Contains(h.LastRefusal.Text, "PERMISSIBLE_USAGE") ||
		h.Project != "simulated-project" || h.Devices != 1 {
		w.Errorf("the health is %+v", h)
	}
}

func workOfOneThatLeft(w *world) {
	p := w.wifi("Office")
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	w.call(id, p)
	w.served()
	d.Reset(simulator.Notified)
	w.pull()
	if a := w.latest(id); a.State != action.Canceled {
		w.Errorf("the action of a device that left is in state %d", a.State)
	}
	if n := w.channel.ServeDue(w.Context()); n > 0 && w.channel.Waits() > 0 {
		w.Error("a device that left waits to be served")
	}
}

func startPolicyFirst(w *world) {
	other := newBareWorld(w.T, simulator.Options{Quota: 1000})
	key, err := other.service.ServiceAccount(other.google.URL, "")
	w.must(err)
	_, err = other.channel.SetServiceAccount(w.Context(), key)
	w.must(err)
	other.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 500, Times: 1})
	if _, err := other.channel.FinishSignup(w.Context(), other.signUp(), amapi.Pull); err == nil {
		w.Error("the set-up is finished without a policy to start with")
	}
	if _, err := other.channel.CreateToken(w.Context(), amapi.TokenTerms{
		Mode: amapi.FullyManaged}); err == nil {
		w.Error("there is a token before the policy that its devices start with")
	}
	e, err := other.channel.FinishSignup(w.Context(), "", amapi.Pull)
	if err != nil || e.Step != amapi.StepReady {
		w.Fatalf("the set-up does not go on: %+v, %v", e, err)
	}
	// the device has that policy from the beginning, and is not reset
	d, err := other.service.Enroll(other.token(amapi.Dedicated, access.EnrollmentTerms{}).Value,
		"S", simulator.DeviceOptions{})
	w.must(err)
	other.clock.Advance(10 * time.Minute)
	w.must(d.Sync())
	if !d.Enrolled() {
		w.Error("a device was reset because it had no policy")
	}
}

func startPolicyKeeps(w *world) {
	d, err := w.service.Enroll(w.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value, "S",
		simulator.DeviceOptions{})
	w.must(err)
	w.must(d.Sync())
	w.must(d.InstallByUser("com.example.setup"))
	w.clock.Advance(time.Second)
	w.must(d.Sync())
	if !d.Has("com.example.setup") {
		w.Error("the policy that devices start with removes what set-up installed")
	}
}
