package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android"
	"github.com/syncpayloads/syncpayloads/internal/apple"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

func keysOf(m object) []string { return slices.Sorted(maps.Keys(m)) }

func TestDeviceProperties(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	if err := s.store.Touch(t.Context(),
		map[fleet.DeviceID]time.Time{p.id: s.clock.Now().Add(time.Second)}); err != nil {
		t.Fatal(err)
	}
	got := s.must(http.StatusOK, "GET", p.path(), nil).body
	want := object{
		"@odata.context": s.URL + "/beta/$metadata#deviceManagement/managedDevices/$entity",
		"id":             string(p.id), "deviceName": "Anna's iPhone",
		"managedDeviceName": "Anna's iPhone",
		"operatingSystem":   "iOS", "osVersion": "18.3", "model": "iPhone 15",
		"manufacturer": "Apple", "serialNumber": "C39XY",
		"udid": "00008120-000A", "isSupervised": true, "enrolledDateTime": "2025-02-13T10:17:05Z",
		"lastSyncDateTime": "2025-02-13T10:17:06Z", "managementState": "managed",
		"deviceEnrollmentType": "unknown",
		"complianceState":      "unknown", "managementAgent": "mdm", "deviceType": "iPhone",
		"deviceRegistrationState": "registered",
		"ownerType":               "company", "managedDeviceOwnerType": "company",
		"userId": "00000000-0000-0000-0000-000000000000",
	}
	for _, name := range []string{"userPrincipalName", "userDisplayName", "emailAddress",
		"azureADDeviceId", "azureADRegistered",
		"deviceCategoryDisplayName", "imei", "phoneNumber", "wiFiMacAddress", "jailBroken",
		"notes", "ethernetMacAddress", "iccid", "hardwareInformation", "subscriberCarrier",
		"enrollmentProfileName"} {
		want[name] = nil // nobody knows it
	}
	results, ok := got["deviceActionResults"].([]any)
	if !ok || len(results) != 0 {
		t.Errorf("deviceActionResults is %v, want an empty collection", got["deviceActionResults"])
	}
	if !reflect.DeepEqual(got["roleScopeTagIds"], []any{"0"}) {
		t.Errorf("roleScopeTagIds is %v", got["roleScopeTagIds"])
	}
	delete(got, "deviceActionResults")
	delete(got, "roleScopeTagIds")
	// What Graph always has of a device is what it shows of one without it.
	maps.Copy(want, object{"isEncrypted": false, "totalStorageSpaceInBytes": json.Number("0"),
		"joinType": "unknown", "lostModeState": "disabled", "exchangeAccessState": "none",
		"complianceGracePeriodExpirationDateTime": "9999-12-31T23:59:59Z",
		"managementCertificateExpirationDate":     "0001-01-01T00:00:00Z"})
	for name, value := range want {
		if shown, ok := got[name]; !ok || shown != value {
			t.Errorf("%s is %v, want %v", name, shown, value)
		}
	}
	if _, ok := got["usersLoggedOn"].([]any); !ok || len(got) < 80 {
		t.Errorf("got %v", got)
	}
	if err := s.engine.Unenroll(t.Context(), p.id); err != nil {
		t.Fatal(err)
	}
	got = s.must(http.StatusOK, "GET", p.path(), nil).body
	if got["managementState"] != "unhealthy" || got["deviceRegistrationState"] != "notRegistered" {
		t.Errorf("after it left: %v", got)
	}
}

// kinds are what the devices of tests are.
var kinds = slices.Concat(apple.Platform{}.Describe().Kinds, android.Platform{}.Describe().Kinds)

func TestDeviceKinds(t *testing.T) {
	s := newSite(t)
	for i, tt := range []struct {
		device fleet.Device
		want   object
	}{
		{fleet.Device{Platform: fleet.IPadOS, UserEnrolled: true}, object{
			"deviceType": "iPad", "ownerType": "personal",
			"deviceEnrollmentType": "appleUserEnrollment"}},
		{fleet.Device{Platform: fleet.IOS, Model: "iPod9,1"},
			object{"deviceType": "iPod", "ownerType": "unknown", "deviceName": nil}},
		{fleet.Device{Platform: fleet.MacOS},
			object{"deviceType": "macMDM", "operatingSystem": "macOS", "serialNumber": nil}},
		{fleet.Device{Platform: fleet.TVOS}, object{
			"deviceType": "unknown", "operatingSystem": "tvOS", "isSupervised": false,
			"lastSyncDateTime": s.clock.Now().Format(time.RFC3339)}},
		{fleet.Device{Platform: fleet.Android, Manufacturer: "Google", Model: "Pixel 9",
			EnrollmentType: "androidEnterpriseFullyManaged"}, object{
			"deviceType": "androidEnterprise", "operatingSystem": "Android",
			"managementAgent": "googleCloudDevicePolicyController", "ownerType": "company",
			"managedDeviceOwnerType": "company",
			"deviceEnrollmentType":   "androidEnterpriseFullyManaged"}},
		{fleet.Device{Platform: fleet.Android,
			EnrollmentType: "androidEnterpriseDedicatedDevice"}, object{
			"ownerType": "company", "deviceEnrollmentType": "androidEnterpriseDedicatedDevice"}},
		{fleet.Device{Platform: fleet.Android,
			EnrollmentType: "androidEnterpriseCorporateWorkProfile"}, object{
			"ownerType":            "company",
			"deviceEnrollmentType": "androidEnterpriseCorporateWorkProfile"}},
		{fleet.Device{Platform: fleet.Android, UserEnrolled: true,
			EnrollmentType: "whatever the platform calls it"}, object{
			"ownerType": "personal", "deviceEnrollmentType": "userEnrollment",
			"managementAgent": "googleCloudDevicePolicyController"}},
		{fleet.Device{Platform: fleet.Android}, object{
			"ownerType": "unknown", "deviceEnrollmentType": "unknown"}},
	} {
		tt.device.UDID = fmt.Sprint(i)
		got := s.must(http.StatusOK, "GET", s.enroll(tt.device).path(), nil).body
		for name, want := range tt.want {
			if v, ok := got[name]; !ok || v != want {
				t.Errorf("%s: %s is %v, want %v", tt.device.Platform, name, v, want)
			}
		}
	}
}

