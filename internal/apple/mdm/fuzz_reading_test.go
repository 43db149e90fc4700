package mdm

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/micromdm/nanomdm/cryptoutil"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
	"github.com/syncpayloads/syncpayloads/internal/cms/cmstest"
	"github.com/syncpayloads/syncpayloads/internal/cost"
)

// What is read here instead of by the library gets the same verdict, and the same certificate.
func FuzzSignedData(f *testing.F) {
	all := testIdentities()
	for _, by := range []identity{all.rsa, all.ecdsa} {
		d := newDraft(by)
		f.Add(d.der(), reported)
		d.attributes = d.attributes[:2]
		f.Add(d.der(), reported)
		d.change = d.asDevicesDo
		if by == all.rsa {
			f.Add(d.der(), reported)
		}
	}
	for _, bomb := range cmstest.Forms(4 << 10) {
		f.Add(bomb, reported)
	}
	f.Fuzz(func(t *testing.T, der, body []byte) {
		defer cost.Input(t)()
		agree(t, all.ca, der, body)
	})
}

// The same for whatever somebody with an identity may sign.
func FuzzSignedAttributes(f *testing.F) {
	all := testIdentities()
	d := newDraft(all.ecdsa)
	f.Add(strings.Join([]string{string(d.attributes[0]), string(d.attributes[1]),
		string(d.attributes[2])}, ""), false)
	f.Add(string(d.attributes[0])+string(d.attributes[2]), true)
	f.Add(string(d.attributes[0])+string(d.attributes[2])+string(d.attributes[2]), false)
	f.Add(string(attribute(pkcs7.OIDAttributeSigningTime, 1)), false)
	f.Fuzz(func(t *testing.T, attributes string, sorted bool) {
		defer cost.Input(t)()
		d := newDraft(all.ecdsa)
		d.attributes, d.unsorted = [][]byte{[]byte(attributes)}, true
		if sorted { // the attributes that must be there, and one of whatever kind
			d = newDraft(all.ecdsa)
			d.attributes[1] = []byte(attributes)
		}
		agree(t, all.ca, d.der(), reported)
	})
}

// What a strict reader takes is read the same here.
func FuzzReport(f *testing.F) {
	for _, body := range reports() {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		defer cost.Input(t)()
		want, err := propertylist.Decode(body)
		got := readReport(body)
		if err != nil {
			return
		}
		for name, member := range map[string]string{"UDID": got.UDID,
			"EnrollmentID": got.EnrollmentID, "UserID": got.UserID,
			"CommandUUID": got.CommandUUID, "Status": got.Status} {
			if said,
				_ := want[name].(string); strings.TrimSpace(said) != strings.TrimSpace(member) &&
				tolerant.IsWhole(got.members) {
				t.Errorf("%s is %q, read as %q", name, said, member)
			}
		}
		if got.damage != "" {
			t.Errorf("a whole list is damaged: %s", got.damage)
		}
		decode(got)
	})
}

func reports() map[string][]byte {
	type dict = map[string]any
	profiles, chain := []dict{}, []dict{{"ErrorDomain": "D", "ErrorCode": 1,
		"LocalizedDescription": "x"}}
	for i := range 20 {
		profiles = append(profiles, dict{"PayloadIdentifier": fmt.Sprint("com.example.", i),
			"PayloadUUID": fmt.Sprint(i),
			"PayloadContent": []dict{{"PayloadType": "com.apple.wifi.managed",
				"PayloadIdentifier": fmt.Sprint("com.example.wifi.", i)}}})
	}
	all := map[string][]byte{"garbage": []byte("<plist><dict><key>Status</key><string>Idle</string></plist>")}
	for name, m := range map[string]dict{
		"idle":         {"Status": "Idle"},
		"acknowledged": {"Status": "Acknowledged", "CommandUUID": "1"},
		"inventory": {"Status": "Acknowledged", "CommandUUID": "1.profiles",
			"ProfileList": profiles},
		"error": {"Status": "Error", "CommandUUID": "1", "ErrorChain": chain,
			"RejectionReason": "Other"},
		"settings": {"Status": "Error", "CommandUUID": "1",
			"Settings": dict{"Status": "Error", "ErrorChain": chain}},
		"apps": {"Status": "Acknowledged",
			"ManagedApplicationList": dict{"a": dict{"Status": "Managed"}}},
		"facts": {"Status": "Acknowledged",
			"QueryResponses": dict{"IsSupervised": true, "Size": 1.5}},
		"wrong list": {"Status": "Acknowledged", "CommandUUID": "1.profiles",
			"ProfileList": "none"},
		"wrong chain": {"Status": "Error", "CommandUUID": "1", "ErrorChain": "none"},
		"wrong both":  {"Status": "Error", "CommandUUID": 1, "ProfileList": "none"},
		"no status":   {"CommandUUID": "1"},
	} {
		m["UDID"] = "00008030-001C04C13AD88"
		body, err := plist.Marshal(m)
		must(err)
		all[name] = body
	}
	return all
}

func BenchmarkMdmSignature(b *testing.B) {
	all := testIdentities()
	signature, err := all.rsa.key.Sign(rand.Reader, hashOf(crypto.SHA256, reported), crypto.SHA256)
	must(err)
	d := newDraft(all.rsa)
	usual := base64.StdEncoding.EncodeToString(d.der())
	d.change = d.asDevicesDo
	asDevicesDo := base64.StdEncoding.EncodeToString(d.der())
	for _, c := range []struct {
		name   string
		header string
		verify func(string, []byte) (*x509.Certificate, error)
	}{
		{"library", usual, cryptoutil.VerifyMdmSignature},
		{"known", usual, all.ca.verifySignature},
		{"not parsed before", usual, func(header string, body []byte) (*x509.Certificate, error) {
			all.ca.parsed.newer, all.ca.parsed.older = nil, nil
			return all.ca.verifySignature(header, body)
		}},
		{"as devices do/library", asDevicesDo, cryptoutil.VerifyMdmSignature},
		{"as devices do", asDevicesDo, all.ca.verifySignature},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.verify(c.header, reported); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("RSA alone", func(b *testing.B) {
		for b.Loop() {
			must(all.rsa.certificate.CheckSignature(x509.SHA256WithRSA, reported, signature))
		}
	})
}

func BenchmarkReport(b *testing.B) {
	all := reports()
	for _, name := range []string{"idle", "acknowledged", "inventory"} {
		body := all[name]
		b.Run(name+"/library", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := mdm.DecodeCommandResults(body)
				must(err)
			}
		})
		b.Run(name+"/here", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				decode(readReport(body))
			}
		})
	}
}
