package amapi_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// idOf is the id of a device that is enrolled.
func (w *world) idOf(d *simulator.Device) fleet.DeviceID {
	w.Helper()
	e, err := w.store.AndroidEnrollment(w.Context(), d.Name())
	w.must(err)
	if e.Standing != amapi.Current {
		w.Fatalf("%s is %s", d.Serial(), e.Standing)
	}
	return e.Device
}

// create makes a payload of a type, and assigns it to all devices.
func (w *world) create(kind, name, properties string) action.PayloadID {
	w.Helper()
	w.clock.Advance(time.Millisecond) // so that none is as old as another
	p, err := w.catalog.Create(w.Context(), catalog.Input{ODataType: kind, DisplayName: name,
		Properties: json.RawMessage(properties)})
	w.must(err)
	_, err = w.catalog.Assign(w.Context(), p.ID, []catalog.Assignment{{Kind: catalog.AllDevices}})
	w.must(err)
	return p.ID
}

func (w *world) app(name string) action.PayloadID {
	w.Helper()
	return w.create("androidManagedStoreApp", name, fmt.Sprintf(`{"packageId":%q}`, name))
}

func (w *world) settings(name, properties string) action.PayloadID {
	w.Helper()
	return w.create("androidDeviceOwnerGeneralDeviceConfiguration", name, properties)
}

func (w *world) wifi(ssid string) action.PayloadID {
	w.Helper()
	return w.create("androidDeviceOwnerWiFiConfiguration", ssid, fmt.Sprintf(
		`{"networkName":%q,"ssid":%q,"wiFiSecurityType":"open"}`, ssid, ssid))
}

// call has payloads held off a device, and restores all others.
func (w *world) call(id fleet.DeviceID, held ...action.PayloadID) {
	w.Helper()
	never := time.Duration(0)
	var set []action.Selection
	for _, p := range held {
		found, err := w.catalog.Get(w.Context(), p)
		w.must(err)
		set = append(set, action.Selection{ID: p, Type: found.Type})
	}
	w.must(w.engine.Start(w.Context(), id, engine.Call{Name: action.SyncPayloads, Actor: "admin",
		RestoreAfter: &never, Set: set}))
}

// latest is the latest action of a device.
func (w *world) latest(id fleet.DeviceID) *action.Action {
	w.Helper()
	actions, err := w.engine.Actions(w.Context(), id)
	w.must(err)
	if len(actions) == 0 {
		w.Fatal("there is no action")
	}
	return actions[0]
}

// result is the result of a payload in the latest action.
func (w *world) result(id fleet.DeviceID, p action.PayloadID) action.Result {
	w.Helper()
	a := w.latest(id)
	for _, r := range a.Results {
		if r.Payload == p {
			return r
		}
	}
	w.Fatalf("the latest action has no result of %s", p)
	return action.Result{}
}

func (w *world) is(id fleet.DeviceID, p action.PayloadID, status action.Status) bool {
	w.Helper()
	return w.result(id, p).Status == status
}

// work is the state of a payload on a device.
func (w *world) payload(id fleet.DeviceID, p action.PayloadID) *action.Payload {
	w.Helper()
	list, err := w.engine.Payloads(w.Context(), id)
	w.must(err)
	for _, one := range list {
		if one.ID == p {
			return one
		}
	}
	w.Fatalf("the device has no record of %s", p)
	return nil
}

// settled reports whether the server knows that a device has all that is assigned to it.
func (w *world) settled(id fleet.DeviceID) bool {
	w.Helper()
	list, err := w.engine.Payloads(w.Context(), id)
	w.must(err)
	return !slices.ContainsFunc(list, func(p *action.Payload) bool {
		return p.Work.Phase != action.Idle
	})
}

// steady lets time pass until a device has all that is assigned to it, and the server knows.
func (w *world) steady(id fleet.DeviceID) {
	w.Helper()
	w.until("the device has what is assigned to it", func() bool { return w.settled(id) })
}

func ssids(d *simulator.Device) string {
	var names []string
	for _, n := range d.Networks() {
		names = append(names, n.SSID)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
