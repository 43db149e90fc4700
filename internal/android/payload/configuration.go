package payload

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// configurations compiles androidManagedStoreAppConfiguration.
type configurations struct{ compiler }

// Risks implements catalog.Compiler: the app goes on with its own defaults.
func (configurations) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) {
	return []catalog.Risk{{Reason: "the app goes on with the defaults of its maker"}}, nil
}

// Compile implements catalog.Compiler. It reads packageId or targetedMobileApps, payloadJson,
// permissionActions, connectedAppsEnabled and profileApplicability.
func (configurations) Compile(ctx context.Context, _ *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	app, err := readTarget(ctx, d, look)
	if err != nil {
		return nil, err
	}
	if err := checkApplicability(d.Properties); err != nil {
		return nil, err
	}
	f := Fragment{Kind: Configuration, Package: app, Fields: make(map[string]any)}
	if err := readManagedConfiguration(d.Properties, app, f.Fields); err != nil {
		return nil, err
	}
	grants, err := readPermissions(d.Properties)
	if err != nil {
		return nil, err
	}
	if grants != nil {
		f.Fields[appPath(app, permissionsOf)] = grants
	}
	connected, err := catalog.Read[bool](d.Properties, connectedApps, "a boolean")
	if err != nil {
		return nil, err
	}
	if connected {
		f.Fields[appPath(app, connectedOf)] = "CONNECTED_WORK_AND_PERSONAL_APP_ALLOWED"
	}
	if len(f.Fields) == 0 {
		return nil, &invalid.Input{Property: payloadJSON,
			Reason: "is missing: give payloadJson, permissionActions or connectedAppsEnabled; the configuration would set nothing"}
	}
	return f.content(app, packageID.Name, subTypeApplication), nil
}

// productPrefix begins Google's id of a product that is an app; policies that Intune exports name
// apps by it.
const productPrefix = "app:"

// readTarget is the package name of the app that a configuration is for: packageId, or that of the
// one app of the catalog that targetedMobileApps names.
func readTarget(ctx context.Context, d *catalog.Draft, look catalog.Lookup) (string, error) {
	named, err := catalog.Read[string](d.Properties, packageID.Name, "a string")
	named = strings.TrimPrefix(named, productPrefix)
	if err == nil && named != "" && !isPackage(named) {
		err = notPackage(packageID.Name, named)
	}
	if err != nil {
		return "", err
	}
	ids, err := catalog.Read[[]string](d.Properties, targetedApps, "a collection of app ids")
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0 && named == "":
		return "", &invalid.Input{Property: packageID.Name,
			Reason: "is missing: give the package name of the app, or its id in targetedMobileApps"}
	case len(ids) == 0:
		return named, nil
	case len(ids) > 1:
		return "", &invalid.Input{Property: targetedApps, Reason: fmt.Sprintf(
			"names %d apps; give exactly one, and make a configuration for each app", len(ids))}
	}
	if _, given := d.Changed[targetedApps]; !given && d.Old != nil && named == "" {
		return d.Old.Identifier, nil // the app may have been deleted since
	}
	target, err := readTargetedApp(ctx, ids[0], look)
	if err == nil && named != "" && named != target {
		err = &invalid.Input{Property: targetedApps,
			Reason: fmt.Sprintf("names the app %s, and packageId names %s", target, named)}
	}
	return target, err
}

func readTargetedApp(ctx context.Context, given string, look catalog.Lookup) (string, error) {
	p, err := readReference(ctx, targetedApps, given, look, AndroidManagedStoreApp,
		AndroidManagedStoreWebApp)
	if err != nil {
		return "", err
	}
	if !isPackage(p.Identifier) {
		return "", &invalid.Input{Property: targetedApps, Reason: fmt.Sprintf(
			"names ‘%.60s’, of which Google makes an app of a website: such apps have no settings",
			p.DisplayName)}
	}
	return p.Identifier, nil
}

// readReference finds the payload that a property names, which must be of one of the types.
func readReference(ctx context.Context, property, given string, look catalog.Lookup,
	types ...string) (*catalog.Payload, error) {
	id, ok := catalog.ParseGUID(given)
	if !ok {
		return nil, &invalid.Input{Property: property,
			Reason: fmt.Sprintf("%.60q is not the id of one", given)}
	}
	p, err := look.Payload(ctx, action.PayloadID(id))
	if err == catalog.ErrNotFound || err == nil && !slices.Contains(types, p.ODataType) {
		return nil, &invalid.Input{Property: property,
			Reason: fmt.Sprintf("%s is not a %s in the catalog", id, types[0])}
	}
	return p, err
}

// checkApplicability refuses what is only for personally-owned devices, which are not managed.
func checkApplicability(props catalog.Properties) error {
	given, err := catalog.Read[string](props, profileApplicability.Name, "a string")
	switch {
	case err != nil || given == "" || given == "default" || given == "androidDeviceOwner":
		return err
	case given == "androidWorkProfile":
		return &invalid.Input{Property: profileApplicability.Name,
			Reason: "androidWorkProfile means personally-owned devices, which this server does not manage: give default or androidDeviceOwner"}
	default:
		return &invalid.Input{Property: profileApplicability.Name,
			Reason: fmt.Sprintf("%.60q is none of default, androidDeviceOwner", given)}
	}
}

var permissionForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,254}$`)

// grants are Google's policies of a permission by Graph's actions.
var grants = map[string]string{"prompt": "PROMPT", "autoGrant": "GRANT", "autoDeny": "DENY"}

// readPermissions reads what is done when the app wants a permission, sorted by its name.
func readPermissions(props catalog.Properties) ([]any, error) {
	type permission struct {
		Permission string `json:"permission"`
		Action     string `json:"action"`
	}
	list, err := catalog.Read[[]permission](props, permissionActions,
		"a collection of androidPermissionAction")
	if err == nil {
		err = atMost(permissionActions, len(list))
	}
	if err != nil {
		return nil, err
	}
	var made []any
	seen := make(map[string]bool)
	slices.SortStableFunc(list,
		func(a, b permission) int { return cmp.Compare(a.Permission, b.Permission) })
	for _, p := range list {
		switch {
		case !permissionForm.MatchString(p.Permission):
			return nil, &invalid.Input{Property: permissionActions + ".permission",
				Reason: fmt.Sprintf("%.60q is not a permission such as android.permission.CAMERA",
					p.Permission)}
		case seen[p.Permission]:
			return nil, &invalid.Input{Property: permissionActions + ".permission",
				Reason: fmt.Sprintf("%.60q is there twice", p.Permission)}
		case grants[p.Action] == "":
			return nil, &invalid.Input{Property: permissionActions + ".action",
				Reason: fmt.Sprintf("%.60q is none of prompt, autoGrant, autoDeny", p.Action)}
		}
		seen[p.Permission] = true
		made = append(made, map[string]any{"permission": p.Permission, "policy": grants[p.Action]})
	}
	return made, nil
}
