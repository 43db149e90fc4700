package simulator_test

import (
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

func (w *world) command(d *simulator.Device, kind string) *androidmanagement.Operation {
	w.Helper()
	o, err := w.emm.Enterprises.Devices.IssueCommand(d.Name(),
		&androidmanagement.Command{Type: kind}).Do()
	w.must(err)
	return o
}

// A command waits for its device, and its end is published.
func TestCommands(t *testing.T) {
	w, d := faulty(t, simulator.Faults{})
	o := w.command(d, "START_LOST_MODE")
	if o.Done || w.get(d).AppliedState != "ACTIVE" {
		t.Error("done before the device was in touch")
	}
	w.must(d.Sync())
	if list := w.take(); kinds(list) != "COMMAND STATUS_REPORT" ||
		list[1].device.AppliedState != "LOST" {
		t.Errorf("notified %+v", list)
	}
	o, err := w.emm.Enterprises.Devices.Operations.Get(o.Name).Do()
	w.must(err)
	if !o.Done || o.Error != nil {
		t.Errorf("operation %+v", o)
	}
	w.command(d, "STOP_LOST_MODE")
	w.must(d.Sync())
	if state := w.get(d).AppliedState; state != "ACTIVE" {
		t.Errorf("found, it is %s", state)
	}
	late := w.command(d, "REBOOT")
	w.advance(11 * time.Minute)
	w.must(d.Sync())
	late, err = w.emm.Enterprises.Devices.Operations.Get(late.Name).Do()
	w.must(err)
	if late.Error == nil {
		t.Error("an old command was done")
	}
	_, err = w.emm.Enterprises.Devices.IssueCommand(d.Name(), &androidmanagement.Command{}).Do()
	w.refused(err, 400, "command.type")
	w.command(d, "WIPE")
	w.must(d.Sync())
	if !d.Wiped() || d.Enrolled() {
		t.Error("not wiped")
	}
}

func TestDisabledDevice(t *testing.T) {
	w, d := faulty(t, simulator.Faults{})
	patch := func(change *androidmanagement.Device, mask string) error {
		_, err := w.emm.Enterprises.Devices.Patch(d.Name(), change).UpdateMask(mask).Do()
		return err
	}
	w.must(patch(&androidmanagement.Device{State: "DISABLED",
		DisabledReason: &androidmanagement.UserFacingMessage{DefaultMessage: "Ask IT"}},
		"state,disabledReason"))
	if now := w.get(d); now.State != "DISABLED" || now.AppliedState != "ACTIVE" {
		t.Errorf("at once: %s %s", now.State, now.AppliedState)
	}
	w.must(d.Sync())
	if now := w.get(d); now.AppliedState != "DISABLED" ||
		now.DisabledReason.DefaultMessage != "Ask IT" || now.PolicyName == "" {
		t.Errorf("in touch: %+v", now)
	}
	w.refused(patch(&androidmanagement.Device{State: "DELETED"}, "state"), 400, "ACTIVE")
	w.refused(patch(&androidmanagement.Device{PolicyName: "none"}, "policyName"), 400, "none")
	w.refused(patch(&androidmanagement.Device{ApiLevel: 3}, "apiLevel"), 400, "apiLevel")
	d.SetAppliedState("DEACTIVATED_BY_DEVICE_FINANCE")
	w.must(d.Report())
	if now := w.get(d); now.AppliedState != "DEACTIVATED_BY_DEVICE_FINANCE" {
		t.Errorf("financed: %s", now.AppliedState)
	}
}
