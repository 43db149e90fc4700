package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	policiesPath = "/beta/deviceManagement/configurationPolicies"
	settingsPath = "/beta/deviceManagement/configurationSettings"
	settingType  = "#microsoft.graph.deviceManagementConfiguration"
	restrictions = "com.apple.applicationaccess"
	passcode     = "com.apple.mobiledevice.passwordpolicy"
)

// A setting of a policy, in Graph's shape.

func choiceSetting(id, option string) object {
	return object{"@odata.type": settingType + "ChoiceSettingInstance", "settingDefinitionId": id,
		"settingInstanceTemplateReference": nil,
		"choiceSettingValue": object{"settingValueTemplateReference": nil,
			"value": id + "_" + option, "children": []object{}}}
}

func integerSetting(id string, n int) object {
	return object{"@odata.type": settingType + "SimpleSettingInstance", "settingDefinitionId": id,
		"simpleSettingValue": object{"@odata.type": settingType + "IntegerSettingValue",
			"value": n}}
}

func payloadSetting(kind string, children ...object) object {
	return object{"settingInstance": object{"@odata.type": settingType +
		"GroupSettingCollectionInstance", "settingDefinitionId": kind + "_" + kind,
		"groupSettingCollectionValue": []object{{"children": children}}}}
}

func policyBody(name, platform string, settings ...object) object {
	return object{"name": name, "description": "", "platforms": platform,
		"technologies": "mdm,appleRemoteManagement", "settings": settings}
}

func cameraPolicy(name string) object {
	return policyBody(name, "iOS", payloadSetting(restrictions,
		choiceSetting(restrictions+"_allowcamera", "false")))
}

// addPolicy puts a policy into the catalog and assigns it to all devices.
func (s *site) addPolicy(body object) string {
	s.t.Helper()
	id := s.must(http.StatusCreated, "POST", policiesPath, body).body["id"].(string)
	s.must(http.StatusOK, "POST", policiesPath+"/"+id+"/assign", toAllDevices("assignments"))
	return id
}

// plain is what JSON makes of a value.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var decoded any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestPolicyLifecycle(t *testing.T) {
	s := newSite(t)
	settings := []object{payloadSetting(restrictions,
		choiceSetting(restrictions+"_allowcamera", "false")),
		payloadSetting(passcode, integerSetting(passcode+"_minlength", 8))}
	created := s.must(http.StatusCreated, "POST", policiesPath,
		policyBody("Phones", "iOS", settings...))
	id := created.body["id"].(string)
	path, now := policiesPath+"/"+id, s.clock.Now().Format(time.RFC3339)
	if created.header.Get("Location") != s.URL+path {
		t.Errorf("Location is %q", created.header.Get("Location"))
	}
	want := object{"@odata.context": s.URL +
		"/beta/$metadata#deviceManagement/configurationPolicies/$entity",
		"@odata.etag": created.header.Get("ETag"), "id": id, "name": "Phones",
		"description": nil, "platforms": "iOS", "technologies": "mdm,appleRemoteManagement",
		"settingCount": json.Number("2"), "isAssigned": false,
		"creationSource": nil, "priorityMetaData": nil, "createdDateTime": now,
		"lastModifiedDateTime": now, "roleScopeTagIds": []any{"0"},
		"templateReference": object{"templateId": "", "templateFamily": "none",
			"templateDisplayName": nil, "templateDisplayVersion": nil}}
	if got := s.must(http.StatusOK, "GET", path, nil).body; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	for i := range settings {
		settings[i]["id"] = fmt.Sprint(i)
	}
	expanded := s.must(http.StatusOK, "GET", path+"?$expand=settings,assignments&$select=name",
		nil).body
	if !reflect.DeepEqual(expanded["settings"], plain(t, settings)) ||
		!reflect.DeepEqual(expanded["assignments"], []any{}) {
		t.Errorf("got  %v\nwant %v", expanded, plain(t, settings))
	}
	if !reflect.DeepEqual(created.body["settings"], plain(t, settings)) {
		t.Errorf("created with %v", created.body["settings"])
	}
	s.must(http.StatusOK, "POST", path+"/assign", toAllDevices("assignments"))
	list := s.must(http.StatusOK, "GET", policiesPath+"?$expand=assignments&$select=id,isAssigned",
		nil).values()
	if len(list) != 1 || list[0]["isAssigned"] != true ||
		at(list[0], "assignments", 0, "target",
			"@odata.type") != "#microsoft.graph.allDevicesAssignmentTarget" ||
		at(list[0], "assignments", 0,
			"@odata.type") != "#microsoft.graph.deviceManagementConfigurationPolicyAssignment" {
		t.Errorf("listed %v", list)
	}
	s.clock.Advance(time.Hour)
	patched := s.must(http.StatusOK, "PATCH", path,
		object{"name": "All phones", "description": "of the school"}).body
	if patched["name"] != "All phones" || patched["description"] != "of the school" ||
		patched["settingCount"] != json.Number("2") ||
		patched["createdDateTime"] != now || patched["lastModifiedDateTime"] == now {
		t.Errorf("patched: %v", patched)
	}
	s.must(http.StatusNoContent, "PUT", path, policyBody("One", "iOS", settings[1]))
	replaced := s.must(http.StatusOK, "GET", path+"?$expand=settings", nil).body
	settings[1]["id"] = "0"
	if replaced["name"] != "One" || replaced["description"] != nil ||
		!reflect.DeepEqual(replaced["settings"], plain(t, settings[1:])) ||
		replaced["isAssigned"] != true {
		t.Errorf("replaced: %v", replaced)
	}
	s.must(http.StatusNoContent, "DELETE", path, nil)
	for _, method := range []string{"GET", "DELETE"} {
		s.must(http.StatusNotFound, method, path, nil)
	}
	s.must(http.StatusNotFound, "PUT", path, policyBody("One", "iOS", settings[1]))
}

