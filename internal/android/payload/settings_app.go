package payload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// appItem is Graph's appListItem, of which only the package name counts.
type appItem struct {
	AppID string `json:"appId"`
}

// readApps reads the package names of a collection of appListItem.
func readApps(props catalog.Properties, name string) ([]string, error) {
	list, err := catalog.Read[[]appItem](props, name, "a collection of appListItem")
	if err == nil {
		err = atMost(name, len(list))
	}
	if err != nil {
		return nil, err
	}
	var apps []string
	for i, app := range list {
		if !isPackage(app.AppID) {
			return nil, notPackage(fmt.Sprintf("%s[%d].appId", name, i), app.AppID)
		}
		apps = append(apps, app.AppID)
	}
	slices.Sort(apps)
	return slices.Compact(apps), nil
}

// readKiosk reads the app that a device shows alone. Other modes are those of Microsoft's launcher.
func readKiosk(props catalog.Properties, fields map[string]any) error {
	const mode, apps = "kioskModeUseManagedHomeScreenApp", "kioskModeApps"
	p := settings().byPath["applications[].installType"].properties[0]
	kiosk, err := p.value(props)
	if err != nil {
		return err
	}
	list, err := readApps(props, apps)
	switch {
	case err != nil || kiosk == nil && len(list) == 0:
		return err
	case kiosk == nil:
		return &invalid.Input{Property: mode,
			Reason: "is missing: kioskModeApps need it to be singleAppMode"}
	case len(list) != 1:
		return &invalid.Input{Property: apps, Reason: fmt.Sprintf(
			"names %d apps: a device shows exactly one in kiosk mode", len(list))}
	}
	fields[appPath(list[0], installTypeOf)] = kiosk
	return nil
}

// readScopes reads what apps may do for the management.
func readScopes(props catalog.Properties, fields map[string]any) error {
	const name = "androidDeviceOwnerDelegatedScopeAppSettings"
	type setting struct {
		App    appItem  `json:"appDetail"`
		Scopes []string `json:"appScopes"`
	}
	list, err := catalog.Read[[]setting](props, name, "a collection of "+shapeTypes["scopes"].Name)
	if err == nil {
		err = atMost(name, len(list))
	}
	if err != nil {
		return err
	}
	holders := make(map[string]string)
	for i, s := range list {
		where := fmt.Sprintf("%s[%d]", name, i)
		if !isPackage(s.App.AppID) {
			return notPackage(where+".appDetail.appId", s.App.AppID)
		}
		scopes, err := readAppScopes(where+".appScopes", s.App.AppID, s.Scopes, holders)
		if err != nil {
			return err
		}
		if path := appPath(s.App.AppID, scopesOf); len(scopes) > 0 {
			fields[path] = union([]any{fields[path], anyOf(scopes)})
		}
	}
	return nil
}

// scopesByMember are Google's scopes by Graph's members.
var scopesByMember = map[string]string{"certificateInstall": "CERT_INSTALL",
	"captureNetworkActivityLog": "NETWORK_ACTIVITY_LOGS", "captureSecurityLog": "SECURITY_LOGS"}

// soleScopes are those that only one app of a device may have (Android Management API,
// DelegatedScope).
var soleScopes = []string{"NETWORK_ACTIVITY_LOGS", "SECURITY_LOGS"}

func readAppScopes(where, app string, members []string,
	holders map[string]string) (scopes []string, err error) {
	for j, member := range members {
		scope, at := scopesByMember[member], fmt.Sprintf("%s[%d]", where, j)
		switch {
		case member == delegatedScope.Members[0]:
			continue
		case scope == "":
			return nil, &invalid.Input{Property: at, Reason: fmt.Sprintf("%.60q is none of %s",
				member, strings.Join(sortedKeys(scopesByMember), ", "))}
		case slices.Contains(soleScopes, scope) && holders[scope] != "" && holders[scope] != app:
			return nil, &invalid.Input{Property: at, Reason: fmt.Sprintf(
				"only one app of a device may have %s, and %s has it", member, holders[scope])}
		}
		holders[scope] = app
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

// readPersonalApps reads the list of apps of a personal profile, which means what the mode says.
func readPersonalApps(props catalog.Properties, fields map[string]any) error {
	const name, mode = "personalProfilePersonalApplications", "personalProfilePlayStoreMode"
	apps, err := readApps(props, name)
	if err != nil {
		return err
	}
	list := blockedApps
	switch fields["personalUsagePolicies.personalPlayStoreMode"] {
	case "ALLOWLIST":
		list = allowedApps // an empty one allows none
	case nil:
		if len(apps) > 0 {
			return &invalid.Input{Property: mode,
				Reason: "is missing: it says whether " + name + " are allowed or blocked"}
		}
		return nil
	default:
		if len(apps) == 0 {
			return nil
		}
	}
	fields["personalUsagePolicies.personalApplications"] = map[string]any{list: anyOf(apps)}
	return nil
}
