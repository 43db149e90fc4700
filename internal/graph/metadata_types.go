package graph

import (
	"cmp"
	"slices"
	"strings"
)

// The types of $metadata, made of the tables by which the surface is served: those have the names of properties, and what
// is no text has its type here (Microsoft Graph beta reference, each under its name).

// deviceTypes are managed devices and the results of actions on them.
func deviceTypes() []*schemaType {
	types := []*schemaType{
		{name: "entity", entity: true, abstract: true, properties: texts("id")},
		{name: "directoryObject", base: "entity", entity: true, abstract: true},
		{name: "deviceManagement", base: "entity", entity: true},
		{name: "deviceAppManagement", base: "entity", entity: true},
		{name: "managedDevice", base: "entity", entity: true, properties: managedDeviceProperties().without("id")},
		{name: "deviceActionResult", properties: properties{
			{"actionName", edmString}, {"actionState", "actionState"}, {"startDateTime", edmDateTime},
			{"lastUpdatedDateTime", edmDateTime},
		}},
		{name: "device", base: "directoryObject", entity: true,
			properties: texts("deviceId", "displayName", "operatingSystem", "operatingSystemVersion")},
	}
	types = append(types, stateTypes()...)
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		item := typeName(strings.TrimPrefix(w.itemType, graphNamespace))
		types = append(types,
			&schemaType{name: typeName(strings.TrimPrefix(w.resultType, "#"+graphNamespace)), base: "deviceActionResult",
				properties: properties{{w.collection, collectionOf(item)}}},
			&schemaType{name: item, properties: append(properties{{w.id, edmString}, {w.kind, w.kindType}, {w.intent, w.intentType}}, w.readOnly...)})
	}
	return types
}

// stateTypes are how payloads stand on a device.
func stateTypes() []*schemaType {
	const standing = ownNamespace + "payloadStanding"
	types := []*schemaType{
		{name: "user", base: "directoryObject", entity: true},
		{name: appStateType, base: "entity", entity: true, properties: appStateProperties.without("id")},
		{name: "mobileAppIntentAndStateDetail", properties: appDetailProperties},
		{name: "mobileAppSupportedDeviceType", properties: properties{
			{"type", "deviceType"}, {"minimumOperatingSystemVersion", edmString},
			{"maximumOperatingSystemVersion", edmString},
		}},
		{name: standing, properties: properties{
			{"assigned", edmBoolean}, {"removed", edmBoolean}, {"removedDateTime", edmDateTime}, {"removedBy", edmString},
			{"restoreDateTime", edmDateTime}, {"presence", edmString}, {"work", edmString},
			{"error", ownNamespace + "payloadError"},
		}},
		{name: ownNamespace + "payloadError", properties: properties{{"code", edmInt64}, {"detail", edmString}}},
	}
	for _, k := range stateKinds {
		setting := typeName(strings.TrimSuffix(string(k.odataType), "State") + "SettingState")
		types = append(types,
			&schemaType{name: k.odataType, base: "entity", entity: true, properties: stateProperties.without("id").with("settingStates", collectionOf(setting))},
			&schemaType{name: setting, properties: properties{
				{"settingName", edmString}, {"state", "complianceStatus"}, {"errorCode", edmInt64},
				{"errorDescription", edmString},
			}})
	}
	return types
}

// payloadPropertyTypes are the types of the properties of payloads that are no text.
var payloadPropertyTypes = map[string]typeName{
	"createdDateTime": edmDateTime, "lastModifiedDateTime": edmDateTime, "version": edmInt32,
	tagProperty: collectionOf(edmString), filePropertyContent: edmBinary,
	"deploymentChannel": "appleDeploymentChannel", "largeIcon": "mimeContent", "isFeatured": edmBoolean,
	"applicableDeviceType": "iosDeviceType", "licensingType": "vppLicensingType", "releaseDateTime": edmDateTime,
	"uninstallOnDeviceRemoval": edmBoolean, "includedApps": collectionOf("macOSIncludedApp"),
	"targetedMobileApps": collectionOf(edmString), "encodedSettingXml": edmBinary,
	"settings": collectionOf("appConfigurationSettingItem"),
}

