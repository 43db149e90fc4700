package payload

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// AppSettings is the Content of an app: what a channel needs to install it. StoreID and ManifestURL
// exclude each other.
type AppSettings struct {
	BundleID string
	StoreID  int64 `json:",omitempty"` // iTunesStoreID
	// bought in volume and licensed to the device: PurchaseMethod 1
	DeviceLicensed bool   `json:",omitempty"`
	ManifestURL    string `json:",omitempty"` // of an enterprise app or a package
	AppVersion     string `json:",omitempty"` // what the manifest installs
	// the app's managed configuration at installation
	Configuration propertylist.Dictionary `json:",omitempty"`
	RemoveWithMDM bool                    // the app goes when management ends: ManagementFlags 1
}

// apps compiles the forms of apps.
type apps struct{}

// ReadFile implements catalog.Compiler; apps have no file.
func (apps) ReadFile([]byte) (any, error) { return nil, nil }

// Inspect implements catalog.Compiler.
func (apps) Inspect([]byte) (*catalog.Inspection, error) { return &catalog.Inspection{}, nil }

// Risks implements catalog.Compiler: no app is known to bring a device its connection.
func (apps) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) { return nil, nil }

// Compile implements catalog.Compiler. It reads Graph's bundleId, appStoreUrl, licensingType,
// applicableDeviceType, versionNumber, primaryBundleId, primaryBundleVersion, and our own storeId
// (of the App Store), manifestUrl, managedConfiguration (an XML property list) and
// uninstallOnDeviceRemoval (true if not given).
func (apps) Compile(_ context.Context, form *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (c *catalog.Content, err error) {
	props := d.Properties
	s := AppSettings{RemoveWithMDM: true}
	idProperty := bundleID.Name
	if form.Type == MacOSPkgApp {
		idProperty = "primaryBundleId"
	}
	if s.BundleID, err = readBundleID(props, idProperty); err != nil {
		return nil, err
	}
	if props.Has(uninstallOnRemoval.Name) {
		if s.RemoveWithMDM, err = catalog.Read[bool](props, uninstallOnRemoval.Name,
			"a boolean"); err != nil {
			return nil, err
		}
	}
	s.Configuration, err = catalog.Read[propertylist.Dictionary](props, managedConfiguration.Name,
		"a string with a property list's dictionary")
	if err != nil {
		return nil, err
	}
	if form.Version == "" {
		err = s.fromStore(form.Type, props)
	} else {
		err = s.fromManifest(form.Version, props)
	}
	if err != nil {
		return nil, err
	}
	c = &catalog.Content{Identifier: s.BundleID, IdentifiedBy: idProperty, SubType: KindApplication,
		PlatformsBy: deviceType.Name}
	if c.Platforms, err = appPlatforms(form, props); err != nil {
		return nil, err
	}
	if err := keepsBundleID(d.Old, c); err != nil {
		return nil, err
	}
	if d.Old != nil && !slices.Equal(c.Platforms, d.Old.Platforms) {
		return nil, &invalid.Input{Property: deviceType.Name,
			Reason: "the platforms of an app never change: make a new app"}
	}
	c.Installed, err = json.Marshal(s)
	return c, err
}

// keepsBundleID refuses to make another app of one.
func keepsBundleID(old *catalog.Payload, c *catalog.Content) error {
	if old == nil || old.Identifier == c.Identifier {
		return nil
	}
	return &invalid.Input{Property: c.IdentifiedBy, Reason: fmt.Sprintf(
		"the bundle id is %q and cannot become %q: devices would keep both; make a new %s",
		old.Identifier, c.Identifier, old.ODataType)}
}

var storePath = regexp.MustCompile(`/id([0-9]{1,18})(?:/|$)`)

func (s *AppSettings) fromStore(odataType string, props catalog.Properties) (err error) {
	if s.StoreID, err = catalog.Read[int64](props, "storeId", "an integer"); err != nil {
		return err
	}
	address, err := catalog.Read[string](props, "appStoreUrl", "a string")
	if err != nil {
		return err
	}
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" ||
			storePath.FindStringSubmatch(u.Path) == nil {
			return &invalid.Input{Property: "appStoreUrl", Reason: fmt.Sprintf(
				"%.60q does not name an app: give its App Store address, such as https://apps.apple.com/us/app/name/id361309726", address)}
		}
		id, err := strconv.ParseInt(storePath.FindStringSubmatch(u.Path)[1], 10, 64)
		if err != nil {
			return err
		}
		if s.StoreID != 0 && s.StoreID != id {
			return &invalid.Input{Property: "storeId",
				Reason: fmt.Sprintf("%d is not the app that appStoreUrl names (%d)", s.StoreID, id)}
		}
		s.StoreID = id
	}
	if s.StoreID <= 0 {
		return &invalid.Input{Property: "appStoreUrl",
			Reason: "is missing: give the app's App Store address, or its number there as storeId"}
	}
	if odataType == IOSVPPApp {
		return s.license(props)
	}
	return nil
}

