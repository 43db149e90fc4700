package graph_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	android "github.com/syncpayloads/syncpayloads/internal/android/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// newMixedSite is a server that takes what Apple's devices and Android's can be given.
func newMixedSite(t *testing.T) *site {
	t.Helper()
	forms := catalog.MustForms(payload.Forms(), android.Forms())
	return newSite(t, func(c *graph.Config) {
		c.Forms = forms
		c.Catalog = catalog.New(c.Devices.(catalog.Store), forms, c.Now, uuid.NewString)
	})
}

func newRoot(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// A policy names another one by its id or by its address, as clients of Graph do.
func TestReferencesOfPolicies(t *testing.T) {
	s := newMixedSite(t)
	root := s.must(http.StatusCreated, "POST", configurations, object{"displayName": "Root",
		"@odata.type":            "#microsoft.graph.androidDeviceOwnerTrustedRootCertificate",
		"trustedRootCertificate": newRoot(t)}).body["id"].(string)
	const one, many = "rootCertificateForServerValidation", "rootCertificatesForServerValidation"
	wifi := func(name string, value any) object {
		return object{"displayName": "Office", "networkName": "Office", "ssid": "office",
			"@odata.type": "#microsoft.graph.androidDeviceOwnerEnterpriseWiFiConfiguration",
			"eapType":     "peap", "trustedServerCertificateNames": []string{"radius.example"}, name: value}
	}
	address := "https://graph.microsoft.com" + configurations
	for _, body := range []object{wifi(one, root), wifi(one+"@odata.bind", address+"('"+root+"')"),
		wifi(one+"@odata.bind", address+"/"+root)} {
		if a := s.must(http.StatusCreated, "POST", configurations, body); a.body[one] != root {
			t.Errorf("%v: %v", body, a.body[one])
		}
	}
	a := s.must(http.StatusCreated, "POST", configurations, wifi(many+"@odata.bind", []string{address + "('" + root + "')"}))
	if got := at(a.body, many, 0); got != root {
		t.Errorf("several references: %v", a.body[many])
	}
	both := wifi(one, root)
	both[one+"@odata.bind"] = address + "/" + root
	for property, body := range map[string]object{
		one + "@odata.bind":                     wifi(one+"@odata.bind", "https://graph.microsoft.com/beta/groups('x')"),
		many + "@odata.bind[0]":                 wifi(many+"@odata.bind", []string{"x"}),
		one:                                     wifi(one+"@odata.bind", address+"('"+uuid.NewString()+"')"),
		"'" + one + "@odata.bind' say the same": both,
		"ssid@odata.bind":                       wifi("ssid@odata.bind", address+"/"+root),
	} {
		if a := s.must(http.StatusBadRequest, "POST", configurations, body); !strings.Contains(a.message(), property) {
			t.Errorf("%s: %s", property, a)
		}
	}
}

// Types that no device can be given are refused with the reason, whatever else the body has, and
// properties that cannot be kept by their name.
func TestRefusedTypes(t *testing.T) {
	s := newMixedSite(t)
	for _, tt := range []struct{ path, kind, property, words string }{
		{configurations, "androidDeviceOwnerScepCertificateProfile", "scepServerUrls", "Google's API cannot bring"},
		{apps, "androidForWorkApp", "packageId", "androidManagedStoreApp"},
		{configurations, "androidForWorkApp", "packageId", "must be one of"},
		{configurations, "androidDeviceOwnerGeneralDeviceConfiguration", "microsoftLauncherFeedEnabled", "microsoftLauncherFeedEnabled"},
	} {
		body := object{"displayName": "X", "@odata.type": "#microsoft.graph." + tt.kind, tt.property: true}
		if a := s.must(http.StatusBadRequest, "POST", tt.path, body); !strings.Contains(a.message(), tt.words) {
			t.Errorf("%s: %s", tt.kind, a)
		}
	}
}

// What Android devices can be given is served as all payloads are: kept as it came, found by
// $filter, and declared in $metadata.
func TestAndroidPayloads(t *testing.T) {
	s := newMixedSite(t)
	body := `{"@odata.type":"#microsoft.graph.androidDeviceOwnerGeneralDeviceConfiguration","displayName":"Kiosk",` +
		`"cameraBlocked":true,"enrollmentProfile":"dedicatedDevice","microsoftLauncherFeedEnabled":false,"kioskModeIconSize":"notConfigured",` +
		`"detailedHelpText":{"defaultMessage":"Ask us","localizedMessages":[{"name":"de","value":"Fragt uns"}]}}`
	a := s.must(http.StatusCreated, "POST", configurations, body)
	var sent map[string]any
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	got := s.must(http.StatusOK, "GET", configurations+"/"+a.body["id"].(string), nil)
	for name, want := range sent {
		one, err := json.Marshal(got.body[name])
		other, err2 := json.Marshal(want)
		if err != nil || err2 != nil || string(one) != string(other) {
			t.Errorf("%s is %s, and was sent as %s", name, one, other)
		}
	}
	s.must(http.StatusCreated, "POST", apps, object{"@odata.type": "#microsoft.graph.androidManagedStoreApp",
		"displayName": "Mail", "packageId": "com.example.mail"})
	if list := s.must(http.StatusOK, "GET", apps+"?$filter=packageId%20eq%20'com.example.mail'", nil).values(); len(list) != 1 {
		t.Errorf("found %v", list)
	}
	web := s.must(http.StatusCreated, "POST", apps, object{"displayName": "Intranet",
		"@odata.type": "#microsoft.graph.androidManagedStoreWebApp",
		"appStoreUrl": "https://intranet.example/", "displayMode": "fullScreen"}).body
	if got := s.must(http.StatusOK, "GET", apps+"/"+web["id"].(string), nil).body; got["appStoreUrl"] !=
		"https://intranet.example/" || got["displayMode"] != "fullScreen" || got["packageId"] != nil {
		t.Errorf("a web app is %v", got)
	}
	if a := s.call("PATCH", apps+"/"+web["id"].(string), object{
		"@odata.type": "#microsoft.graph.androidManagedStoreWebApp",
		"packageId":   "com.example.web", "appStoreUrl": nil, "displayMode": nil}); a.status !=
		http.StatusBadRequest {
		t.Errorf("a web app that Google makes becomes another one: %s", a)
	}
	m := s.metadata("/beta/")
	for name, of := range m.types {
		m.checkType(t, name, of)
	}
	for _, name := range []string{"androidDeviceOwnerGeneralDeviceConfiguration", "androidDeviceOwnerUserFacingMessage", "keyValuePair", "appListItem"} {
		if m.types["microsoft.graph."+name] == nil {
			t.Errorf("$metadata lacks %s", name)
		}
	}
	if m.enums["microsoft.graph.androidDeviceOwnerRequiredPasswordType"] == nil {
		t.Error("$metadata lacks an enumeration")
	}
}