// payloadProperties are properties of payloads with their types.
func payloadProperties(names []string) properties {
	all := make(properties, len(names))
	for i, name := range names {
		all[i] = property{name, cmp.Or(payloadPropertyTypes[name], edmString)}
	}
	return all
}

// lobApps derive from mobileLobApp in Graph.
var lobApps = []typeName{"iosLobApp", "macOSPkgApp"}

// catalogTypes are policies and apps, their assignments, and groups.
func catalogTypes() []*schemaType {
	types := []*schemaType{
		{name: "mobileLobApp", base: "mobileApp", entity: true, abstract: true},
		{name: "mimeContent", properties: properties{{"type", edmString}, {"value", edmBinary}}},
		{name: "iosDeviceType", properties: allOf(edmBoolean, "iPad", "iPhoneAndIPod")},
		{name: "vppLicensingType", properties: allOf(edmBoolean, "supportsDeviceLicensing", "supportsUserLicensing", "supportUserLicensing", "supportDeviceLicensing")},
		allBoolean("iosMinimumOperatingSystem", "v8_0 v9_0 v10_0 v11_0 v12_0 v13_0 v14_0 v15_0 v16_0 v17_0 v18_0"),
		allBoolean("macOSMinimumOperatingSystem", `v10_7 v10_8 v10_9 v10_10 v10_11 v10_12 v10_13 v10_14 v10_15 v11_0 v12_0 v13_0 v14_0 v15_0`),
		{name: "macOSIncludedApp", properties: texts("bundleId", "bundleVersion")},
		{name: "appConfigurationSettingItem", properties: properties{
			{"appConfigKey", edmString}, {"appConfigKeyType", "mdmAppConfigKeyType"}, {"appConfigKeyValue", edmString},
		}},
		{name: "mobileAppAssignmentSettings", abstract: true},
		{name: "deviceAndAppManagementAssignmentTarget", abstract: true},
		{name: "group", base: "directoryObject", entity: true, properties: groupProperties.without("id")},
	}
	for _, to := range targets {
		types = append(types, targetType(to))
	}
	for _, k := range kinds {
		types = append(types, kindTypes(k)...)
	}
	return append(types, assignmentSchema(policies))
}

func allBoolean(name typeName, properties string) *schemaType {
	return &schemaType{name: name, properties: allOf(edmBoolean, strings.Fields(properties)...)}
}

func targetType(to target) *schemaType {
	t := &schemaType{name: typeName(strings.TrimPrefix(to.odataType, graphNamespace)), base: "deviceAndAppManagementAssignmentTarget"}
	switch {
	case t.name == "exclusionGroupAssignmentTarget":
		t.base = "groupAssignmentTarget"
	case to.property != "":
		t.properties = texts(to.property)
	}
	return t
}

// kindTypes are the types of a collection: the one that all derive from has what all have.
func kindTypes(k *payloadKind) []*schemaType {
	base := &schemaType{name: k.odataType, base: "entity", entity: true, abstract: true, properties: payloadProperties(k.shared()).without("id")}
	types := []*schemaType{assignmentSchema(k), base}
	for i := range k.types {
		t := &schemaType{name: typeName(k.types[i].name), base: base.name, entity: true}
		if slices.Contains(lobApps, t.name) {
			t.base = "mobileLobApp"
		}
		own := append(slices.Clone(readOnlyProperties), k.writable(&k.types[i])...)
		t.properties = payloadProperties(own).without(append(k.shared(), "version")...)
		if slices.Contains(own, minimumSystem) {
			t.properties = t.properties.with(minimumSystem, minimumSystemType(t.name))
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

// minimumSystem has the oldest operating system that an app runs on.
const minimumSystem = "minimumSupportedOperatingSystem"

func minimumSystemType(app typeName) typeName {
	if strings.HasPrefix(string(app), "macOS") {
		return "macOSMinimumOperatingSystem"
	}
	return "iosMinimumOperatingSystem"
}

func assignmentSchema(k *payloadKind) *schemaType {
	t := &schemaType{name: k.assignment(), base: "entity", entity: true, properties: properties{{"target", "deviceAndAppManagementAssignmentTarget"}}}
	if k.intent {
		t.properties = append(t.properties, property{"intent", "installIntent"}, property{"settings", "mobileAppAssignmentSettings"})
	}
	return t
}
