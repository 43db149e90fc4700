package store_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func app(odataType, properties string) catalog.Input {
	return catalog.Input{ODataType: odataType, DisplayName: "App",
		Properties: json.RawMessage(properties)}
}

func TestApps(t *testing.T) {
	phones := []fleet.Platform{fleet.IOS, fleet.IPadOS}
	for name, c := range map[string]struct {
		in        catalog.Input
		want      payload.AppSettings
		platforms []fleet.Platform
	}{
		"store": {app(payload.IOSStoreApp,
			`{"bundleId":"com.example.app","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726?mt=8","publisher":null}`),
			payload.AppSettings{BundleID: "com.example.app", StoreID: 361309726,
				RemoveWithMDM: true}, append(slices.Clone(phones), fleet.TVOS)},
		"store, for iPad": {app(payload.IOSStoreApp,
			`{"bundleId":"a.b","storeId":7,"applicableDeviceType":{"iPad":true,"iPhoneAndIPod":false}}`),
			payload.AppSettings{BundleID: "a.b", StoreID: 7, RemoveWithMDM: true},
			[]fleet.Platform{fleet.IPadOS}},
		"volume": {app(payload.IOSVPPApp, `{"bundleId":"a.b","vppTokenId":"x","appStoreUrl":"http://itunes.apple.com/app/id7","licensingType":{"supportsDeviceLicensing":true},
				"uninstallOnDeviceRemoval":false,"managedConfiguration":"<dict><key>a</key><true/></dict>"}`),
			payload.AppSettings{BundleID: "a.b", StoreID: 7, DeviceLicensed: true,
				Configuration: propertylist.Dictionary{"a": true}},
			append(slices.Clone(phones), fleet.TVOS)},
		"line of business": {app(payload.IOSLOBApp,
			`{"bundleId":"a.b","versionNumber":"1.2","manifestUrl":"https://x.example/a.plist"}`),
			payload.AppSettings{BundleID: "a.b", ManifestURL: "https://x.example/a.plist",
				AppVersion: "1.2", RemoveWithMDM: true}, phones},
		"package": {app(payload.MacOSPkgApp,
			`{"primaryBundleId":"a.b_c","primaryBundleVersion":"3","manifestUrl":"https://x.example/m"}`),
			payload.AppSettings{BundleID: "a.b_c", ManifestURL: "https://x.example/m",
				AppVersion: "3", RemoveWithMDM: true}, []fleet.Platform{fleet.MacOS}},
	} {
		t.Run(name, func(t *testing.T) {
			_, cat := openCatalog(t)
			p := create(t, cat, c.in)
			var got payload.AppSettings
			if err := json.Unmarshal(p.Content, &got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) || !slices.Equal(p.Platforms, c.platforms) ||
				p.Type != action.Application ||
				p.SubType != "application" || p.Identifier != c.want.BundleID || p.Revision != "" ||
				p.Version != 1 {
				t.Errorf("settings %+v of %+v", got, p)
			}
			if strings.Contains(string(p.Properties), "null") ||
				!strings.Contains(string(p.Properties), c.want.BundleID) {
				t.Errorf("properties %s", p.Properties)
			}
		})
	}
}

