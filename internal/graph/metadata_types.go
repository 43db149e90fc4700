package graph

import (
	"slices"
	"strings"
)

// The types of $metadata, made of the tables by which the surface is served: those have the names of properties, and what
// is no text has its type here (Microsoft Graph beta reference, each under its name).

// deviceTypes are managed devices and the results of actions on them.
func deviceTypes() []*schemaType {
	types := []*schemaType{
		{name: "entity", entity: true, abstract: true, properties: []string{"id"}},
		{name: "directoryObject", base: "entity", entity: true, abstract: true},
		{name: "deviceManagement", base: "entity", entity: true},
		{name: "deviceAppManagement", base: "entity", entity: true},
		{name: "managedDevice", base: "entity", entity: true, properties: without(devicePropertyNames, "id"),
			types: `ownerType:ownerType managedDeviceOwnerType:managedDeviceOwnerType managementState:managementState enrolledDateTime:DateTimeOffset
				lastSyncDateTime:DateTimeOffset deviceType:deviceType complianceState:complianceState managementAgent:managementAgentType
				deviceEnrollmentType:deviceEnrollmentType deviceRegistrationState:deviceRegistrationState isSupervised:Boolean
				azureADRegistered:Boolean totalStorageSpaceInBytes:Int64 freeStorageSpaceInBytes:Int64 isEncrypted:Boolean
				roleScopeTagIds:String[] deviceActionResults:deviceActionResult[]`},
		{name: "deviceActionResult", properties: []string{"actionName", "actionState", "startDateTime", "lastUpdatedDateTime"},
			types: "actionState:actionState startDateTime:DateTimeOffset lastUpdatedDateTime:DateTimeOffset"},
		{name: "device", base: "directoryObject", entity: true,
			properties: []string{"deviceId", "displayName", "operatingSystem", "operatingSystemVersion"}},
	}
	types = append(types, stateTypes()...)
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		item := strings.TrimPrefix(w.itemType, graphNamespace)
		types = append(types,
			&schemaType{name: strings.TrimPrefix(w.resultType, "#"+graphNamespace), base: "deviceActionResult", properties: []string{w.collection},
				types: w.collection + ":" + item + "[]"},
			&schemaType{name: item, properties: append([]string{w.id, w.kind, w.intent}, w.readOnly...), types: itemTypes[w]})
	}
	return types
}

// stateTypes are how payloads stand on a device.
func stateTypes() []*schemaType {
	const standing = ownNamespace + "payloadStanding"
	types := []*schemaType{
		{name: "user", base: "directoryObject", entity: true},
		{name: appStateType, base: "entity", entity: true, properties: without(appStateProperties, "id"),
			types: "mobileAppList:mobileAppIntentAndStateDetail[]"},
		{name: "mobileAppIntentAndStateDetail", properties: appDetailProperties, types: `mobileAppIntent:mobileAppIntent
			installState:resultantAppState supportedDeviceTypes:mobileAppSupportedDeviceType[] syncpayloads:` + standing},
		{name: "mobileAppSupportedDeviceType", properties: strings.Fields("type minimumOperatingSystemVersion maximumOperatingSystemVersion"),
			types: "type:deviceType"},
		{name: standing, properties: strings.Fields("assigned removed removedDateTime removedBy restoreDateTime presence work error"),
			types: "assigned:Boolean removed:Boolean removedDateTime:DateTimeOffset restoreDateTime:DateTimeOffset error:syncpayloads.payloadError"},
		{name: ownNamespace + "payloadError", properties: []string{"code", "detail"}, types: "code:Int64"},
	}
	for _, k := range stateKinds {
		setting := strings.TrimSuffix(k.odataType, "State") + "SettingState"
		types = append(types,
			&schemaType{name: k.odataType, base: "entity", entity: true, properties: without(stateProperties, "id"),
				types: `version:Int32 platformType:policyPlatformType state:complianceStatus settingCount:Int32
					settingStates:` + setting + "[] syncpayloads:" + standing},
			&schemaType{name: setting, properties: strings.Fields("settingName state errorCode errorDescription"),
				types: "state:complianceStatus errorCode:Int64"})
	}
	return types
}

// itemTypes are the types of an action's elements that are no text (spec section 1).
var itemTypes = map[*wording]string{
	syncPayloads: `payloadType:deviceActionPayloadType intent:deviceActionPayloadIntent status:deviceActionPayloadStatus errorCode:Int64
		lastModifiedDateTime:DateTimeOffset`,
	changeAssignments: `itemType:deviceAssignmentItemType assignmentItemActionIntent:deviceAssignmentItemIntent
		assignmentItemActionStatus:deviceAssignmentItemStatus errorCode:Int64 lastActionDateTime:DateTimeOffset lastModifiedDateTime:DateTimeOffset`,
}

