package graph

import "strings"

// policyTypes are settings catalog policies and what settings there are.
func policyTypes() []*schemaType {
	const prefix = "deviceManagementConfiguration"
	types := []*schemaType{
		{name: prefix + "Policy", base: "entity", entity: true, properties: without(policyProperties, "id"),
			types: `platforms:deviceManagementConfigurationPlatforms technologies:deviceManagementConfigurationTechnologies
				templateReference:deviceManagementConfigurationPolicyTemplateReference settingCount:Int32 isAssigned:Boolean
				priorityMetaData:deviceManagementPriorityMetaData createdDateTime:DateTimeOffset lastModifiedDateTime:DateTimeOffset
				roleScopeTagIds:String[]`},
		{name: prefix + "PolicyTemplateReference", properties: strings.Fields("templateId templateFamily templateDisplayName templateDisplayVersion"),
			types: "templateFamily:deviceManagementConfigurationTemplateFamily"},
		{name: "deviceManagementPriorityMetaData", properties: []string{"priority"}, types: "priority:Int32"},
		{name: prefix + "Setting", base: "entity", entity: true, properties: []string{"settingInstance"},
			types:     "settingInstance:deviceManagementConfigurationSettingInstance",
			relations: "settingDefinitions:deviceManagementConfigurationSettingDefinition[]"},
		{name: prefix + "SettingDefinition", base: "entity", entity: true, abstract: true,
			properties: strings.Fields("name displayName description rootDefinitionId applicability"),
			types:      "applicability:deviceManagementConfigurationSettingApplicability"},
		{name: prefix + "SettingApplicability", properties: strings.Fields("platform deviceMode technologies"),
			types: `platform:deviceManagementConfigurationPlatforms deviceMode:deviceManagementConfigurationDeviceMode
				technologies:deviceManagementConfigurationTechnologies`},
		{name: prefix + "OptionDefinition", properties: strings.Fields("itemId name displayName optionValue"),
			types: "optionValue:deviceManagementConfigurationSettingValue"},
		{name: prefix + "SettingValueDefinition", abstract: true},
	}
	definition := func(form, properties, propertyTypes string) {
		types = append(types, &schemaType{name: prefix + form + "Definition", base: prefix + "SettingDefinition", entity: true,
			properties: strings.Fields(properties), types: propertyTypes})
	}
	definition("ChoiceSetting", "options defaultOptionId", "options:deviceManagementConfigurationOptionDefinition[]")
	definition("SimpleSetting", "valueDefinition", "valueDefinition:deviceManagementConfigurationSettingValueDefinition")
	definition("SimpleSettingCollection", "valueDefinition", "valueDefinition:deviceManagementConfigurationSettingValueDefinition")
	definition("SettingGroupCollection", "childIds", "childIds:String[]")
	derived := func(name, base, properties, propertyTypes string) {
		types = append(types, &schemaType{name: prefix + name, base: prefix + base, abstract: properties == "",
			properties: strings.Fields(properties), types: propertyTypes})
	}
	derived("IntegerSettingValueDefinition", "SettingValueDefinition", "minimumValue maximumValue", "minimumValue:Int64 maximumValue:Int64")
	derived("StringSettingValueDefinition", "SettingValueDefinition", "format isSecret",
		"format:deviceManagementConfigurationStringFormat isSecret:Boolean")
	return append(types, settingValueTypes(prefix)...)
}

// settingValueTypes are the settings of a policy, each with its value.
func settingValueTypes(prefix string) []*schemaType {
	reference := prefix + "SettingValueTemplateReference"
	instance := func(form, property, value string) *schemaType {
		return &schemaType{name: prefix + form + "Instance", base: prefix + "SettingInstance", properties: []string{property},
			types: property + ":" + prefix + value}
	}
	return []*schemaType{
		{name: prefix + "SettingInstance", abstract: true,
			properties: strings.Fields("settingDefinitionId settingInstanceTemplateReference auditRuleInformation"),
			types: `settingInstanceTemplateReference:deviceManagementConfigurationSettingInstanceTemplateReference
				auditRuleInformation:deviceManagementConfigurationAuditRuleInformation`},
		{name: prefix + "SettingInstanceTemplateReference", properties: []string{"settingInstanceTemplateId"}},
		{name: prefix + "AuditRuleInformation", properties: []string{"auditRuleId", "friendlyName"}},
		{name: reference, properties: []string{"settingValueTemplateId", "useTemplateDefault"}, types: "useTemplateDefault:Boolean"},
		instance("ChoiceSetting", "choiceSettingValue", "ChoiceSettingValue"),
		instance("SimpleSetting", "simpleSettingValue", "SimpleSettingValue"),
		instance("SimpleSettingCollection", "simpleSettingCollectionValue", "SimpleSettingValue[]"),
		instance("GroupSettingCollection", "groupSettingCollectionValue", "GroupSettingValue[]"),
		{name: prefix + "SettingValue", abstract: true, properties: []string{"settingValueTemplateReference"},
			types: "settingValueTemplateReference:" + reference},
		{name: prefix + "SimpleSettingValue", base: prefix + "SettingValue", abstract: true},
		{name: prefix + "ChoiceSettingValue", base: prefix + "SettingValue", properties: []string{"value", "children"},
			types: "children:" + prefix + "SettingInstance[]"},
		{name: prefix + "GroupSettingValue", base: prefix + "SettingValue", properties: []string{"children"},
			types: "children:" + prefix + "SettingInstance[]"},
		{name: prefix + "StringSettingValue", base: prefix + "SimpleSettingValue", properties: []string{"value"}},
		{name: prefix + "IntegerSettingValue", base: prefix + "SimpleSettingValue", properties: []string{"value"}, types: "value:Int64"},
		{name: prefix + "SecretSettingValue", base: prefix + "SimpleSettingValue", properties: []string{"value", "valueState"},
			types: "valueState:" + prefix + "SecretSettingValueState"},
	}
}

