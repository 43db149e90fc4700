package payload_test

import (
	"bytes"
	"encoding/base64"
	"image/png"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// A website is a web app of how it is to open and of its icon; a package, or an address in the Play
// store, is an app that is there already.
func TestWebAppOfWebsite(t *testing.T) {
	const kind = payload.AndroidManagedStoreWebApp
	picture := "iVBORw0KGgoA"
	for _, tt := range []struct{ props, display, icon string }{
		{`{"appStoreUrl":"https://intranet.example/a?b=c"}`, "STANDALONE", ""},
		{`{"appStoreUrl":"https://intranet.example/a?b=c","displayMode":"minimalUi"}`, "MINIMAL_UI", ""},
		{`{"appStoreUrl":"https://intranet.example/a?b=c","displayMode":"fullScreen","largeIcon":{"type":"image/png","value":"` + picture + `"}}`, "FULL_SCREEN", picture},
	} {
		one := item(t, 1, kind, tt.props)
		got := payload.WebAppOf(one.Content)
		if got == nil || got.URL != "https://intranet.example/a?b=c" || got.Display != tt.display ||
			got.Icon != tt.icon || one.Spec.Identifier != string(guid(1)) {
			t.Errorf("%s: %+v, known by %s", tt.props, got, one.Spec.Identifier)
			continue
		}
		image, err := base64.URLEncoding.DecodeString(got.Image())
		if tt.icon == "" && err == nil {
			plain, fault := png.DecodeConfig(bytes.NewReader(image))
			if err = fault; plain.Width != 512 || plain.Height != 512 {
				t.Errorf("the plain icon is %+v", plain)
			}
		}
		if err != nil || len(image) == 0 {
			t.Errorf("the icon is no picture: %v", err)
		}
		if got.Hash("A") == got.Hash("B") {
			t.Error("its title changes nothing")
		}
	}
	for _, props := range []string{`{"packageId":"com.google.enterprise.webapp.x1"}`,
		`{"appStoreUrl":"https://play.google.com/store/apps/details?id=com.google.enterprise.webapp.x1"}`} {
		one := item(t, 1, kind, props)
		if payload.WebAppOf(one.Content) != nil ||
			one.Spec.Identifier != "com.google.enterprise.webapp.x1" {
			t.Errorf("%s is known by %s", props, one.Spec.Identifier)
		}
	}
}

// A web app is in a document when Google has made it, and not before; one that never was made is not
// blocked, and says why it is not there.
func TestComposeWebApp(t *testing.T) {
	web := item(t, 1, payload.AndroidManagedStoreWebApp,
		`{"appStoreUrl":"https://intranet.example/"}`)
	mail := item(t, 2, payload.AndroidManagedStoreApp, `{"packageId":"com.example.mail"}`)
	apps := func(c *payload.Composition) string {
		t.Helper()
		held(t, c)
		var list []string
		for _, a := range policyOf(t, c).Applications {
			list = append(list, a.PackageName+" "+a.InstallType)
		}
		return strings.Join(list, ", ")
	}
	waiting := web
	waiting.Awaits = "Google is asked"
	c := payload.Compose([]payload.Item{waiting, mail}, nil)
	e, _ := c.Manifest.Payload(guid(1))
	if apps(c) != "com.example.mail FORCE_INSTALLED" || e.Listing != payload.Coming ||
		e.Why != "Google is asked" || e.Code != 0 {
		t.Errorf("while it waits: %s; %+v", apps(c), e)
	}
	refused := waiting
	refused.Code = 4400
	c = payload.Compose([]payload.Item{refused, mail}, nil)
	if e, _ := c.Manifest.Payload(guid(1)); apps(c) != "com.example.mail FORCE_INSTALLED" ||
		e.Listing != payload.LeftOut || e.Code != 4400 {
		t.Errorf("when it was refused: %s; %+v", apps(c), e)
	}
	made := web
	made.Made = "com.google.enterprise.webapp.x1"
	c = payload.Compose([]payload.Item{mail, made}, nil)
	if e, _ := c.Manifest.Payload(guid(1)); apps(c) !=
		"com.example.mail FORCE_INSTALLED, com.google.enterprise.webapp.x1 FORCE_INSTALLED" ||
		e.Package != made.Made || !slices.Contains(e.Notes, "Google made it as "+made.Made) {
		t.Errorf("when it is made: %s; %+v", apps(c), e)
	}
	unchanged := made
	unchanged.Awaits = "Google refused to change it"
	c = payload.Compose([]payload.Item{unchanged}, nil)
	if e, _ := c.Manifest.Payload(guid(1)); e.Listing != payload.Wanted ||
		!slices.Contains(e.Notes, unchanged.Awaits) {
		t.Errorf("when it is not changed: %+v", e)
	}
	for name, off := range map[string][]payload.Off{"held off": heldOff(made),
		"ended": {{Item: made}}} {
		if c := payload.Compose(nil, off); apps(c) != made.Made+" BLOCKED" {
			t.Errorf("%s: %s", name, apps(c))
		}
	}
	for name, off := range map[string][]payload.Off{"held off": heldOff(web),
		"ended": {{Item: web}}} {
		if c := payload.Compose([]payload.Item{mail}, off); apps(c) !=
			"com.example.mail FORCE_INSTALLED" {
			t.Errorf("%s before it was made: %s", name, apps(c))
		}
	}
}
