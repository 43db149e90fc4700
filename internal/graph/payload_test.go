package graph_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestConfigurationLifecycle(t *testing.T) {
	s := newSite(t)
	file := profile("com.example.wifi")
	created := s.must(http.StatusCreated, "POST", configurations, object{
		"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "Campus",
		"description": "for all",
		"payloadName": "Campus", "payloadFileName": "campus.mobileconfig", "payload": file,
		"id": nil, "version": nil})
	id, _ := created.body["id"].(string)
	path := configurations + "/" + id
	if created.header.Get("Location") != s.URL+path {
		t.Errorf("Location is %q", created.header.Get("Location"))
	}
	got := s.must(http.StatusOK, "GET", configurations+"/"+strings.ToUpper(id), nil).body
	now := s.clock.Now().Format(time.RFC3339)
	want := object{"@odata.context": s.URL +
		"/beta/$metadata#deviceManagement/deviceConfigurations/$entity",
		"@odata.type": "#microsoft.graph.iosCustomConfiguration",
		"@odata.etag": created.header.Get("ETag"), "id": id,
		"displayName": "Campus", "description": "for all",
		"createdDateTime": now, "lastModifiedDateTime": now, "version": got["version"],
		"payloadName":     "Campus",
		"payloadFileName": "campus.mobileconfig", "payload": file, "roleScopeTagIds": []any{"0"},
		"supportsScopeTags": true, "deviceManagementApplicabilityRuleOsEdition": nil,
		"deviceManagementApplicabilityRuleOsVersion":  nil,
		"deviceManagementApplicabilityRuleDeviceMode": nil}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(created.body, want) ||
		fmt.Sprint(got["version"]) != "1" {
		t.Errorf("got %v\ncreated %v\nwant %v", got, created.body, want)
	}
	s.clock.Advance(time.Hour)
	patched := s.must(http.StatusOK, "PATCH", path,
		object{"displayName": "Guests", "description": nil,
			"payload": profile("com.example.wifi")}).body
	if patched["displayName"] != "Guests" || patched["description"] != nil ||
		fmt.Sprint(patched["version"]) != "2" ||
		patched["payload"] == file || patched["payloadName"] != "Campus" ||
		patched["createdDateTime"] != now || patched["lastModifiedDateTime"] == now {
		t.Errorf("patched: %v", patched)
	}
	list := s.must(http.StatusOK, "GET", configurations, nil).values()
	if len(list) != 1 || list[0]["id"] != id || list[0]["payload"] != patched["payload"] {
		t.Errorf("listed %v", list)
	}
	s.must(http.StatusNoContent, "DELETE", path, nil)
	for _, method := range []string{"GET", "DELETE"} {
		s.must(http.StatusNotFound, method, path, nil)
	}
	s.must(http.StatusNotFound, "PATCH", path, object{"displayName": "x"})
}