// A policy that is replaced by one that does not say how its devices are managed is managed as its
// platform has it.
func TestReplacedTechnologies(t *testing.T) {
	s := newSite(t)
	body := cameraPolicy("replaced")
	body["technologies"] = "mdm"
	path := policiesPath + "/" + s.must(http.StatusCreated, "POST", policiesPath,
		body).body["id"].(string)
	delete(body, "technologies")
	s.must(http.StatusNoContent, "PUT", path, body)
	if got := s.must(http.StatusOK, "GET", path,
		nil).body["technologies"]; got != "mdm,appleRemoteManagement" {
		t.Errorf("the technologies are %v", got)
	}
}

// What a tool has read of a server, with all that only a server sets, can be sent to one.
func TestExportedPolicyIsAccepted(t *testing.T) {
	s := newSite(t)
	body := cameraPolicy("exported")
	maps.Copy(body,
		object{"@odata.context": "https://graph.microsoft.com/beta/$metadata#deviceManagement/configurationPolicies/$entity",
			"@odata.type":          "#microsoft.graph.deviceManagementConfigurationPolicy",
			"id":                   "1ac54f4e-5827-491e-968d-3e7cdd5b485e",
			"createdDateTime":      "2024-08-22T18:52:01.7475869Z",
			"lastModifiedDateTime": "2024-08-22T18:52:01.7475869Z", "creationSource": nil,
			"priorityMetaData": nil, "settingCount": 1, "isAssigned": false, "assignments": []any{},
			"settings@odata.context": "x",
			"templateReference": object{"templateId": "", "templateFamily": "none",
				"templateDisplayName": nil, "templateDisplayVersion": nil}})
	body["settings"].([]object)[0]["id"] = "0"
	delete(body, "technologies")
	first := s.must(http.StatusCreated, "POST", policiesPath, body).body
	if first["id"] == body["id"] || first["technologies"] != "mdm,appleRemoteManagement" {
		t.Errorf("created %v", first)
	}
	whole := s.must(http.StatusOK, "GET",
		policiesPath+"/"+first["id"].(string)+"?$expand=settings,assignments", nil).body
	s.must(http.StatusCreated, "POST", policiesPath, whole)
	s.must(http.StatusNoContent, "PUT", policiesPath+"/"+first["id"].(string), whole)
}

