package amapi_test

import (
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// How a device enrolls is what the token says where Google does not tell, and what Google says
// where it does. It joins the token's group.
func TestEnrollmentTypes(t *testing.T) {
	w := newWorld(t)
	group, err := w.catalog.CreateGroup(t.Context(), catalog.GroupInput{DisplayName: "Shop"})
	w.must(err)
	for _, tt := range []struct {
		mode     amapi.Mode
		personal bool
		want     string
	}{
		{amapi.Dedicated, false, "androidEnterpriseDedicatedDevice"},
		{amapi.FullyManaged, false, "androidEnterpriseFullyManaged"},
		{amapi.CorporateWorkProfile, false, "androidEnterpriseCorporateWorkProfile"},
		{amapi.CorporateWorkProfile, true, "userEnrollment"},
	} {
		token := w.token(tt.mode, access.EnrollmentTerms{Group: group.ID})
		d := w.enrollWith(token, "S "+tt.want, simulator.DeviceOptions{
			PersonallyOwned: tt.personal, Brand: "Brand", Model: "Model"})
		id := w.idOf(d)
		found := w.device(id)
		if found.EnrollmentType != tt.want || found.UserEnrolled != tt.personal ||
			found.Platform != "Android" || !found.Enrolled {
			t.Errorf("%s: the device is %+v", tt.want, found)
		}
		place, err := w.store.Place(t.Context(), id)
		if err != nil || len(place.Groups) != 1 || place.Groups[0] != group.ID {
			t.Errorf("%s: the device is in the groups %v, %v", tt.want, place.Groups, err)
		}
		p := w.wifi("Office")
		w.steady(id)
		w.call(id, p)
		if state := w.latest(id).State; (state == action.NotSupported) != tt.personal {
			t.Errorf("%s: the action is in state %d", tt.want, state)
		}
		w.must(w.catalog.Delete(t.Context(), p))
	}
}

// Whoever made a token may still have to enroll devices when one comes with it. Else the device
// does not become a managed one, which is recorded once.
func TestTokenOfOneWhoMayNot(t *testing.T) {
	w := newWorld(t)
	tokens := access.NewTokens(w.store, w.clock.Now)
	maker, _, err := tokens.Create(t.Context(), access.TokenInput{Name: "maker",
		Role: access.Administrator})
	w.must(err)
	member := "token:" + maker.ID
	terms := access.EnrollmentTerms{Maker: member, MakerName: "maker", Members: []string{member}}
	first, second := w.token(amapi.FullyManaged, terms), w.token(amapi.FullyManaged, terms)
	w.idOf(w.enrollWith(first, "A", simulator.DeviceOptions{}))
	w.must(tokens.Revoke(t.Context(), maker.ID))
	d := w.enrollWith(second, "B", simulator.DeviceOptions{})
	for range 2 {
		w.must(w.channel.Sweep(t.Context()))
	}
	e, err := w.store.AndroidEnrollment(t.Context(), d.Name())
	if err != nil || e.Standing != amapi.Turned || e.Device != "" {
		t.Errorf("the enrollment is %+v, %v", e, err)
	}
	refused, err := w.store.Entries(t.Context(), audit.Query{Activity: "managedDevices.enroll",
		Result: audit.Refused, Limit: 10})
	if err != nil || len(refused) != 1 || refused[0].Reason != access.ErrMakerMayNot.Error() {
		t.Errorf("%d refusals are recorded: %+v, %v", len(refused), refused, err)
	}
	done, err := w.store.Entries(t.Context(), audit.Query{Activity: "managedDevices.enroll",
		Result: audit.Success, Limit: 10})
	if err != nil || len(done) != 1 || done[0].Actor.ID != audit.DeviceActor+"android-serial-A" {
		t.Errorf("%d enrollments are recorded: %+v, %v", len(done), done, err)
	}
	// a group that is gone is beyond the token, too
	group, err := w.catalog.CreateGroup(t.Context(), catalog.GroupInput{DisplayName: "Shop"})
	w.must(err)
	third := w.token(amapi.FullyManaged, access.EnrollmentTerms{Group: group.ID})
	w.must(w.catalog.DeleteGroup(t.Context(), group.ID))
	gone := w.enrollWith(third, "C", simulator.DeviceOptions{})
	if e, err := w.store.AndroidEnrollment(t.Context(), gone.Name()); err != nil ||
		e.Standing != amapi.Turned {
		t.Errorf("a device of a group that is gone is %+v, %v", e, err)
	}
}

// A message about a device that has left already, or that is somebody else's, enrolls nobody.
func TestMessagesOfNobody(t *testing.T) {
	w := newWorld(t)
	d, id := w.enroll("S", simulator.DeviceOptions{})
	w.steady(id)
	said := w.read(d)
	setup, err := w.store.AndroidSetup(t.Context())
	w.must(err)
	for name, change := range map[string]func(*androidmanagement.Device){
		"left": func(r *androidmanagement.Device) {
			r.Name = setup.Enterprise + "/devices/gone"
		},
		"another enterprise's": func(r *androidmanagement.Device) {
			r.Name = "enterprises/other/devices/1"
		},
		"without a name": func(r *androidmanagement.Device) { r.Name = "" },
	} {
		other := *said
		other.HardwareInfo = &androidmanagement.HardwareInfo{SerialNumber: "T"}
		change(&other)
		w.message("ENROLLMENT", &other)
		if n, err := w.store.CountAndroidEnrollments(t.Context()); err != nil || n != 1 {
			t.Errorf("%s: there are %d devices, %v", name, n, err)
		}
	}
}

// A device that was enrolled while the server was away, and told of by no message, comes with the
// list of all; one process lists them each hour.
func TestDevicesAreListedEachHour(t *testing.T) {
	w := newWorld(t)
	w.must(w.channel.SweepIfDue(t.Context()))
	token := w.token(amapi.FullyManaged, access.EnrollmentTerms{})
	var last *simulator.Device
	for _, serial := range serials(25) { // more than one page of Google's default
		d, err := w.service.Enroll(token.Value, serial, simulator.DeviceOptions{})
		w.must(err)
		last = d
	}
	before := w.service.Calls("devices.list")
	other := w.newNode()
	for range 11 {
		w.clock.Advance(5 * time.Minute)
		w.must(w.channel.SweepIfDue(t.Context()))
		w.must(other.channel.SweepIfDue(t.Context()))
	}
	if n := w.service.Calls("devices.list") - before; n != 0 {
		t.Errorf("the devices were listed %d times within the hour", n)
	}
	w.clock.Advance(5 * time.Minute)
	w.must(other.channel.SweepIfDue(t.Context()))
	w.must(w.channel.SweepIfDue(t.Context()))
	if n := w.service.Calls("devices.list") - before; n != 1 {
		t.Errorf("the devices were listed with %d requests after an hour", n)
	}
	if n, err := w.store.CountAndroidEnrollments(t.Context()); err != nil || n != 25 {
		t.Errorf("there are %d devices, %v", n, err)
	}
	w.idOf(last)
}

func serials(n int) (list []string) {
	for i := range n {
		list = append(list, string(rune('A'+i)))
	}
	return list
}

// A device that tells no serial number is known by its names, and is the same one when it tells it
// later.
func TestDeviceWithoutSerialNumber(t *testing.T) {
	w := newWorld(t)
	token := w.token(amapi.FullyManaged, access.EnrollmentTerms{})
	d := w.enrollWith(token, "S", simulator.DeviceOptions{Faults: simulator.Faults{
		Omit: []string{"hardwareInfo"}}})
	id := w.idOf(d)
	w.steady(id)
	again := w.enrollWith(token, "S", simulator.DeviceOptions{Faults: simulator.Faults{
		Omit: []string{"hardwareInfo"}}})
	if w.idOf(again) != id {
		t.Error("the same device is there twice")
	}
	known := w.enrollWith(token, "S", simulator.DeviceOptions{})
	newID := w.idOf(known)
	if newID != id && w.device(id).Enrolled {
		t.Error("a device that told its serial number at last is there twice")
	}
	if !w.device(newID).Enrolled {
		t.Error("the device is not managed")
	}
}
