package payload

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Graph's types of Android's payloads.
const (
	AndroidManagedStoreApp           = "androidManagedStoreApp"
	AndroidManagedStoreWebApp        = "androidManagedStoreWebApp"
	AndroidManagedStoreConfiguration = "androidManagedStoreAppConfiguration"
	AndroidGeneral                   = "androidDeviceOwnerGeneralDeviceConfiguration"
	AndroidWiFi                      = "androidDeviceOwnerWiFiConfiguration"
	AndroidEnterpriseWiFi            = "androidDeviceOwnerEnterpriseWiFiConfiguration"
	AndroidVPN                       = "androidDeviceOwnerVpnConfiguration"
	AndroidRootCertificate           = "androidDeviceOwnerTrustedRootCertificate"
)

var androids = []fleet.Platform{fleet.Android}

// Names of properties that compilers read.
const (
	targetedApps      = "targetedMobileApps"
	payloadJSON       = "payloadJson"
	permissionActions = "permissionActions"
	connectedApps     = "connectedAppsEnabled"
	preSharedKey      = "preSharedKey"
	trustedRoot       = "trustedRootCertificate"
	displayMode       = "displayMode"
	largeIcon         = "largeIcon"
)

// Properties that several forms have, or that compilers read.
var (
	packageID = catalog.Property{
		Name: "packageId", Type: catalog.Text, Filter: true, Label: "Package name",
		Control: catalog.Line, Required: true, Fixed: true,
		Hint: "Such as com.example.app. It never changes.",
	}
	appIdentifier = catalog.Property{Name: "appIdentifier", Type: catalog.Text}
	appStoreURL   = catalog.Property{Name: "appStoreUrl", Type: catalog.Text}
	isSystemApp   = catalog.Property{Name: "isSystemApp", Type: catalog.Boolean,
		Label: "The app is part of the system", Control: catalog.Check,
		Hint: "Then it is enabled, and not installed."}
	profileApplicability = catalog.Property{Name: "profileApplicability",
		Type: catalog.Type{Name: "androidProfileApplicability",
			Members: []string{"default", "androidWorkProfile", "androidDeviceOwner"}}}
)

// Forms are Android's.
func Forms() []*catalog.Form {
	return slices.Concat(appForms(), []*catalog.Form{configurationForm(), generalForm()},
		networkForms(), refusedForms())
}

func appForms() []*catalog.Form {
	described := []catalog.Property{{Name: "isPrivate", Type: catalog.Boolean},
		{Name: "appTracks", Type: catalog.Type{Name: "androidManagedStoreAppTrack", Many: true,
			Parts: []catalog.Property{{Name: "trackId", Type: catalog.Text},
				{Name: "trackAlias", Type: catalog.Text}}}},
		{Name: "supportsOemConfig", Type: catalog.Boolean}}
	return []*catalog.Form{
		{Type: AndroidManagedStoreApp, Collection: catalog.Apps, Platforms: androids,
			Title: "App of the managed Play store", Compiler: apps{},
			Properties: append([]catalog.Property{packageID, appIdentifier, appStoreURL,
				isSystemApp}, described...)},
		{Type: AndroidManagedStoreWebApp, Collection: catalog.Apps, Platforms: androids,
			Title: "Web app of the managed Play store", Compiler: webApps{},
			Properties: append(webAppProperties(), described...)},
	}
}

// webAppProperties are those of a web app: the address of a website of which Google makes an app,
// or the package of one that was made elsewhere.
func webAppProperties() []catalog.Property {
	address, app, system := appStoreURL, packageID, isSystemApp
	address.Label, address.Control = "Address of the website", catalog.Address
	address.Hint = "Google makes an app of it, and the server its package."
	app.Required, app.InsteadOf = false, appStoreURL.Name
	app.Hint = "Only of one that was made in the Play console: such as com.google.enterprise.webapp.x1f. It never changes."
	system.Label, system.Control = "", catalog.NoControl
	return []catalog.Property{address,
		{Name: displayMode, Type: catalog.Text, Label: "It opens", Control: catalog.Choice,
			Options: []catalog.Option{{Text: "As an app of its own"},
				option("minimalUi", "With a little of a browser around it"),
				option("fullScreen", "On the full screen")}},
		app, appIdentifier, system}
}

