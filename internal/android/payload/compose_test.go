package payload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

func general(t tester, n int, properties string) payload.Item {
	t.Helper()
	return item(t, n, payload.AndroidGeneral, properties)
}

func app(t tester, n int, name string) payload.Item {
	t.Helper()
	return item(t, n, payload.AndroidManagedStoreApp, `{"packageId":"`+name+`"}`)
}

func heldOff(items ...payload.Item) (list []payload.Off) {
	for _, i := range items {
		list = append(list, payload.Off{Item: i, HeldOff: true})
	}
	return list
}

func entry(t tester, c *payload.Composition, n int) payload.Entry {
	t.Helper()
	e, ok := c.Manifest.Payload(guid(n))
	if !ok {
		t.Fatalf("no entry of payload %d", n)
	}
	return e
}

// installs are the apps of a document with how they are installed.
func installs(t tester, c *payload.Composition) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, a := range policyOf(t, c).Applications {
		all[a.PackageName] = a.InstallType
	}
	return all
}

func wants(t tester, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil || string(g) != string(w) {
		t.Errorf("%s: %s, want %s", what, g, w)
	}
}

// A device to which nothing is assigned reports, and has nothing else set. The policy of enrollment
// tokens uninstalls nothing.
func TestBase(t *testing.T) {
	c := payload.Compose(nil, nil)
	held(t, c)
	p := policyOf(t, c)
	p.StatusReportingSettings = nil
	wants(t, "what nobody set", p, struct{}{})
	start := &payload.Composition{Document: payload.StartPolicy()}
	held(t, start)
	if got := policyOf(t, start).PlayStoreMode; got != "BLACKLIST" {
		t.Errorf("the start policy has playStoreMode %q, which uninstalls apps", got)
	}
}

// Of each rule: which of two values a field gets, whatever the order.
func TestStrictestWins(t *testing.T) {
	for name, tt := range map[string]struct{ one, other, field, want string }{
		"any":      {`{"cameraBlocked":true}`, `{"screenCaptureBlocked":true,"cameraBlocked":false}`, "cameraAccess", `"CAMERA_ACCESS_DISABLED"`},
		"greatest": {`{"passwordMinimumLength":6}`, `{"passwordMinimumLength":12}`, "passwordPolicies", `[{"passwordMinimumLength":12,"passwordScope":"SCOPE_DEVICE"}]`},
		"least": {`{"passwordMinutesOfInactivityBeforeScreenTimeout":5}`,
			`{"passwordMinutesOfInactivityBeforeScreenTimeout":15}`, "maximumTimeToLock", `"300000"`},
		"least of days": {`{"workProfilePasswordExpirationDays":365}`, `{"workProfilePasswordExpirationDays":30}`,
			"passwordPolicies", `[{"passwordExpirationTimeout":"2592000s","passwordScope":"SCOPE_PROFILE"}]`},
		"strictest": {`{"passwordRequiredType":"numeric"}`, `{"passwordRequiredType":"alphanumeric"}`, "passwordPolicies",
			`[{"passwordQuality":"ALPHANUMERIC","passwordScope":"SCOPE_DEVICE"}]`},
		"store": {`{"playStoreMode":"blockList"}`, `{"playStoreMode":"allowList"}`, "playStoreMode", `"WHITELIST"`},
		"sources": {`{"appsAllowInstallFromUnknownSources":true}`, `{"appsAllowInstallFromUnknownSources":false}`,
			"advancedSecurityOverrides", `{"untrustedAppsPolicy":"DISALLOW_INSTALL"}`},
		"union": {`{"passwordBlockKeyguardFeatures":["camera"]}`, `{"passwordBlockKeyguardFeatures":["fingerprint","notConfigured"]}`,
			"keyguardDisabledFeatures", `["CAMERA","DISABLE_FINGERPRINT"]`},
		"personal": {
			`{"personalProfilePlayStoreMode":"allowedApps","personalProfilePersonalApplications":[{"appId":"com.a"},{"appId":"com.b"},{"appId":"com.c"}]}`,
			`{"personalProfilePlayStoreMode":"allowedApps","personalProfilePersonalApplications":[{"appId":"com.b"},{"appId":"com.c"},{"appId":"com.d"}]}`,
			"personalUsagePolicies", `{"personalApplications":[{"installType":"AVAILABLE","packageName":"com.b"},{"installType":"AVAILABLE","packageName":"com.c"}],"personalPlayStoreMode":"ALLOWLIST"}`},
		"oldest": {`{"appsAutoUpdatePolicy":"never"}`, `{"appsAutoUpdatePolicy":"always"}`, "appAutoUpdatePolicy", `"NEVER"`},
	} {
		one, other := general(t, 1, tt.one), general(t, 2, tt.other)
		for _, order := range [][]payload.Item{{one, other}, {other, one}, {other, one, one, other}} {
			c := payload.Compose(order, nil)
			held(t, c)
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(c.Document, &fields); err != nil {
				t.Fatal(err)
			}
			if got := string(fields[tt.field]); got != tt.want {
				t.Errorf("%s: %s is %s, want %s", name, tt.field, got, tt.want)
			}
		}
	}
}

