package mdm_test

import (
	"crypto/tls"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"testing"
)

// What a device says of who it is counts only as far as its identity goes.
func TestDeviceIDsThatChange(t *testing.T) {
	g := newSiege(t)
	other := g.enroll(t, "other", 2)
	g.remember()
	for _, udid := range []string{"victim", "VICTIM", "victim/..", "other ", "Other", "other2",
		"'; --"} {
		changed := *other
		changed.udid = udid
		for _, s := range speeches() {
			if a := changed.say(s); a.status != http.StatusForbidden &&
				a.status != http.StatusBadRequest {
				t.Errorf("%s as %q: status %d", s.name, udid, a.status)
			}
		}
		g.unharmed(t, udid)
		if e := g.store.enrollment(udid); udid != "victim" && e.ID != "" {
			t.Errorf("there is an enrollment of %q: %+v", udid, e)
		}
	}
	for _, s := range speeches() {
		s.message = merged(s.message, dict{"UDID": "", "EnrollmentID": "victim"})
		if a := other.say(s); a.status != http.StatusForbidden &&
			a.status != http.StatusBadRequest {
			t.Errorf("%s as a User Enrollment of that id: status %d", s.name, a.status)
		}
	}
	g.unharmed(t, "EnrollmentID")
}

// A message that names two devices is one of the sender's own, or none.
func TestMessagesThatNameTwoDevices(t *testing.T) {
	g := newSiege(t)
	other := g.enroll(t, "other", 2)
	other.want(http.StatusOK, other.report(dict{"Status": "Idle", "EnrollmentID": "victim"}))
	for _, ids := range [][2]string{{"other", "victim"}, {"victim", "other"}} {
		both := `<plist version="1.0"><dict>`
		for _, id := range ids {
			both += `<key>UDID</key><string>` + id + `</string>`
		}
		other.send([]byte(both+`<key>Status</key><string>Idle</string></dict></plist>`), false)
		other.send([]byte(both+`<key>MessageType</key><string>CheckOut</string></dict></plist>`),
			true)
	}
	if e := g.store.enrollment("victim"); !reflect.DeepEqual(e, g.state) {
		t.Errorf("the victim's enrollment became %+v", e)
	}
	heard := slices.Concat(g.engine.told, g.engine.unenrolled)
	if slices.Contains(heard, "device of victim") || len(g.engine.told) == 0 {
		t.Errorf("the engine heard of %v", heard)
	}
}

// One identity on two devices, a copied one, enrolls only one of them.
func TestCopiedIdentity(t *testing.T) {
	s := newServer(t)
	first := s.newDevice(t, "1", 1)
	var wg sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		copied := *first
		copied.udid = string(rune('1' + i))
		wg.Go(func() { statuses[i] = copied.authenticate().status })
	}
	wg.Wait()
	slices.Sort(statuses)
	if n, _, _ := s.engine.counts(); n != 1 || statuses[0] != http.StatusOK ||
		statuses[1] != http.StatusForbidden {
		t.Errorf("enrolled %d devices, answers %v", n, statuses)
	}
}

// A client certificate is no help to a message that another one signed: the signature counts.
func TestSignatureCountsMoreThanTLS(t *testing.T) {
	g := newSiege(t)
	other := g.enroll(t, "other", 2)
	g.remember()
	body := g.victim.plist(dict{"UDID": "victim", "Status": "Idle"})
	client := g.client(tls.Certificate{Certificate: [][]byte{g.victim.cert.Raw},
		PrivateKey: g.victim.key})
	if status := g.put(t, client, body, sign(t, body,
		other.signer())); status != http.StatusForbidden {
		t.Errorf("status %d", status)
	}
	g.unharmed(t, "a client certificate beside a signature")
}
