package channel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/intune/channel"
	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// furnish gives the tenant a device with something of each kind.
func (w *world) furnish() (d *simulator.Device, items map[string]*simulator.Item) {
	user := w.tenant.AddUser("adele")
	d = w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad, User: user})
	items = make(map[string]*simulator.Item)
	for _, o := range []simulator.ItemOptions{
		{Type: simulator.Application, Name: "Notes"},
		{Type: simulator.Application, Name: "Mail"},
		{Type: simulator.DeviceConfiguration, Name: "Wi-Fi",
			ODataType: "#microsoft.graph.iosWiFiConfiguration"},
		{Type: simulator.ConfigurationPolicy, Name: "Restrictions"},
		{Type: simulator.AppConfiguration, Name: "Notes settings"},
		{Type: simulator.Application, Name: "Windows app", Platform: simulator.Windows},
	} {
		items[o.Name] = w.tenant.AddItem(o)
		items[o.Name].AssignDevices(d)
	}
	items["Mail"].Unassign()
	items["Mail"].AssignUsers(user)
	return d, items
}

var furnished = []string{"Notes", "Mail", "Wi-Fi", "Restrictions", "Notes settings"}

// What Intune assigns to a device and to its user is mirrored, by kinds and names, whatever form
// its reports come in; the catalog shows it as the tenant's.
func TestMirrorOfWhatIsAssigned(t *testing.T) {
	for name, o := range map[string]simulator.Options{"strict": {},
		"as reports can be": {Readings: simulator.Readings{CompositeIDs: true},
			Faults: simulator.Faults{PermuteColumns: true, OctetStream: true, RowsPerUser: true,
				BatchOrder: true, PageSizes: true}}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, o)
			d, items := w.furnish()
			w.pass()
			w.refresh(d)
			w.wantAssigned(d, furnished...)
			kinds := map[string]string{}
			for _, p := range w.payloads(d) {
				kinds[p.DisplayName] = fmt.Sprint(p.Type, " ", p.SubType, " ", p.Presence)
				if string(p.ID) != items[p.DisplayName].ID {
					t.Errorf("%s has the id %s", p.DisplayName, p.ID)
				}
			}
			for name, want := range map[string]string{
				"Notes": fmt.Sprint(action.Application, " application ", action.Present),
				"Wi-Fi": fmt.Sprint(action.DeviceConfiguration, " wiFi ", action.Present),
				"Restrictions": fmt.Sprint(action.ConfigurationPolicy, " settingsCatalog ",
					action.Present),
				"Notes settings": fmt.Sprint(action.AppConfiguration, " application ",
					action.Present)} {
				if kinds[name] != want {
					t.Errorf("%s is %s, want %s", name, kinds[name], want)
				}
			}
			stored, err := w.store.MirroredNames(t.Context(), "Contoso")
			if err != nil || len(stored) != 5 {
				t.Errorf("the catalog has %v, %v", stored, err)
			}
		})
	}
}

// A payload is unassigned when two complete reads lack it, a quarter of an hour apart, and not
// while one of its parts is not told.
func TestUnassigned(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d, items := w.furnish()
	w.pass()
	w.refresh(d)
	items["Wi-Fi"].Unassign()
	w.clock.advance(time.Hour)
	w.refresh(d)
	w.wantAssigned(d, furnished...)
	w.clock.advance(14 * time.Minute)
	w.refresh(d)
	w.wantAssigned(d, furnished...)
	w.clock.advance(2 * time.Minute)
	w.refresh(d)
	w.wantAssigned(d, "Notes", "Mail", "Restrictions", "Notes settings")

	// a part that fails: nothing is unassigned, however often
	items["Notes"].Unassign()
	for range 3 {
		w.clock.advance(time.Hour)
		w.site.Ask(simulator.Trouble{Path: "mobileAppIntentAndStates", Status: 403, Times: 2})
		w.refresh(d)
	}
	w.wantAssigned(d, "Notes", "Mail", "Restrictions", "Notes settings")
	stored, err := w.store.IntuneDevice(t.Context(), fleet.DeviceID(d.ID))
	if err != nil || len(stored.Details.Assigned.Missing) == 0 {
		t.Errorf("what is not told is not kept: %+v, %v", stored, err)
	}
	w.clock.advance(time.Hour)
	w.refresh(d)
	w.wantAssigned(d, "Notes", "Mail", "Restrictions", "Notes settings")
	w.clock.advance(time.Hour)
	w.refresh(d)
	w.wantAssigned(d, "Mail", "Restrictions", "Notes settings")

	// one that comes back in between begins anew
	items["Restrictions"].Unassign()
	w.clock.advance(time.Hour)
	w.refresh(d)
	items["Restrictions"].AssignDevices(d)
	w.clock.advance(time.Hour)
	w.refresh(d)
	items["Restrictions"].Unassign()
	w.clock.advance(time.Hour)
	w.refresh(d)
	w.wantAssigned(d, "Mail", "Restrictions", "Notes settings")
}

