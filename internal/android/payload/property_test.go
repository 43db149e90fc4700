package payload_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// drawGeneral draws a restriction: some of the properties that the form has, with values of theirs.
func drawGeneral(t *rapid.T) string {
	props := map[string]any{}
	list := forms().Of(payload.AndroidGeneral).Properties
	for range rapid.IntRange(1, 6).Draw(t, "properties") {
		p := list[rapid.IntRange(0, len(list)-1).Draw(t, "property")]
		switch {
		case len(p.Type.Members) > 0 && p.Type.Many:
			props[p.Name] = rapid.SliceOfN(rapid.SampledFrom(p.Type.Members), 0, 3).Draw(t, p.Name)
		case len(p.Type.Members) > 0:
			props[p.Name] = rapid.SampledFrom(p.Type.Members).Draw(t, p.Name)
		case p.Type.Name == "Boolean":
			props[p.Name] = rapid.Bool().Draw(t, p.Name)
		case p.Type.Name == "Int32":
			props[p.Name] = rapid.IntRange(1, 20).Draw(t, p.Name)
		}
		if alone, err := json.Marshal(map[string]any{p.Name: props[p.Name]}); err != nil ||
			refusedGeneral(string(alone)) {
			delete(props, p.Name)
		}
	}
	apps := rapid.SampledFrom([]string{"com.a", "com.b", "com.c"})
	listed := func(name string) {
		if rapid.Bool().Draw(t, name+"?") {
			var all []map[string]string
			for _, a := range rapid.SliceOfN(apps, 0, 3).Draw(t, name) {
				all = append(all, map[string]string{"appId": a})
			}
			props[name] = all
		}
	}
	listed("personalProfilePersonalApplications")
	if rapid.IntRange(0, 3).Draw(t, "kiosk") == 0 {
		props["kioskModeUseManagedHomeScreenApp"] = "singleAppMode"
		props["kioskModeApps"] = []map[string]string{{"appId": apps.Draw(t, "kiosk app")}}
	}
	if rapid.IntRange(0, 3).Draw(t, "scopes") == 0 {
		props["androidDeviceOwnerDelegatedScopeAppSettings"] = []map[string]any{{
			"appDetail": map[string]string{"appId": apps.Draw(t, "scoped")},
			"appScopes": rapid.SliceOfN(rapid.SampledFrom([]string{"certificateInstall",
				"captureSecurityLog", "captureNetworkActivityLog"}), 1, 3).Draw(t, "scope")}}
	}
	text, _ := json.Marshal(props) // always marshals
	return string(text)
}

// refusedGeneral reports whether a restriction cannot be made.
func refusedGeneral(props string) bool {
	_, err := compile(payload.AndroidGeneral, props, guid(1), nil)
	return err != nil
}

// drawItems draws payloads of all types, each of which can be made.
func drawItems(t *rapid.T) []payload.Item {
	var items []payload.Item
	for n := range rapid.IntRange(0, 8).Draw(t, "payloads") {
		name := rapid.SampledFrom([]string{"com.a", "com.b", "com.c"}).Draw(t, "app")
		var kind, props string
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			kind, props = payload.AndroidManagedStoreApp, `{"packageId":"`+name+`"}`
		case 1:
			kind = payload.AndroidManagedStoreConfiguration
			props = fmt.Sprintf(`{"packageId":%q,"connectedAppsEnabled":true,"payloadJson":%q}`, name,
				`{"managedProperty":[{"key":"k","valueInteger":`+fmt.Sprint(n)+`}]}`)
		case 2:
			kind, props = payload.AndroidVPN, fmt.Sprintf(`{"packageId":%q,"alwaysOn":true,"alwaysOnLockdown":%v}`, name, n%2 == 0)
		case 3:
			kind, props = payload.AndroidWiFi, fmt.Sprintf(`{"networkName":"n","ssid":"s%d","wiFiSecurityType":"open"}`, n)
		case 4:
			kind, props = payload.AndroidRootCertificate, `{"trustedRootCertificate":"`+rootCertificate()+`"}`
		case 5:
			kind = payload.AndroidEnterpriseWiFi
			props = fmt.Sprintf(`{"networkName":"n","ssid":"e","eapType":"peap","trustedServerCertificateNames":["a.example"],"rootCertificateForServerValidation":%q}`,
				guid(rapid.IntRange(0, 8).Draw(t, "authority")))
		default:
			kind, props = payload.AndroidGeneral, drawGeneral(t)
		}
		if _, err := compile(kind, props, guid(n), everyAuthority()); err != nil {
			continue // what one may not give is tested elsewhere
		}
		items = append(items, item(t, n, kind, props, everyAuthority()))
	}
	return items
}

// Of whatever payloads, wanted or off: the order does not matter, twice is once, what nobody set is
// the base, what comes back is as it was, and Google takes every document.
func TestCompositionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := drawItems(t)
		var wanted []payload.Item
		var off []payload.Off
		for _, i := range items {
			switch rapid.IntRange(0, 4).Draw(t, "where") {
			case 0:
				off = append(off, payload.Off{Item: i, HeldOff: true})
			case 1:
				off = append(off, payload.Off{Item: i})
			default:
				wanted = append(wanted, i)
			}
		}
		c := payload.Compose(wanted, off)
		held(t, c)
		seed := rapid.Uint64().Draw(t, "order")
		mixed, mixedOff := slices.Clone(wanted), slices.Clone(off)
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		r.Shuffle(len(mixedOff), func(i, j int) { mixedOff[i], mixedOff[j] = mixedOff[j], mixedOff[i] })
		equal(t, "in another order", payload.Compose(mixed, mixedOff), c)
		equal(t, "twice", payload.Compose(append(mixed, wanted...), append(off, mixedOff...)), c)

		// what is off leaves no trace but the apps that it blocks
		without := payload.Compose(wanted, nil)
		for _, a := range policyOf(t, c).Applications {
			for _, b := range policyOf(t, without).Applications {
				if a.PackageName == b.PackageName && a.InstallType != b.InstallType &&
					a.InstallType != "BLOCKED" {
					t.Errorf("%s is %s, and without what is off %s", a.PackageName, a.InstallType,
						b.InstallType)
				}
			}
		}
		if blocked := strings.Contains(string(c.Document), "BLOCKED"); !blocked && c.Hash != without.Hash {
			t.Errorf("what is off left a trace:\n%s\n%s", c.Document, without.Document)
		}
		// every field of the manifest is somebody's, who has it in the entry
		for path, owners := range c.Manifest.Fields {
			if len(owners) == 0 {
				t.Errorf("%s is nobody's", path)
			}
			for _, id := range owners {
				if e := c.Manifest.Entries[id]; e.Listing == payload.Wanted && !slices.Contains(e.Fields, path) {
					t.Errorf("%s is of %s, which has %v", path, id, e.Fields)
				}
			}
		}
	})
}

func equal(t *rapid.T, how string, got, want *payload.Composition) {
	one, err := json.Marshal(got.Manifest)
	other, err2 := json.Marshal(want.Manifest)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if string(got.Document) != string(want.Document) || got.Hash != want.Hash ||
		string(one) != string(other) {
		t.Errorf("%s:\n%s\n%s\n%s\n%s", how, got.Document, want.Document, one, other)
	}
}
