package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// The types of $metadata, made of the tables by which the surface is served: those have the names of properties, and what
// is no text has its type here (Microsoft Graph beta reference, each under its name).

// deviceTypes are managed devices and the results of actions on them.
func deviceTypes() []*odata.Type {
	types := []*odata.Type{
		{Name: "entity", Entity: true, Abstract: true, Key: "id", Properties: odata.Texts("id")},
		{Name: "directoryObject", Base: "entity", Entity: true, Abstract: true, Referenced: true},
		{Name: "deviceManagement", Base: "entity", Entity: true},
		{Name: "deviceAppManagement", Base: "entity", Entity: true},
		{Name: "managedDevice", Base: "entity", Entity: true, Properties: managedDeviceProperties().Without("id")},
		{Name: "deviceActionResult", Properties: odata.Properties{
			{"actionName", odata.String}, {"actionState", "actionState"}, {"startDateTime", odata.DateTime},
			{"lastUpdatedDateTime", odata.DateTime},
		}},
		{Name: "device", Base: "directoryObject", Entity: true,
			Properties: odata.Texts("deviceId", "displayName", "operatingSystem", "operatingSystemVersion")},
	}
	types = append(types, stateTypes()...)
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		item := odata.TypeName(strings.TrimPrefix(w.itemType, odata.GraphNamespace))
		types = append(types,
			&odata.Type{Name: odata.TypeName(strings.TrimPrefix(w.resultType, "#"+odata.GraphNamespace)), Base: "deviceActionResult",
				Properties: odata.Properties{{w.collection, odata.CollectionOf(item)}}},
			&odata.Type{Name: item, Properties: append(odata.Properties{{w.id, odata.String}, {w.kind, w.kindType}, {w.intent, w.intentType}}, w.readOnly...)})
	}
	return types
}

// stateTypes are how payloads stand on a device.
func stateTypes() []*odata.Type {
	const standing = odata.OwnNamespace + "payloadStanding"
	types := []*odata.Type{
		{Name: "user", Base: "directoryObject", Entity: true},
		{Name: appStateType, Base: "entity", Entity: true, Properties: appStateProperties.Without("id")},
		{Name: "mobileAppIntentAndStateDetail", Properties: appDetailProperties},
		{Name: "mobileAppSupportedDeviceType", Properties: odata.Properties{
			{"type", "deviceType"}, {"minimumOperatingSystemVersion", odata.String},
			{"maximumOperatingSystemVersion", odata.String},
		}},
		{Name: standing, Properties: odata.Properties{
			{"assigned", odata.Boolean}, {"removed", odata.Boolean}, {"removedDateTime", odata.DateTime}, {"removedBy", odata.String},
			{"restoreDateTime", odata.DateTime}, {"presence", odata.String}, {"work", odata.String},
			{"error", odata.OwnNamespace + "payloadError"},
		}},
		{Name: odata.OwnNamespace + "payloadError", Properties: odata.Properties{{"code", odata.Int64}, {"detail", odata.String}}},
	}
	for _, k := range stateKinds {
		setting := odata.TypeName(strings.TrimSuffix(string(k.odataType), "State") + "SettingState")
		types = append(types,
			&odata.Type{Name: k.odataType, Base: "entity", Entity: true, Properties: stateProperties.Without("id").With("settingStates", odata.CollectionOf(setting))},
			&odata.Type{Name: setting, Properties: odata.Properties{
				{"settingName", odata.String}, {"state", "complianceStatus"}, {"errorCode", odata.Int64},
				{"errorDescription", odata.String},
			}})
	}
	return types
}

// payloadPropertyTypes are the types of the properties of payloads that are no text.
var payloadPropertyTypes = map[string]odata.TypeName{
	"createdDateTime": odata.DateTime, "lastModifiedDateTime": odata.DateTime, "version": odata.Int32,
	tagProperty: odata.CollectionOf(odata.String), filePropertyContent: odata.Binary,
	"deploymentChannel": "appleDeploymentChannel", "largeIcon": "mimeContent", "isFeatured": odata.Boolean,
	"applicableDeviceType": "iosDeviceType", "licensingType": "vppLicensingType", "releaseDateTime": odata.DateTime,
	"uninstallOnDeviceRemoval": odata.Boolean, "includedApps": odata.CollectionOf("macOSIncludedApp"),
	"targetedMobileApps": odata.CollectionOf(odata.String), "encodedSettingXml": odata.Binary,
	"settings": odata.CollectionOf("appConfigurationSettingItem"),
}

