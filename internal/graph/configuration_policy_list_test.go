package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestPolicyPaging(t *testing.T) {
	s := newSite(t)
	var settings []object
	for _, id := range []string{"com.apple.mcx.filevault2_enable",
		"com.apple.mcx_dontallowfdedisable", "com.apple.softwareupdate_automaticdownload",
		"com.apple.security.firewall_enablefirewall", "loginwindow_disableloginitemssuppression"} {
		option := "true"
		if strings.HasSuffix(id, "2_enable") {
			option = "0"
		}
		settings = append(settings, object{"settingInstance": choiceSetting(id, option)})
	}
	var id string
	for i := range 5 {
		id = s.must(http.StatusCreated, "POST", policiesPath,
			policyBody(fmt.Sprint("policy ", i), "macOS", settings...)).body["id"].(string)
	}
	for _, collection := range []string{policiesPath, policiesPath + "/" + id + "/settings"} {
		var seen []string
		pages := 0
		for link := collection + "?$top=2"; link != ""; pages++ {
			a := s.must(http.StatusOK, "GET", link, nil)
			for _, v := range a.values() {
				seen = append(seen, v["id"].(string))
			}
			link, _ = a.body["@odata.nextLink"].(string)
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(seen))); len(seen) != 5 ||
			len(distinct) != 5 || pages != 3 {
			t.Errorf("%s: %v on %d pages", collection, seen, pages)
		}
	}
	behind := s.must(http.StatusOK, "GET", policiesPath+"/"+id+"/settings?$top=0", nil)
	if string(behind.text) == "" || len(behind.values()) != 0 || behind.body["value"] == nil {
		t.Errorf("no settings wanted: %s", behind)
	}
	shown := s.must(http.StatusOK, "GET",
		policiesPath+"/"+id+"/settings?$expand=settingDefinitions", nil).values()
	if at(shown[0], "settingDefinitions", 0, "id") != "com.apple.mcx.filevault2_enable" ||
		at(shown[0], "settingDefinitions", 0, "name") != "Enable" {
		t.Errorf("shown %v", shown[0])
	}
}

func TestConfigurationSettings(t *testing.T) {
	s := newSite(t)
	seen := map[any]bool{}
	for link := settingsPath + "?$top=1000&$select=id"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			if seen[v["id"]] {
				t.Errorf("%v is listed twice", v["id"])
			}
			seen[v["id"]] = true
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if len(seen) < 1500 {
		t.Errorf("%d settings", len(seen))
	}
	both := object{"platform": "iOS,macOS", "deviceMode": "none",
		"technologies": "mdm,appleRemoteManagement"}
	for id, want := range map[string]object{
		restrictions + "_allowcamera": {"@odata.type": settingType + "ChoiceSettingDefinition",
			"name": "allowCamera", "displayName": "Allow Camera",
			"rootDefinitionId": restrictions + "_" + restrictions, "applicability": both,
			"defaultOptionId": nil, "options": []any{
				object{"itemId": restrictions + "_allowcamera_true", "name": "true",
					"displayName": "true", "optionValue": object{
						"@odata.type": settingType + "StringSettingValue", "value": "true"}},
				object{"itemId": restrictions + "_allowcamera_false", "name": "false",
					"displayName": "false", "optionValue": object{
						"@odata.type": settingType + "StringSettingValue", "value": "false"}}}},
		passcode + "_maxfailedattempts": {"@odata.type": settingType + "SimpleSettingDefinition",
			"valueDefinition": object{
				"@odata.type":  settingType + "IntegerSettingValueDefinition",
				"minimumValue": json.Number("2"), "maximumValue": json.Number("11")}},
		"com.apple.wifi.managed_password": {"@odata.type": settingType + "SimpleSettingDefinition",
			"valueDefinition": object{
				"@odata.type": settingType + "StringSettingValueDefinition", "format": "none",
				"isSecret": true}},
		"com.apple.security.root_payloadcontent": {"valueDefinition": object{
			"@odata.type": settingType + "StringSettingValueDefinition", "format": "base64",
			"isSecret": false}},
		restrictions + "_blockedappbundleids": {"@odata.type": settingType +
			"SimpleSettingCollectionDefinition", "applicability": object{
			"platform": "iOS", "deviceMode": "none", "technologies": "mdm,appleRemoteManagement"}},
		"com.apple.security.scep_payloadcontent_key type": {"name": "Key Type"},
		"loginwindow_loginwindow": {"@odata.type": settingType + "SettingGroupCollectionDefinition",
			"displayName": "Login Window: Login Items",
			"childIds":    []any{"loginwindow_disableloginitemssuppression"}},
		"com.apple.extensiblesso_ignored_$typepicker": {"name": "value"},
	} {
		got := s.must(http.StatusOK, "GET", settingsPath+"/"+strings.ReplaceAll(id, " ", "%20"),
			nil).body
		for name, v := range want {
			if !reflect.DeepEqual(got[name], v) {
				t.Errorf("%s: %s is %v, want %v", id, name, got[name], v)
			}
		}
		if got["id"] != id {
			t.Errorf("%s: id is %v", id, got["id"])
		}
	}
	selected := s.must(http.StatusOK, "GET",
		settingsPath+"/"+restrictions+"_allowcamera?$select=id,name", nil).body
	if keys := keysOf(selected); !slices.Equal(keys,
		[]string{"@odata.context", "@odata.type", "id", "name"}) {
		t.Errorf("selected %v", keys)
	}
}
