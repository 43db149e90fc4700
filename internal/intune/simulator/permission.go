package simulator

import (
	"slices"
	"strings"
)

// caller is who a token is for.
type caller struct {
	app    *App
	user   *User    // nil: the application itself
	rights []string // application permissions, or delegated ones
}

func (c caller) actor() actor { return actor{user: c.user, app: c.app} }

// needs are the permissions of an address: of each group one.
type needs [][]string

// The permissions that the reference names. Who may write may read.
var (
	readsDevices = needs{{"DeviceManagementManagedDevices.Read.All",
		"DeviceManagementManagedDevices.ReadWrite.All"}}
	readsConfiguration = needs{{"DeviceManagementConfiguration.Read.All",
		"DeviceManagementConfiguration.ReadWrite.All"}}
	readsApps = needs{{"DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"}}
	operates  = needs{{"DeviceManagementManagedDevices.PrivilegedOperations.All"}}
	readsBoth = needs{readsDevices[0], readsConfiguration[0]}
	readsOne  = needs{slices.Concat(readsDevices[0], readsConfiguration[0])}
	readsOrg  = needs{{"Organization.Read.All", "Organization.ReadWrite.All", "Directory.Read.All",
		"User.Read"}}
)

// authorize checks the permissions of a call.
func (c *call) authorize() *refusal {
	required := c.route.needs
	action := strings.HasSuffix(c.route.path, "/"+changeAssignments)
	if action && c.site.readings.ReadPermissionsSuffice {
		required = readsBoth
	}
	for _, group := range required {
		has := func(right string) bool { return slices.Contains(c.caller.rights, right) }
		if slices.ContainsFunc(group, has) {
			continue
		}
		who := "Application"
		if c.caller.user != nil {
			who = "User"
		}
		return forbidden("%s is not authorized to perform this operation. %s must have one of "+
			"the following scopes: %s", who, who, strings.Join(group, ", "))
	}
	return nil
}