func TestSelect(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	for query, want := range map[string][]string{
		"$select=id,deviceName,deviceActionResults": {"deviceActionResults", "deviceName", "id"},
		"$select=udid,%20id,id":                     {"id", "udid"},
	} {
		one := s.must(http.StatusOK, "GET", p.path()+"?"+query, nil).body
		delete(one, "@odata.context")
		if !slices.Equal(keysOf(one), want) {
			t.Errorf("%s: got %v", query, keysOf(one))
		}
		list := s.must(http.StatusOK, "GET", devices+"?"+query, nil).values()
		if len(list) != 1 || !slices.Equal(keysOf(list[0]), want) {
			t.Errorf("%s: listed %v", query, list)
		}
	}
	all := s.must(http.StatusOK, "GET", p.path()+"?$select=*", nil).body
	known := slices.DeleteFunc(model.Properties("managedDevice"),
		func(p model.PropertyInfo) bool { return p.Navigation })
	if len(all) != 1+len(known) {
		t.Errorf("$select=*: got %v", keysOf(all))
	}
}

// names are the device names of a list, in its order.
func names(a answer) string {
	var list []string
	for _, v := range a.values() {
		list = append(list, fmt.Sprint(v["deviceName"]))
	}
	return strings.Join(list, " ")
}

func TestListDevices(t *testing.T) {
	s := newSite(t)
	for i, name := range []string{"cat", "ant", "bee"} {
		p := s.enroll(fleet.Device{Name: name, UDID: name,
			Platform: []fleet.Platform{fleet.IOS, fleet.MacOS, fleet.IOS}[i], Supervised: i > 0})
		at := map[fleet.DeviceID]time.Time{p.id: s.clock.Now().Add(time.Duration(3-i) * time.Hour)}
		if err := s.store.Touch(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]string{
		"$orderby=deviceName":                                                                "ant bee cat",
		"$orderby=deviceName desc":                                                           "cat bee ant",
		"$orderby=lastSyncDateTime asc":                                                      "bee ant cat",
		"$filter=deviceName eq 'ANT'":                                                        "ant",
		"$filter=operatingSystem eq 'macOS'":                                                 "ant",
		"$filter=managementState ne 'managed'":                                               "",
		"$filter=not(isSupervised eq true)":                                                  "cat",
		"$filter=lastSyncDateTime lt 2025-02-13T13:00:00Z&$orderby=deviceName":               "ant bee",
		"$filter=deviceName in ('cat','bee') and isSupervised eq true":                       "bee",
		"$filter=startswith(deviceName,'a') or endswith(deviceName,'t')&$orderby=deviceName": "ant cat",
		"$filter=deviceName eq 'x'' OR 1=1 --'":                                              "",
	} {
		query = strings.ReplaceAll(query, " ", "%20")
		a := s.must(http.StatusOK, "GET", devices+"?$count=true&"+query, nil)
		if got := names(a); got != want ||
			fmt.Sprint(a.body["@odata.count"]) != fmt.Sprint(len(strings.Fields(want))) {
			t.Errorf("%s: got %q of %v, want %q", query, got, a.body["@odata.count"], want)
		}
		if _, ok := a.body["value"].([]any); !ok {
			t.Errorf("%s: value is %v", query, a.body["value"])
		}
	}
	if a := s.must(http.StatusOK, "GET", devices+"?$top=0&$count=true",
		nil); len(a.values()) != 0 || a.body["@odata.nextLink"] != nil ||
		fmt.Sprint(a.body["@odata.count"]) != "3" {
		t.Errorf("$top=0: got %s", a)
	}
}

// TestPaging follows @odata.nextLink to the end: each device comes once, whatever the order.
func TestPaging(t *testing.T) {
	s := newSite(t)
	for i := range 23 {
		s.enroll(fleet.Device{Name: fmt.Sprintf("name %d", i%7), UDID: fmt.Sprint(i),
			Platform: fleet.IOS})
	}
	for _, query := range []string{"$top=5", "$top=23&$count=true",
		"$top=4&$orderby=deviceName%20desc&$select=id,deviceName",
		"$top=3&$orderby=lastSyncDateTime", "$top=2&$filter=" +
			url.QueryEscape("startswith(deviceName,'name') and not(udid eq 'é&$=+')")} {
		var seen []string
		link := devices + "?" + query
		for link != "" {
			a := s.must(http.StatusOK, "GET", link, nil)
			for _, v := range a.values() {
				seen = append(seen, v["id"].(string))
			}
			link, _ = a.body["@odata.nextLink"].(string)
			if link != "" && !strings.HasPrefix(link, s.URL+devices+"?") {
				t.Fatalf("%s: nextLink is %s", query, link)
			}
		}
		if unique := slices.Compact(slices.Sorted(slices.Values(seen))); len(seen) != 23 ||
			len(unique) != 23 {
			t.Errorf("%s: %d devices, %d of them different", query, len(seen), len(unique))
		}
	}
	first := s.must(http.StatusOK, "GET", devices+"?$top=5&$orderby=deviceName", nil)
	token := strings.SplitAfter(first.body["@odata.nextLink"].(string), "skiptoken=")[1]
	s.must(http.StatusBadRequest, "GET", devices+"?$top=5&$skiptoken="+token, nil)
}
