package mdm_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/audit"
)

// holding says what makers may do.
type holding []access.Grant

func (h holding) Grants(context.Context, []string) ([]access.Grant, error) { return h, nil }

// deviceOn is a device with an identity that came from a link of these terms.
func (s *server) deviceOn(t *testing.T, udid string, key int,
	terms access.EnrollmentTerms) *device {
	t.Helper()
	link, _, err := s.channel.EnrollmentLinkOn(t.Context(), time.Hour, terms)
	if err != nil {
		t.Fatal(err)
	}
	cert, fail := s.pkiOperation(t, s.request(t, link[len(s.URL+"/enroll/"):], shared.keys[key](),
		scep.PKCSReq))
	if cert == nil {
		t.Fatalf("no certificate: failInfo %s", fail)
	}
	return &device{t: t, s: s, udid: udid, key: shared.keys[key](), cert: cert,
		facts: dict{"DeviceName": "A phone", "ProductName": "iPhone15,2",
			"SerialNumber": "C39" + udid}}
}

// A link for one device enrolls no other, and none that does not say which it is.
func TestLinkForOneDevice(t *testing.T) {
	var refused []audit.Entry
	s := newServer(t, func(c *mdm.Config) {
		c.Record = func(_ context.Context,
			e audit.Entry) error {
			refused = append(refused, e)
			return nil
		}
	})
	for name, tt := range map[string]struct {
		named  string
		facts  dict
		status int
	}{
		"serial number":    {"C391", dict{"SerialNumber": "C391"}, http.StatusOK},
		"in small letters": {"c391", dict{"SerialNumber": "C391"}, http.StatusOK},
		"UDID":             {"1", dict{}, http.StatusOK},
		"another":          {"C391", dict{"SerialNumber": "C392"}, http.StatusForbidden},
		"a part":           {"C391", dict{"SerialNumber": "C3"}, http.StatusForbidden},
		"none":             {"C391", dict{}, http.StatusForbidden},
		"an empty one":     {"C391", dict{"SerialNumber": ""}, http.StatusForbidden},
		"in another place": {"C391", dict{"DeviceName": "C391", "IMEI": "C391"},
			http.StatusForbidden},
		"longer by white ends": {"C391", dict{"SerialNumber": "C391 "}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			refused = nil
			before, _, _ := s.engine.counts()
			d := s.deviceOn(t, "1", 1, access.EnrollmentTerms{For: tt.named})
			d.facts = tt.facts
			d.want(tt.status, d.authenticate())
			after, _, _ := s.engine.counts()
			if (after > before) != (tt.status == http.StatusOK) ||
				(len(refused) == 1) != (tt.status != http.StatusOK) {
				t.Errorf("enrolled %d, recorded refusals %d", after-before, len(refused))
			}
			if len(refused) == 1 && (refused[0].Activity != "managedDevices.enroll" ||
				len(refused[0].Objects) != 1) {
				t.Errorf("recorded %+v", refused[0])
			}
			d.udid = "2" // what the link was used for is no way to another device
			if tt.status == http.StatusOK {
				d.want(http.StatusForbidden, d.authenticate())
			}
		})
	}
}

// A link ends with its maker's right to make it, before anybody gets an identity by it.
func TestLinkOfWhoMayNotAnyMore(t *testing.T) {
	may := holding{{Rights: []access.Right{access.EnrollDevices}}}
	s := newServer(t, func(c *mdm.Config) { c.Roles = &may })
	terms := access.EnrollmentTerms{Maker: "user:anna", Members: []string{"user:anna"}}
	link, _, err := s.channel.EnrollmentLinkOn(t.Context(), time.Hour, terms)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get(t, s.client(), link); status != http.StatusOK {
		t.Fatalf("the link answers %d", status)
	}
	may = holding{{Rights: []access.Right{access.ReadDevices}}}
	if status, _, _ := get(t, s.client(), link); status != http.StatusGone {
		t.Errorf("the link answers %d when its maker may not enroll devices any more", status)
	}
	if cert, _ := s.pkiOperation(t, s.request(t, link[len(s.URL+"/enroll/"):], shared.keys[1](),
		scep.PKCSReq)); cert != nil {
		t.Error("it gave an identity")
	}
	may = holding{{Rights: []access.Right{access.EnrollDevices}}}
	if cert, _ := s.pkiOperation(t, s.request(t, link[len(s.URL+"/enroll/"):], shared.keys[1](),
		scep.PKCSReq)); cert == nil {
		t.Error("the refusal used it up")
	}
}
