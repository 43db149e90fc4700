package payload

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/url"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// apps compiles the forms of apps of the managed Play store.
type apps struct{ compiler }

// Compile implements catalog.Compiler. It reads packageId, or appIdentifier or appStoreUrl in its
// place, and isSystemApp. Everything else describes the app and is kept as it is given.
func (apps) Compile(_ context.Context, form *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	app, err := readAppID(d.Properties)
	if err != nil {
		return nil, err
	}
	system, err := catalog.Read[bool](d.Properties, isSystemApp.Name, "a boolean")
	if err != nil {
		return nil, err
	}
	install := "FORCE_INSTALLED"
	if system {
		install = "AVAILABLE" // it is on the device, and this enables it
	}
	f := Fragment{Kind: App, Package: app,
		Fields: map[string]any{appPath(app, installTypeOf): install}}
	return f.content(app, packageID.Name, subTypeApplication), nil
}

// readAppID finds the package name of an app, in whichever of Graph's properties it is. They must
// agree.
func readAppID(props catalog.Properties) (string, error) {
	app, from := "", ""
	for _, name := range []string{packageID.Name, appIdentifier.Name, appStoreURL.Name} {
		text, err := catalog.Read[string](props, name, "a string")
		if err != nil {
			return "", err
		}
		if text == "" {
			continue
		}
		if name == appStoreURL.Name {
			if text, err = inPlay(text); err != nil {
				return "", err
			}
		}
		switch {
		case !isPackage(text):
			return "", notPackage(name, text)
		case app != "" && text != app:
			return "", &invalid.Input{Property: name,
				Reason: fmt.Sprintf("names %s, and %s names %s", text, from, app)}
		}
		app, from = text, name
	}
	if app == "" {
		return "", &invalid.Input{Property: packageID.Name,
			Reason: "is missing: give the package name of the app, such as com.example.app"}
	}
	return app, nil
}

// inPlay is the package name of an address in the Play store.
func inPlay(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Query().Get("id") == "" {
		return "", &invalid.Input{Property: appStoreURL.Name, Reason: fmt.Sprintf(
			"%.60q does not name an app: give its address in the Play store, such as https://play.google.com/store/apps/details?id=com.example.app", address)}
	}
	return u.Query().Get("id"), nil
}

// Risks implements catalog.Compiler.
func (apps) Risks(content []byte, _ []*x509.Certificate) ([]catalog.Risk, error) {
	f, err := readFragment(content)
	if err != nil {
		return nil, err
	}
	risks := []catalog.Risk{{
		Reason: "the app is uninstalled, and its data on the device is deleted"}}
	if isVPNApp(f.Package) {
		risks = append(risks, catalog.Risk{
			Reason: "if a policy locks the device to the VPN of this app, the device has no network without it"})
	}
	return risks, nil
}
