// Package payload is what Apple's devices can be given: profiles, apps, configurations of apps, and
// settings catalog policies. Its forms say what admins give, and its compilers make of it what the
// channel installs. It imports the catalog, whose forms it fills in, and the reader of property
// lists; it knows nothing of devices or of the protocol.
//
// Begin reading at Forms: each form names its compiler.
package payload

import (
	"encoding/json"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Graph's types of Apple's payloads.
const (
	IOSCustomConfiguration    = "iosCustomConfiguration"
	MacOSCustomConfiguration  = "macOSCustomConfiguration"
	IOSStoreApp               = "iosStoreApp"
	IOSVPPApp                 = "iosVppApp"
	IOSLOBApp                 = "iosLobApp"
	MacOSPkgApp               = "macOSPkgApp"
	IOSMobileAppConfiguration = "iosMobileAppConfiguration"
	SettingsCatalogPolicy     = "deviceManagementConfigurationPolicy"
)

var (
	iosFamily  = []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.TVOS}
	iosDevices = []fleet.Platform{fleet.IOS, fleet.IPadOS}
	macs       = []fleet.Platform{fleet.MacOS}
	everything = []fleet.Platform{fleet.IOS, fleet.IPadOS, fleet.TVOS, fleet.MacOS}
)

// Properties that several forms have.
var (
	payloadName = catalog.Property{Name: "payloadName", Type: catalog.Text, Shared: true}
	bundleID    = catalog.Property{
		Name: "bundleId", Type: catalog.Text, Filter: true, Label: "Bundle id",
		Control:  catalog.Line,
		Required: true, Fixed: true, Hint: "Such as com.example.app. It never changes.",
	}
	appStoreURL = catalog.Property{
		Name: "appStoreUrl", Type: catalog.Text, Label: "App Store address",
		Control: catalog.Address, Required: true,
		Hint: "Such as https://apps.apple.com/us/app/name/id361309726: copy it with Share in the App Store.",
	}
	storeID    = catalog.Property{Name: "storeId", Type: catalog.Text}
	deviceType = catalog.Property{
		Name: "applicableDeviceType", Label: "Devices", Control: catalog.Choice, Fixed: true,
		Type: catalog.Type{Name: "iosDeviceType", Parts: []catalog.Property{
			{Name: "iPad", Type: catalog.Boolean}, {Name: "iPhoneAndIPod", Type: catalog.Boolean},
		}},
		Options: []catalog.Option{
			{Text: "iPhone, iPad and Apple TV"},
			{Key: "both", Value: json.RawMessage(`{"iPad":true,"iPhoneAndIPod":true}`),
				Text: "iPhone and iPad"},
			{Key: "iPhone", Value: json.RawMessage(`{"iPad":false,"iPhoneAndIPod":true}`),
				Text: "iPhone"},
			{Key: "iPad", Value: json.RawMessage(`{"iPad":true,"iPhoneAndIPod":false}`),
				Text: "iPad"},
		},
	}
	iosMinimum = catalog.Property{Name: minimumSystem,
		Type: versionFlags("iosMinimumOperatingSystem",
			"v8_0", "v9_0", "v10_0", "v11_0", "v12_0", "v13_0", "v14_0", "v15_0", "v16_0", "v17_0",
			"v18_0")}
	macMinimum = catalog.Property{Name: minimumSystem,
		Type: versionFlags("macOSMinimumOperatingSystem",
			"v10_7", "v10_8", "v10_9", "v10_10", "v10_11", "v10_12", "v10_13", "v10_14", "v10_15",
			"v11_0", "v12_0", "v13_0", "v14_0", "v15_0")}
	manifestURL = catalog.Property{
		Name: "manifestUrl", Type: catalog.Text, Label: "Manifest address",
		Control: catalog.Address, Required: true,
		Hint: "Where devices find the manifest of the app, over https.",
	}
	managedConfiguration = catalog.Property{
		Name: "managedConfiguration", Type: catalog.Text, Shared: true, Document: true,
		Label: "Configuration at installation", Control: catalog.Code,
		Hint: "What the app is given with its installation: a property list, in XML, that holds a dictionary. It may be empty.",
	}
	uninstallOnRemoval = catalog.Property{
		Name: "uninstallOnDeviceRemoval", Type: catalog.Boolean, Shared: true,
		Label: "Remove the app when the device leaves management", Control: catalog.Check, On: true,
	}
)

const minimumSystem = "minimumSupportedOperatingSystem"

// versionFlags is a type with a Boolean for each version of a system.
func versionFlags(name string, versions ...string) catalog.Type {
	t := catalog.Type{Name: name}
	for _, v := range versions {
		t.Parts = append(t.Parts, catalog.Property{Name: v, Type: catalog.Boolean})
	}
	return t
}

// version is the property with the version that an app's manifest installs.
func version(name string) catalog.Property {
	return catalog.Property{Name: name, Type: catalog.Text, Label: "Version", Control: catalog.Line,
		Required: true,
		Hint:     "That which the manifest installs, such as 1.4.2."}
}

// withoutTV is the choice of devices for an app that is not from the App Store: Apple TV is none.
func withoutTV(p catalog.Property) catalog.Property {
	p.Options = p.Options[1:]
	return p
}

func named(p catalog.Property, name string) catalog.Property {
	p.Name = name
	return p
}

// A profile is chosen by these.
var profileFiles = []string{".mobileconfig", "application/x-apple-aspen-config"}

const profileHint = "A .mobileconfig, plain or signed, of at most 4 MiB."

