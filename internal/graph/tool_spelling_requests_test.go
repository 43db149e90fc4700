package graph_test

// The same as tools spell it: with what URLs may have unescaped, in the letters of their authors,
// and with what a server of Graph's knows to be empty.
var spellingTools = []toolRequest{
	{sdk, "POST", mdm + "/managedDevices/{device}/syncPayloads", `{"deviceActionPayloads":[{"payloadId":"{app}","payloadType":"Application","intent":"Remove","status":"InProgress"}]}`, "204"},
	{sdk, "POST", mdm + "/managedDevices/{device}/syncPayloads", `{"deviceActionPayloads":[]}`, "204"},

	// a semicolon as it is
	{sdk, "GET", mdm + "/managedDevices?$format=application/json;odata.metadata=none", "", "200 !@odata.context"},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}?$expand=assignments,settings($select=id;$expand=settingDefinitions)", "", "200 settingDefinitions"},
	{sdk, "GET", mdm + "/managedDevices?$filter=deviceName eq 'a;b'", "", "200 !{device}"},
	{sdk, "GET", mdm + "/managedDevices?$top=1;$skip=0", "", "400 $top"},

	// types that are here, and what only they have
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq false or isof('microsoft.graph.androidManagedStoreAppConfiguration') eq false", "", "200 {appConfiguration}"},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq false", "", "200 {playConfiguration}"},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq false", "", "200 !{appConfiguration}"},
	{sdk, "PATCH", appM + "/mobileAppConfigurations/{playConfiguration}", `{"appSupportsOemConfig":true}`, `200 "appSupportsOemConfig":true`},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq true", "", "200 {playConfiguration}"},
	{manager, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq false or isof('microsoft.graph.androidManagedStoreAppConfiguration') eq false", "", "200 !{playConfiguration}"},
	{sdk, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig gt true", "", "400 appSupportsOemConfig"},
	{sdk, "GET", appM + "/mobileAppConfigurations?$filter=appSupportsOemConfig ne true and isof('microsoft.graph.androidManagedStoreAppConfiguration')", "", "200 !{playConfiguration}"},

	// null where nothing is null
	{sdk, "GET", mdm + "/managedDevices?$filter=isEncrypted eq null or ownerType eq null or roleScopeTagIds eq null", "", "200 !{device}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=isSupervised ne null and partnerReportedThreatState ne null and complianceGracePeriodExpirationDateTime ne null and physicalMemoryInBytes ne null", "", "200 {device}"},
	{sdk, "GET", appM + "/mobileApps?$filter=isAssigned ne null and isAssigned ne false", "", "200 {app}"},
	{sdk, "GET", mdm + "/managedDevices?$filter=isEncrypted gt null", "", "400 isEncrypted"},
	{sdk, "GET", appM + "/mobileAppConfigurations?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq null", "", "200 {appConfiguration}"},

	// relationships of a device
	{samples, "GET", mdm + "/managedDevices/{device}/users", "", `200 "value":[]`},
	{samples, "GET", mdm + "/manageddevices('{device}')/Users?$select=userPrincipalName", "", `200 "value":[]`},
	{sdk, "GET", mdm + "/managedDevices/{device}/detectedApps?$top=5", "", `200 "value":[]`},
	{sdk, "GET", mdm + "/comanagedDevices/{device}/detectedApps", "", `200 "value":[]`},
	{sdk, "GET", "/v1.0/deviceManagement/managedDevices/{device}/detectedApps", "", "404"},
	{sdk, "GET", mdm + "/managedDevices/{group}/users", "", "404"},
	{sdk, "GET", mdm + "/managedDevices/{device}/users?$select=colour", "", "400 colour"},
	{sdk, "GET", mdm + "/managedDevices/{device}/deviceConfigurationStates?$filter=platformType eq 'ios' and userPrincipalName eq null", "", "200 {profile}"},
	{sdk, "GET", mdm + "/managedDevices/{device}/deviceConfigurationStates?$filter=platformType eq 'macOS'", "", "200 !{profile}"},
	{sdk, "GET", mdm + "/managedDevices/{device}/deviceConfigurationStates?$filter=platformType ne null and userId eq '00000000-0000-0000-0000-000000000000'", "", "200 {profile}"},
	{dsc, "POST", mdm + "/deviceConfigurations/{profile}/assignments", `{` + toAll + `}}`, "400 Property 'target'"},
	{dsc, "POST", appM + "/mobileApps/{app}/assignments", `{"intent":"required",` + toGroup + `}}`, `201 "intent":"required"`},
	{dsc, "POST", appM + "/mobileApps/{app}/assignments", `{"intent":"required",` + toGroup + `}}`, "400 Property 'target'"},

	// relationships of apps, of which there is nothing
	{terraform, "GET", appM + "/mobileApps/{app}?$expand=categories,assignments", "", `200 "categories":[]`},
	{terraform, "GET", appM + "/mobileApps/{app}?$expand=categories,assignments", "", `200 "assignments":[{`},
	{dsc, "GET", appM + "/mobileApps?$expand=Categories&$filter=displayName eq 'mail'", "", `200 "categories":[]`},
	{dsc, "GET", appM + "/mobileApps?$expand=Categories&$filter=displayName eq 'mail'", "", `200 !"assignments":`},
	{sdk, "GET", appM + "/mobileApps/{app}?$expand=relationships($select=id)", "", `200 "relationships":[]`},
	{sdk, "GET", "/v1.0/deviceAppManagement/mobileApps/{app}?$expand=categories", "", `200 "categories":[]`},
	{sdk, "GET", "/v1.0/deviceAppManagement/mobileApps/{app}?$expand=relationships", "", "400 categories"},
	{sdk, "GET", mdm + "/deviceConfigurations?$expand=categories", "", "400 assignments"},

	// members of enumerations in bodies
	{samples, "PATCH", mdm + "/managedDevices('{device}')", `{"ownerType":"Company"}`, `200 "ownerType":"company"`},
	{sdk, "PATCH", mdm + "/managedDevices('{device}')", `{"ownerType":"Companies"}`, "400 ownerType"},
	{manager, "POST", appM + "/mobileApps/{app}/assign", `{"mobileAppAssignments":[{"intent":"Required","source":"Direct",` + toAll + `,"deviceAndAppManagementAssignmentFilterType":"None"}}]}`, "204"},
	{sdk, "POST", mdm + "/deviceConfigurations/{profile}/assign", `{"assignments":[{"intent":"Apply",` + toAll + `}}]}`, `200 "intent":"apply"`},
	{samples, "POST", mdm + "/roleDefinitions/9e0cc482-82df-4ab2-a24c-0c23a3f52e1e/roleAssignments", `{"displayName":"{n}","members":["someone"],"scopeType":"AllDevices"}`, `201 "scopeType":"allDevices"`},

	// tags that nobody gives
	{sdk, "POST", mdm + "/deviceConfigurations", `{"roleScopeTagIds":null,` + custom + `}`, `201 "roleScopeTagIds":["0"]`},
	{sdk, "PATCH", mdm + "/deviceConfigurations/{profile}", `{"roleScopeTagIds":null}`, `200 "roleScopeTagIds":["0"]`},
	{sdk, "PATCH", mdm + "/configurationPolicies/{policy}", `{"roleScopeTagIds":null,"description":"x"}`, `200 "roleScopeTagIds":["0"]`},
	{sdk, "PATCH", mdm + "/managedDevices/{device}", `{"roleScopeTagIds":null,"notes":"x"}`, `200 "roleScopeTagIds":["0"]`},
	{sdk, "PATCH", mdm + "/managedDevices/{device}", `{"roleScopeTagIds":null}`, "400 roleScopeTagIds"},
	{sdk, "PATCH", mdm + "/deviceConfigurations/{profile}", `{"roleScopeTagIds":"0"}`, "400 roleScopeTagIds"},

	// parts of things, and what is selected of them
	{sdk, "GET", mdm + "/configurationPolicies/{policy}/settings?$select=id", "", `200 !"settingInstance":`},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}/settings?$select=settingInstance&$top=1", "", `200 "settingInstance":`},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}/settings/0?$select=ID", "", `200 !"settingInstance":`},
	{sdk, "GET", mdm + "/configurationPolicies/{policy}/settings?$select=colour", "", "400 colour"},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}/assignments?$select=id,target", "", `200 !"source":`},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}/assignments?$select=target", "", `200 "@odata.type":"#microsoft.graph.allDevicesAssignmentTarget"`},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}/assignments/{profile}_adadadad-808e-44e2-905a-0b7873a8a531?$select=intent", "", `200 !"target":`},
	{sdk, "GET", mdm + "/deviceConfigurations/{profile}/assignments?$select=settings", "", "400 settings"},
	{sdk, "GET", "/v1.0/deviceManagement/deviceConfigurations/{profile}/assignments?$select=intent", "", "400 intent"},
	{sdk, "GET", "/beta/groups/{group}/members?$select=id,displayName,isCompliant", "", `200 "isCompliant":null`},
	{sdk, "GET", "/beta/groups/{group}/members?$select=id,displayName", "", `200 !"operatingSystem":`},
	{sdk, "GET", "/beta/groups/{group}/members?$select=colour", "", "400 colour"},
	{sdk, "GET", "/beta/groups/{group}/members?$count=true&$top=1", "", `200 "@odata.count":1`},
	{sdk, "GET", "/v1.0/groups/{group}/transitiveMembers?$select=id&$count=true", "", `200 "@odata.count":1`},
	{sdk, "GET", "/beta/groups/{group}/transitiveMembers/$count", "", "200 1"},
	{sdk, "GET", "/beta/groups/{group}/transitiveMembers/microsoft.graph.device", "", "200 {device}"},
	{sdk, "GET", "/beta/groups/{group}/transitiveMembers/microsoft.graph.user", "", "200 !{device}"},
	{sdk, "GET", "/beta/groups/{group}/members/microsoft.graph.user/$count", "", "200 0"},
}

func init() { toolRequests = append(spellingTools, toolRequests...) }
