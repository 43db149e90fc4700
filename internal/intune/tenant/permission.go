package tenant

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Permission is one that the app registration needs, and what it is for.
type Permission struct {
	Name string // Graph's, of type application
	For  string
	// Changes says that it is needed to change devices only.
	Changes bool

	path string // of a harmless call that needs it; empty: there is none
}

// permissions are all that are needed. A permission to write is one to read as well.
var permissions = []Permission{
	{Name: "DeviceManagementManagedDevices.Read.All", path: devicesPath,
		For: "list the devices, their apps and what came of actions"},
	{Name: "DeviceManagementConfiguration.Read.All",
		path: "deviceManagement/deviceConfigurations", For: "list policies, and those of a device"},
	{Name: "DeviceManagementApps.Read.All", path: "deviceAppManagement/mobileApps",
		For: "list apps and app configurations"},
	{Name: "DeviceManagementManagedDevices.PrivilegedOperations.All", Changes: true,
		For: "take policies and apps off devices and put them back"},
}

// Permissions lists what an app registration needs: of a tenant that is only read, or of one whose
// devices are changed as well.
func Permissions(readOnly bool) []Permission {
	return slices.DeleteFunc(slices.Clone(permissions),
		func(p Permission) bool { return readOnly && p.Changes })
}

// Tried is what came of trying a permission.
type Tried struct {
	Permission
	Granted bool // the token says that the app has it
	// Works says that a harmless call which needs it was answered. For what changes devices there
	// is none: the token alone tells.
	Works bool
	// Why it does not work, in words; empty: it does.
	Why string
}

// Try tries each permission: whether the token has it, and whether one harmless call goes through.
// excess are permissions that the app has and that are not needed here. The error says why there
// is no token at all.
func (c *Client) Try(ctx context.Context) (tried []Tried, excess []string, err error) {
	token, err := c.tokens.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	granted := roles(token)
	needed := Permissions(c.config.ReadOnly)
	for _, p := range needed {
		t := Tried{Permission: p, Granted: has(granted, p.Name)}
		t.Works = t.Granted
		if p.path != "" {
			_, err := c.call(ctx, request{action: "try " + p.Name, method: http.MethodGet,
				path: p.path, query: url.Values{"$select": {"id"}, "$top": {"1"}}.Encode()})
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			if t.Works = err == nil; err != nil {
				t.Why = err.Error()
			}
		}
		if !t.Granted && t.Why == "" && !t.Works {
			t.Why = "the app was not granted it, or an administrator has not consented"
		}
		tried = append(tried, t)
	}
	for _, name := range granted {
		if !slices.ContainsFunc(needed,
			func(p Permission) bool { return has([]string{name}, p.Name) }) ||
			strings.Contains(name, ".ReadWrite.") {
			excess = append(excess, name)
		}
	}
	return tried, excess, nil
}

// has reports whether a permission is among those granted, or the one that includes it.
func has(granted []string, name string) bool {
	return slices.Contains(granted, name) ||
		slices.Contains(granted, strings.Replace(name, ".Read.", ".ReadWrite.", 1))
}
