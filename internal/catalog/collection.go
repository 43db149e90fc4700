package catalog

import "github.com/syncpayloads/syncpayloads/internal/action"

// Collection is where Graph keeps payloads of one kind, and what it calls their parts. There are as
// many as there are kinds, whatever platforms a server has: a platform adds types to them (Form).
type Collection struct {
	// Path is that of the collection, without the version: deviceAppManagement/mobileApps.
	Path string
	// Base is Graph's type that all types of the collection derive from: mobileApp.
	Base string
	Kind action.PayloadType
	// Name is the property that holds the display name: displayName, or name.
	Name string
	// Versioned says that Graph shows a version of these.
	Versioned bool
	// Assignments is the parameter of assign, and AssignmentType Graph's type of its elements.
	Assignments    string
	AssignmentType string
	// Intent says that an assignment has an install intent.
	Intent bool
	// Echo says that assign answers with the assignments; otherwise it answers with no content.
	Echo bool
	// Title is what people call them, and One what they call one of them.
	Title, One string
	// Properties are those that every type of the collection has, beyond id, name, description,
	// times and scope tags.
	Properties []Property
}

// The collections (Microsoft Graph beta reference, each under its path).
var (
	Configurations = &Collection{
		Path: "deviceManagement/deviceConfigurations", Base: "deviceConfiguration",
		Kind: action.DeviceConfiguration,
		Name: "displayName", Versioned: true, Assignments: "assignments",
		AssignmentType: "deviceConfigurationAssignment", Echo: true, Title: "Policies",
		One: "policy",
	}
	Apps = &Collection{
		Path: "deviceAppManagement/mobileApps", Base: "mobileApp", Kind: action.Application,
		Name: "displayName", Assignments: "mobileAppAssignments",
		AssignmentType: "mobileAppAssignment", Intent: true,
		Title: "Apps", One: "app",
		Properties: []Property{
			{Name: "publisher", Type: Text, Filter: true, Label: "Publisher", Control: Line},
			{Name: "largeIcon", Type: Type{Name: "mimeContent",
				Parts: []Property{{Name: "type", Type: Text}, {Name: "value", Type: Binary}}}},
			{Name: "isFeatured", Type: Boolean},
			{Name: "privacyInformationUrl", Type: Text},
			{Name: "informationUrl", Type: Text},
			{Name: "owner", Type: Text, Filter: true},
			{Name: "developer", Type: Text, Filter: true},
			{Name: "notes", Type: Text},
		},
	}
	AppConfigurations = &Collection{
		Path: "deviceAppManagement/mobileAppConfigurations",
		Base: "managedDeviceMobileAppConfiguration",
		Kind: action.AppConfiguration, Name: "displayName", Versioned: true,
		Assignments:    "assignments",
		AssignmentType: "managedDeviceMobileAppConfigurationAssignment",
		Title:          "App configurations", One: "app configuration",
	}
	SettingPolicies = &Collection{
		Path: "deviceManagement/configurationPolicies", Base: "deviceManagementConfigurationPolicy",
		Kind: action.ConfigurationPolicy, Name: "name", Assignments: "assignments",
		AssignmentType: "deviceManagementConfigurationPolicyAssignment", Echo: true,
		Title: "Settings catalog policies", One: "settings catalog policy",
	}
)

// Collections lists them all.
func Collections() []*Collection {
	return []*Collection{Configurations, Apps, AppConfigurations, SettingPolicies}
}
