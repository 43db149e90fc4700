package mdm_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// attentiveEngine also notes which devices it is told of.
type attentiveEngine struct {
	*recordingEngine
	mu   sync.Mutex
	told []fleet.DeviceID
}

func (e *attentiveEngine) note(id fleet.DeviceID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.told = append(e.told, id)
}

func (e *attentiveEngine) Idle(ctx context.Context, id fleet.DeviceID) (*engine.Task, error) {
	e.note(id)
	return e.recordingEngine.Idle(ctx, id)
}

func (e *attentiveEngine) Answer(ctx context.Context, id fleet.DeviceID,
	r engine.Report) (*engine.Task, error) {
	e.note(id)
	return e.recordingEngine.Answer(ctx, id, r)
}

// siege is a server with a device that is to notice nothing of what others send in its name.
type siege struct {
	*server
	engine *attentiveEngine
	victim *device
	state  mdm.Enrollment
	counts [3]int
}

func newSiege(t *testing.T, change ...func(*mdm.Config)) *siege {
	t.Helper()
	g := &siege{}
	g.server = newServer(t, append(change, func(c *mdm.Config) {
		g.engine = &attentiveEngine{recordingEngine: c.Engine.(*recordingEngine)}
		c.Engine = g.engine
	})...)
	g.victim = g.enroll(t, "victim", 1)
	g.remember()
	return g
}

// remember takes what the server knows now as what must not change.
func (g *siege) remember() {
	g.state = g.store.enrollment("victim")
	g.counts[0], g.counts[1], g.counts[2] = g.engine.counts()
}

func (g *siege) unharmed(t *testing.T, what string) {
	t.Helper()
	if now := g.store.enrollment("victim"); !reflect.DeepEqual(now, g.state) {
		t.Errorf("%s: the victim's enrollment became %+v", what, now)
	}
	var now [3]int
	if now[0], now[1], now[2] = g.engine.counts(); now != g.counts {
		t.Errorf("%s: enrolled, left, contacts were %v and are %v", what, g.counts, now)
	}
}

// speech is everything a device can say: a check-in, or an answer.
type speech struct {
	name    string
	checkin bool
	message dict
}

func speeches() []speech {
	user := dict{"UserID": "4F7B", "UserShortName": "anna"}
	all := []speech{
		{"Authenticate", true, dict{"Topic": topic, "ProductName": "iPhone15,2",
			"DeviceName": "Mine"}},
		{"TokenUpdate", true, dict{"Topic": topic, "PushMagic": "mine", "Token": []byte("mine")}},
		{"CheckOut", true, dict{"Topic": topic}},
		{"SetBootstrapToken", true, dict{"BootstrapToken": []byte("mine")}},
		{"GetBootstrapToken", true, nil},
		{"UserAuthenticate", true, nil},
		{"DeclarativeManagement", true, dict{"Endpoint": "status"}},
		{"GetToken", true, dict{"TokenServiceType": "com.apple.maid"}},
		{"Idle", false, nil},
		{"Acknowledged", false, dict{"CommandUUID": "11111111-1111-4111-8111-111111111111"}},
		{"Error", false, dict{"CommandUUID": "11111111-1111-4111-8111-111111111111"}},
		{"CommandFormatError", false, dict{"CommandUUID": "11111111-1111-4111-8111-111111111111"}},
		{"NotNow", false, dict{"CommandUUID": "11111111-1111-4111-8111-111111111111"}},
	}
	for _, s := range slices.Clone(all) {
		s.name += " of a user"
		s.message = merged(s.message, user)
		all = append(all, s)
	}
	return all
}

// isNonsense tells whether an answer refuses what no device may say, before asking who says it: a
// user authenticates with another message.
func (s speech) isNonsense(a *answered) bool {
	return s.name == "Authenticate of a user" && a.status == http.StatusBadRequest
}

func merged(dicts ...dict) dict {
	all := dict{}
	for _, d := range dicts {
		for k, v := range d {
			all[k] = v
		}
	}
	return all
}