// license sets the licence of an app bought in volume. A user's licence needs a user, whom no
// device here has.
func (s *AppSettings) license(props catalog.Properties) error {
	type licensing struct {
		SupportsDeviceLicensing *bool `json:"supportsDeviceLicensing"`
	}
	l, err := catalog.Read[licensing](props, "licensingType", "a vppLicensingType")
	if err != nil {
		return err
	}
	if l.SupportsDeviceLicensing != nil && !*l.SupportsDeviceLicensing {
		return &invalid.Input{Property: "licensingType",
			Reason: "supportsDeviceLicensing is false: this server licenses apps to devices only"}
	}
	s.DeviceLicensed = true
	return nil
}

func (s *AppSettings) fromManifest(versionProperty string, props catalog.Properties) (err error) {
	if s.ManifestURL, err = readManifestURL(props); err != nil {
		return err
	}
	if s.AppVersion, err = catalog.Read[string](props, versionProperty, "a string"); err != nil {
		return err
	}
	if s.AppVersion == "" || len(s.AppVersion) > maxIdentifier {
		return &invalid.Input{Property: versionProperty,
			Reason: "is missing or too long: give the version that the manifest installs, such as 1.4.2"}
	}
	return nil
}

// appPlatforms: one App Store number may hold an app for iPhone, iPad and Apple TV (Apple's
// universal purchase), so all of a form's platforms are meant unless applicableDeviceType narrows
// them.
func appPlatforms(form *catalog.Form, props catalog.Properties) ([]fleet.Platform, error) {
	if form.Property(deviceType.Name) == nil || !props.Has(deviceType.Name) {
		return form.Platforms, nil
	}
	type devices struct {
		IPad          bool `json:"iPad"`
		IPhoneAndIPod bool `json:"iPhoneAndIPod"`
	}
	t, err := catalog.Read[devices](props, deviceType.Name, "an iosDeviceType")
	if err == nil && !t.IPad && !t.IPhoneAndIPod {
		err = &invalid.Input{Property: deviceType.Name,
			Reason: "names no device: set iPad, iPhoneAndIPod or both"}
	}
	return slices.DeleteFunc(slices.Clone(iosDevices), func(p fleet.Platform) bool {
		return p == fleet.IPadOS && !t.IPad || p == fleet.IOS && !t.IPhoneAndIPod
	}), err
}

var bundleIDForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

func readBundleID(p catalog.Properties, name string) (string, error) {
	id, err := catalog.Read[string](p, name, "a string")
	if err == nil && !bundleIDForm.MatchString(id) {
		err = &invalid.Input{Property: name, Reason: fmt.Sprintf(
			"%.60q is not a bundle id: give one such as com.example.app (letters, digits, dots, hyphens; at most %d)", id, maxIdentifier)}
	}
	return id, err
}

func readManifestURL(p catalog.Properties) (string, error) {
	name := manifestURL.Name
	text, err := catalog.Read[string](p, name, "a string")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || len(text) > 2048 {
		return "", &invalid.Input{Property: name,
			Reason: fmt.Sprintf("%.60q is not an https URL of at most 2048 characters; devices fetch a manifest over https only", text)}
	}
	return text, nil
}