func TestEveryTypeIsGivenBack(t *testing.T) {
	s := newSite(t)
	a := s.must(http.StatusCreated, "POST", apps,
		object{"@odata.type": "microsoft.graph.iosStoreApp", "displayName": "Mail",
			"publisher": "Example", "bundleId": "com.example.mail",
			"appStoreUrl": "https://apps.apple.com/us/app/name/id361309726",
			"applicableDeviceType": object{"@odata.type": "microsoft.graph.iosDeviceType",
				"iPad":          true,
				"iPhoneAndIPod": true}})
	id := a.body["id"].(string)
	for _, tt := range []struct {
		path string
		body object
	}{
		{apps, object{"@odata.type": "#microsoft.graph.iosVppApp", "displayName": "Files",
			"bundleId":      "com.example.files",
			"appStoreUrl":   "https://apps.apple.com/us/app/name/id361309727",
			"licensingType": object{"supportsDeviceLicensing": true}}},
		{apps, object{"@odata.type": "#microsoft.graph.iosLobApp", "displayName": "Own",
			"bundleId":      "com.example.own",
			"versionNumber": "1.2", "manifestUrl": "https://apps.example/own.plist"}},
		{apps, object{"@odata.type": "#microsoft.graph.macOSPkgApp", "displayName": "Tool",
			"primaryBundleId":      "com.example.tool",
			"primaryBundleVersion": "3.4", "manifestUrl": "https://apps.example/tool.plist"}},
		{configurations, object{"@odata.type": "#microsoft.graph.macOSCustomConfiguration",
			"displayName":       "Mac",
			"deploymentChannel": "deviceChannel", "payload": profile("com.example.mac")}},
		{appSettings, object{"@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
			"displayName":        "Mail settings",
			"targetedMobileApps": []any{id}, "settings": []any{object{
				"appConfigKey": "server", "appConfigKeyType": "stringType",
				"appConfigKeyValue": "x"}}}},
	} {
		created := s.must(http.StatusCreated, "POST", tt.path, tt.body).body
		got := s.must(http.StatusOK, "GET", tt.path+"/"+created["id"].(string), nil).body
		for name, want := range tt.body {
			if !reflect.DeepEqual(got[name], want) {
				t.Errorf("%s: %s is %v, want %v", tt.body["displayName"], name, got[name], want)
			}
		}
		if _, versioned := got["version"]; versioned != (tt.path != apps) {
			t.Errorf("%s: version shown: %t", tt.body["displayName"], versioned)
		}
		other := map[string]string{apps: configurations, configurations: appSettings,
			appSettings: apps}[tt.path]
		for _, method := range []string{"GET", "DELETE"} {
			s.must(http.StatusNotFound, method, other+"/"+created["id"].(string), nil)
		}
	}
	if list := s.must(http.StatusOK, "GET", apps+"?$select=id", nil).values(); len(list) != 4 {
		t.Errorf("listed %v", list)
	}
}

func TestBadPayloads(t *testing.T) {
	s := newSite(t)
	good := func(change object) object {
		body := object{"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "x",
			"payload": profile("com.example.x")}
		for name, value := range change {
			body[name] = value
		}
		return body
	}
	for _, tt := range []struct {
		path  string
		body  object
		named string
	}{
		{configurations, object{}, "@odata.type"},
		{configurations,
			good(object{"@odata.type": "#microsoft.graph.windows10CustomConfiguration"}),
			"@odata.type"},
		{configurations, good(object{"@odata.type": "#microsoft.graph.iosVppApp"}), "@odata.type"},
		{configurations, good(object{"@odata.type": 7}), "@odata.type"},
		{configurations, good(object{"displayName": nil}), "displayName"},
		{configurations, good(object{"displayName": 7}), "displayName"},
		{configurations, good(object{"colour": "red"}), "colour"},
		{configurations, good(object{"deploymentChannel": "deviceChannel"}), "deploymentChannel"},
		{configurations, good(object{"Version": 3}), "Version"},
		{configurations, good(object{"settingCount": 3}), "settingCount"},
		{configurations, good(object{"assignments": []object{{"target": object{}}}}),
			"assignments"},
		{configurations, good(object{"payload": nil}), "payload"},
		{configurations, good(object{"payload": "not base64!"}), "payload"},
		{configurations,
			good(object{"payload": base64.StdEncoding.EncodeToString([]byte("not a profile"))}),
			"payload"},
		{apps, object{"@odata.type": "#microsoft.graph.iosVppApp", "displayName": "x"}, "bundleId"},
		{apps, object{"@odata.type": "#microsoft.graph.macOSPkgApp", "displayName": "x",
			"preInstallScript": object{"scriptContent": "x"}}, "preInstallScript"},
		{appSettings, object{"@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
			"displayName": "x"}, "targetedMobileApps"},
	} {
		a := s.call("POST", tt.path, tt.body)
		if a.status != http.StatusBadRequest || !strings.Contains(a.message(), tt.named) ||
			at(a.body, "error", "target") != tt.named {
			t.Errorf("%v: got %s; want a 400 that names %s", tt.body, a, tt.named)
		}
	}
	id := s.addProfile("x")
	a := s.call("PATCH", configurations+"/"+id,
		object{"@odata.type": "#microsoft.graph.macOSCustomConfiguration"})
	if a.status != http.StatusBadRequest || !strings.Contains(a.message(), "@odata.type") {
		t.Errorf("another type: got %s", a)
	}
	if list := s.must(http.StatusOK, "GET", configurations, nil).values(); len(list) != 1 {
		t.Errorf("a refused payload is there: %v", list)
	}
}

