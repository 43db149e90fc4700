package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
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
		{name: ownNamespace + "payloadError", properties: properties{{"code", edmInt64}, {"source", edmString}, {"detail", edmString},
			{"meaning", edmString}, {"advice", edmString}}},
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

// catalogTypes are policies and apps, their assignments, and groups.
func catalogTypes(forms *catalog.Forms) []*schemaType {
	types := []*schemaType{
		{name: "mobileLobApp", base: "mobileApp", entity: true, abstract: true},
		{name: "mobileAppAssignmentSettings", abstract: true},
		{name: "deviceAndAppManagementAssignmentTarget", abstract: true},
		{name: "group", base: "directoryObject", entity: true, properties: groupProperties.without("id")},
	}
	for _, to := range targets {
		types = append(types, targetType(to))
	}
	for _, k := range kinds {
		types = append(types, kindTypes(k, forms)...)
	}
	return append(types, assignmentSchema(policies))
}

// formTypes are the complex types and enumerations of the properties of forms, each once. Those of settings catalog
// policies are Graph's own, and have tables of their own.
func formTypes(forms *catalog.Forms) (types []*schemaType, enums []*schemaEnum) {
	seen := make(map[string]bool)
	var add func(list []catalog.Property)
	add = func(list []catalog.Property) {
		for _, p := range list {
			if p.Type.Parts == nil && p.Type.Members == nil || seen[p.Type.Name] {
				continue
			}
			seen[p.Type.Name] = true
			if p.Type.Members != nil {
				enums = append(enums, sequence(typeName(p.Type.Name), p.Type.Members...))
				continue
			}
			types = append(types, &schemaType{name: typeName(p.Type.Name), properties: formProperties(p.Type.Parts)})
			add(p.Type.Parts)
		}
	}
	for _, c := range catalog.Collections() {
		add(c.Properties)
	}
	for _, form := range forms.All() {
		add(form.Properties)
	}
	return types, enums
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
func kindTypes(k *payloadKind, forms *catalog.Forms) []*schemaType {
	base := &schemaType{name: k.odataType(), base: "entity", entity: true, abstract: true, properties: k.shared(forms).without("id")}
	types := []*schemaType{assignmentSchema(k), base}
	for _, form := range forms.In(k.of) {
		t := &schemaType{name: typeName(form.Type), base: base.name, entity: true}
		if form.Base != "" {
			t.base = typeName(form.Base)
		}
		t.properties = writable(form).without(base.properties.names()...)
		types = append(types, t)
	}
	return types
}

// shared are the properties that all types of a collection have, or that are declared where all types have them.
func (k *payloadKind) shared(forms *catalog.Forms) properties {
	all := append(k.readOnly(), append(slices.Clone(everyProperties), formProperties(k.of.Properties)...)...)
	for _, form := range forms.In(k.of) {
		for _, p := range form.Properties {
			if p.Shared && !slices.Contains(all.names(), p.Name) {
				all = append(all, property{p.Name, formType(p.Type)})
			}
		}
	}
	return all
}

func assignmentSchema(k *payloadKind) *schemaType {
	t := &schemaType{name: k.assignment(), base: "entity", entity: true, properties: properties{{"target", "deviceAndAppManagementAssignmentTarget"}}}
	if k.of.Intent {
		t.properties = append(t.properties, property{"intent", "installIntent"}, property{"settings", "mobileAppAssignmentSettings"})
	}
	return t
}