func TestPayloadsRefused(t *testing.T) {
	_, c := openCatalog(t)
	lob := func(more string) catalog.Input {
		return app(payload.IOSLOBApp,
			`{"bundleId":"a.b","versionNumber":"1","manifestUrl":"https://x.example/a"`+more+`}`)
	}
	named := func(in catalog.Input, name, description string) catalog.Input {
		in.DisplayName, in.Description = name, description
		return in
	}
	mac := wifi("com.example.mac")
	mac.ODataType, mac.Properties = payload.MacOSCustomConfiguration,
		[]byte(`{"deploymentChannel":"userChannel"}`)
	ios := wifi("com.example.ios")
	ios.Properties = []byte(`{"deploymentChannel":"deviceChannel"}`)
	appWithFile := lob("")
	appWithFile.File = []byte("x")
	for name, x := range map[string]struct {
		in             catalog.Input
		property, text string
	}{
		"unknown type": {app("windowsStoreApp", `{}`), "@odata.type", "windowsStoreApp"},
		"no name":      {named(lob(""), "", ""), "displayName", "it has 0"},
		"long name": {named(lob(""), strings.Repeat("x", 201), ""), "displayName",
			"it has 201"},
		"long description": {named(lob(""), "x", strings.Repeat("ü", 10001)), "description",
			"it has 10001"},
		"no file": {catalog.Input{ODataType: payload.IOSCustomConfiguration,
			DisplayName: "x"}, "payload", "not a configuration profile"},
		"file of an app": {appWithFile, "payload", "has no file"},
		"user channel":   {mac, "deploymentChannel", "userChannel"},
		"channel on iOS": {ios, "deploymentChannel", "only"},
		"no properties":  {app(payload.IOSStoreApp, ``), "bundleId", "not a bundle id"},
		"not an object":  {app(payload.IOSStoreApp, `7`), "properties", "not a JSON object"},
		"too many properties": {app(payload.IOSStoreApp,
			strings.Repeat(" ", catalog.MaxPropertiesSize+1)), "properties", "1048576"},
		"bundle id a number": {app(payload.IOSStoreApp, `{"bundleId":1}`), "bundleId",
			"is not a string"},
		"bundle id with *": {app(payload.IOSStoreApp, `{"bundleId":"a.*"}`), "bundleId",
			"not a bundle id"},
		"no store number": {app(payload.IOSStoreApp, `{"bundleId":"a.b"}`), "appStoreUrl",
			"is missing"},
		"strange store URL": {app(payload.IOSStoreApp,
			`{"bundleId":"a.b","appStoreUrl":"https://apps.apple.com/app"}`), "appStoreUrl",
			"does not name an app"},
		"store URL a path": {app(payload.IOSStoreApp, `{"bundleId":"a.b","appStoreUrl":"/id7"}`),
			"appStoreUrl", "does not name an app"},
		"two store numbers": {app(payload.IOSStoreApp,
			`{"bundleId":"a.b","appStoreUrl":"https://apps.apple.com/id7","storeId":8}`), "storeId",
			"appStoreUrl names (7)"},
		"negative number": {app(payload.IOSStoreApp, `{"bundleId":"a.b","storeId":-8}`),
			"appStoreUrl", "is missing"},
		"user licences": {app(payload.IOSVPPApp,
			`{"bundleId":"a.b","storeId":1,"licensingType":{"supportsDeviceLicensing":false}}`),
			"licensingType", "devices only"},
		"no device": {app(payload.IOSStoreApp,
			`{"bundleId":"a.b","storeId":1,"applicableDeviceType":{}}`), "applicableDeviceType",
			"no device"},
		"removal not boolean": {lob(`,"uninstallOnDeviceRemoval":"yes"`),
			"uninstallOnDeviceRemoval", "boolean"},
		"bad configuration": {lob(`,"managedConfiguration":"<dict>"`), "managedConfiguration",
			"dictionary"},
		"manifest over http": {app(payload.IOSLOBApp,
			`{"bundleId":"a.b","versionNumber":"1","manifestUrl":"http://x/a"}`), "manifestUrl",
			"https"},
		"no manifest": {app(payload.MacOSPkgApp,
			`{"primaryBundleId":"a.b","primaryBundleVersion":"1"}`), "manifestUrl", "https"},
		"no version": {app(payload.IOSLOBApp,
			`{"bundleId":"a.b","manifestUrl":"https://x/a"}`), "versionNumber", "is missing"},
		"no package version": {app(payload.MacOSPkgApp,
			`{"primaryBundleId":"a.b","manifestUrl":"https://x/a"}`), "primaryBundleVersion",
			"is missing"},
		"no package id": {app(payload.MacOSPkgApp, `{"bundleId":"a.b"}`), "primaryBundleId",
			"not a bundle id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Create(t.Context(), x.in)
			refused(t, err, x.property, x.text)
		})
	}
	if list, err := c.List(t.Context(), query.Query{}); err != nil || len(list.Items) != 0 {
		t.Errorf("the catalog has %v, %v", list, err)
	}
}

