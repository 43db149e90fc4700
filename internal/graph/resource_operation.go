package graph

import (
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const operationSet = "deviceManagement/resourceOperations"

// operationTexts name what each right is about, what it does to it, and what that means.
var operationTexts = map[access.Right][3]string{
	access.ReadDevices: {"Managed devices", "Read",
		"See devices, what is assigned to them, and the results of actions."},
	access.UpdateDevices: {"Managed devices", "Update",
		"Change the scope tags, notes and owner of devices."},
	access.DeleteDevices: {"Managed devices", "Delete",
		"Delete the records of devices; managed ones are retired first."},
	access.RetireDevices: {"Remote tasks", "Retire",
		"End the management of devices, and take off them what was managed."},
	access.ChangeAssignments: {"Remote tasks", "Change assignments",
		"Take policies and apps off devices for a while, and put them back."},
	access.SyncDevices: {"Remote tasks", "Sync devices", "Ask devices to connect."},
	access.ReadConfigurations: {"Device configurations", "Read",
		"See configuration profiles and settings of apps."},
	access.CreateConfigurations: {"Device configurations", "Create",
		"Add configuration profiles and settings of apps."},
	access.UpdateConfigurations: {"Device configurations", "Update",
		"Change configuration profiles and settings of apps."},
	access.DeleteConfigurations: {"Device configurations", "Delete",
		"Delete configuration profiles and settings of apps: devices lose them."},
	access.AssignConfigurations: {"Device configurations", "Assign",
		"Assign configuration profiles and settings of apps to devices and groups."},
	access.ReadApps:   {"Mobile apps", "Read", "See apps."},
	access.CreateApps: {"Mobile apps", "Create", "Add apps."},
	access.UpdateApps: {"Mobile apps", "Update", "Change apps."},
	access.DeleteApps: {"Mobile apps", "Delete", "Delete apps: devices lose them."},
	access.AssignApps: {"Mobile apps", "Assign", "Assign apps to devices and groups."},
	access.ReadOrganization: {"Organization", "Read",
		"See the organization's settings, such as the push certificate."},
	access.UpdateOrganization: {"Organization", "Update",
		"Change the organization's settings, such as the push certificate."},
	access.ReadRoles:   {"Roles", "Read", "See roles, their assignments and scope tags."},
	access.CreateRoles: {"Roles", "Create", "Add roles and scope tags."},
	access.UpdateRoles: {"Roles", "Update", "Change roles and scope tags."},
	access.DeleteRoles: {"Roles", "Delete", "Delete roles and scope tags."},
	access.AssignRoles: {"Roles", "Assign",
		"Give roles to others and take them away, no further than one has them."},
	access.ReadAudit: {"Audit data", "Read", "See who did what."},
	access.ReadAndroid: {"Android Enterprise", "Read",
		"See how Android Enterprise is set up, and its enrollment tokens."},
	access.OnboardAndroid: {"Android Enterprise", "Update onboarding",
		"Set the service account of Google Cloud, and sign up with Google."},
	access.UpdateAndroidEnrollment: {"Android Enterprise", "Update enrollment profiles",
		"Make and revoke the tokens by which Android devices enroll."},
	access.ReadGroups:   {"Groups", "Read", "See groups of devices and their members."},
	access.CreateGroups: {"Groups", "Create", "Add groups of devices."},
	access.UpdateGroups: {"Groups", "Update", "Put devices into groups and take them out."},
	access.DeleteGroups: {"Groups", "Delete", "Delete groups of devices."},
	access.EnrollDevices: {"Enrollments", "Create",
		"Make links by which devices are enrolled."},
	access.ReadTokens: {"Tokens", "Read",
		"See the server's own tokens, without their secrets."},
	access.CreateTokens: {"Tokens", "Create", "Make tokens of the server's own."},
	access.DeleteTokens: {"Tokens", "Delete", "Revoke tokens of the server's own."},
}

var operationProperties = odata.Properties{
	{"id", odata.String}, {"resource", odata.String}, {"resourceName", odata.String},
	{"actionName", odata.String},
	{"description", odata.String}, {"enabledForScopeValidation", odata.Boolean},
}

var operationShape = newShape("resourceOperation", operationProperties)

// operationFields shows a right, such as Microsoft.Intune_ManagedDevices_Read, which is about the
// resource ManagedDevices.
func operationFields(r access.Right) odata.Fields {
	resource := strings.Split(string(r), "_")[1]
	text := operationTexts[r]
	return odata.Fields{
		{"id", r},
		{"resource", resource},
		{"resourceName", text[0]},
		{"actionName", text[1]},
		{"description", text[2]},
		{"enabledForScopeValidation", true},
	}
}

// listResourceOperations lists the rights that a role may have.
func (c *call) listResourceOperations() error {
	selected, err := c.selected(operationShape)
	if err != nil {
		return err
	}
	after, size, err := c.req.PageByID()
	if err != nil {
		return err
	}
	rights := slices.Sorted(slices.Values(access.Rights()))
	rights = slices.DeleteFunc(rights, func(r access.Right) bool { return string(r) <= after })
	rights, next := odata.SplitPage(rights, size, func(r access.Right) string { return string(r) })
	page := odata.Page{Collection: operationSet, Next: next,
		Value: make([]odata.Fields, len(rights))}
	for i, r := range rights {
		page.Value[i] = c.shown(operationShape, operationFields(r), selected)
	}
	return c.req.ReplyPage(page)
}

func (c *call) getResourceOperation() error {
	selected, err := c.selected(operationShape)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(access.Rights(), func(r access.Right) bool {
		return strings.EqualFold(string(r), c.req.PathValue("id"))
	})
	if i < 0 {
		return odata.NotFound("There is no right of this name.")
	}
	return c.req.ReplyEntity(http.StatusOK, operationSet, "resourceOperation",
		c.shown(operationShape, operationFields(access.Rights()[i]), selected))
}
