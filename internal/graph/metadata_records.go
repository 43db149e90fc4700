package graph

import (
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// policyTypes are settings catalog policies and what settings there are.
func policyTypes(forms *catalog.Forms) []*odata.Type {
	const prefix = "deviceManagementConfiguration"
	types := []*odata.Type{
		{Name: prefix + "Policy", Base: "entity", Entity: true,
			Properties: policyProperties(forms).Without("id")},
		{Name: prefix + "PolicyTemplateReference", Properties: odata.Properties{
			{"templateId", odata.String}, {"templateFamily",
				"deviceManagementConfigurationTemplateFamily"},
			{"templateDisplayName", odata.String}, {"templateDisplayVersion", odata.String},
		}},
		{Name: "deviceManagementPriorityMetaData",
			Properties: odata.Properties{{"priority", odata.Int32}}},
		{Name: prefix + "Setting", Base: "entity", Entity: true, Properties: odata.Properties{
			{"settingInstance", "deviceManagementConfigurationSettingInstance"},
		}, Relations: odata.Properties{{"settingDefinitions",
			odata.CollectionOf("deviceManagementConfigurationSettingDefinition")}}},
		{Name: prefix + "SettingDefinition", Base: "entity", Entity: true, Abstract: true,
			Properties: odata.Properties{
				{"name", odata.String}, {"displayName", odata.String},
				{"description", odata.String}, {"rootDefinitionId", odata.String},
				{"categoryId", odata.String}, {"helpText", odata.String},
				{"keywords", odata.CollectionOf(odata.String)},
				{"settingUsage", "deviceManagementConfigurationSettingUsage"},
				{"visibility", "deviceManagementConfigurationSettingVisibility"},
				{"applicability", "deviceManagementConfigurationSettingApplicability"},
			}},
		{Name: prefix + "Category", Base: "entity", Entity: true,
			Properties: categoryProperties.Without("id")},
		{Name: prefix + "SettingApplicability", Properties: odata.Properties{
			{"platform", "deviceManagementConfigurationPlatforms"},
			{"deviceMode", "deviceManagementConfigurationDeviceMode"},
			{"technologies", "deviceManagementConfigurationTechnologies"},
		}},
		{Name: prefix + "OptionDefinition", Properties: odata.Properties{
			{"itemId", odata.String}, {"name", odata.String}, {"displayName", odata.String},
			{"optionValue", "deviceManagementConfigurationSettingValue"},
		}},
		{Name: prefix + "SettingValueDefinition", Abstract: true},
	}
	definition := func(form odata.TypeName, p odata.Properties) {
		types = append(types, &odata.Type{Name: prefix + form + "Definition",
			Base: prefix + "SettingDefinition", Entity: true, Properties: p})
	}
	definition("ChoiceSetting", odata.Properties{{"options",
		odata.CollectionOf(prefix + "OptionDefinition")}, {"defaultOptionId", odata.String}})
	definition("SimpleSetting", odata.Properties{{"valueDefinition",
		prefix + "SettingValueDefinition"}})
	definition("SimpleSettingCollection", odata.Properties{{"valueDefinition",
		prefix + "SettingValueDefinition"}})
	definition("SettingGroupCollection", odata.Properties{{"childIds",
		odata.CollectionOf(odata.String)}})
	types = append(types,
		&odata.Type{Name: prefix + "IntegerSettingValueDefinition",
			Base:       prefix + "SettingValueDefinition",
			Properties: odata.AllOf(odata.Int64, "minimumValue", "maximumValue")},
		&odata.Type{Name: prefix + "StringSettingValueDefinition",
			Base: prefix + "SettingValueDefinition",
			Properties: odata.Properties{{"format", prefix + "StringFormat"},
				{"isSecret", odata.Boolean}}})
	return append(types, settingValueTypes()...)
}

// settingValueTypes are the settings of a policy, each with its value.
func settingValueTypes() []*odata.Type {
	const prefix = "deviceManagementConfiguration"
	const reference = prefix + "SettingValueTemplateReference"
	instance := func(form odata.TypeName, name string, value odata.TypeName) *odata.Type {
		return &odata.Type{Name: prefix + form + "Instance", Base: prefix + "SettingInstance",
			Properties: odata.Properties{{name, prefix + value}}}
	}
	return []*odata.Type{
		{Name: prefix + "SettingInstance", Abstract: true,
			Properties: odata.Properties{
				{"settingDefinitionId", odata.String},
				{"settingInstanceTemplateReference",
					"deviceManagementConfigurationSettingInstanceTemplateReference"},
				{"auditRuleInformation", "deviceManagementConfigurationAuditRuleInformation"},
			}},
		{Name: prefix + "SettingInstanceTemplateReference",
			Properties: odata.Texts("settingInstanceTemplateId")},
		{Name: prefix + "AuditRuleInformation",
			Properties: odata.Texts("auditRuleId", "friendlyName")},
		{Name: reference, Properties: odata.Properties{
			{"settingValueTemplateId", odata.String}, {"useTemplateDefault", odata.Boolean},
		}},
		instance("ChoiceSetting", "choiceSettingValue", "ChoiceSettingValue"),
		instance("SimpleSetting", "simpleSettingValue", "SimpleSettingValue"),
		instance("SimpleSettingCollection", "simpleSettingCollectionValue", "SimpleSettingValue[]"),
		instance("GroupSettingCollection", "groupSettingCollectionValue", "GroupSettingValue[]"),
		{Name: prefix + "SettingValue", Abstract: true,
			Properties: odata.Properties{{"settingValueTemplateReference", reference}}},
		{Name: prefix + "SimpleSettingValue", Base: prefix + "SettingValue", Abstract: true},
		{Name: prefix + "ChoiceSettingValue", Base: prefix + "SettingValue",
			Properties: odata.Properties{{"value", odata.String},
				{"children", odata.CollectionOf(prefix + "SettingInstance")}}},
		{Name: prefix + "GroupSettingValue", Base: prefix + "SettingValue",
			Properties: odata.Properties{{"children",
				odata.CollectionOf(prefix + "SettingInstance")}}},
		{Name: prefix + "StringSettingValue", Base: prefix + "SimpleSettingValue",
			Properties: odata.Texts("value")},
		{Name: prefix + "IntegerSettingValue", Base: prefix + "SimpleSettingValue",
			Properties: odata.Properties{{"value", odata.Int64}}},
		{Name: prefix + "SecretSettingValue", Base: prefix + "SimpleSettingValue",
			Properties: odata.Properties{{"value", odata.String},
				{"valueState", prefix + "SecretSettingValueState"}}},
	}
}

// accessTypes are roles and who has them.
func accessTypes() []*odata.Type {
	return []*odata.Type{
		{Name: "roleDefinition", Base: "entity", Entity: true,
			Properties: definitionProperties.Without("id")},
		{Name: definitionType, Base: "roleDefinition", Entity: true},
		{Name: "rolePermission", Properties: odata.Properties{
			{"actions", odata.CollectionOf(odata.String)},
			{"resourceActions", odata.CollectionOf("resourceAction")},
		}},
		{Name: "resourceAction", Properties: odata.AllOf(odata.CollectionOf(odata.String),
			"allowedResourceActions", "notAllowedResourceActions")},
		{Name: "roleAssignment", Base: "entity", Entity: true,
			Properties: assignmentProperties.Without("id", "members"),
			Relations:  odata.Properties{{"roleDefinition", "roleDefinition"}}},
		{Name: assignmentType, Base: "roleAssignment", Entity: true,
			Properties: odata.Properties{{"members", odata.CollectionOf(odata.String)}}},
		{Name: scopeTagType, Base: "entity", Entity: true,
			Properties: scopeTagProperties.Without("id")},
		{Name: autoAssignmentType, Base: "entity", Entity: true},
		{Name: "resourceOperation", Base: "entity", Entity: true,
			Properties: operationProperties.Without("id")},
	}
}

// recordTypes are the record of what was done, and who is told of it.
func recordTypes() []*odata.Type {
	return []*odata.Type{
		{Name: "auditEvent", Base: "entity", Entity: true,
			Properties: auditEventProperties.Without("id")},
		{Name: "auditActor", Properties: odata.Properties{
			{"type", odata.String}, {"userPermissions", odata.CollectionOf(odata.String)},
			{"applicationId", odata.String},
			{"applicationDisplayName", odata.String}, {"userPrincipalName", odata.String},
			{"servicePrincipalName", odata.String},
			{"ipAddress", odata.String}, {"userId", odata.String}, {"remoteTenantId", odata.String},
			{"remoteUserId", odata.String},
			{"userRoleScopeTags", odata.CollectionOf("roleScopeTagInfo")},
		}},
		{Name: "roleScopeTagInfo", Properties: odata.Texts("displayName", "roleScopeTagId")},
		{Name: "auditResource", Properties: odata.Properties{
			{"displayName", odata.String}, {"modifiedProperties",
				odata.CollectionOf("auditProperty")}, {"type", odata.String},
			{"auditResourceType", odata.String}, {"resourceId", odata.String},
		}},
		{Name: "auditProperty", Properties: odata.Texts("displayName", "oldValue", "newValue")},
		{Name: "remoteActionAudit", Base: "entity", Entity: true,
			Properties: remoteActionAuditProperties.Without("id")},
		{Name: "applePushNotificationCertificate", Base: "entity", Entity: true,
			Properties: pushCertificateProperties.Without("id")},
		{Name: subscriptionType, Base: "entity", Entity: true,
			Properties: subscriptionProperties.Without("id")},
		{Name: odata.OwnNamespace + "subscriptionDetails", Properties: odata.Properties{
			{"signingSecret", odata.String}, {"delivery", odata.OwnNamespace + "delivery"},
		}},
		{Name: odata.OwnNamespace + "delivery", Properties: odata.Properties{
			{"state", odata.String}, {"lastDeliveryDateTime", odata.DateTime},
			{"failingSinceDateTime", odata.DateTime},
			{"lastError", odata.String}, {"pending", odata.Boolean},
			{"nextTryDateTime", odata.DateTime},
		}},
	}
}