func TestBadPolicies(t *testing.T) {
	s := newSite(t)
	id := s.addPolicy(cameraPolicy("kept"))
	changed := func(name string, v any) object {
		body := cameraPolicy("x")
		body[name] = v
		return body
	}
	unknown := payloadSetting(restrictions, choiceSetting("com.apple.nothing_a", "true"),
		choiceSetting("com.apple.nothing_b", "true"))
	for _, tt := range []struct {
		method, path string
		body         object
		target       string
		named        []string
	}{
		{"POST", "", object{}, "name", nil},
		{"POST", "", changed("name", nil), "name", nil},
		{"POST", "", changed("name", strings.Repeat("x", 201)), "name", []string{"200"}},
		{"POST", "", changed("displayName", "x"), "displayName", nil},
		{"POST", "", changed("platforms", "windows10"), "platforms", []string{"windows10"}},
		{"POST", "", changed("technologies", "configManager"), "technologies",
			[]string{"configManager"}},
		{"POST", "", changed("templateReference", object{"templateId": "abc_1"}),
			"templateReference.templateId", nil},
		{"POST", "", changed("templateReference", "x"), "templateReference", nil},
		{"POST", "", changed("assignments", []object{{}}), "assignments", []string{"assign"}},
		{"POST", "", changed("@odata.type", "#microsoft.graph.iosCustomConfiguration"),
			"@odata.type", nil},
		{"POST", "", changed("settings", nil), "settings", nil},
		{"POST", "", changed("settings", []object{unknown}), "settings",
			[]string{"com.apple.nothing_a", "com.apple.nothing_b"}},
		{"POST", "", changed("settings", []object{payloadSetting(restrictions,
			choiceSetting(restrictions+"_allowcamera", "maybe"))}),
			"settings[0].settingInstance.groupSettingCollectionValue[0].children[0].choiceSettingValue.value", []string{restrictions + "_allowcamera"}},
		{"POST", "", changed("platforms", "macOS"), "", nil}, // the camera is a setting of both
		{"PATCH", "/" + id, object{"settings": []object{}}, "settings", []string{"PUT"}},
		{"PATCH", "/" + id, object{"platforms": "macOS"}, "platforms", nil},
		{"PATCH", "/" + id, object{"name": nil}, "name", nil},
		{"PUT", "/" + id, changed("name", nil), "name", nil},
		{"PUT", "/" + id, changed("settings", nil), "settings", nil},
		{"PUT", "/" + id, changed("platforms", nil), "platforms", nil},
		{"PUT", "/" + id, changed("platforms", "macOS"), "platforms", []string{"never change"}},
	} {
		a := s.call(tt.method, policiesPath+tt.path, tt.body)
		if tt.target == "" {
			if a.status != http.StatusCreated {
				t.Errorf("%v: got %s", tt.body, a)
			}
			continue
		}
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != tt.target {
			t.Errorf("%s %v: got %s; want a 400 of %s", tt.method, tt.body, a, tt.target)
		}
		for _, name := range tt.named {
			if !strings.Contains(a.message(), name) {
				t.Errorf("%s %v: %q does not name %q", tt.method, tt.body, a.message(), name)
			}
		}
	}
	for _, link := range []string{policiesPath + "?$expand=users",
		policiesPath + "/" + id + "?$expand=settings,x", policiesPath + "?$select=displayName",
		policiesPath + "/" + id + "/settings?$expand=settings",
		policiesPath + "/" + id + "/settings?$skiptoken=eyJQb3NpdGlvbiI6eyJJRCI6ImEifX0",
		settingsPath + "?$select=colour", settingsPath + "?$filter=colour%20eq%20'x'"} {
		if a := s.call("GET", link, nil); a.status != http.StatusBadRequest {
			t.Errorf("%s: got %s", link, a)
		}
	}
	kept := s.must(http.StatusOK, "GET", policiesPath+"/"+id, nil).body
	if kept["name"] != "kept" || kept["lastModifiedDateTime"] != kept["createdDateTime"] {
		t.Errorf("a refused call changed it: %v", kept)
	}
	for _, other := range []string{configurations, apps, appSettings} {
		s.must(http.StatusNotFound, "GET", other+"/"+id, nil)
	}
	s.must(http.StatusNotFound, "GET", policiesPath+"/"+s.addProfile("wifi"), nil)
}
