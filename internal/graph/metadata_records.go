package graph

// policyTypes are settings catalog policies and what settings there are.
func policyTypes() []*schemaType {
	const prefix = "deviceManagementConfiguration"
	types := []*schemaType{
		{name: prefix + "Policy", base: "entity", entity: true, properties: policyProperties.without("id")},
		{name: prefix + "PolicyTemplateReference", properties: properties{
			{"templateId", edmString}, {"templateFamily", "deviceManagementConfigurationTemplateFamily"},
			{"templateDisplayName", edmString}, {"templateDisplayVersion", edmString},
		}},
		{name: "deviceManagementPriorityMetaData", properties: properties{{"priority", edmInt32}}},
		{name: prefix + "Setting", base: "entity", entity: true, properties: properties{
			{"settingInstance", "deviceManagementConfigurationSettingInstance"},
		}, relations: properties{{"settingDefinitions", collectionOf("deviceManagementConfigurationSettingDefinition")}}},
		{name: prefix + "SettingDefinition", base: "entity", entity: true, abstract: true,
			properties: properties{
				{"name", edmString}, {"displayName", edmString}, {"description", edmString}, {"rootDefinitionId", edmString},
				{"applicability", "deviceManagementConfigurationSettingApplicability"},
			}},
		{name: prefix + "SettingApplicability", properties: properties{
			{"platform", "deviceManagementConfigurationPlatforms"},
			{"deviceMode", "deviceManagementConfigurationDeviceMode"},
			{"technologies", "deviceManagementConfigurationTechnologies"},
		}},
		{name: prefix + "OptionDefinition", properties: properties{
			{"itemId", edmString}, {"name", edmString}, {"displayName", edmString},
			{"optionValue", "deviceManagementConfigurationSettingValue"},
		}},
		{name: prefix + "SettingValueDefinition", abstract: true},
	}
	definition := func(form typeName, p properties) {
		types = append(types, &schemaType{name: prefix + form + "Definition", base: prefix + "SettingDefinition", entity: true, properties: p})
	}
	definition("ChoiceSetting", properties{{"options", collectionOf(prefix + "OptionDefinition")}, {"defaultOptionId", edmString}})
	definition("SimpleSetting", properties{{"valueDefinition", prefix + "SettingValueDefinition"}})
	definition("SimpleSettingCollection", properties{{"valueDefinition", prefix + "SettingValueDefinition"}})
	definition("SettingGroupCollection", properties{{"childIds", collectionOf(edmString)}})
	types = append(types,
		&schemaType{name: prefix + "IntegerSettingValueDefinition", base: prefix + "SettingValueDefinition",
			properties: allOf(edmInt64, "minimumValue", "maximumValue")},
		&schemaType{name: prefix + "StringSettingValueDefinition", base: prefix + "SettingValueDefinition",
			properties: properties{{"format", prefix + "StringFormat"}, {"isSecret", edmBoolean}}})
	return append(types, settingValueTypes()...)
}

// settingValueTypes are the settings of a policy, each with its value.
func settingValueTypes() []*schemaType {
	const prefix = "deviceManagementConfiguration"
	const reference = prefix + "SettingValueTemplateReference"
	instance := func(form typeName, name string, value typeName) *schemaType {
		return &schemaType{name: prefix + form + "Instance", base: prefix + "SettingInstance", properties: properties{{name, prefix + value}}}
	}
	return []*schemaType{
		{name: prefix + "SettingInstance", abstract: true,
			properties: properties{
				{"settingDefinitionId", edmString},
				{"settingInstanceTemplateReference", "deviceManagementConfigurationSettingInstanceTemplateReference"},
				{"auditRuleInformation", "deviceManagementConfigurationAuditRuleInformation"},
			}},
		{name: prefix + "SettingInstanceTemplateReference", properties: texts("settingInstanceTemplateId")},
		{name: prefix + "AuditRuleInformation", properties: texts("auditRuleId", "friendlyName")},
		{name: reference, properties: properties{
			{"settingValueTemplateId", edmString}, {"useTemplateDefault", edmBoolean},
		}},
		instance("ChoiceSetting", "choiceSettingValue", "ChoiceSettingValue"),
		instance("SimpleSetting", "simpleSettingValue", "SimpleSettingValue"),
		instance("SimpleSettingCollection", "simpleSettingCollectionValue", "SimpleSettingValue[]"),
		instance("GroupSettingCollection", "groupSettingCollectionValue", "GroupSettingValue[]"),
		{name: prefix + "SettingValue", abstract: true, properties: properties{{"settingValueTemplateReference", reference}}},
		{name: prefix + "SimpleSettingValue", base: prefix + "SettingValue", abstract: true},
		{name: prefix + "ChoiceSettingValue", base: prefix + "SettingValue", properties: properties{{"value", edmString}, {"children", collectionOf(prefix + "SettingInstance")}}},
		{name: prefix + "GroupSettingValue", base: prefix + "SettingValue", properties: properties{{"children", collectionOf(prefix + "SettingInstance")}}},
		{name: prefix + "StringSettingValue", base: prefix + "SimpleSettingValue", properties: texts("value")},
		{name: prefix + "IntegerSettingValue", base: prefix + "SimpleSettingValue", properties: properties{{"value", edmInt64}}},
		{name: prefix + "SecretSettingValue", base: prefix + "SimpleSettingValue", properties: properties{{"value", edmString}, {"valueState", prefix + "SecretSettingValueState"}}},
	}
}

