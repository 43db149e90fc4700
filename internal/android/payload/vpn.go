package payload

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// vpnApps are the apps that make the connections of Graph's androidVpnConnectionType.
var vpnApps = map[string]string{
	"ciscoAnyConnect":            "com.cisco.anyconnect.vpn.android.avf",
	"pulseSecure":                "net.pulsesecure.pulsesecure",
	"f5EdgeClient":               "com.f5.edge.client_ics",
	"dellSonicWallMobileConnect": "com.sonicwall.mobileconnect",
	"checkPointCapsuleVpn":       "com.checkpoint.VPN",
	"citrix":                     "com.citrix.CitrixVPN",
	"microsoftTunnel":            "com.microsoft.scmx",
	"microsoftProtect":           "com.microsoft.scmx",
}

func isVPNApp(packageName string) bool {
	return slices.Contains(slices.Collect(maps.Values(vpnApps)), packageName)
}

// vpns compiles androidDeviceOwnerVpnConfiguration. Google's policies know of a VPN only which app
// makes it, and whether there is a network without it.
type vpns struct{ compiler }

// vpnElsewhere are Graph's properties of how the app connects.
var vpnElsewhere = []catalog.Property{
	{Name: "role", Type: catalog.Text}, {Name: "realm", Type: catalog.Text},
	{Name: "servers", Type: catalog.Type{Name: "vpnServer", Many: true, Parts: []catalog.Property{
		{Name: "description", Type: catalog.Text}, {Name: "address", Type: catalog.Text},
		{Name: "isDefaultServer", Type: catalog.Boolean}}}},
	{Name: "proxyServer", Type: catalog.Type{Name: "vpnProxyServer", Parts: []catalog.Property{
		{Name: "automaticConfigurationScriptUrl", Type: catalog.Text},
		{Name: "address", Type: catalog.Text}, {Name: "port", Type: catalog.Int32}}}},
	{Name: "targetedPackageIds", Type: catalog.ManyOf(catalog.Text)},
	{Name: "targetedMobileApps", Type: catalog.ManyOf(appListItem)},
	{Name: "microsoftTunnelSiteId", Type: catalog.Text},
	{Name: "proxyExclusionList", Type: catalog.ManyOf(catalog.Text)},
	{Name: "customData", Type: catalog.Type{Name: "keyValue", Many: true, Parts: []catalog.Property{
		{Name: "key", Type: catalog.Text}, {Name: "value", Type: catalog.Text}}}},
	{Name: "customKeyValueData", Type: catalog.ManyOf(keyValuePair)},
	{Name: "identityCertificate", Type: catalog.Text},
	{Name: authentication, Type: catalog.Type{Name: "vpnAuthenticationMethod", Members: []string{
		"certificate", "usernameAndPassword", "sharedSecret", "derivedCredential", "azureAD"}}},
}

// Compile implements catalog.Compiler. It reads alwaysOn, alwaysOnLockdown, connectionType, and our
// own packageId, which names the VPN app where connectionType does not.
func (vpns) Compile(_ context.Context, _ *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	props := d.Properties
	for i := range vpnElsewhere {
		if p := &vpnElsewhere[i]; !saysNothing(props, p) {
			return nil, &invalid.Input{Property: p.Name, Reason: "cannot be kept: how the VPN connects belongs into an app configuration of the VPN app"}
		}
	}
	on, err := catalog.Read[bool](props, "alwaysOn", "a boolean")
	if err == nil && !on {
		err = &invalid.Input{Property: "alwaysOn", Reason: "must be true: Google's policies have always-on VPNs only; give the VPN app an app configuration for others"}
	}
	if err != nil {
		return nil, err
	}
	app, err := readVPNApp(props)
	if err != nil {
		return nil, err
	}
	lockdown, err := catalog.Read[bool](props, "alwaysOnLockdown", "a boolean")
	if err != nil {
		return nil, err
	}
	vpn := map[string]any{"packageName": app}
	if lockdown {
		vpn["lockdownEnabled"] = true
	}
	f := Fragment{Kind: VPN, Package: app, Fields: map[string]any{vpnPath: vpn}}
	return f.content(string(d.ID), "id", subTypeVPN), nil
}

// readVPNApp is the package name of the app that makes the connections.
func readVPNApp(props catalog.Properties) (string, error) {
	kind, err := catalog.Read[string](props, "connectionType", "a string")
	if err != nil {
		return "", err
	}
	if props.Has(packageID.Name) {
		app, err := readPackage(props, packageID.Name)
		if known := vpnApps[kind]; err == nil && known != "" && known != app {
			err = &invalid.Input{Property: packageID.Name,
				Reason: fmt.Sprintf("is %s, and the app of %s is %s", app, kind, known)}
		}
		return app, err
	}
	if app := vpnApps[kind]; app != "" {
		return app, nil
	}
	return "", &invalid.Input{Property: packageID.Name, Reason: fmt.Sprintf(
		"is missing: give the package name of the VPN app, since connectionType %.60q names none (%s do)",
		kind, strings.Join(sortedKeys(vpnApps), ", "))}
}

// Risks implements catalog.Compiler.
func (vpns) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) {
	return []catalog.Risk{{Reason: "it carries the always-on VPN, by which the device may reach its networks; the VPN app and its configuration stay"}}, nil
}