func TestUnpaddedBase64IsAccepted(t *testing.T) {
	s := newSite(t)
	raw, err := base64.StdEncoding.DecodeString(profile("com.example.wifi"))
	if err != nil {
		t.Fatal(err)
	}
	for len(raw)%3 == 0 {
		raw = append(raw, '\n')
	}
	s.must(http.StatusCreated, "POST", configurations,
		object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": "x", "payload": base64.RawURLEncoding.EncodeToString(raw)})
}

func TestAssign(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	group := s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "g"}).body["id"].(string)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	other := s.must(http.StatusCreated, "POST", groups, object{"displayName": "h"}).body["id"]
	targets := []object{
		{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group},
		{"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": other},
		{"@odata.type": "#syncpayloads.deviceAssignmentTarget", "deviceId": string(p.id)},
		{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"},
	}
	var plain, withIntent []object
	for _, target := range targets {
		plain = append(plain, object{"target": target})
		withIntent = append(withIntent, object{"target": target, "intent": "required",
			"settings": nil})
	}
	assigned := s.must(http.StatusOK, "POST", configurations+"/"+wifi+"/assign",
		object{"assignments": plain})
	s.must(http.StatusNoContent, "POST", apps+"/"+mail+"/microsoft.graph.assign",
		object{"mobileAppAssignments": withIntent})
	for _, a := range []answer{assigned, s.must(http.StatusOK, "GET",
		configurations+"/"+wifi+"/assignments", nil),
		s.must(http.StatusOK, "GET", apps+"/"+mail+"/assignments", nil)} {
		list := a.values()
		if len(list) != len(targets) {
			t.Fatalf("got %s", a)
		}
		for i, v := range list {
			want := with(targets[i], object{"deviceAndAppManagementAssignmentFilterId": nil,
				"deviceAndAppManagementAssignmentFilterType": "none"})
			if !reflect.DeepEqual(v["target"], want) || v["id"] == "" {
				t.Errorf("got %v, want target %v", v, want)
			}
		}
	}
	// What was read can be sent back.
	again := s.must(http.StatusOK, "POST", configurations+"/"+wifi+"/assign",
		object{"assignments": assigned.values()})
	if !reflect.DeepEqual(again.body["value"], assigned.body["value"]) {
		t.Errorf("got %s, want %s", again, assigned)
	}
	// And so can what Intune exports.
	for _, target := range targets {
		target["deviceAndAppManagementAssignmentFilterId"],
			target["deviceAndAppManagementAssignmentFilterType"] = nil, "none"
	}
	targets[0]["deviceAndAppManagementAssignmentFilterId"] = "00000000-0000-0000-0000-000000000000"
	for i := range plain {
		plain[i]["id"], plain[i]["source"], plain[i]["sourceId"], plain[i]["intent"] = "x",
			"direct", wifi, "apply"
		withIntent[i]["source"], withIntent[i]["sourceId"] = "direct", nil
	}
	if a := s.must(http.StatusOK, "POST", configurations+"/"+wifi+"/assign",
		object{"assignments": plain}); !reflect.DeepEqual(a.body["value"], assigned.body["value"]) {
		t.Errorf("got %s, want %s", a, assigned)
	}
	s.must(http.StatusNoContent, "POST", apps+"/"+mail+"/assign",
		object{"mobileAppAssignments": withIntent})
	s.must(http.StatusOK, "POST", configurations+"/"+wifi+"/assign",
		object{"assignments": []object{}})
	if a := s.must(http.StatusOK, "GET", configurations+"/"+wifi+"/assignments",
		nil); len(a.values()) != 0 {
		t.Errorf("after assigning to nobody: %s", a)
	}
}

