package mdm_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const proxyHeader = "X-Device-Certificate"

func rfc9440(c *x509.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(c.Raw) +
		":"
}

func decode(t testing.TB, b []byte) dict {
	t.Helper()
	m := dict{}
	mustPlist(t, plist.Unmarshal(b, &m))
	return m
}

func TestEnrollmentProfile(t *testing.T) {
	root := selfSigned(t, shared.keys[1]())
	s := newServer(t, func(c *mdm.Config) {
		c.RootCAPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
		c.Organization = "Example & Co"
	})
	link, code := s.link(t, time.Hour)
	status, header, body := get(t, s.client(), link)
	if status != http.StatusOK || header.Get("Content-Type") != "application/x-apple-aspen-config" {
		t.Fatalf("status %d, type %s", status, header.Get("Content-Type"))
	}
	p := decode(t, body)
	if p["PayloadIdentifier"] != mdm.EnrollmentPayloadIdentifier ||
		p["PayloadType"] != "Configuration" {
		t.Errorf("profile is %v", p)
	}
	parts := map[string]dict{}
	for _, part := range p["PayloadContent"].([]any) {
		part := part.(dict)
		parts[part["PayloadType"].(string)] = part
		if id, _ := part["PayloadIdentifier"].(string); !mdm.IsEnrollmentIdentifier(id) {
			t.Errorf("%v is not recognized as part of the enrollment", id)
		}
	}
	if got, _ := parts["com.apple.security.root"]["PayloadContent"].([]byte); !bytes.Equal(got,
		root.Raw) {
		t.Error("the CA of the server's certificate is missing")
	}
	scep := parts["com.apple.security.scep"]["PayloadContent"].(dict)
	for k, want := range (dict{"URL": s.URL + "/scep", "Challenge": code, "Keysize": uint64(2048),
		"Key Type": "RSA"}) {
		if scep[k] != want {
			t.Errorf("SCEP %s = %v, want %v", k, scep[k], want)
		}
	}
	management := parts["com.apple.mdm"]
	for k, want := range (dict{"ServerURL": s.URL + "/mdm", "CheckInURL": s.URL + "/mdm",
		"Topic":        mdm.PlaceholderTopic,
		"AccessRights": uint64(8191), "CheckOutWhenRemoved": true, "SignMessage": true,
		"IdentityCertificateUUID": parts["com.apple.security.scep"]["PayloadUUID"]}) {
		if management[k] != want {
			t.Errorf("MDM %s = %v, want %v", k, management[k], want)
		}
	}
	if _, claimed := management["ServerCapabilities"]; claimed {
		t.Error("claims capabilities it does not have")
	}
	if _, _, again := get(t, s.client(), link); !bytes.Equal(again, body) {
		t.Error("the profile changes from one download to the next")
	}
}

func TestSignedEnrollmentProfile(t *testing.T) {
	key := shared.keys[2]()
	cert := selfSigned(t, key)
	signer := &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
	s := newServer(t,
		func(c *mdm.Config) { c.Signer = func() (*tls.Certificate, error) { return signer, nil } })
	link, _ := s.link(t, time.Hour)
	_, _, body := get(t, s.client(), link)
	p7, err := pkcs7.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	if err := p7.VerifyWithChain(roots); err != nil {
		t.Fatal(err)
	}
	if p := decode(t, p7.Content); p["PayloadIdentifier"] != mdm.EnrollmentPayloadIdentifier {
		t.Errorf("signed content is %v", p)
	}
}

func TestEnrollmentLinks(t *testing.T) {
	s := newServer(t)
	for _, ttl := range []time.Duration{0, -time.Hour, 91 * 24 * time.Hour} {
		if _, _, err := s.channel.EnrollmentLink(context.Background(), ttl); err == nil {
			t.Errorf("a link that lives %s was made", ttl)
		}
	}
	for _, code := range []string{"unknown", strings.Repeat("a", 5000), "%00", "..%2f..",
		"<script>"} {
		status, _, body := get(t, s.client(), s.URL+"/enroll/"+code)
		if status != http.StatusNotFound || bytes.Contains(body, []byte("<script")) {
			t.Errorf("code %q: status %d, %s", code, status, body)
		}
	}
	link, _ := s.link(t, time.Hour)
	s.pass(time.Hour)
	if status, header, body := get(t, s.client(), link); status != http.StatusGone ||
		!bytes.Contains(body, []byte("expired")) ||
		header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("expired link: status %d, %s", status, body)
	}
}