// What an action holds off vanishes from the reports, as it should, and stays assigned.
func TestHeldOffStaysAssigned(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d, items := w.furnish()
	w.pass()
	w.refresh(d)
	id := fleet.DeviceID(d.ID)
	// as if the device could be acted on
	device := *w.device(d.ID)
	if _, err := w.engine.Enroll(t.Context(), device, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Start(t.Context(), id, engine.Call{Name: action.SyncPayloads, Actor: "a",
		Set: []action.Selection{{ID: action.PayloadID(items["Notes"].ID),
			Type: action.Application}}}); err != nil {
		t.Fatal(err)
	}
	items["Notes"].Unassign()
	for range 4 {
		w.clock.advance(time.Hour)
		w.refresh(d)
	}
	w.wantAssigned(d, furnished...)
}

// What is read is read once in a quarter of an hour, whoever looks; and of all devices once a day.
func TestHowOftenIsRead(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	var devices []*simulator.Device
	for range 30 {
		devices = append(devices, w.tenant.Enroll(simulator.DeviceOptions{Kind: simulator.IPad}))
	}
	reports := func() (n int) {
		for _, r := range w.site.Requests() {
			if r.Method == "POST" && r.Path != "$batch" {
				n++
			}
		}
		return n
	}
	w.pass()
	w.later(15 * time.Second)
	if n := reports(); n != 30 {
		t.Fatalf("%d of 30 devices were read", n)
	}
	for range 5 {
		w.later(time.Hour)
	}
	if n := reports(); n != 30 {
		t.Errorf("%d devices were read in some hours", n-30)
	}
	look := func() {
		if err := w.channel.Refresh(t.Context(), fleet.DeviceID(devices[0].ID),
			channel.LookAge); err != nil {
			t.Fatal(err)
		}
	}
	look()
	look()
	w.clock.advance(14 * time.Minute)
	look()
	if n := reports(); n != 31 {
		t.Errorf("three looks in a quarter of an hour read %d times", n-30)
	}
	w.clock.advance(2 * time.Minute)
	look()
	if n := reports(); n != 32 {
		t.Errorf("a look after it reads %d times", n-31)
	}
	if err := w.channel.Refresh(t.Context(), "stranger", 0); err != nil {
		t.Errorf("a device of nobody's: %v", err)
	}
}

// While Intune is not reached nothing counts as read.
func TestReadsThatFail(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	d, _ := w.furnish()
	w.site.Ask(simulator.Trouble{Path: "/reports/", Status: 403, Times: 3})
	if err := w.channel.Pass(t.Context(), w.id); err == nil {
		t.Error("a report that is refused is none that fails")
	}
	stored, err := w.store.IntuneDevice(t.Context(), fleet.DeviceID(d.ID))
	if err != nil || !stored.ReadAt.IsZero() {
		t.Errorf("it counts as read at %v, %v", stored, err)
	}
	for range 3 {
		_ = w.channel.Pass(t.Context(), w.id)
	}
	w.wantAssigned(d, furnished...)
}

// Policies and apps that the tenant renames or deletes are renamed and deleted here.
func TestNamesFollow(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	_, items := w.furnish()
	w.pass()
	page, err := w.store.Devices(t.Context(), query.Query{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%v, %v", page.Items, err)
	}
	w.clock.advance(time.Minute)
	items["Mail"].Rename("Post")
	w.later(time.Hour)
	stored, err := w.store.MirroredNames(t.Context(), "Contoso")
	if err != nil || stored[action.PayloadID(items["Mail"].ID)].Name != "Post" {
		t.Errorf("the catalog has %v, %v", stored, err)
	}
}
