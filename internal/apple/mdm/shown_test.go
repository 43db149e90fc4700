package mdm

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// What a request shows is known before its body is, in each form in which devices sign; who has to
// do with no device of this server shows that it is nobody, or at most something.
func TestShown(t *testing.T) {
	all := testIdentities()
	c := &Channel{ca: all.ca, config: Config{CertificateHeader: "Proxy-Certificate"}}
	signed := func(by identity, change func(*draft)) string {
		d := newDraft(by)
		change(d)
		return base64.StdEncoding.EncodeToString(d.der())
	}
	asIs := func(*draft) {}
	asDevices := func(d *draft) { d.change = d.asDevicesDo }
	for name, c := range map[string]struct {
		header, value string
		want          platform.Shows
	}{
		"nothing": {"X", "", platform.ShowsNobody},
		"a device's": {signatureHeader, signed(all.rsa, asIs),
			platform.ShowsDevice},
		"a device's, ECDSA": {signatureHeader, signed(all.ecdsa, asIs),
			platform.ShowsDevice},
		"a device's, as devices do": {signatureHeader, signed(all.rsa, asDevices),
			platform.ShowsDevice},
		"a device's, other form": {signatureHeader,
			signed(all.rsa, func(d *draft) { d.version = 3 }), platform.ShowsDevice},
		"a stranger's": {signatureHeader, signed(all.foreign, asIs),
			platform.ShowsNobody},
		"a stranger's, as devices do": {signatureHeader, signed(all.foreign, asDevices),
			platform.ShowsSomething},
		"expired": {signatureHeader, signed(all.expired, asIs),
			platform.ShowsNobody},
		"a device's certificate, another's key": {signatureHeader,
			signed(identity{all.rsa.certificate, all.ecdsa.key}, asIs), platform.ShowsNobody},
		"a device's certificate, other attributes": {signatureHeader,
			signed(all.rsa, func(d *draft) {
				d.change = func(der []byte) []byte {
					return bytes.Replace(der, hashOf(d.hash, reported), hashOf(d.hash, []byte("x")),
						1)
				}
			}), platform.ShowsNobody},
		"no certificate": {signatureHeader, signed(all.rsa, func(d *draft) {
			d.certificates = nil
		}), platform.ShowsSomething},
		"no base64": {signatureHeader, "?", platform.ShowsNobody},
		"too long": {signatureHeader, strings.Repeat("A", maxSignature+4),
			platform.ShowsNobody},
		"no CMS":    {signatureHeader, "MAA=", platform.ShowsSomething},
		"a proxy's": {"Proxy-Certificate", "x", platform.ShowsDevice},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{Header: http.Header{c.header: {c.value}}}
			if got := (&Channel{ca: all.ca,
				config: Config{CertificateHeader: "Proxy-Certificate"}}).Shown(r); got != c.want {
				t.Errorf("shows %d, want %d", got, c.want)
			}
		})
	}
	for want, by := range map[platform.Shows]identity{platform.ShowsDevice: all.rsa,
		platform.ShowsNobody: all.foreign} {
		r := &http.Request{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{by.certificate}}}
		if got := c.Shown(r); got != want {
			t.Errorf("by TLS it shows %d, want %d", got, want)
		}
	}
}

// The certificate is one of the bytes that were given, and nothing that is given takes long.
func FuzzFirstCertificate(f *testing.F) {
	all := testIdentities()
	d := newDraft(all.rsa)
	f.Add(d.der())
	d.change = d.asDevicesDo
	f.Add(d.der())
	f.Add(slices.Concat(bytes.Repeat([]byte{0x30, 0x06, 0x30, 0x02}, 40),
		bytes.Repeat([]byte{5, 0}, 4)))
	f.Add([]byte{0x30, 0x82, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, message []byte) {
		if got := firstCertificate(message); got != nil && !bytes.Contains(message, got) {
			t.Errorf("%x is not in %x", got, message)
		}
	})
}
