package madeup_test

import (
	"net/http"
	"strings"
	"testing"
)

const settingPolicies = "/beta/deviceManagement/configurationPolicies"

func kettlePolicy(option string) object {
	const prefix = "#microsoft.graph.deviceManagementConfiguration"
	return object{"name": "Quiet", "platforms": "linux", "technologies": "linuxMdm",
		"boiler": "copper", "settings": []object{{"settingInstance": object{
			"@odata.type":         prefix + "ChoiceSettingInstance",
			"settingDefinitionId": "kettle_whistle",
			"choiceSettingValue":  object{"value": "kettle_whistle_" + option}}}}}
}

func phonePolicy() object {
	const prefix = "#microsoft.graph.deviceManagementConfiguration"
	return object{"name": "No camera", "platforms": "iOS", "settings": []object{{
		"settingInstance": object{"@odata.type": prefix + "ChoiceSettingInstance",
			"settingDefinitionId": "com.apple.applicationaccess_allowcamera",
			"choiceSettingValue": object{
				"value": "com.apple.applicationaccess_allowcamera_false"}}}}}
}

// Two platforms have settings catalogs: which one a policy is of says its platforms.
func TestSettingsCatalog(t *testing.T) {
	s := newSite(t)
	phone := s.api(http.StatusCreated, "POST", settingPolicies, phonePolicy())
	if _, has := phone["boiler"]; has || phone["technologies"] != "mdm,appleRemoteManagement" {
		t.Errorf("the policy for phones is %v", phone)
	}
	made := s.api(http.StatusCreated, "POST", settingPolicies, kettlePolicy("low"))
	id := made["id"].(string)
	if made["boiler"] != "copper" || made["platforms"] != "linux" || made["settingCount"] != 1.0 {
		t.Errorf("the policy for kettles is %v", made)
	}
	s.api(http.StatusOK, "POST", settingPolicies+"/"+id+"/assign",
		object{"assignments": []object{{"target": object{
			"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}})
	k := s.kettle("K7")
	k.work()
	if k.rules[id] != `{"whistle":"low"}` {
		t.Fatalf("the kettle has %v", k.rules)
	}
	device := values(s.api(http.StatusOK, "GET", devices, nil), "value")[0]
	at := devices + "/" + device["id"].(string)
	off := []object{{"payloadId": id, "payloadType": "deviceManagementConfigurationPolicy"}}
	s.api(http.StatusNoContent, "POST", at+"/syncPayloads", object{"deviceActionPayloads": off})
	k.work()
	if len(k.rules) != 0 {
		t.Errorf("the kettle still has %v", k.rules)
	}
	s.api(http.StatusNoContent, "POST", at+"/syncPayloads",
		object{"deviceActionPayloads": []object{}})
	s.api(http.StatusNoContent, "PUT", settingPolicies+"/"+id, kettlePolicy("high"))
	k.work()
	if k.rules[id] != `{"whistle":"high"}` {
		t.Errorf("the kettle has %v", k.rules)
	}

	for filter, want := range map[string]int{"platforms eq 'linux'": 1, "platforms eq 'iOS'": 1,
		"boiler eq 'copper'": 1, "boiler eq 'iron'": 0} {
		list := values(s.api(http.StatusOK, "GET", settingPolicies+"?$filter="+
			strings.ReplaceAll(filter, " ", "%20"), nil), "value")
		if len(list) != want {
			t.Errorf("%s: %d policies", filter, len(list))
		}
	}
	setting := s.api(http.StatusOK, "GET",
		"/beta/deviceManagement/configurationSettings/kettle_whistle", nil)
	if setting["helpText"] != "How a kettle says that it boils." ||
		setting["categoryId"] != "6d2d4ae4-6a1c-4d43-8a52-1f1f1c6f0f10" ||
		setting["keywords"].([]any)[0] != "noise" {
		t.Errorf("the setting is %v", setting)
	}
	status, metadata := s.do("GET", "/beta/$metadata", "", nil)
	if status != http.StatusOK || !strings.Contains(metadata,
		`<Property Name="boiler" Type="Edm.String">`) {
		t.Error("$metadata lacks boiler")
	}
}

// What belongs to the other catalog is refused, and nothing changes.
func TestSettingsCatalogsApart(t *testing.T) {
	s := newSite(t)
	with := func(body object, more ...any) object {
		for i := 0; i < len(more); i += 2 {
			body[more[i].(string)] = more[i+1]
		}
		return body
	}
	for says, body := range map[string]object{
		`\"iOS\", \"macOS\" or \"linux\"`: with(phonePolicy(), "platforms", "windows10"),
		"'boiler': is not a property of policies for iOS or macOS": with(phonePolicy(), "boiler",
			"copper"),
		"kettle_whistle":         with(phonePolicy(), "settings", kettlePolicy("low")["settings"]),
		"allowcamera":            with(kettlePolicy("low"), "settings", phonePolicy()["settings"]),
		`it can be \"linuxMdm\"`: with(kettlePolicy("low"), "technologies", "mdm"),
		"no kettle has":          kettlePolicy("loud"),
	} {
		refused := s.api(http.StatusBadRequest, "POST", settingPolicies, body)
		message := refused["error"].(object)["message"].(string)
		if !strings.Contains(message, strings.ReplaceAll(says, `\"`, `"`)) {
			t.Errorf("got %q, want %q", message, says)
		}
	}
	id := s.api(http.StatusCreated, "POST", settingPolicies,
		kettlePolicy("low"))["id"].(string)
	s.api(http.StatusBadRequest, "PUT", settingPolicies+"/"+id, phonePolicy())
	if got := s.api(http.StatusOK, "GET", settingPolicies+"/"+id, nil); got["name"] != "Quiet" ||
		len(values(s.api(http.StatusOK, "GET", settingPolicies, nil), "value")) != 1 {
		t.Errorf("it became %v", got)
	}
}