func without(names []string, others ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// payloadPropertyTypes are the types of the properties of payloads that are no text.
var payloadPropertyTypes = pairs(`createdDateTime:DateTimeOffset lastModifiedDateTime:DateTimeOffset version:Int32 roleScopeTagIds:String[]
	payload:Binary deploymentChannel:appleDeploymentChannel largeIcon:mimeContent isFeatured:Boolean applicableDeviceType:iosDeviceType
	licensingType:vppLicensingType releaseDateTime:DateTimeOffset uninstallOnDeviceRemoval:Boolean includedApps:macOSIncludedApp[]
	targetedMobileApps:String[] encodedSettingXml:Binary settings:appConfigurationSettingItem[]`)

// lobApps derive from mobileLobApp in Graph.
var lobApps = []string{"iosLobApp", "macOSPkgApp"}

// catalogTypes are policies and apps, their assignments, and groups.
func catalogTypes() []*schemaType {
	types := []*schemaType{
		{name: "mobileLobApp", base: "mobileApp", entity: true, abstract: true},
		{name: "mimeContent", properties: []string{"type", "value"}, types: "value:Binary"},
		{name: "iosDeviceType", properties: []string{"iPad", "iPhoneAndIPod"}, types: "iPad:Boolean iPhoneAndIPod:Boolean"},
		{name: "vppLicensingType", properties: strings.Fields("supportsDeviceLicensing supportsUserLicensing supportUserLicensing supportDeviceLicensing"),
			types: "supportsDeviceLicensing:Boolean supportsUserLicensing:Boolean supportUserLicensing:Boolean supportDeviceLicensing:Boolean"},
		allBoolean("iosMinimumOperatingSystem", "v8_0 v9_0 v10_0 v11_0 v12_0 v13_0 v14_0 v15_0 v16_0 v17_0 v18_0"),
		allBoolean("macOSMinimumOperatingSystem", `v10_7 v10_8 v10_9 v10_10 v10_11 v10_12 v10_13 v10_14 v10_15 v11_0 v12_0 v13_0 v14_0 v15_0`),
		{name: "macOSIncludedApp", properties: []string{"bundleId", "bundleVersion"}},
		{name: "appConfigurationSettingItem", properties: []string{"appConfigKey", "appConfigKeyType", "appConfigKeyValue"},
			types: "appConfigKeyType:mdmAppConfigKeyType"},
		{name: "mobileAppAssignmentSettings", abstract: true},
		{name: "deviceAndAppManagementAssignmentTarget", abstract: true},
		{name: "group", base: "directoryObject", entity: true, properties: without(groupProperties, "id"),
			types: "createdDateTime:DateTimeOffset groupTypes:String[] mailEnabled:Boolean securityEnabled:Boolean"},
	}
	for _, to := range targets {
		types = append(types, targetType(to))
	}
	for _, k := range kinds {
		types = append(types, kindTypes(k)...)
	}
	return append(types, assignmentSchema(policies))
}

func allBoolean(name, properties string) *schemaType {
	names := strings.Fields(properties)
	return &schemaType{name: name, properties: names, types: strings.Join(names, ":Boolean ") + ":Boolean"}
}

func targetType(to target) *schemaType {
	t := &schemaType{name: strings.TrimPrefix(to.odataType, graphNamespace), base: "deviceAndAppManagementAssignmentTarget"}
	switch {
	case t.name == "exclusionGroupAssignmentTarget":
		t.base = "groupAssignmentTarget"
	case to.property != "":
		t.properties = []string{to.property}
	}
	return t
}

// kindTypes are the types of a collection: the one that all derive from has what all have.
func kindTypes(k *payloadKind) []*schemaType {
	base := &schemaType{name: k.odataType, base: "entity", entity: true, abstract: true, properties: without(k.shared(), "id")}
	base.types = typesAmong(base.properties)
	types := []*schemaType{assignmentSchema(k), base}
	for i := range k.types {
		t := &schemaType{name: k.types[i].name, base: base.name, entity: true}
		if slices.Contains(lobApps, t.name) {
			t.base = "mobileLobApp"
		}
		t.properties = without(append(slices.Clone(readOnlyProperties), k.writable(&k.types[i])...), append(k.shared(), "version")...)
		t.types = typesAmong(t.properties)
		if slices.Contains(t.properties, "minimumSupportedOperatingSystem") {
			system := "ios"
			if strings.HasPrefix(t.name, "macOS") {
				system = "macOS"
			}
			t.types += " minimumSupportedOperatingSystem:" + system + "MinimumOperatingSystem"
		}
		types = append(types, t)
	}
	return types
}

// shared are the properties that all types of a collection have.
func (k *payloadKind) shared() []string {
	names := k.selectable(false)
	return slices.DeleteFunc(names, func(name string) bool {
		return !slices.Contains(readOnlyProperties, name) && (name == filePropertyName ||
			slices.ContainsFunc(k.types, func(t payloadType) bool { return !slices.Contains(k.writable(&t), name) }))
	})
}

func typesAmong(names []string) string {
	var text strings.Builder
	for _, name := range names {
		if t := payloadPropertyTypes[name]; t != "" {
			text.WriteString(" " + name + ":" + t)
		}
	}
	return text.String()
}

func assignmentSchema(k *payloadKind) *schemaType {
	t := &schemaType{name: strings.TrimPrefix(k.assignmentType, "#"+graphNamespace), base: "entity", entity: true, properties: []string{"target"},
		types: "target:deviceAndAppManagementAssignmentTarget"}
	if k.intent {
		t.properties = append(t.properties, "intent", "settings")
		t.types += " intent:installIntent settings:mobileAppAssignmentSettings"
	}
	return t
}