func TestEditsOfAnApp(t *testing.T) {
	s, c := openCatalog(t)
	p := create(t, c, app(payload.IOSLOBApp,
		`{"bundleId":"a.b","versionNumber":"1","manifestUrl":"https://x/a","publisher":"P"}`))
	if _, err := c.Assign(t.Context(), p.ID,
		[]catalog.Assignment{{Kind: catalog.AllDevices}}); err != nil {
		t.Fatal(err)
	}
	changes(t, s)
	for _, step := range []struct {
		properties string
		version    int64
	}{{`{"publisher":"Q"}`, 1}, {`{"versionNumber":"2"}`, 2},
		{`{"versionNumber":"2","bundleId":"a.b"}`, 2}, {`{"publisher":null}`, 2}} {
		got, err := c.Update(t.Context(), p.ID,
			catalog.Patch{Properties: json.RawMessage(step.properties)})
		if err != nil || got.Version != step.version {
			t.Fatalf("%s: %+v, %v; want version %d", step.properties, got, err, step.version)
		}
	}
	wantChanges(t, s, everybody)
	got, err := c.Get(t.Context(), p.ID)
	if err != nil ||
		string(got.Properties) != `{"bundleId":"a.b","manifestUrl":"https://x/a","versionNumber":"2"}` {
		t.Errorf("properties %s, %v", got.Properties, err)
	}
	for properties, property := range map[string]string{
		`{"bundleId":"a.c"}`:                     "bundleId",
		`{"applicableDeviceType":{"iPad":true}}`: "applicableDeviceType",
		`{"manifestUrl":null}`:                   "manifestUrl", `[]`: "properties",
	} {
		_, err := c.Update(t.Context(), p.ID,
			catalog.Patch{Properties: json.RawMessage(properties)})
		refused(t, err, property, "")
	}
	_, err = c.Update(t.Context(), p.ID, catalog.Patch{File: profile("x", "y", "z")})
	refused(t, err, "payload", "has no file")
}

func TestAppConfigurations(t *testing.T) {
	_, c := openCatalog(t)
	target := create(t, c, app(payload.IOSStoreApp, `{"bundleId":"a.b","storeId":1}`))
	other := create(t, c, app(payload.IOSStoreApp, `{"bundleId":"a.c","storeId":2}`))
	pkg := create(t, c, app(payload.MacOSPkgApp,
		`{"primaryBundleId":"a.b","primaryBundleVersion":"1","manifestUrl":"https://x/a"}`))
	configuration := func(apps, value string) catalog.Input {
		return app(payload.IOSMobileAppConfiguration,
			`{"targetedMobileApps":`+apps+`,"settings":[{"appConfigKey":"k","appConfigKeyType":"stringType","appConfigKeyValue":"`+value+`"}]}`)
	}
	one := `["` + strings.ToUpper(string(target.ID)) + `"]`
	for apps, text := range map[string]string{
		`[]`: "names 0 apps", `["` + string(target.ID) + `","` + string(other.ID) +
			`"]`: "names 2 apps", `["x"]`: "not an app's id",
		`["` + nobody + `"]`: "not an iOS app", `["` + string(pkg.ID) + `"]`: "not an iOS app",
		`"x"`: "collection",
	} {
		_, err := c.Create(t.Context(), configuration(apps, "v"))
		refused(t, err, "targetedMobileApps", text)
	}
	_, err := c.Create(t.Context(), configuration(one, `\u0001`))
	refused(t, err, "settings", "characters")

	p := create(t, c, configuration(one, "v"))
	var content payload.AppConfiguration
	if err := json.Unmarshal(p.Content, &content); err != nil {
		t.Fatal(err)
	}
	if p.Type != action.AppConfiguration || p.Identifier != "a.b" || content.BundleID != "a.b" ||
		content.Configuration["k"] != "v" ||
		p.Revision != payload.ConfigurationRevision(map[string]any{"k": "v"}) ||
		!slices.Equal(p.Platforms, target.Platforms) {
		t.Errorf("made %+v with %+v", p, content)
	}
	// an app may have several: on a device the older one counts
	create(t, c, configuration(one, "w"))
	_, err = c.Update(t.Context(), p.ID,
		catalog.Patch{Properties: json.RawMessage(`{"targetedMobileApps":["` + string(other.ID) +
			`"]}`)})
	refused(t, err, "targetedMobileApps", "cannot become")

	// An edit needs the app no more.
	if err := c.Delete(t.Context(), target.ID); err != nil {
		t.Fatal(err)
	}
	got, err := c.Update(t.Context(), p.ID, catalog.Patch{Properties: json.RawMessage(
		`{"settings":null,"encodedSettingXml":"PGRpY3Q+PGtleT5rPC9rZXk+PGludGVnZXI+NzwvaW50ZWdlcj48L2RpY3Q+"}`)})
	if err != nil || got.Version != 2 ||
		got.Revision != payload.ConfigurationRevision(map[string]any{"k": 7}) {
		t.Errorf("edited %+v, %v", got, err)
	}
}
