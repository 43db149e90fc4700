package mdm_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
)

// Apple's devices find the registration authority by these marks: it is not the CA, the CA has
// signed it, and it both signs and enciphers. They encrypt to it, and take an answer only if it is
// signed by it.
func TestRegistrarIsWhatDevicesLookFor(t *testing.T) {
	s := newServer(t)
	found := s.authorities(t)
	ra, ca := found[0], found[1]
	if ra.IsCA || ra.CheckSignatureFrom(ca) != nil ||
		ra.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment {
		t.Errorf("the first: CA %t, usage %b, signed by the CA: %v", ra.IsCA, ra.KeyUsage,
			ra.CheckSignatureFrom(ca))
	}
	if !ca.IsCA || ca.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign ||
		ca.CheckSignatureFrom(ca) != nil {
		t.Errorf("the second: CA %t, usage %b", ca.IsCA, ca.KeyUsage)
	}
	if !ra.NotAfter.Equal(ca.NotAfter) {
		t.Errorf("it ends at %s, the CA at %s", ra.NotAfter, ca.NotAfter)
	}
}

// What is encrypted to the CA is not opened, so that its key is used on nothing that a stranger
// made.
func TestEnvelopesAreNotOpenedByTheCA(t *testing.T) {
	s := newServer(t)
	_, code := s.link(t, time.Hour)
	message := s.requestTo(t, code, s.authorities(t)[1:])
	if cert, fail := s.pkiOperation(t, message); cert != nil || fail != scep.BadMessageCheck {
		t.Errorf("to the CA: failInfo %q", string(fail))
	}
	if cert, fail := s.pkiOperation(t, s.requestTo(t, code, s.authorities(t))); cert == nil {
		t.Errorf("to both: failInfo %q", string(fail))
	}
}

// A server from before there was a registration authority gets one when it starts, and its devices
// stay enrolled.
func TestOldServerGetsARegistrar(t *testing.T) {
	first := newServer(t)
	d := first.enroll(t, "1", 1)
	store := newMemoryStore()
	first.store.mu.Lock() // a device that has just enrolled is being woken
	store.certificates, store.enrollments = maps.Clone(first.store.certificates),
		maps.Clone(first.store.enrollments)
	store.keyPairs = maps.Clone(first.store.keyPairs)
	first.store.mu.Unlock()
	delete(store.keyPairs, "apple SCEP RA")
	second := newServer(t, func(c *mdm.Config) { c.Store = store })
	second.store = store
	if !second.channel.DeviceCA().Equal(first.channel.DeviceCA()) {
		t.Fatal("it has another CA")
	}
	d.s = second
	d.want(http.StatusOK, d.idle())
	second.enroll(t, "2", 2)
	made := store.keyPairs["apple SCEP RA"]
	if _, err := mdm.New(context.Background(),
		mdm.Config{URL: "https://mdm.example", Store: store,
			Engine: &recordingEngine{}}); err != nil {
		t.Fatal(err)
	}
	if string(store.keyPairs["apple SCEP RA"].KeyPEM) != string(made.KeyPEM) {
		t.Error("the next start made another")
	}
}

// A registration authority of another CA, as after half a restore, is not used.
func TestRegistrarOfAnotherCA(t *testing.T) {
	store, other := newMemoryStore(), newMemoryStore()
	for _, s := range []*memoryStore{store, other} {
		if _, err := mdm.New(context.Background(),
			mdm.Config{URL: "https://mdm.example", Store: s,
				Engine: &recordingEngine{}}); err != nil {
			t.Fatal(err)
		}
	}
	store.keyPairs["apple SCEP RA"] = other.keyPairs["apple SCEP RA"]
	if _, err := mdm.New(context.Background(),
		mdm.Config{URL: "https://mdm.example", Store: store,
			Engine: &recordingEngine{}}); err == nil {
		t.Error("it was taken")
	}
}

// Who has the registration authority's key can open requests, and is no device.
func TestRegistrarIsNoDevice(t *testing.T) {
	g := newSiege(t)
	pair := g.store.keyPairs["apple SCEP RA"]
	key := privateKey(t, pair.KeyPEM).(*rsa.PrivateKey)
	impostor := &device{t: t, s: g.server, udid: "victim", key: key, cert: g.authorities(t)[0]}
	for _, by := range []way{bySignature, byTLS} {
		for _, s := range speeches() {
			if a := impostor.as(by).say(s); a.status != http.StatusBadRequest {
				t.Errorf("%s, way %d: status %d", s.name, by, a.status)
			}
		}
	}
	g.unharmed(t, "the registration authority")
}

func privateKey(t testing.TB, text []byte) crypto.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