// Whoever lost a field says who has it; whoever agrees says nothing.
func TestConflict(t *testing.T) {
	c := payload.Compose([]payload.Item{general(t, 3, `{"appsAutoUpdatePolicy":"never"}`),
		general(t, 2, `{"appsAutoUpdatePolicy":"always"}`),
		general(t, 1, `{"appsAutoUpdatePolicy":"never","passwordMinimumLength":4}`),
		general(t, 4, `{"passwordMinimumLength":16}`)}, nil)
	wants(t, "notes of 1", entry(t, c, 1).Notes, []string{"passwordMinimumLength is set by ‘P4’"})
	wants(t, "notes of 2", entry(t, c, 2).Notes, []string{"appsAutoUpdatePolicy is set by ‘P1’"})
	wants(t, "notes of 3", len(entry(t, c, 3).Notes), 0)
	wants(t, "notes of 4", len(entry(t, c, 4).Notes), 0)
	wants(t, "owners", c.Manifest.Owners("appAutoUpdatePolicy", "", "", ""),
		[]action.PayloadID{guid(1), guid(2), guid(3)})
}

// An app that is off is blocked while it is away, without its configuration, which says why it is
// not there; put back, the document is as it was.
func TestAppAway(t *testing.T) {
	mail, chat := app(t, 1, "com.example.mail"), app(t, 2, "com.example.chat")
	config := item(t, 3, payload.AndroidManagedStoreConfiguration,
		`{"packageId":"com.example.mail","payloadJson":`+encoded(`{"managedProperty":[{"key":"server","valueString":"a.example"}]}`)+`,"permissionActions":[{"permission":"android.permission.CAMERA","action":"autoDeny"}]}`)
	scopes := general(t, 4, `{"androidDeviceOwnerDelegatedScopeAppSettings":[{"appDetail":{"appId":"com.example.mail"},"appScopes":["certificateInstall"]}]}`)
	before := payload.Compose([]payload.Item{mail, chat, config, scopes}, nil)
	held(t, before)
	wants(t, "configuration", policyOf(t, before).Applications[1].ManagedConfiguration,
		map[string]string{"server": "a.example"})
	for _, isHeld := range []bool{true, false} {
		away := payload.Compose([]payload.Item{config, chat, scopes},
			[]payload.Off{{Item: mail, HeldOff: isHeld}})
		held(t, away)
		wants(t, "apps", installs(t, away), map[string]string{"com.example.mail": "BLOCKED",
			"com.example.chat": "FORCE_INSTALLED"})
		if e := entry(t, away, 3); e.Listing != payload.LeftOut || e.Code != 1005 ||
			!strings.Contains(e.Why, "‘P1’") {
			t.Errorf("its configuration: %+v", e)
		}
		if e := entry(t, away, 4); len(e.Notes) != 1 {
			t.Errorf("its scopes: %+v", e)
		}
		if e := entry(t, away, 1); (e.Listing == payload.HeldOff) != isHeld || len(e.Fields) != 0 {
			t.Errorf("the app: %+v", e)
		}
	}
	if again := payload.Compose([]payload.Item{scopes, config, chat, mail}, nil); again.Hash != before.Hash || string(again.Document) != string(before.Document) {
		t.Errorf("put back it is\n%s\nand was\n%s", again.Document, before.Document)
	}
	gone := payload.Compose([]payload.Item{chat}, nil)
	wants(t, "apps, when it was seen gone", installs(t, gone),
		map[string]string{"com.example.chat": "FORCE_INSTALLED"})
}

// An app that another payload wants is not blocked, and its entry names that.
func TestAppKept(t *testing.T) {
	mail, same := app(t, 1, "com.example.mail"), app(t, 2, "com.example.mail")
	kiosk := general(t, 3, `{"kioskModeUseManagedHomeScreenApp":"singleAppMode","kioskModeApps":[{"appId":"com.example.mail"}]}`)
	c := payload.Compose([]payload.Item{same}, heldOff(mail))
	wants(t, "apps", installs(t, c), map[string]string{"com.example.mail": "FORCE_INSTALLED"})
	wants(t, "kept by", entry(t, c, 1).KeptBy, []action.PayloadID{guid(2)})
	wants(t, "remains", c.Manifest.Remains(guid(1)), "the app stays: ‘P2’ has it too")

	c = payload.Compose([]payload.Item{kiosk}, []payload.Off{{Item: mail}})
	wants(t, "kiosk app not assigned any more", installs(t, c), map[string]string{"com.example.mail": "KIOSK"})
	c = payload.Compose([]payload.Item{kiosk, same}, nil)
	wants(t, "kiosk app assigned", installs(t, c), map[string]string{"com.example.mail": "KIOSK"})
	c = payload.Compose([]payload.Item{kiosk}, heldOff(mail))
	held(t, c)
	wants(t, "kiosk app removed", installs(t, c), map[string]string{"com.example.mail": "BLOCKED"})
	wants(t, "notes", entry(t, c, 3).Notes, []string{"com.example.mail is not there: ‘P1’ is removed"})
}

