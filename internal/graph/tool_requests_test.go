package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// toolRequest is a request in the form in which a public tool sends it to Graph, and what has to
// come of it. Paths and bodies name what there is in braces: see newTools.
type toolRequest struct {
	tool, method, path string
	body               string // "": none
	// want is the status, and what the answer has to have in it or, behind !, must not have
	want string
}

// toolRequests are all of them. Whoever knows of another one adds a line.
var toolRequests = append(readingTools, writingTools...)

const (
	manager   = "IntuneManagement"
	intuneCD  = "IntuneCD"
	backup    = "IntuneBackupAndRestore"
	samples   = "powershell-intune-samples"
	terraform = "terraform"
	dsc       = "Microsoft365DSC"
	sdk       = "Graph SDK"
	baseline  = "OpenIntuneBaseline"
)

const (
	mdm  = "/beta/deviceManagement"
	appM = "/beta/deviceAppManagement"
)

var readingTools = []toolRequest{
	// lists as export tools ask for them
	{manager, "GET", mdm + "/deviceConfigurations?$filter=not isof('microsoft.graph.windowsUpdateForBusinessConfiguration') and not isof('microsoft.graph.iosUpdateConfiguration')", "", "200 {profile}"},
	{manager, "GET", mdm + "/deviceConfigurations?$filter=isof('microsoft.graph.windowsUpdateForBusinessConfiguration')", "", "200 !{profile}"},
	{manager, "GET", appM + "/mobileApps?$filter=(microsoft.graph.managedApp/appAvailability eq null or microsoft.graph.managedApp/appAvailability eq 'lineOfBusiness' or isAssigned eq true)&$orderby=displayName", "", "200 {app}"},
	{samples, "GET", appM + "/mobileApps?$filter=(microsoft.graph.managedApp/appAvailability eq null or microsoft.graph.managedApp/appAvailability eq 'lineOfBusiness')", "", "200 {app}"},
	{intuneCD, "GET", appM + "/mobileApps/?$filter=(microsoft.graph.managedApp/appAvailability eq 'lineOfBusiness' or isAssigned eq true)", "", "200 {app}"},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq false or isof('microsoft.graph.androidManagedStoreAppConfiguration') eq false", "", "200 {appConfiguration}"},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq true", "", "200 !{appConfiguration}"},
	{manager, "GET", mdm + "/configurationPolicies?$filter=technologies has 'mdm'", "", "200 {policy}"},
	{manager, "GET", mdm + "/configurationPolicies?$filter=platforms has microsoft.graph.deviceManagementConfigurationPlatforms'macOS'", "", "200 !{policy}"},
	{intuneCD, "GET", mdm + "/configurationPolicies/", "", "200 {policy}"},
	{samples, "GET", mdm + "/configurationPolicies?$filter=technologies has 'mdm' or technologies has 'windows10XManagement'", "", "200 {policy}"},
	{dsc, "GET", mdm + "/configurationPolicies?$filter=templateReference/templateFamily eq 'none'", "", "200 {policy}"},
	{dsc, "GET", mdm + "/configurationPolicies?$filter=TemplateReference/TemplateId eq '4648a4ba_1'", "", "200 !{policy}"},
	{dsc, "GET", mdm + "/configurationPolicies?$filter=templateReference/TemplateFamily ne 'endpointSecurityFirewall' and Name eq 'Camera'", "", "200 {policy}"},
	{manager, "GET", mdm + "/configurationPolicies('{policy}')?$expand=settings", "", "200 settingInstance"},
	{manager, "GET", mdm + "/configurationPolicies('{policy}')/settings?$expand=settingDefinitions&$top=1000", "", "200 settingDefinitions"},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}?$expand=settings($expand=settingDefinitions)", "", "200 settingDefinitions"},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}?$expand=settings($select=id;$expand=settingDefinitions($select=id,name))", "", "200 !settingInstance"},
	{intuneCD, "GET", mdm + "/deviceConfigurations/", "", "200 {profile}"},
	{intuneCD, "GET", mdm + "/deviceConfigurations/{profile}/", "", "200 payloadFileName"},
	{intuneCD, "GET", appM + "/mobileAppConfigurations/", "", "200 {appConfiguration}"},
	{backup, "GET", mdm + "/deviceConfigurations/{profile}/assignments", "", `200 "sourceId":"{profile}"`},
	{backup, "GET", mdm + "/configurationPolicies/{policy}/assignments", "", `200 "id":"{policy}_adadadad-808e-44e2-905a-0b7873a8a531"`},
	{manager, "GET", mdm + "/deviceConfigurations/{profile}?$expand=assignments", "", `200 "deviceAndAppManagementAssignmentFilterType":"none"`},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}?$expand=assignments($select=id,target)", "", `200 !"source":`},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}?$select=id,displayName,assignments&$expand=assignments", "", "200 sourceId"},
	{manager, "GET", appM + "/mobileApps/{app}/assignments", "", `200 "@odata.type":"#microsoft.graph.iosVppAppAssignmentSettings"`},
	{manager, "GET", mdm + "/deviceConfigurations?$select=id,displayName,@odata.type", "", "200 iosCustomConfiguration"},
	{manager, "GET", mdm + "/roleScopeTags/", "", "200 Default"},
	{manager, "GET", "/beta/groups?$filter=DisplayName eq 'Staff'", "", "200 {group}"},

	// names in the letters of their authors
	{samples, "GET", "/Beta/deviceManagement/manageddevices?$filter=managementAgent eq 'mdm' and managementAgent ne 'easmdm'", "", "200 {device}"},
	{samples, "GET", mdm + "/manageddevices('{device}')", "", "200 {device}"},
	{samples, "GET", mdm + "/manageddevices?$filter=managementAgent eq 'configurationmanagerclientmdm'", "", "200 !{device}"},
	{samples, "GET", "/beta/DeviceManagement/ManagedDevices?$filter=deviceName eq 'Anna''s iPhone'", "", "200 {device}"},
	{dsc, "GET", mdm + "/deviceConfigurations?$filter=DisplayName eq 'wifi'", "", "200 {profile}"},
	{dsc, "GET", mdm + "/deviceConfigurations?$filter=DisplayName eq 'wifi' and isof('microsoft.graph.iosCustomConfiguration')", "", "200 {profile}"},
	{dsc, "GET", mdm + "/configurationPolicies?$filter=Name eq 'Camera'", "", "200 {policy}"},
	{dsc, "GET", mdm + "/configurationPolicies?$filter=Platforms eq 'iOS'", "", "200 {policy}"},
	{dsc, "GET", appM + "/mobileApps?$filter=displayname eq 'mail'&$select=Id,DisplayName", "", `200 "displayName":"mail"`},
	{dsc, "GET", "/v1.0/groups?$filter=DisplayName eq 'Staff'&$select=Id", "", "200 {group}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=OperatingSystem eq 'ios'&$select=devicename,OsVersion", "", `200 "deviceName":"Anna's iPhone"`},
	{sdk, "GET", mdm + "/managedDevices?$filter=complianceState eq 'Compliant'", "", "200 !{device}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=complianceState eq microsoft.graph.complianceState'noncompliant'", "", "200 !{device}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=isSupervised eq True&$orderby=DeviceName DESC", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=startswith(DeviceName,'anna')&$count=true", "", `200 "@odata.count":1`},
	{sdk, "GET", mdm + "/managedDevices?$filter=contains(deviceName,'x') eq false", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=RoleScopeTagIds/any(t:t eq '0')", "", "200 {device}"},
	{sdk, "GET", mdm + "/auditEvents?$filter=ActivityResult eq 'Success'", "", "200 activityResult"},

	// options
	{sdk, "GET", mdm + "/managedDevices?filter=deviceName ne null&top=2&select=id", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$TOP=1&$Select=id", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$format=json", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$top=5000", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?api-version=beta", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices?$select=@odata.type", "", "200 !deviceName"},
	{sdk, "GET", "/v1.0/deviceManagement/managedDevices?top=2", "", "400 top"},
	{sdk, "GET", mdm + "/managedDevices?foo=bar", "", "400 foo"},
	{sdk, "GET", mdm + "/managedDevices?$apply=aggregate($count as n)", "", "400 $apply"},
	{sdk, "GET", mdm + "/managedDevices?$filter=colour eq 'red'", "", "400 colour"},
	{sdk, "GET", mdm + "/managedDevices?$filter=complianceState eq 'fine'", "", "400 complianceState"},

	// paths
	{sdk, "GET", appM + "/mobileApps/graph.iosVppApp", "", "200 {app}"},
	{sdk, "GET", appM + "/mobileApps/graph.iosStoreApp", "", "200 !{app}"},
	{sdk, "GET", appM + "/mobileApps/graph.win32LobApp", "", "200 !{app}"},
	{sdk, "GET", appM + "/mobileApps/graph.iosVppApp/$count", "", "200 1"},
	{sdk, "GET", appM + "/mobileApps/graph.iosStoreApp/$count", "", "200 0"},
	{sdk, "GET", appM + "/mobileApps/{app}/graph.iosVppApp", "", "200 bundleId"},
	{sdk, "GET", appM + "/mobileApps/{app}/graph.iosStoreApp", "", "404 ResourceNotFound"},
	{sdk, "GET", appM + "/mobileApps/{app}/graph.win32LobApp", "", "404 ResourceNotFound"},
	{sdk, "GET", mdm + "/deviceConfigurations/graph.iosCustomConfiguration?$filter=displayName eq 'wifi'", "", "200 {profile}"},
	{sdk, "GET", "/beta/groups/{group}/members/graph.device", "", "200 {device}"},
	{sdk, "GET", "/beta/groups/{group}/members/microsoft.graph.user", "", "200 !{device}"},
	{dsc, "GET", "/beta/groups/{group}/Members", "", "200 {device}"},
	{sdk, "GET", "/beta/groups/{group}?$expand=members($select=id,displayName)", "", "200 !operatingSystem"},
	{sdk, "GET", mdm + "/managedDevices/{device}/", "", "200 {device}"},
	{sdk, "GET", mdm + "/managedDevices//{device}", "", "404 ResourceNotFound"},
}

const (
	// what every answer of Graph's has beside a profile's own properties, and exports keep
	exported = `"@odata.context":"https://graph.example/beta/$metadata#x/$entity","@microsoft.graph.tips":"Use $select","id":"11111111-0000-4000-8000-000000000000","createdDateTime":"2020-01-01T00:00:00Z","lastModifiedDateTime":"2020-01-01T00:00:00Z","roleScopeTagIds":["0"],"assignments@odata.context":"x","assignments":[],"#microsoft.graph.assign":{"target":"x"},"version":7,"supportsScopeTags":true,`
	rules    = `"deviceManagementApplicabilityRuleOsEdition":null,"deviceManagementApplicabilityRuleOsVersion":null,"deviceManagementApplicabilityRuleDeviceMode":null,`
	custom   = `"@odata.type":"#microsoft.graph.iosCustomConfiguration","description":"","displayName":"{n}","payloadName":"x","payloadFileName":"x.mobileconfig","payload":"{mobileconfig}"`
	storeApp = `"@odata.type":"#microsoft.graph.iosStoreApp","displayName":"{n}","description":"x","publisher":"x","bundleId":"com.example.{n}","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726","applicableDeviceType":{"iPad":true,"iPhoneAndIPod":true},`
	camera   = `"platforms":"iOS","technologies":"mdm,appleRemoteManagement","settings":[{"id":"0","settingInstance":{"@odata.type":"#microsoft.graph.deviceManagementConfigurationGroupSettingCollectionInstance","settingDefinitionId":"com.apple.applicationaccess_com.apple.applicationaccess","settingInstanceTemplateReference":null,"auditRuleInformation":null,"groupSettingCollectionValue":[{"settingValueTemplateReference":null,"children":[{"@odata.type":"#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance","settingDefinitionId":"com.apple.applicationaccess_allowcamera","settingInstanceTemplateReference":null,"auditRuleInformation":null,"choiceSettingValue":{"settingValueTemplateReference":null,"value":"com.apple.applicationaccess_allowcamera_false","children":[]}}]}]}}]`
	newGroup = `"displayName":"{n}","mailEnabled":false,"mailNickname":"{n}","securityEnabled":true`
	toAll    = `"target":{"@odata.type":"#microsoft.graph.allDevicesAssignmentTarget"`
	toGroup  = `"target":{"@odata.type":"#microsoft.graph.groupAssignmentTarget","groupId":"{group}"`
)

var writingTools = []toolRequest{
	// imports of what was exported
	{manager, "POST", mdm + "/deviceConfigurations", `{` + exported + rules + custom + `}`, "201 iosCustomConfiguration"},
	{backup, "POST", mdm + "/deviceConfigurations", `{"supportsScopeTags":false,` + rules + custom + `}`, "201 iosCustomConfiguration"},
	{intuneCD, "POST", mdm + "/deviceConfigurations/", `{` + rules + custom + `}`, "201 iosCustomConfiguration"},
	{"byte order mark", "POST", mdm + "/deviceConfigurations", "\ufeff{" + custom + `}`, "201 iosCustomConfiguration"},
	{sdk, "POST", mdm + "/deviceConfigurations", `{"deviceManagementApplicabilityRuleOsVersion":{"@odata.type":"microsoft.graph.deviceManagementApplicabilityRuleOsVersion","minOSVersion":"17","name":"x","ruleType":"include"},` + custom + `}`, "400 does not keep"},
	{sdk, "POST", mdm + "/deviceConfigurations", `{"deviceManagementApplicabilityRuleOsVersion":{"@odata.type":"microsoft.graph.deviceManagementApplicabilityRuleOsVersion","minOSVersion":null,"name":"","ruleType":"include"},` + custom + `}`, "201"},
	{sdk, "POST", mdm + "/deviceConfigurations", `{"deviceStatuses":[],"groupAssignments":null,` + custom + `}`, "201"},
	{sdk, "POST", mdm + "/deviceConfigurations", `{"colour":null,` + custom + `}`, "400 colour"},
	{sdk, "POST", mdm + "/deviceConfigurations", `{"bundleId":null,` + custom + `}`, "400 bundleId"},
	{sdk, "PATCH", mdm + "/deviceConfigurations/{profile}", `{` + exported + rules + `"@odata.type":"#microsoft.graph.iosCustomConfiguration","description":"new"}`, `200 "description":"new"`},
	{sdk, "PATCH", mdm + "/deviceConfigurations/{profile}", `{"groupAssignments":[{"id":"x"}]}`, "400 groupAssignments"},
	{manager, "POST", appM + "/mobileAppConfigurations", `{"@odata.type":"#microsoft.graph.iosMobileAppConfiguration","displayName":"{n}","version":3,"roleScopeTagIds":["0"],"targetedMobileApps":["{app}"],"encodedSettingXml":null,"settings":[{"appConfigKey":"a","appConfigKeyType":"stringType","appConfigKeyValue":"b"}],"#microsoft.graph.assign":{},"deviceStatuses":[]}`, "201 targetedMobileApps"},
	{samples, "POST", appM + "/mobileApps", `{` + storeApp + `"categories":[],"informationUrl":null,"isFeatured":false,"notes":"","owner":"","developer":"","privacyInformationUrl":null}`, "201 iosStoreApp"},
	{manager, "POST", appM + "/mobileApps", `{` + storeApp + `"uploadState":1,"publishingState":"published","isAssigned":true,"dependentAppCount":0,"supersedingAppCount":0,"supersededAppCount":0,"relationships":[],"#microsoft.graph.updateRelationships":{}}`, "201 iosStoreApp"},
	{manager, "POST", appM + "/mobileApps", `{"@odata.type":"#microsoft.graph.iosVppApp","displayName":"{n}","bundleId":"com.example.{n}","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726","totalLicenseCount":20,"usedLicenseCount":3,"vppTokenAppleId":null,"vppTokenAccountType":"business","assignedLicenses":[],"revokeLicenseActionResults":[]}`, "201 iosVppApp"},
	{manager, "POST", appM + "/mobileApps", `{"@odata.type":"#microsoft.graph.iosVppApp","displayName":"{n}","bundleId":"com.example.{n}","appStoreUrl":"https://apps.apple.com/us/app/name/id361309726","vppTokenId":"x"}`, "400 vppTokenId"},
	{manager, "POST", appM + "/mobileApps", `{"@odata.type":"#microsoft.graph.iosLobApp","displayName":"{n}","bundleId":"com.example.{n}","versionNumber":"1","manifestUrl":"https://apps.example/m.plist","fileName":"x.ipa","size":1024,"expirationDateTime":"2030-01-01T00:00:00Z","committedContentVersion":"1"}`, "201 iosLobApp"},
	{baseline, "POST", mdm + "/configurationPolicies", `{"@odata.context":"x","#microsoft.graph.assign":{},"#microsoft.graph.createCopy":{},"#microsoft.graph.reorder":{},"name":"{n}","description":"","creationSource":null,"priorityMetaData":null,"settingCount":1,"isAssigned":true,"templateReference":{"templateId":"","templateFamily":"none","templateDisplayName":null,"templateDisplayVersion":null},"settings@odata.context":"x",` + camera + `}`, "201 settingCount"},
	{intuneCD, "PUT", mdm + "/configurationPolicies/{policy}/", `{"name":"Camera","description":"","roleScopeTagIds":["0"],` + camera + `}`, "204"},
	{manager, "POST", mdm + "/configurationPolicies", `{"name":"{n}","assignments":[{"id":"x"}],` + camera + `}`, "400 assignments"},
	{manager, "POST", "/beta/groups", `{` + newGroup + `,"description":"x","groupTypes":[],"membershipRule":null,"membershipRuleProcessingState":null,"visibility":null,"isAssignableToRole":null,"creationOptions":[],"onPremisesProvisioningErrors":[]}`, "201 {n}"},
	{terraform, "POST", "/beta/groups", `{` + newGroup + `,"groupTypes":[],"isAssignableToRole":false,"visibility":""}`, "201 {n}"},
	{terraform, "POST", "/beta/groups", `{` + newGroup + `,"groupTypes":["DynamicMembership"],"membershipRule":"device.x"}`, "400 groupTypes"},
	{terraform, "POST", "/beta/groups", `{` + newGroup + `,"members@odata.bind":["https://graph.microsoft.com/beta/devices/{device}"]}`, "400 members@odata.bind"},
	{manager, "POST", mdm + "/roleScopeTags", `{"@odata.type":"#microsoft.graph.roleScopeTag","displayName":"{n}","description":"","isBuiltIn":false,"assignments":[],"permissions":[]}`, "201 {n}"},
	{manager, "POST", mdm + "/roleDefinitions", `{"@odata.type":"#microsoft.graph.deviceAndAppManagementRoleDefinition","displayName":"{n}","description":"","isBuiltIn":false,"isBuiltInRoleDefinition":false,"roleAssignments":[],"rolePermissions":[{"@odata.type":"microsoft.graph.rolePermission","actions":[],"resourceActions":[{"allowedResourceActions":[],"notAllowedResourceActions":[]}]}]}`, "201 {n}"},

	// assignments as they are answered, and as tools make them
	{manager, "POST", mdm + "/deviceConfigurations/{profile}/assign", `{"assignments":[{"id":"{profile}_{group}","source":"direct","sourceId":"{profile}","intent":"apply",` + toGroup + `,"deviceAndAppManagementAssignmentFilterId":null,"deviceAndAppManagementAssignmentFilterType":"none"}}]}`, "200 {profile}_{group}"},
	{samples, "POST", mdm + "/deviceConfigurations/{profile}/assign/", `{"assignments":[{"@odata.type":"#microsoft.graph.deviceConfigurationAssignment",` + toGroup + `}}]}`, "200 {group}"},
	{manager, "POST", mdm + "/deviceConfigurations('{profile}')/Assign", `{"assignments":[{` + toAll + `,"deviceAndAppManagementAssignmentFilterId":"{profile}","deviceAndAppManagementAssignmentFilterType":"include"}}]}`, "400 deviceAndAppManagementAssignmentFilterId"},
	{sdk, "POST", mdm + "/deviceConfigurations/{profile}/assign", `{"assignments":[{"intent":"remove",` + toAll + `}}]}`, "400 intent"},
	{sdk, "POST", mdm + "/deviceConfigurations/{profile}/assign", `{"deviceConfigurationGroupAssignments":[],"assignments":[{` + toAll + `}}]}`, "400 deviceConfigurationGroupAssignments"},
	{manager, "POST", mdm + "/configurationPolicies/{policy}/assign", `{"assignments":[{"id":"{policy}_x","source":"direct","sourceId":"{policy}",` + toAll + `}}]}`, "200 sourceId"},
	{intuneCD, "POST", appM + "/mobileAppConfigurations/{appConfiguration}/microsoft.graph.managedDeviceMobileAppConfiguration/assign", `{"assignments":[{` + toAll + `}}]}`, "204"},
	{manager, "POST", appM + "/mobileApps/{app}/assign", `{"mobileAppAssignments":[{"@odata.type":"#microsoft.graph.mobileAppAssignment","intent":"required","source":"direct","sourceId":"{app}","settings":{"@odata.type":"#microsoft.graph.iosVppAppAssignmentSettings","useDeviceLicensing":true,"vpnConfigurationId":null,"uninstallOnDeviceRemoval":true,"isRemovable":null,"preventManagedAppBackup":false,"preventAutoAppUpdate":null},` + toAll + `}}]}`, "204"},
	{sdk, "POST", appM + "/mobileApps/{app}/assign", `{"mobileAppAssignments":[{"intent":"available",` + toAll + `}}]}`, "400 intent"},
	{sdk, "POST", appM + "/mobileApps/{app}/assign", `{"mobileAppAssignments":[{"intent":"uninstall",` + toAll + `}}]}`, "400 intent"},
	{sdk, "POST", appM + "/mobileApps/{app}/assign", `{"mobileAppAssignments":[{"intent":"required","settings":{"@odata.type":"#microsoft.graph.iosVppAppAssignmentSettings","useDeviceLicensing":false},` + toAll + `}}]}`, "400 useDeviceLicensing"},

	// several at once
	{intuneCD, "POST", "/beta/$batch", `{"requests":[{"id":1,"method":"GET","url":"deviceManagement/deviceConfigurations/{profile}/assignments"},{"id":2,"method":"GET","url":"/deviceManagement/configurationPolicies/{policy}/assignments","dependsOn":[1]}]}`, `200 "id":"2","status":200`},
	{manager, "POST", "/beta/$batch", `{"requests":[{"id":1,"method":"GET","url":"/deviceManagement/ManagedDevices/?$TOP=1"}]}`, `200 "id":"1","status":200`},
	{"PowerShell", "POST", "/beta/$batch/", `{"requests":[{"id":"1","method":"POST","url":"/groups/","headers":{"Content-Type":"application/json"},"body":{` + newGroup + `,"groupTypes":[]}}]}`, `200 "status":201`},
}

// newTools is a site with one thing of each kind, by the names that requests give them.
func newTools(t *testing.T) (*site, map[string]string) {
	s := newMixedSite(t)
	p := s.enrollPhone()
	made := map[string]string{"device": string(p.id), "profile": s.addProfile("wifi"),
		"app": s.addApp("mail"), "policy": s.addPolicy(cameraPolicy("Camera"))}
	id := func(path string, body object) string {
		return fmt.Sprint(s.must(http.StatusCreated, "POST", path, body).body["id"])
	}
	made["appConfiguration"] = id(appSettings, object{"displayName": "x",
		"@odata.type":        "#microsoft.graph.iosMobileAppConfiguration",
		"targetedMobileApps": []string{made["app"]}, "settings": []object{{"appConfigKey": "a",
			"appConfigKeyType": "stringType", "appConfigKeyValue": "b"}}})
	made["play"] = id(apps, object{"@odata.type": "#microsoft.graph.androidManagedStoreApp",
		"displayName": "play", "packageId": "com.example.play"})
	made["playConfiguration"] = id(appSettings, object{"displayName": "y",
		"@odata.type":        "#microsoft.graph.androidManagedStoreAppConfiguration",
		"targetedMobileApps": []string{made["play"]}, "connectedAppsEnabled": true})
	made["group"] = id(groups, object{"displayName": "Staff"})
	s.must(http.StatusNoContent, "POST", groups+"/"+made["group"]+"/members/$ref",
		object{"@odata.id": "https://graph.example" + p.path()})
	p.connect()
	return s, made
}

// What public tools send to Graph is taken here, too, or refused by name.
func TestToolRequests(t *testing.T) {
	s, made := newTools(t)
	for i, r := range toolRequests {
		made["n"] = fmt.Sprint("n", i)
		made["mobileconfig"] = profile("com.example." + made["n"])
		filled := func(text string) string {
			for name, value := range made {
				text = strings.ReplaceAll(text, "{"+name+"}", value)
			}
			return text
		}
		path, options, _ := strings.Cut(filled(r.path), "?")
		if options != "" {
			path += "?" + strings.NewReplacer("%3D", "=", "%26", "&", "%24", "$", "%3B", ";").
				Replace(url.QueryEscape(options))
		}
		var body any
		if r.body != "" {
			body = filled(r.body)
		}
		a := s.call(r.method, path, body)
		status, has, _ := strings.Cut(filled(r.want), " ")
		without, lacks := strings.CutPrefix(has, "!")
		if fmt.Sprint(a.status) != status || !lacks && !strings.Contains(string(a.text), has) ||
			lacks && strings.Contains(string(a.text), without) {
			t.Errorf("%s: %s %s %.300s:\n got %.600s\nwant %s", r.tool, r.method, filled(r.path),
				r.body, a, filled(r.want))
		}
	}
}