// configurationForm is that of an app's configuration. In Graph the app is named twice: by its id,
// and by its package name.
func configurationForm() *catalog.Form {
	// over the API, for an app that is not in the catalog
	app := catalog.Property{Name: packageID.Name, Type: catalog.Text, Filter: true}
	action := catalog.Type{Name: "androidPermissionAction", Many: true, Parts: []catalog.Property{
		{Name: "permission", Type: catalog.Text},
		{Name: "action", Type: catalog.Type{Name: "androidPermissionActionType",
			Members: []string{"prompt", "autoGrant", "autoDeny"}}}}}
	return &catalog.Form{
		Type: AndroidManagedStoreConfiguration, Collection: catalog.AppConfigurations,
		Platforms: androids, Title: "Configuration of an Android app",
		Properties: []catalog.Property{
			{Name: targetedApps, Type: catalog.ManyOf(catalog.Text), Shared: true, Label: "App",
				Control: catalog.AppPicker, Fixed: true, Required: true, Hint: "It never changes.",
				Apps: []string{AndroidManagedStoreApp, AndroidManagedStoreWebApp}},
			app,
			{Name: payloadJSON, Type: catalog.Text, Private: true, Document: true,
				Label: "Settings", Control: catalog.Code,
				Hint: `JSON with the keys that the app's maker documents, such as {"managedProperty":[{"key":"server","valueString":"a.example"}]}.`},
			{Name: permissionActions, Type: action},
			profileApplicability,
			{Name: connectedApps, Type: catalog.Boolean, Control: catalog.Check,
				Label: "Let the app at work and the one in the personal profile speak with each other"},
			{Name: "appSupportsOemConfig", Type: catalog.Boolean, Filter: true},
		},
		Compiler: configurations{},
	}
}

// generalForm has what settings.txt says.
func generalForm() *catalog.Form {
	t := settings()
	var properties []catalog.Property
	for _, p := range t.properties {
		properties = append(properties, p.Property)
	}
	for _, r := range t.refused {
		properties = append(properties, r.Property)
	}
	// what it was made for, which sets nothing
	properties = append(properties, catalog.Property{Name: "enrollmentProfile",
		Type: catalog.Type{Name: "androidDeviceOwnerEnrollmentProfileType",
			Members: []string{"notConfigured", "dedicatedDevice", "fullyManaged"}}})
	return &catalog.Form{Type: AndroidGeneral, Collection: catalog.Configurations,
		Platforms: androids, Title: "Restrictions of Android devices", Properties: properties,
		Compiler: restrictions{}}
}

// refusedForms are Graph's types that no Android device can be given here.
func refusedForms() []*catalog.Form {
	const noKeys = "Google's API cannot bring a device certificates of its own (SCEP, PKCS): only an app on the device can get them"
	var forms []*catalog.Form
	for _, r := range []struct {
		kind, reason string
		in           *catalog.Collection
	}{
		{"androidDeviceOwnerScepCertificateProfile", noKeys, catalog.Configurations},
		{"androidDeviceOwnerPkcsCertificateProfile", noKeys, catalog.Configurations},
		{"androidDeviceOwnerImportedPFXCertificateProfile", noKeys, catalog.Configurations},
		{"androidForWorkApp", "it is the older name of #microsoft.graph." +
			AndroidManagedStoreApp + ": use that", catalog.Apps},
	} {
		forms = append(forms, &catalog.Form{Type: r.kind, Refused: r.reason, Collection: r.in,
			Platforms: androids})
	}
	return forms
}