// Rules that Google has across fields: the younger payload gives way, and says so.
func TestAcrossFields(t *testing.T) {
	kiosk := func(n int, name string) payload.Item {
		return general(t, n, `{"kioskModeUseManagedHomeScreenApp":"singleAppMode","kioskModeApps":[{"appId":"`+name+`"}],"cameraBlocked":true}`)
	}
	c := payload.Compose([]payload.Item{kiosk(2, "com.two"), kiosk(1, "com.one")}, nil)
	held(t, c)
	wants(t, "kiosk", installs(t, c), map[string]string{"com.one": "KIOSK"})
	wants(t, "notes", entry(t, c, 2).Notes, []string{"the kiosk app is com.one: ‘P1’ sets it"})

	logs := func(n int, name string) payload.Item {
		return general(t, n, `{"androidDeviceOwnerDelegatedScopeAppSettings":[{"appDetail":{"appId":"`+name+`"},"appScopes":["captureSecurityLog","certificateInstall"]}]}`)
	}
	c = payload.Compose([]payload.Item{logs(2, "com.two"), logs(1, "com.one")}, nil)
	held(t, c)
	wants(t, "scopes", policyOf(t, c).Applications[1].DelegatedScopes, []string{"CERT_INSTALL"})
	wants(t, "notes", entry(t, c, 2).Notes, []string{"com.one has SECURITY_LOGS: ‘P1’ sets it"})
}

// A policy has at most 3,000 apps: the youngest are left out.
func TestAppLimit(t *testing.T) {
	var all []payload.Item
	for n := range 3001 {
		i := app(t, n, fmt.Sprintf("com.example.app%d", n))
		all = append(all, i)
	}
	c := payload.Compose(all, heldOff(app(t, 4000, "com.example.off")))
	if got := installs(t, c); len(got) != 3000 || got["com.example.app3000"] != "" || got["com.example.off"] != "" {
		t.Errorf("%d apps, the youngest %q, the blocked one %q", len(got), got["com.example.app3000"],
			got["com.example.off"])
	}
	if e := entry(t, c, 3000); e.Listing != payload.LeftOut || e.Code != 4400 {
		t.Errorf("the youngest: %+v", e)
	}
	if e := entry(t, c, 4000); len(e.Notes) != 1 {
		t.Errorf("the blocked one: %+v", e)
	}
}

// What stays of a payload that is off, and which defaults apply, is said.
func TestRemains(t *testing.T) {
	off := general(t, 1, `{"cameraBlocked":true,"playStoreMode":"blockList","screenCaptureBlocked":true}`)
	c := payload.Compose([]payload.Item{general(t, 2, `{"cameraBlocked":true}`)}, heldOff(off))
	wants(t, "remains", c.Manifest.Remains(guid(1)),
		"cameraBlocked stays on: ‘P2’ sets it too; the defaults apply: the Play store shows assigned apps alone, and every other app is uninstalled; screenshots can be made")
	wants(t, "of who is there", c.Manifest.Remains(guid(2)), "")
	wants(t, "of nobody", c.Manifest.Remains(guid(9)), "")
	wants(t, "store", policyOf(t, c).PlayStoreMode, "")
}

// One payload is there once: the newest version of it, and rather wanted than off.
func TestOnePayloadOnce(t *testing.T) {
	old, edited := general(t, 1, `{"passwordMinimumLength":12}`), general(t, 1, `{"passwordMinimumLength":6}`)
	edited.Spec.Version = 2
	for _, list := range [][]payload.Item{{old, edited}, {edited, old}} {
		c := payload.Compose(list, append(heldOff(old), payload.Off{Item: old}))
		wants(t, "length", policyOf(t, c).PasswordPolicies[0].PasswordMinimumLength, 6)
		if e := entry(t, c, 1); e.Listing != payload.Wanted || e.Version != 2 {
			t.Errorf("%+v", e)
		}
	}
	mail := app(t, 2, "com.a")
	c := payload.Compose(nil, append([]payload.Off{{Item: mail}}, heldOff(mail)...))
	if e := entry(t, c, 2); e.Listing != payload.HeldOff {
		t.Errorf("held off and ended: %+v", e)
	}
}

// Content that cannot be read is left out, and the rest is not harmed.
func TestUnreadable(t *testing.T) {
	broken := app(t, 1, "com.example.mail")
	broken.Content = []byte("{")
	c := payload.Compose([]payload.Item{broken, app(t, 2, "com.example.chat")}, heldOff(payload.Item{}))
	held(t, c)
	wants(t, "apps", installs(t, c), map[string]string{"com.example.chat": "FORCE_INSTALLED"})
	if e := entry(t, c, 1); e.Listing != payload.LeftOut || e.Code != 1004 {
		t.Errorf("the broken one: %+v", e)
	}
}
