package graph

import (
	"slices"
	"strings"
)

// What exporters and clients give back with what they have read, and what says nothing to the server, is one rule for every
// body (Microsoft Graph takes it, too): annotations and bound actions, wherever they are, and in the body itself properties that
// only the server sets, whatever their values.

// isAnnotation reports whether a name is an annotation of OData's or Graph's (@odata.type, members@odata.bind,
// @microsoft.graph.tips), or a bound action or function (#microsoft.graph.assign; OData JSON format 4.0, section 16).
func isAnnotation(name string) bool {
	return strings.HasPrefix(name, "#") || strings.Contains(name, "@")
}

// saysNothing reports whether a name is an annotation that the server does not look at: all but types, ids and references.
func saysNothing(name string) bool {
	return isAnnotation(name) && name != "@odata.type" && name != "@odata.id" && !strings.HasSuffix(name, "@odata.bind")
}

// setByServer are properties of Graph's types that only the server sets, by the collection whose bodies they may be in (Microsoft
// Graph beta reference).
var setByServer = map[string][]string{
	"deviceConfigurations": {"id", "createdDateTime", "lastModifiedDateTime", "version", "supportsScopeTags"},
	"mobileApps": {"id", "createdDateTime", "lastModifiedDateTime", "version", "uploadState", "publishingState", "isAssigned",
		"dependentAppCount", "supersedingAppCount", "supersededAppCount", "totalLicenseCount", "usedLicenseCount", "committedContentVersion", "size"},
	"mobileAppConfigurations": {"id", "createdDateTime", "lastModifiedDateTime", "version"},
	"configurationPolicies": {"id", "createdDateTime", "lastModifiedDateTime", "settingCount", "isAssigned", "creationSource",
		"priorityMetaData"},
	"groups": {"id", "createdDateTime", "deletedDateTime", "expirationDateTime", "renewedDateTime", "securityIdentifier", "mail",
		"proxyAddresses", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime", "onPremisesSecurityIdentifier"},
	"roleDefinitions":   {"id", "isBuiltIn", "isBuiltInRoleDefinition"},
	"roleAssignments":   {"id"},
	"roleScopeTags":     {"id", "isBuiltIn"},
	"subscriptions":     {"id", "applicationId", "creatorId", "notificationUrlAppId"},
	"managedDevices":    deviceSetByServer,
	"comanagedDevices":  deviceSetByServer,
	pushCertificateName: {"id", "topicIdentifier", "expirationDateTime", "certificateSerialNumber"},
}

// deviceWritable are the properties of managedDevice that Graph lets callers set, and that are not kept here.
var deviceWritable = []string{"notes", "managedDeviceName", "ownerType", "managedDeviceOwnerType"}

var deviceSetByServer = slices.DeleteFunc(slices.Clone(devicePropertyNames), func(name string) bool {
	return name == tagProperty || slices.Contains(deviceWritable, name)
})

// pushCertificateName is what changes the push certificate.
const pushCertificateName = "updatePushCertificate"

// setElsewhere are properties of Graph's types that have no meaning here or are set by another operation. A body may have them
// with nothing in them, as what is exported mostly has.
var setElsewhere = map[string][]string{
	"deviceConfigurations": {"assignments", "deviceManagementApplicabilityRuleOsEdition", "deviceManagementApplicabilityRuleOsVersion",
		"deviceManagementApplicabilityRuleDeviceMode"},
	"mobileApps":              {"assignments", "categories", "relationships"},
	"mobileAppConfigurations": {"assignments"},
	"managedDevices":          deviceWritable,
	"comanagedDevices":        deviceWritable,
}

// leaveIgnored takes out of a body what is ignored of the route's collection.
func (o *object) leaveIgnored(rt *route) {
	set, operation, _ := strings.Cut(rt.name, ".")
	if operation != "" && !slices.Contains([]string{"create", "update", "replace"}, operation) {
		return
	}
	o.names = slices.DeleteFunc(o.names, func(name string) bool {
		ignored := slices.Contains(setByServer[set], name) || slices.Contains(setElsewhere[set], name) && isEmpty(o.values[name])
		if ignored {
			delete(o.values, name)
		}
		return ignored
	})
}

// isEmpty reports whether a value says nothing: null, or a collection or object without anything in it.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return len(v) == 0
	case *object:
		return len(v.names) == 0
	default:
		return false
	}
}
