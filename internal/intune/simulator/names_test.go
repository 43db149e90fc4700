package simulator_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/intune/simulator"
)

// names are the properties that Graph's beta types have, of those that are sent, and the members of
// their enumerations after a colon. They are written down from Microsoft's public type definitions.
var names = map[string]string{
	"managedDevice": `id userId deviceName managedDeviceName
		managedDeviceOwnerType:unknown,company,personal ownerType:unknown,company,personal
		managementState:managed,retirePending,wipePending,deletePending enrolledDateTime
		lastSyncDateTime operatingSystem
		deviceType:iPhone,iPad,android,androidForWork,androidEnterprise,androidnGMS,windowsRT,macMDM
		complianceState:compliant jailBroken
		managementAgent:mdm,googleCloudDevicePolicyController,intuneAosp,configurationManagerClientMdm
		osVersion easActivated easDeviceId aadRegistered azureADRegistered
		deviceEnrollmentType:userEnrollment,appleBulkWithUser,appleBulkWithoutUser,` +
		`windowsAzureADJoin,androidEnterpriseDedicatedDevice,androidEnterpriseFullyManaged,` +
		`androidEnterpriseCorporateWorkProfile,androidAOSPUserlessDeviceEnrollment
		emailAddress azureActiveDirectoryDeviceId azureADDeviceId deviceRegistrationState:registered
		deviceCategoryDisplayName isSupervised isEncrypted userPrincipalName userDisplayName model
		manufacturer imei serialNumber phoneNumber partnerReportedThreatState:unknown
		wiFiMacAddress roleScopeTagIds notes hardwareInformation deviceActionResults`,
	"actionResult": `actionName actionState:pending,active,done,failed startDateTime
		lastUpdatedDateTime deviceAssignmentItems`,
	"item": `itemId itemType:application,deviceConfiguration,` +
		`deviceManagementConfigurationPolicy,mobileAppConfiguration itemSubTypeDisplayName
		itemDisplayName assignmentItemActionIntent:remove,restore
		assignmentItemActionStatus:initiated,inProgress,removed,error,succeeded intentActionMessage
		errorCode lastActionDateTime lastModifiedDateTime`,
	"audit": `id deviceDisplayName userName initiatedByUserPrincipalName
		action:unknown,changeAssignments,removeCompanyData,factoryReset,delete requestDateTime
		deviceOwnerUserPrincipalName deviceIMEI actionState:pending,active,done,failed
		managedDeviceId deviceActionCategory:single bulkDeviceActionId`,
	"apps": `id managedDeviceIdentifier userId mobileAppList`,
	"app": `applicationId displayName mobileAppIntent:requiredInstall displayVersion
		installState:installed,notInstalled supportedDeviceTypes`,
	"state": `id displayName version platformType:iOS state:compliant settingCount userId
		userPrincipalName settingStates`,
	"configuration": `id displayName description createdDateTime lastModifiedDateTime version
		roleScopeTagIds`,
	"policy": `id name description createdDateTime lastModifiedDateTime platforms:iOS
		technologies:mdm settingCount isAssigned roleScopeTagIds`,
	"mobileApp": `id displayName description createdDateTime lastModifiedDateTime isAssigned
		publisher roleScopeTagIds`,
	"organization": `id displayName tenantType:AAD countryLetterCode
		mobileDeviceManagementAuthority:intune verifiedDomains`,
}

// conforms checks that an object has the names of its type, all of them, and no others.
func conforms(t *testing.T, kind string, object any, except ...string) {
	t.Helper()
	want := make(map[string][]string)
	for _, name := range strings.Fields(names[kind]) {
		name, members, _ := strings.Cut(name, ":")
		want[name] = nil
		if members != "" {
			want[name] = strings.Split(members, ",")
		}
	}
	got := object.(map[string]any)
	for name, value := range got {
		members, known := want[name]
		text, isText := value.(string)
		switch {
		case strings.HasPrefix(name, "@odata."):
		case !known:
			t.Errorf("%s has no property %s", kind, name)
		case members != nil && (!isText || !slices.Contains(members, text)):
			t.Errorf("%s of %s is %v", name, kind, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok && !slices.Contains(except, name) {
			t.Errorf("%s lacks %s", kind, name)
		}
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	ada := w.tenant.AddAdmin("ada")
	var devices []*simulator.Device
	for k := simulator.IPhone; k <= simulator.Mac; k++ {
		devices = append(devices, w.tenant.Enroll(simulator.DeviceOptions{Kind: k, User: ada,
			Comanaged: k == simulator.WindowsPC, Personal: k == simulator.AndroidPersonalWorkProfile}))
	}
	var items []*simulator.Item
	for _, kind := range []simulator.ItemType{simulator.Application, simulator.AppConfiguration,
		simulator.DeviceConfiguration, simulator.ConfigurationPolicy} {
		items = append(items, w.tenant.AddItem(simulator.ItemOptions{Name: "x", Type: kind,
			AllDevices: true}))
	}
	for _, one := range w.must(managedDevices).list() {
		conforms(t, "managedDevice", one)
	}
	d := devices[0]
	one := managedDevices + "/" + d.ID
	w.mustAct(d, items...)
	for name, kind := range map[string]string{"managedDeviceMobileAppConfigurationStates": "state",
		"deviceConfigurationStates": "state"} {
		conforms(t, kind, w.must(one + "/" + name).list()[0])
	}
	apps := w.must("users/00000000-0000-0000-0000-000000000000/mobileAppIntentAndStates/" + d.ID).body
	conforms(t, "apps", apps)
	conforms(t, "app", apps["mobileAppList"].([]any)[0])
	d.CheckIn()
	result := w.results(d, "changeAssignments")[0]
	conforms(t, "actionResult", result)
	for _, item := range result["deviceAssignmentItems"].([]any) {
		conforms(t, "item", item)
	}
	w.call("POST", one+"/syncDevice", nil)
	conforms(t, "actionResult", w.results(d, "syncDevice")[0], "deviceAssignmentItems")
	for i, end := range []func(*simulator.Device) error{ada.Retire, ada.Wipe, ada.Delete} {
		if err := end(devices[i+1]); err != nil {
			t.Fatal(err)
		}
		conforms(t, "managedDevice", w.must(managedDevices+"/"+devices[i+1].ID).body)
	}
	for _, row := range w.must("deviceManagement/remoteActionAudits").list() {
		conforms(t, "audit", row)
	}
	for path, kind := range map[string]string{
		"deviceManagement/deviceConfigurations":       "configuration",
		"deviceManagement/configurationPolicies":      "policy",
		"deviceAppManagement/mobileApps":              "mobileApp",
		"deviceAppManagement/mobileAppConfigurations": "configuration",
		"organization": "organization"} {
		row := w.must(path).list()[0]
		conforms(t, kind, row)
		if kind != "organization" {
			conforms(t, kind, w.must(path+"/"+row["id"].(string)).body)
			got := w.must(query(path, "$select", "id")).list()[0]
			if delete(got, "@odata.type"); len(got) != 1 || got["id"] == nil {
				t.Error(got)
			}
		}
	}
}
