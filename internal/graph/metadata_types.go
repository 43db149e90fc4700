package graph

import (
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// The types of $metadata, made of the tables by which the surface is served: those have the names
// of properties, and what is no text has its type here (Microsoft Graph beta reference, each under
// its name).

// deviceTypes are managed devices and the results of actions on them.
func deviceTypes() []*odata.Type {
	types := []*odata.Type{
		{Name: "entity", Entity: true, Abstract: true, Key: "id", Properties: odata.Texts("id")},
		{Name: "directoryObject", Base: "entity", Entity: true, Abstract: true, Referenced: true},
		{Name: "deviceManagement", Base: "entity", Entity: true},
		{Name: "deviceAppManagement", Base: "entity", Entity: true},
		{Name: "managedDevice", Base: "entity", Entity: true,
			Properties: managedDeviceProperties().Without("id"), Relations: deviceRelations},
		{Name: "deviceActionResult", Properties: odata.Properties{
			{"actionName", odata.String}, {"actionState", "actionState"},
			{"startDateTime", odata.DateTime},
			{"lastUpdatedDateTime", odata.DateTime},
		}},
		{Name: "device", Base: "directoryObject", Entity: true,
			Properties: odata.Texts("deviceId", "displayName", "operatingSystem",
				"operatingSystemVersion")},
	}
	types = append(types, stateTypes()...)
	for _, w := range []*wording{syncPayloads, changeAssignments} {
		item := odata.TypeName(strings.TrimPrefix(w.itemType, odata.GraphNamespace))
		types = append(types,
			&odata.Type{Name: odata.TypeName(strings.TrimPrefix(w.resultType,
				"#"+odata.GraphNamespace)), Base: "deviceActionResult",
				Properties: odata.Properties{{w.collection, odata.CollectionOf(item)}}},
			&odata.Type{Name: item, Properties: append(odata.Properties{{w.id, odata.String},
				{w.kind, w.kindType}, {w.intent, w.intentType}}, w.readOnly...)})
	}
	return types
}

// stateTypes are how payloads stand on a device.
func stateTypes() []*odata.Type {
	const standing = odata.OwnNamespace + "payloadStanding"
	types := []*odata.Type{
		{Name: "user", Base: "directoryObject", Entity: true},
		{Name: "organization", Base: "directoryObject", Entity: true},
		{Name: "mobileAppCategory", Base: "entity", Entity: true},
		{Name: "mobileAppRelationship", Base: "entity", Entity: true},
		{Name: "deviceAndAppManagementAssignmentFilter", Base: "entity", Entity: true},
		{Name: "deviceCategory", Base: "entity", Entity: true},
		{Name: "detectedApp", Base: "entity", Entity: true},
		{Name: appStateType, Base: "entity", Entity: true,
			Properties: appStateProperties.Without("id")},
		{Name: "mobileAppIntentAndStateDetail", Properties: appDetailProperties},
		{Name: "mobileAppSupportedDeviceType", Properties: odata.Properties{
			{"type", "deviceType"}, {"minimumOperatingSystemVersion", odata.String},
			{"maximumOperatingSystemVersion", odata.String},
		}},
		{Name: standing, Properties: odata.Properties{
			{"assigned", odata.Boolean}, {"removed", odata.Boolean},
			{"removedDateTime", odata.DateTime}, {"removedBy", odata.String},
			{"restoreDateTime", odata.DateTime}, {"presence", odata.String}, {"work", odata.String},
			{"error", odata.OwnNamespace + "payloadError"},
		}},
		{Name: odata.OwnNamespace + "payloadError",
			Properties: odata.Properties{{"code", odata.Int64}, {"source", odata.String},
				{"detail", odata.String},
				{"meaning", odata.String}, {"advice", odata.String}}},
	}
	for _, k := range stateKinds {
		setting := odata.TypeName(strings.TrimSuffix(string(k.odataType), "State") + "SettingState")
		types = append(types,
			&odata.Type{Name: k.odataType, Base: "entity", Entity: true,
				Properties: stateProperties.Without("id").With("settingStates",
					odata.CollectionOf(setting))},
			&odata.Type{Name: setting, Properties: odata.Properties{
				{"settingName", odata.String}, {"state", "complianceStatus"},
				{"errorCode", odata.Int64},
				{"errorDescription", odata.String},
			}})
	}
	return types
}

// catalogTypes are policies and apps, their assignments, and groups.
func catalogTypes(forms *catalog.Forms) []*odata.Type {
	types := []*odata.Type{
		{Name: "mobileLobApp", Base: "mobileApp", Entity: true, Abstract: true},
		{Name: targetBase, Abstract: true,
			Properties: odata.Properties{{filterID, odata.String},
				{filterType, "deviceAndAppManagementAssignmentFilterType"}}},
		{Name: "group", Base: "directoryObject", Entity: true,
			Properties: groupProperties.Without("id")},
	}
	types = append(types, settingsSchema()...)
	for _, to := range targets {
		types = append(types, targetType(to))
	}
	for _, k := range kinds {
		types = append(types, kindTypes(k, forms)...)
	}
	return append(types, assignmentSchema(policies))
}

// formTypes are the complex types and enumerations of the properties of forms, each once. Those of
// settings catalog policies are Graph's own, and have tables of their own.
func formTypes(forms *catalog.Forms) (types []*odata.Type, enums []*odata.Enum) {
	seen := make(map[string]bool)
	var add func(list []catalog.Property)
	add = func(list []catalog.Property) {
		for _, p := range list {
			if p.Type.Parts == nil && p.Type.Members == nil || seen[p.Type.Name] {
				continue
			}
			seen[p.Type.Name] = true
			if p.Type.Members != nil {
				enums = append(enums, odata.Sequence(odata.TypeName(p.Type.Name),
					p.Type.Members...))
				continue
			}
			types = append(types, &odata.Type{Name: odata.TypeName(p.Type.Name),
				Properties: formProperties(p.Type.Parts)})
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

func targetType(to target) *odata.Type {
	t := &odata.Type{Name: odata.TypeName(strings.TrimPrefix(to.odataType, odata.GraphNamespace)),
		Base: targetBase}
	switch {
	case t.Name == "exclusionGroupAssignmentTarget":
		t.Base = "groupAssignmentTarget"
	case to.property != "":
		t.Properties = odata.Texts(to.property)
	}
	return t
}

// kindTypes are the types of a collection: the one that all derive from has what all have.
func kindTypes(k *payloadKind, forms *catalog.Forms) []*odata.Type {
	base := &odata.Type{Name: k.odataType(), Base: "entity", Entity: true, Abstract: true,
		Properties: k.shared(forms).Without("id")}
	types := []*odata.Type{assignmentSchema(k), base}
	for _, form := range forms.In(k.of) {
		t := &odata.Type{Name: odata.TypeName(form.Type), Base: base.Name, Entity: true}
		if form.Base != "" {
			t.Base = odata.TypeName(form.Base)
		}
		t.Properties = writable(form).Without(base.Properties.Names()...)
		types = append(types, t)
	}
	return types
}

// shared are the properties that all types of a collection have, or that are declared where all
// types have them.
func (k *payloadKind) shared(forms *catalog.Forms) odata.Properties {
	all := append(k.served(), formProperties(k.of.Properties)...)
	for _, form := range forms.In(k.of) {
		for _, p := range form.Properties {
			if p.Shared && !slices.Contains(all.Names(), p.Name) {
				all = append(all, odata.Property{p.Name, formType(p.Type)})
			}
		}
	}
	return all
}

func assignmentSchema(k *payloadKind) *odata.Type {
	t := &odata.Type{Name: k.assignment(), Base: "entity", Entity: true,
		Properties: odata.Properties{{"target", "deviceAndAppManagementAssignmentTarget"}}}
	if k.hasOfAssignments("source") {
		t.Properties = append(t.Properties,
			odata.Property{"source", "deviceAndAppManagementAssignmentSource"},
			odata.Property{"sourceId", odata.String})
	}
	switch {
	case k.of.Intent:
		t.Properties = append(t.Properties, odata.Property{"intent", "installIntent"},
			odata.Property{"settings", "mobileAppAssignmentSettings"})
	case k.hasOfAssignments("intent"):
		t.Properties = append(t.Properties,
			odata.Property{"intent", "deviceConfigAssignmentIntent"})
	}
	return t
}