// accessTypes are roles and who has them.
func accessTypes() []*schemaType {
	return []*schemaType{
		{name: "roleDefinition", base: "entity", entity: true, properties: definitionProperties.without("id")},
		{name: definitionType, base: "roleDefinition", entity: true},
		{name: "rolePermission", properties: properties{
			{"actions", collectionOf(edmString)}, {"resourceActions", collectionOf("resourceAction")},
		}},
		{name: "resourceAction", properties: allOf(collectionOf(edmString), "allowedResourceActions", "notAllowedResourceActions")},
		{name: "roleAssignment", base: "entity", entity: true, properties: assignmentProperties.without("id", "members"), relations: properties{{"roleDefinition", "roleDefinition"}}},
		{name: assignmentType, base: "roleAssignment", entity: true, properties: properties{{"members", collectionOf(edmString)}}},
		{name: scopeTagType, base: "entity", entity: true, properties: scopeTagProperties.without("id")},
		{name: "resourceOperation", base: "entity", entity: true, properties: operationProperties.without("id")},
	}
}

// recordTypes are the record of what was done, and who is told of it.
func recordTypes() []*schemaType {
	return []*schemaType{
		{name: "auditEvent", base: "entity", entity: true, properties: auditEventProperties.without("id")},
		{name: "auditActor", properties: properties{
			{"type", edmString}, {"userPermissions", collectionOf(edmString)}, {"applicationId", edmString},
			{"applicationDisplayName", edmString}, {"userPrincipalName", edmString}, {"servicePrincipalName", edmString},
			{"ipAddress", edmString}, {"userId", edmString}, {"remoteTenantId", edmString}, {"remoteUserId", edmString},
			{"userRoleScopeTags", collectionOf("roleScopeTagInfo")},
		}},
		{name: "roleScopeTagInfo", properties: texts("displayName", "roleScopeTagId")},
		{name: "auditResource", properties: properties{
			{"displayName", edmString}, {"modifiedProperties", collectionOf("auditProperty")}, {"type", edmString},
			{"auditResourceType", edmString}, {"resourceId", edmString},
		}},
		{name: "auditProperty", properties: texts("displayName", "oldValue", "newValue")},
		{name: "remoteActionAudit", base: "entity", entity: true, properties: remoteActionAuditProperties.without("id")},
		{name: "applePushNotificationCertificate", base: "entity", entity: true, properties: pushCertificateProperties.without("id")},
		{name: subscriptionType, base: "entity", entity: true, properties: subscriptionProperties.without("id")},
		{name: ownNamespace + "subscriptionDetails", properties: properties{
			{"signingSecret", edmString}, {"delivery", ownNamespace + "delivery"},
		}},
		{name: ownNamespace + "delivery", properties: properties{
			{"state", edmString}, {"lastDeliveryDateTime", edmDateTime}, {"failingSinceDateTime", edmDateTime},
			{"lastError", edmString}, {"pending", edmBoolean}, {"nextTryDateTime", edmDateTime},
		}},
	}
}