func TestBadAssignments(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	everybody := object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
	to := func(target object) object { return object{"assignments": []object{{"target": target}}} }
	apart := func(assignments ...object) object {
		return object{"mobileAppAssignments": assignments}
	}
	const groupTarget = "#microsoft.graph.groupAssignmentTarget"
	nobody := "0b8ccbe0-5c39-4f0a-9c3c-000000000001"
	for _, tt := range []struct {
		path  string
		body  object
		named string
	}{
		{configurations + "/" + wifi, object{}, "assignments"},
		{configurations + "/" + wifi, apart(), "mobileAppAssignments"},
		{configurations + "/" + wifi, object{"assignments": []object{{}}}, "assignments[0].target"},
		{configurations + "/" + wifi, object{"assignments": []object{{"target": everybody,
			"intent": "required"}}}, "assignments[0].intent"},
		{configurations + "/" + wifi, to(object{"groupId": nobody}),
			"assignments[0].target.@odata.type"},
		{configurations + "/" + wifi,
			to(object{"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}),
			"assignments[0].target.@odata.type"},
		{configurations + "/" + wifi, to(object{"@odata.type": groupTarget}),
			"assignments[0].target.groupId"},
		{configurations + "/" + wifi, to(object{"@odata.type": groupTarget, "groupId": nobody}),
			"assignments[0].target"},
		{configurations + "/" + wifi,
			to(object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
				"deviceAndAppManagementAssignmentFilterId": nobody}),
			"assignments[0].target.deviceAndAppManagementAssignmentFilterId"},
		{configurations + "/" + wifi,
			to(object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
				"deviceAndAppManagementAssignmentFilterType": "include"}),
			"assignments[0].target.deviceAndAppManagementAssignmentFilterType"},
		{configurations + "/" + wifi, object{"assignments": []object{{"target": everybody,
			"source": "policySets"}}}, "assignments[0].source"},
		{configurations + "/" + wifi, object{"assignments": []object{{"target": everybody,
			"intent": "remove"}}}, "assignments[0].intent"},
		{apps + "/" + mail, apart(object{"target": everybody}), "mobileAppAssignments[0].intent"},
		{apps + "/" + mail, apart(object{"target": everybody, "intent": "available"}),
			"mobileAppAssignments[0].intent"},
		{apps + "/" + mail, apart(object{"target": everybody, "intent": "required",
			"settings": object{"vpnConfigurationId": "x"}}),
			"mobileAppAssignments[0].settings.vpnConfigurationId"},
		{apps + "/" + mail, apart(object{"target": everybody, "intent": "required"},
			object{"target": everybody, "intent": "required"}),
			"mobileAppAssignments[1].target"},
	} {
		a := s.call("POST", tt.path+"/assign", tt.body)
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != tt.named ||
			!strings.Contains(a.message(), tt.named) {
			t.Errorf("%v: got %s; want a 400 that names %s", tt.body, a, tt.named)
		}
	}
	s.must(http.StatusNotFound, "POST", configurations+"/"+mail+"/assign",
		object{"assignments": []object{}})
	s.must(http.StatusNotFound, "GET", configurations+"/"+nobody+"/assignments", nil)
	if list := s.must(http.StatusOK, "GET", configurations+"/"+wifi+"/assignments",
		nil).values(); len(list) != 1 {
		t.Errorf("a refused call changed the assignments: %v", list)
	}
}

func TestCatalogPaging(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.addApp(fmt.Sprint("app", i))
		s.addProfile(fmt.Sprint("profile", i))
		s.must(http.StatusCreated, "POST", groups, object{"displayName": fmt.Sprint("group", i)})
	}
	for _, collection := range []string{apps, configurations, groups} {
		seen := map[any]bool{}
		pages := 0
		for link := collection + "?$top=2"; link != ""; pages++ {
			a := s.must(http.StatusOK, "GET", link, nil)
			for _, v := range a.values() {
				seen[v["id"]] = true
			}
			link, _ = a.body["@odata.nextLink"].(string)
		}
		if len(seen) != 5 || pages != 3 {
			t.Errorf("%s: %d objects on %d pages", collection, len(seen), pages)
		}
	}
}