// accessTypes are roles and who has them.
func accessTypes() []*schemaType {
	return []*schemaType{
		{name: "roleDefinition", base: "entity", entity: true, properties: without(definitionProperties, "id"),
			types: `isBuiltIn:Boolean isBuiltInRoleDefinition:Boolean roleScopeTagIds:String[] permissions:rolePermission[]
				rolePermissions:rolePermission[]`},
		{name: definitionType, base: "roleDefinition", entity: true},
		{name: "rolePermission", properties: []string{"actions", "resourceActions"}, types: "actions:String[] resourceActions:resourceAction[]"},
		{name: "resourceAction", properties: []string{"allowedResourceActions", "notAllowedResourceActions"},
			types: "allowedResourceActions:String[] notAllowedResourceActions:String[]"},
		{name: "roleAssignment", base: "entity", entity: true, properties: without(assignmentProperties, "id", "members"),
			types:     "scopeType:roleAssignmentScopeType resourceScopes:String[] scopeMembers:String[] roleScopeTagIds:String[]",
			relations: "roleDefinition:roleDefinition"},
		{name: assignmentType, base: "roleAssignment", entity: true, properties: []string{"members"}, types: "members:String[]"},
		{name: scopeTagType, base: "entity", entity: true, properties: without(scopeTagProperties, "id"), types: "isBuiltIn:Boolean"},
		{name: "resourceOperation", base: "entity", entity: true, properties: without(operationProperties, "id"),
			types: "enabledForScopeValidation:Boolean"},
	}
}

// recordTypes are the record of what was done, and who is told of it.
func recordTypes() []*schemaType {
	return []*schemaType{
		{name: "auditEvent", base: "entity", entity: true, properties: without(auditEventProperties, "id"),
			types: `actor:auditActor activityDateTime:DateTimeOffset resources:auditResource[] sequence:Int64 statusCode:Int32 skippedCount:Int32`},
		{name: "auditActor", properties: strings.Fields(`type userPermissions applicationId applicationDisplayName userPrincipalName
			servicePrincipalName ipAddress userId remoteTenantId remoteUserId userRoleScopeTags`),
			types: "userPermissions:String[] userRoleScopeTags:roleScopeTagInfo[]"},
		{name: "roleScopeTagInfo", properties: []string{"displayName", "roleScopeTagId"}},
		{name: "auditResource", properties: strings.Fields("displayName modifiedProperties type auditResourceType resourceId"),
			types: "modifiedProperties:auditProperty[]"},
		{name: "auditProperty", properties: []string{"displayName", "oldValue", "newValue"}},
		{name: "remoteActionAudit", base: "entity", entity: true, properties: without(remoteActionAuditProperties, "id"),
			types: `action:remoteAction requestDateTime:DateTimeOffset actionState:actionState deviceActionCategory:deviceActionCategory`},
		{name: "applePushNotificationCertificate", base: "entity", entity: true, properties: without(pushCertificateProperties, "id"),
			types: "expirationDateTime:DateTimeOffset"},
		{name: subscriptionType, base: "entity", entity: true, properties: without(subscriptionProperties, "id"),
			types: "expirationDateTime:DateTimeOffset includeResourceData:Boolean syncpayloads:syncpayloads.subscriptionDetails"},
		{name: ownNamespace + "subscriptionDetails", properties: []string{"signingSecret", "delivery"}, types: "delivery:syncpayloads.delivery"},
		{name: ownNamespace + "delivery", properties: strings.Fields("state lastDeliveryDateTime failingSinceDateTime lastError pending nextTryDateTime"),
			types: `lastDeliveryDateTime:DateTimeOffset failingSinceDateTime:DateTimeOffset pending:Boolean nextTryDateTime:DateTimeOffset`},
	}
}