// say sends it.
func (d *device) say(s speech) *answered {
	d.t.Helper()
	kind, _, _ := strings.Cut(s.name, " ")
	if s.checkin {
		return d.checkin(merged(d.message(kind, nil), s.message))
	}
	return d.report(merged(dict{"UDID": d.udid, "Status": kind}, s.message))
}

// lookalikeCA issues what the device CA would, under the same name and key id, with another key.
func (g *siege) lookalikeCA(t *testing.T) *x509.Certificate {
	t.Helper()
	key := shared.keys[0]()
	ca := *g.channel.DeviceCA()
	ca.PublicKey = key.Public()
	der, err := x509.CreateCertificate(rand.Reader, &ca, &ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf := *g.victim.cert
	if der, err = x509.CreateCertificate(rand.Reader, &leaf, forged, shared.keys[2]().Public(),
		key); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	like := g.victim.cert
	if !bytes.Equal(cert.RawIssuer, like.RawIssuer) ||
		cert.SerialNumber.Cmp(like.SerialNumber) != 0 ||
		!bytes.Equal(cert.AuthorityKeyId, like.AuthorityKeyId) ||
		!bytes.Equal(cert.RawSubject, like.RawSubject) {
		t.Fatal("the forgery does not look alike")
	}
	return cert
}

// issuedByDevice is a certificate that a device signed with its own identity as if that were a CA.
func issuedByDevice(t *testing.T, d *device, like *x509.Certificate) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: like.Subject,
		NotBefore: like.NotBefore, NotAfter: like.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, d.cert, shared.keys[2]().Public(),
		d.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Whatever is said in the name of a device with an identity that is not its own is refused, and
// changes nothing.
func TestNobodySpeaksForAnother(t *testing.T) {
	g := newSiege(t)
	other := g.enroll(t, "other", 2)
	gone := g.enroll(t, "gone", 2)
	gone.want(http.StatusOK, gone.checkOut())
	g.remember()
	proved := []way{bySignature, byTLS}
	for name, c := range map[string]struct {
		cert *x509.Certificate
		ways []way
		want int
	}{
		"another device's":         {other.cert, proved, http.StatusForbidden},
		"a device's that left":     {gone.cert, proved, http.StatusForbidden},
		"one by a CA of that name": {g.lookalikeCA(t), proved, http.StatusBadRequest},
		"one by a device": {issuedByDevice(t, other, g.victim.cert), proved,
			http.StatusBadRequest},
		"an unasked header's": {g.victim.cert, []way{byHeader}, http.StatusBadRequest},
		"none":                {g.victim.cert, []way{byNothing}, http.StatusBadRequest},
	} {
		for _, by := range c.ways {
			impostor := &device{t: t, s: g.server, udid: "victim", key: shared.keys[2](),
				cert: c.cert, way: by}
			for _, s := range speeches() {
				if a := impostor.say(s); a.status != c.want && !s.isNonsense(a) {
					t.Errorf("%s with %s certificate, way %d: status %d, want %d", s.name, name, by,
						a.status, c.want)
				}
			}
		}
		g.unharmed(t, name)
	}
	if slices.Contains(g.engine.told, "device of victim") {
		t.Error("the engine heard of the victim")
	}
	g.victim.want(http.StatusOK, g.victim.idle())
}

// A device whose identity is not in force any more is not heard, whatever it says, even of itself.
func TestNobodySpeaksWithAnIdentityThatEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*siege)
		want int
	}{
		"expired": {func(g *siege) { g.pass(2 * time.Hour) }, http.StatusBadRequest},
		"revoked": {func(g *siege) {
			g.store.mu.Lock()
			defer g.store.mu.Unlock()
			revoked := g.store.certificates[g.state.Certificate]
			revoked.Revoked = g.now()
			g.store.certificates[g.state.Certificate] = revoked
		}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			g := newSiege(t, func(c *mdm.Config) { c.IdentityValidity = time.Hour })
			c.end(g)
			for _, by := range []way{bySignature, byTLS} {
				for _, s := range speeches() {
					if a := g.victim.as(by).say(s); a.status != c.want && !s.isNonsense(a) {
						t.Errorf("%s, way %d: status %d, want %d", s.name, by, a.status, c.want)
					}
				}
			}
			g.unharmed(t, name)
		})
	}
}
