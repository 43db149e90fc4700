package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// payloadKind is a collection of policies or apps.
type payloadKind struct {
	service        string // the collection's path is service/set
	set            string
	kind           action.PayloadType
	rights         rightsOf
	types          []payloadType
	versioned      bool   // Graph shows `version` of these
	assignments    string // the parameter of assign
	assignmentType string
	intent         bool     // an assignment has an install intent
	echo           bool     // assign answers with the assignments; otherwise with no content
	odataType      typeName // from which those of the collection derive
	object         string   // what the audit record calls one
	noun           string   // what people call one
	category       string   // of auditEvent
	stable         bool     // Graph has it in v1.0, too
	setByServer    []string // as resource has them, and the next two
	setElsewhere   []string
	largestBody    int64
}

// resource is the collection as routes know it.
func (k *payloadKind) resource() *resource {
	return &resource{name: k.set, path: versionPath + k.path(), odataType: k.odataType, object: k.object, noun: k.noun, category: k.category,
		stable: k.stable, tagged: true, setByServer: k.setByServer, setElsewhere: k.setElsewhere, largestBody: k.largestBody}
}

// assignment is the type of the collection's assignments, without its namespace.
func (k *payloadKind) assignment() typeName {
	return typeName(strings.TrimPrefix(k.assignmentType, "#"+graphNamespace))
}

// payloadType is one of Graph's types of a collection.
type payloadType struct {
	name       string
	properties []string // beyond those that all payloads have
}

func (k *payloadKind) path() string { return k.service + "/" + k.set }

// kinds are the collections (Microsoft Graph beta reference). Properties are those that Graph's types have and that the
// server obeys or gives back, and the catalog's own; what would be accepted and not obeyed, such as a script, is refused.
var kinds = []*payloadKind{
	{
		service: "deviceManagement", set: "deviceConfigurations", kind: action.DeviceConfiguration, rights: configurationRights, versioned: true,
		assignments: "assignments", assignmentType: "#microsoft.graph.deviceConfigurationAssignment", echo: true,
		odataType: "deviceConfiguration", object: "deviceConfiguration", noun: "policy", category: categoryConfiguration, stable: true,
		setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "version", "supportsScopeTags"},
		setElsewhere: []string{"assignments", "deviceManagementApplicabilityRuleOsEdition", "deviceManagementApplicabilityRuleOsVersion",
			"deviceManagementApplicabilityRuleDeviceMode"},
		largestBody: fileBody,
		types: []payloadType{
			{catalog.IOSCustomConfiguration, []string{"payloadName"}},
			{catalog.MacOSCustomConfiguration, []string{"payloadName", "deploymentChannel"}},
		},
	},
	{
		service: "deviceAppManagement", set: "mobileApps", kind: action.Application, rights: appRights,
		assignments: "mobileAppAssignments", assignmentType: "#microsoft.graph.mobileAppAssignment", intent: true,
		odataType: "mobileApp", object: "mobileApp", noun: "app", category: categoryApplication, stable: true,
		setByServer: []string{"id", "createdDateTime", "lastModifiedDateTime", "version", "uploadState", "publishingState", "isAssigned",
			"dependentAppCount", "supersedingAppCount", "supersededAppCount", "totalLicenseCount", "usedLicenseCount", "committedContentVersion", "size"},
		setElsewhere: []string{"assignments", "categories", "relationships"},
		largestBody:  fileBody,
		types: []payloadType{
			{catalog.IOSStoreApp, appProperties("bundleId", "appStoreUrl", "storeId", "applicableDeviceType",
				"minimumSupportedOperatingSystem", "managedConfiguration", "uninstallOnDeviceRemoval")},
			{catalog.IOSVPPApp, appProperties("bundleId", "appStoreUrl", "storeId", "applicableDeviceType", "licensingType",
				"releaseDateTime", "managedConfiguration", "uninstallOnDeviceRemoval")},
			{catalog.IOSLOBApp, appProperties("bundleId", "versionNumber", "buildNumber", "applicableDeviceType",
				"minimumSupportedOperatingSystem", "manifestUrl", "managedConfiguration", "uninstallOnDeviceRemoval")},
			{catalog.MacOSPkgApp, appProperties("primaryBundleId", "primaryBundleVersion", "includedApps",
				"minimumSupportedOperatingSystem", "manifestUrl", "managedConfiguration", "uninstallOnDeviceRemoval")},
		},
	},
	{
		service: "deviceAppManagement", set: "mobileAppConfigurations", kind: action.AppConfiguration, rights: appRights, versioned: true,
		assignments: "assignments", assignmentType: "#microsoft.graph.managedDeviceMobileAppConfigurationAssignment",
		odataType: "managedDeviceMobileAppConfiguration", object: "mobileAppConfiguration", noun: "app configuration", category: categoryApplication, stable: true,
		setByServer:  []string{"id", "createdDateTime", "lastModifiedDateTime", "version"},
		setElsewhere: []string{"assignments"},
		largestBody:  documentBody,
		types: []payloadType{
			{catalog.IOSMobileAppConfiguration, []string{"targetedMobileApps", "encodedSettingXml", "settings"}},
		},
	},
}

// appProperties are those of every mobileApp, and own.
func appProperties(own ...string) []string {
	return append([]string{"publisher", "largeIcon", "isFeatured", "privacyInformationUrl", "informationUrl", "owner",
		"developer", "notes"}, own...)
}

const graphNamespace = "microsoft.graph."

// The properties of a file.
const (
	filePropertyName    = "payloadFileName"
	filePropertyContent = "payload"
)

// readOnlyProperties are those of every payload that only the server sets.
var readOnlyProperties = []string{"id", "createdDateTime", "lastModifiedDateTime", "version"}

func (k *payloadKind) hasFile() bool { return k.kind == action.DeviceConfiguration }

// ofType finds a type of the collection by its @odata.type without '#'.
func (k *payloadKind) ofType(odataType string) *payloadType {
	i := slices.IndexFunc(k.types, func(t payloadType) bool { return graphNamespace+t.name == odataType })
	if i < 0 {
		return nil
	}
	return &k.types[i]
}

// writable are the properties that a body may have.
func (k *payloadKind) writable(t *payloadType) []string {
	names := append([]string{"displayName", "description", tagProperty}, t.properties...)
	if k.hasFile() {
		names = append(names, filePropertyName, filePropertyContent)
	}
	return names
}

// selectable are the properties that $select may name, over all types of the collection. A list does not show files.
func (k *payloadKind) selectable(withFile bool) []string {
	names := slices.Clone(readOnlyProperties)
	if !k.versioned {
		names = names[:len(names)-1]
	}
	for i := range k.types {
		for _, name := range k.writable(&k.types[i]) {
			if !slices.Contains(names, name) && (withFile || name != filePropertyContent) {
				names = append(names, name)
			}
		}
	}
	return names
}