// Forms are Apple's.
func Forms() []*catalog.Form {
	forms := []*catalog.Form{
		{
			Type: IOSCustomConfiguration, Collection: catalog.Configurations, Platforms: iosFamily,
			File: true, FileTypes: profileFiles, FileHint: profileHint,
			Title: "Profile for iPhone, iPad and Apple TV", For: "iPhone, iPad and Apple TV",
			Properties: []catalog.Property{payloadName}, Compiler: profiles{},
		},
		{
			Type: MacOSCustomConfiguration, Collection: catalog.Configurations, Platforms: macs,
			File: true, FileTypes: profileFiles, FileHint: profileHint,
			Title: "Profile for Mac", For: "Mac",
			Properties: []catalog.Property{payloadName, {Name: deploymentChannel,
				Type: catalog.Type{Name: "appleDeploymentChannel",
					Members: []string{"deviceChannel", "userChannel", "unknownFutureValue"}}}},
			Compiler: profiles{},
		},
	}
	forms = append(forms, typedForms()...)
	forms = append(forms, appForms()...)
	return append(forms, configurationForm(), policyForm())
}

func appForms() []*catalog.Form {
	return []*catalog.Form{
		{
			Type: IOSStoreApp, Collection: catalog.Apps, Platforms: iosFamily,
			Title: "App Store app",
			Properties: []catalog.Property{bundleID, appStoreURL, storeID, deviceType, iosMinimum,
				managedConfiguration,
				uninstallOnRemoval},
			Compiler: apps{},
		},
		{
			Type: IOSVPPApp, Collection: catalog.Apps, Platforms: iosFamily,
			Title: "App bought in volume",
			Properties: []catalog.Property{bundleID, appStoreURL, storeID, deviceType,
				licensingType,
				{Name: "releaseDateTime", Type: catalog.DateTime}, managedConfiguration,
				uninstallOnRemoval},
			Compiler: apps{},
		},
		{
			Type: IOSLOBApp, Base: "mobileLobApp", Collection: catalog.Apps, Platforms: iosDevices,
			Title: "Your own app for iPhone and iPad", Version: "versionNumber",
			Properties: []catalog.Property{bundleID, version("versionNumber"),
				{Name: "buildNumber", Type: catalog.Text}, iosMinimum,
				manifestURL, withoutTV(deviceType), managedConfiguration, uninstallOnRemoval},
			Compiler: apps{},
		},
		{
			Type: MacOSPkgApp, Base: "mobileLobApp", Collection: catalog.Apps, Platforms: macs,
			Title: "Package for Mac", Version: "primaryBundleVersion",
			Properties: []catalog.Property{named(bundleID, "primaryBundleId"),
				version("primaryBundleVersion"), includedApps, macMinimum,
				manifestURL, managedConfiguration, uninstallOnRemoval},
			Compiler: apps{},
		},
	}
}

var (
	licensingType = catalog.Property{Name: "licensingType",
		Type: catalog.Type{Name: "vppLicensingType", Parts: []catalog.Property{
			{Name: "supportsDeviceLicensing", Type: catalog.Boolean},
			{Name: "supportsUserLicensing", Type: catalog.Boolean},
			{Name: "supportUserLicensing", Type: catalog.Boolean},
			{Name: "supportDeviceLicensing", Type: catalog.Boolean},
		}}}
	includedApps = catalog.Property{Name: "includedApps",
		Type: catalog.Type{Name: "macOSIncludedApp", Many: true,
			Parts: []catalog.Property{{Name: "bundleId", Type: catalog.Text},
				{Name: "bundleVersion", Type: catalog.Text}}}}
)

// configurationForm is that of a managed app configuration.
func configurationForm() *catalog.Form {
	item := catalog.Type{Name: "appConfigurationSettingItem", Many: true, Parts: []catalog.Property{
		{Name: "appConfigKey", Type: catalog.Text},
		{Name: "appConfigKeyType", Type: catalog.Type{Name: "mdmAppConfigKeyType",
			Members: []string{"stringType", "integerType", "realType", "booleanType",
				"tokenType"}}},
		{Name: "appConfigKeyValue", Type: catalog.Text},
	}}
	return &catalog.Form{
		Type: IOSMobileAppConfiguration, Collection: catalog.AppConfigurations,
		Platforms: iosFamily,
		Title:     "Configuration of an app",
		Properties: []catalog.Property{
			{Name: targetedApps, Type: catalog.ManyOf(catalog.Text), Shared: true, Label: "App",
				Control: catalog.AppPicker,
				Apps:    []string{IOSStoreApp, IOSVPPApp, IOSLOBApp}, Required: true, Fixed: true,
				Hint: "It never changes."},
			{Name: settingXML, Type: catalog.Binary, Shared: true, Document: true, Private: true,
				InsteadOf: listedSettings,
				Label:     "Settings", Control: catalog.Code, Required: true,
				Hint: "A property list, in XML, that holds a dictionary with the keys that the app's maker documents."},
			{Name: listedSettings, Type: item, Shared: true, Private: true},
		},
		Compiler: configurations{},
	}
}

// policyForm is that of a settings catalog policy. Graph's API of these has no file and no page
// here.
func policyForm() *catalog.Form {
	return &catalog.Form{
		Type: SettingsCatalogPolicy, Collection: catalog.SettingPolicies, Platforms: everything,
		Title:      "Settings catalog policy",
		Properties: catalog.PolicyProperties(),
		Settings:   knownSettings{}, Compiler: policies{},
		PolicyPlatforms:    []string{"iOS", "macOS"},
		PolicyTechnologies: strings.Split(technologies, ","),
	}
}