func TestEnrollCheckInAndLeave(t *testing.T) {
	for name, by := range map[string]way{"signature": bySignature, "mutual TLS": byTLS,
		"proxy header": byHeader} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(c *mdm.Config) {
				if by == byHeader {
					c.CertificateHeader = proxyHeader
				}
			})
			d := s.newDevice(t, "0000-1", 1).as(by)
			d.want(http.StatusForbidden, d.idle())
			d.want(http.StatusOK, d.authenticate())
			if n, _, _ := s.engine.counts(); n != 1 {
				t.Fatalf("enrolled %d times", n)
			}
			want := fleet.Device{Name: "A phone", Platform: fleet.IOS, Manufacturer: "Apple",
				Model: "iPhone15,2", OSVersion: "18.1",
				SerialNumber: "C390000-1", UDID: "0000-1"}
			if got := s.engine.enrolled[0]; !reflect.DeepEqual(got, want) ||
				s.engine.reasons[0] != "" {
				t.Errorf("enrolled %+v (%s), want %+v", got, s.engine.reasons[0], want)
			}
			d.want(http.StatusOK, d.tokenUpdate("token 1"))
			e := s.store.enrollment(d.udid)
			if string(e.Token) != "token 1" || e.PushMagic != "magic" || e.Topic != topic ||
				e.Stage != mdm.Reachable {
				t.Errorf("enrollment is %+v", e)
			}
			if a := d.want(http.StatusOK, d.idle()); len(a.body) != 0 {
				t.Errorf("nothing to do, but got %s", a.body)
			}
			d.want(http.StatusOK, d.checkOut())
			if _, n, _ := s.engine.counts(); n != 1 ||
				s.engine.unenrolled[0] != "device of 0000-1" {
				t.Errorf("unenrolled %v", s.engine.unenrolled)
			}
			d.want(http.StatusForbidden, d.idle())
		})
	}
}

func TestPlatforms(t *testing.T) {
	for _, c := range []struct {
		udid        string
		facts       dict
		platform    fleet.Platform
		unsupported string
	}{
		{"a1", dict{"ProductName": "iPhone15,2"}, fleet.IOS, ""},
		{"a2", dict{"ProductName": "iPod9,1"}, fleet.IOS, ""},
		{"a3", dict{"ProductName": "iPad2,5"}, fleet.IPadOS, ""},
		{"a4", dict{"ProductName": "AppleTV14,1"}, fleet.TVOS, ""},
		{"a5", dict{"ProductName": "Mac16,10"}, fleet.MacOS, ""},
		{"a6", dict{"ProductName": "MacBookPro18,3"}, fleet.MacOS, ""},
		{"a7", dict{"ProductName": "iMac14,2"}, fleet.MacOS, ""},
		{"a8", dict{"ProductName": "VirtualMac2,1"}, fleet.MacOS, ""},
		{"a9", dict{"ModelName": "iPad", "Model": "MK9N2"}, fleet.IPadOS, ""},
		{"663b07bb783e9ade1dae4fbb92ea12afc0ce5b69", dict{}, fleet.IOS, ""},
		{"66ADE930-5FDF-5EC4-8429-15640684C489", dict{}, fleet.MacOS, ""},
		{"b1", dict{"ProductName": "Watch7,1"}, fleet.IOS, "runs neither"},
		{"b2", dict{"ProductName": "RealityDevice14,1"}, fleet.IOS, "runs neither"},
	} {
		s := newServer(t)
		d := s.newDevice(t, c.udid, 1)
		d.facts = c.facts
		d.want(http.StatusOK, d.authenticate())
		if got, why := s.engine.enrolled[0], s.engine.reasons[0]; got.Platform != c.platform ||
			got.Name != c.udid ||
			!strings.HasPrefix(why, c.unsupported) || (why == "") != (c.unsupported == "") {
			t.Errorf("%v: enrolled as %+v (%s)", c.facts, got, why)
		}
	}
}

func TestUserEnrollmentIsUnsupported(t *testing.T) {
	s := newServer(t)
	d := s.newDevice(t, "", 1)
	d.want(http.StatusOK, d.checkin(dict{"MessageType": "Authenticate", "EnrollmentID": "E-1",
		"Topic": topic, "ProductName": "iPhone15,2"}))
	if got := s.engine.enrolled[0]; !got.UserEnrolled || got.UDID != "E-1" ||
		!strings.Contains(s.engine.reasons[0], "User Enrollment") {
		t.Errorf("enrolled %+v (%s)", got, s.engine.reasons[0])
	}
	d.want(http.StatusOK, d.checkin(dict{"MessageType": "TokenUpdate", "EnrollmentID": "E-1",
		"Topic": topic, "PushMagic": "m", "Token": []byte("t")}))
	d.want(http.StatusOK, d.send(d.plist(dict{"EnrollmentID": "E-1", "Status": "Idle"}), false))
	if _, _, n := s.engine.counts(); n != 1 {
		t.Error("the device's Idle did not reach the engine")
	}
}
