package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

// The help desk keeps every device busy but the walk's: one says not now, one fails and recovers;
// and it ends when told.
func TestHelpDesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.startHelpDesk(t.Context(), slog.New(slog.DiscardHandler),
		func(int) time.Duration { return 200 * time.Millisecond }); err != nil {
		t.Fatal(err)
	}
	defer w.desk.close()
	for _, device := range w.fleet.devices[1:] {
		w.until(t, device, "an action ends as asked",
			func(r *client.ActionResult) bool { return r.State == client.StateDone })
		if by := w.initiators(t, device); by[len(by)-1] != deskToken {
			t.Errorf("on %s acted %q", device.name, by)
		}
	}
	w.until(t, w.device(t, "Reception-iPad"), "it says not now", func(r *client.ActionResult) bool {
		return len(r.Payloads) > 0 && strings.Contains(r.Payloads[0].Detail, "not now")
	})
	mac := w.device(t, "Studio-Mac")
	w.until(t, mac, "the device's own error", func(r *client.ActionResult) bool {
		failed := r.Failures()
		return len(failed) == 1 && failed[0].ErrorCode == 4001 &&
			strings.Contains(failed[0].Detail, "MCPayloadErrorDomain 2004")
	})
	w.until(t, mac, "everything is back", func(r *client.ActionResult) bool {
		return r.State == client.StateDone && len(r.Payloads) > 0 &&
			r.Payloads[0].Status == client.Succeeded
	})
	w.desk.close()
	if by := w.initiators(t, w.fleet.devices[0]); len(by) != 0 {
		t.Errorf("on the walk's device acted %q", by)
	}
}

func (w *world) device(t *testing.T, name string) *demoDevice {
	t.Helper()
	for _, d := range w.fleet.devices {
		if d.name == name {
			return d
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// until follows a device until its latest action is as wanted.
func (w *world) until(t *testing.T, device *demoDevice, what string,
	ok func(*client.ActionResult) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	for update, err := range w.client.Watch(ctx, device.id) {
		if err != nil {
			t.Fatalf("%s: never: %s: %v", device.name, what, err)
		}
		if latest := client.Latest(update.Results); latest != nil && ok(latest) {
			return
		}
	}
}

// initiators are those who started a device's actions, the latest first.
func (w *world) initiators(t *testing.T, device *demoDevice) (names []string) {
	t.Helper()
	var list struct {
		Value []struct{ InitiatedBy string }
	}
	if err := w.client.Do(t.Context(), "GET", "/api/devices/"+device.id+"/actions", nil,
		&list); err != nil {
		t.Fatal(err)
	}
	for _, a := range list.Value {
		names = append(names, a.InitiatedBy)
	}
	return names
}