// payloadProperties are properties of payloads with their types.
func payloadProperties(names []string) odata.Properties {
	all := make(odata.Properties, len(names))
	for i, name := range names {
		all[i] = odata.Property{name, cmp.Or(payloadPropertyTypes[name], odata.String)}
	}
	return all
}

// lobApps derive from mobileLobApp in Graph.
var lobApps = []odata.TypeName{"iosLobApp", "macOSPkgApp"}

// catalogTypes are policies and apps, their assignments, and groups.
func catalogTypes() []*odata.Type {
	types := []*odata.Type{
		{Name: "mobileLobApp", Base: "mobileApp", Entity: true, Abstract: true},
		{Name: "mimeContent", Properties: odata.Properties{{"type", odata.String}, {"value", odata.Binary}}},
		{Name: "iosDeviceType", Properties: odata.AllOf(odata.Boolean, "iPad", "iPhoneAndIPod")},
		{Name: "vppLicensingType", Properties: odata.AllOf(odata.Boolean, "supportsDeviceLicensing", "supportsUserLicensing", "supportUserLicensing", "supportDeviceLicensing")},
		allBoolean("iosMinimumOperatingSystem", "v8_0 v9_0 v10_0 v11_0 v12_0 v13_0 v14_0 v15_0 v16_0 v17_0 v18_0"),
		allBoolean("macOSMinimumOperatingSystem", `v10_7 v10_8 v10_9 v10_10 v10_11 v10_12 v10_13 v10_14 v10_15 v11_0 v12_0 v13_0 v14_0 v15_0`),
		{Name: "macOSIncludedApp", Properties: odata.Texts("bundleId", "bundleVersion")},
		{Name: "appConfigurationSettingItem", Properties: odata.Properties{
			{"appConfigKey", odata.String}, {"appConfigKeyType", "mdmAppConfigKeyType"}, {"appConfigKeyValue", odata.String},
		}},
		{Name: "mobileAppAssignmentSettings", Abstract: true},
		{Name: "deviceAndAppManagementAssignmentTarget", Abstract: true},
		{Name: "group", Base: "directoryObject", Entity: true, Properties: groupProperties.Without("id")},
	}
	for _, to := range targets {
		types = append(types, targetType(to))
	}
	for _, k := range kinds {
		types = append(types, kindTypes(k)...)
	}
	return append(types, assignmentSchema(policies))
}

func allBoolean(name odata.TypeName, properties string) *odata.Type {
	return &odata.Type{Name: name, Properties: odata.AllOf(odata.Boolean, strings.Fields(properties)...)}
}

func targetType(to target) *odata.Type {
	t := &odata.Type{Name: odata.TypeName(strings.TrimPrefix(to.odataType, odata.GraphNamespace)), Base: "deviceAndAppManagementAssignmentTarget"}
	switch {
	case t.Name == "exclusionGroupAssignmentTarget":
		t.Base = "groupAssignmentTarget"
	case to.property != "":
		t.Properties = odata.Texts(to.property)
	}
	return t
}

// kindTypes are the types of a collection: the one that all derive from has what all have.
func kindTypes(k *payloadKind) []*odata.Type {
	base := &odata.Type{Name: k.odataType, Base: "entity", Entity: true, Abstract: true, Properties: payloadProperties(k.shared()).Without("id")}
	types := []*odata.Type{assignmentSchema(k), base}
	for i := range k.types {
		t := &odata.Type{Name: odata.TypeName(k.types[i].name), Base: base.Name, Entity: true}
		if slices.Contains(lobApps, t.Name) {
			t.Base = "mobileLobApp"
		}
		own := append(slices.Clone(readOnlyProperties), k.writable(&k.types[i])...)
		t.Properties = payloadProperties(own).Without(append(k.shared(), "version")...)
		if slices.Contains(own, minimumSystem) {
			t.Properties = t.Properties.With(minimumSystem, minimumSystemType(t.Name))
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

func minimumSystemType(app odata.TypeName) odata.TypeName {
	if strings.HasPrefix(string(app), "macOS") {
		return "macOSMinimumOperatingSystem"
	}
	return "iosMinimumOperatingSystem"
}

func assignmentSchema(k *payloadKind) *odata.Type {
	t := &odata.Type{Name: k.assignment(), Base: "entity", Entity: true, Properties: odata.Properties{{"target", "deviceAndAppManagementAssignmentTarget"}}}
	if k.intent {
		t.Properties = append(t.Properties, odata.Property{"intent", "installIntent"}, odata.Property{"settings", "mobileAppAssignmentSettings"})
	}
	return t
}
