package catalog

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// AppSettings is the Content of an app: what a channel needs to install it. StoreID and ManifestURL exclude each
// other.
type AppSettings struct {
	BundleID       string
	StoreID        int64      `json:",omitempty"` // iTunesStoreID
	DeviceLicensed bool       `json:",omitempty"` // bought in volume and licensed to the device: PurchaseMethod 1
	ManifestURL    string     `json:",omitempty"` // of an enterprise app or a package
	AppVersion     string     `json:",omitempty"` // what the manifest installs
	Configuration  Dictionary `json:",omitempty"` // the app's managed configuration at installation
	RemoveWithMDM  bool       // the app goes when management ends: ManagementFlags 1
}

// Graph's app types.
const (
	IOSStoreApp = "iosStoreApp"
	IOSVPPApp   = "iosVppApp"
	IOSLOBApp   = "iosLobApp"
	MacOSPkgApp = "macOSPkgApp"
)

var (
	iosFamily  = []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.TVOS}
	iosDevices = []fleet.Platform{fleet.IOS, fleet.IPadOS}
	macs       = []fleet.Platform{fleet.MacOS}
)

// fillApp sets what follows from an app's properties. It reads Graph's bundleId, appStoreUrl, licensingType,
// applicableDeviceType, versionNumber, primaryBundleId, primaryBundleVersion, and our own storeId (of the App Store),
// manifestUrl, managedConfiguration (an XML property list) and uninstallOnDeviceRemoval (true if not given).
func fillApp(p *Payload, props properties) (err error) {
	s := AppSettings{RemoveWithMDM: true}
	idProperty, versionProperty := "bundleId", "versionNumber"
	if p.ODataType == MacOSPkgApp {
		idProperty, versionProperty = "primaryBundleId", "primaryBundleVersion"
	}
	if s.BundleID, err = props.bundleID(idProperty); err != nil {
		return err
	}
	if props.has("uninstallOnDeviceRemoval") {
		if s.RemoveWithMDM, err = read[bool](props, "uninstallOnDeviceRemoval", "a boolean"); err != nil {
			return err
		}
	}
	if s.Configuration, err = read[Dictionary](props, "managedConfiguration", "a string with a property list's dictionary"); err != nil {
		return err
	}
	switch p.ODataType {
	case IOSStoreApp, IOSVPPApp:
		err = s.fromStore(p.ODataType, props)
	default:
		err = s.fromManifest(versionProperty, props)
	}
	if err != nil {
		return err
	}
	if p.Platforms, err = appPlatforms(p.ODataType, props); err != nil {
		return err
	}
	p.Identifier, p.SubType = s.BundleID, KindApplication
	p.Content, err = json.Marshal(s)
	return err
}

var storePath = regexp.MustCompile(`/id([0-9]{1,18})(?:/|$)`)

func (s *AppSettings) fromStore(odataType string, props properties) (err error) {
	if s.StoreID, err = read[int64](props, "storeId", "an integer"); err != nil {
		return err
	}
	address, err := read[string](props, "appStoreUrl", "a string")
	if err != nil {
		return err
	}
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || storePath.FindStringSubmatch(u.Path) == nil {
			return &Invalid{Property: "appStoreUrl", Reason: fmt.Sprintf(
				"%.60q does not name an app: give its App Store address, such as https://apps.apple.com/us/app/name/id361309726", address)}
		}
		id, err := strconv.ParseInt(storePath.FindStringSubmatch(u.Path)[1], 10, 64)
		if err != nil {
			return err
		}
		if s.StoreID != 0 && s.StoreID != id {
			return &Invalid{Property: "storeId", Reason: fmt.Sprintf("%d is not the app that appStoreUrl names (%d)", s.StoreID, id)}
		}
		s.StoreID = id
	}
	if s.StoreID <= 0 {
		return &Invalid{Property: "appStoreUrl", Reason: "is missing: give the app's App Store address, or its number there as storeId"}
	}
	if odataType == IOSVPPApp {
		return s.license(props)
	}
	return nil
}

// license sets the licence of an app bought in volume. A user's licence needs a user, whom no device here has.
func (s *AppSettings) license(props properties) error {
	type licensing struct {
		SupportsDeviceLicensing *bool `json:"supportsDeviceLicensing"`
	}
	l, err := read[licensing](props, "licensingType", "a vppLicensingType")
	if err != nil {
		return err
	}
	if l.SupportsDeviceLicensing != nil && !*l.SupportsDeviceLicensing {
		return &Invalid{Property: "licensingType", Reason: "supportsDeviceLicensing is false: this server licenses apps to devices only"}
	}
	s.DeviceLicensed = true
	return nil
}

func (s *AppSettings) fromManifest(versionProperty string, props properties) (err error) {
	if s.ManifestURL, err = props.manifestURL(); err != nil {
		return err
	}
	if s.AppVersion, err = read[string](props, versionProperty, "a string"); err != nil {
		return err
	}
	if s.AppVersion == "" || len(s.AppVersion) > maxIdentifier {
		return &Invalid{Property: versionProperty, Reason: "is missing or too long: give the version that the manifest installs, such as 1.4.2"}
	}
	return nil
}

// appPlatforms: one App Store number may hold an app for iPhone, iPad and Apple TV (Apple's universal purchase), so
// all three are meant unless applicableDeviceType narrows them.
func appPlatforms(odataType string, props properties) ([]fleet.Platform, error) {
	if odataType == MacOSPkgApp {
		return macs, nil
	}
	type deviceType struct {
		IPad          bool `json:"iPad"`
		IPhoneAndIPod bool `json:"iPhoneAndIPod"`
	}
	if props.has("applicableDeviceType") {
		t, err := read[deviceType](props, "applicableDeviceType", "an iosDeviceType")
		if err == nil && !t.IPad && !t.IPhoneAndIPod {
			err = &Invalid{Property: "applicableDeviceType", Reason: "names no device: set iPad, iPhoneAndIPod or both"}
		}
		return slices.DeleteFunc(slices.Clone(iosDevices), func(p fleet.Platform) bool {
			return p == fleet.IPadOS && !t.IPad || p == fleet.IOS && !t.IPhoneAndIPod
		}), err
	}
	if odataType == IOSLOBApp {
		return iosDevices, nil
	}
	return iosFamily, nil
}
