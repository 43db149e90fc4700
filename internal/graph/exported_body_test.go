package graph_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// annotations are what Graph's answers and what exports them have beside a thing's own properties.
var annotations = object{
	"@odata.context": "https://graph.example/beta/$metadata#x/$entity", "@odata.editLink": "x('y')",
	"@odata.etag":           `W/"x"`,
	"@microsoft.graph.tips": "Use $select", "assignments@odata.context": "x",
	"assignments@odata.navigationLink": "x",
	"displayName@odata.type":           "#String",
	"#microsoft.graph.assign":          object{"title": "microsoft.graph.assign", "target": "x"},
	"#CollectionOf.x":                  []any{},
}

func with(objects ...object) object {
	all := object{}
	for _, o := range objects {
		maps.Copy(all, o)
	}
	return all
}

// What Graph answers can be sent back as it is: annotations and bound actions are left out wherever
// they are, and what only the server sets is neither refused nor obeyed.
func TestExportedBodiesAreTaken(t *testing.T) {
	s := newSite(t)
	common := object{"id": "mine", "createdDateTime": "2020-01-01T00:00:00Z",
		"lastModifiedDateTime": "2020-01-01T00:00:00Z", "version": 7}
	camera := choiceSetting(restrictions+"_allowcamera", "false")
	camera["choiceSettingValue"] = with(camera["choiceSettingValue"].(object), annotations)
	setting := payloadSetting(restrictions, with(camera, annotations))
	policy := policyBody("x", "iOS", with(setting, annotations,
		object{"id": "0", "settingDefinitions@odata.context": "x"}))
	role := object{"displayName": "role", "rolePermissions": []object{with(annotations,
		object{"resourceActions": []object{
			with(annotations, object{"allowedResourceActions": []string{}})}})}}
	for _, tt := range []struct {
		path string
		body object
	}{
		{configurations, object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": "x", "payloadFileName": "x.mobileconfig",
			"payload": profile("com.example.x"), "supportsScopeTags": true,
			"assignments": []object{},
			"deviceManagementApplicabilityRuleOsEdition":  nil,
			"deviceManagementApplicabilityRuleOsVersion":  nil,
			"deviceManagementApplicabilityRuleDeviceMode": nil}},
		{apps, object{"@odata.type": "#microsoft.graph.iosVppApp", "displayName": "x",
			"bundleId":    "com.example.x",
			"appStoreUrl": "https://apps.apple.com/us/app/name/id361309726", "uploadState": 1,
			"publishingState": "published", "isAssigned": true, "dependentAppCount": 0,
			"supersedingAppCount": 1, "supersededAppCount": 0,
			"totalLicenseCount": 9, "usedLicenseCount": 3, "categories": []object{},
			"relationships": nil}},
		{policiesPath, with(policy, object{"settingCount": 9, "isAssigned": true,
			"creationSource": "x", "priorityMetaData": object{}})},
		{groups, object{"displayName": "x", "securityIdentifier": "S-1", "mail": "x@example.com",
			"renewedDateTime": "2020-01-01T00:00:00Z"}},
		{definitions, with(role, object{"isBuiltIn": true, "isBuiltInRoleDefinition": true})},
		{scopeTags, object{"displayName": "x", "isBuiltIn": true}},
	} {
		body := with(annotations, common, tt.body)
		if !strings.Contains(tt.path, "device") || strings.Contains(tt.path, "role") ||
			strings.Contains(tt.path, "Policies") {
			delete(body, "version")
		}
		if strings.Contains(tt.path, "role") {
			delete(body, "createdDateTime")
			delete(body, "lastModifiedDateTime")
		}
		if tt.path == groups {
			delete(body, "lastModifiedDateTime")
		}
		made := s.must(http.StatusCreated, "POST", tt.path, body)
		id := fmt.Sprint(made.body["id"])
		read := s.must(http.StatusOK, "GET", tt.path+"/"+id, nil).body
		if id == "mine" || read["createdDateTime"] == common["createdDateTime"] ||
			fmt.Sprint(read["version"]) == "7" || read["isBuiltIn"] == true {
			t.Errorf("%s: obeyed what only the server sets: %v", tt.path, read)
		}
		for name := range annotations {
			if _, kept := read[name]; kept && name != "@odata.context" && name != "@odata.etag" {
				t.Errorf("%s: %s was kept", tt.path, name)
			}
		}
		if tt.path != groups { // has no PATCH
			again := with(read, annotations, object{"id": "other"})
			if read["settings"] != nil || tt.path == policiesPath {
				delete(again, "settings")
			}
			s.must(http.StatusOK, "PATCH", tt.path+"/"+id, again)
		}
	}
}

// A property of Graph's that would be lost is still refused, and so is one that nobody knows.
func TestWhatWouldBeLostIsRefused(t *testing.T) {
	s := newSite(t)
	for name, value := range map[string]any{"colour": nil, "supportsscopetags": true,
		"isAssigned": true,
		"deviceManagementApplicabilityRuleOsVersion": object{"name": "x"},
		"assignments": []any{object{}}} {
		body := object{"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "x",
			"payload": profile("com.example.x"), name: value}
		if a := s.call("POST", configurations, body); a.status != http.StatusBadRequest ||
			at(a.body, "error", "target") != name {
			t.Errorf("%s: got %s", name, a)
		}
	}
	p := s.enrollPhone()
	for _, body := range []object{{"colour": "x", "roleScopeTagIds": []string{"0"}},
		{"serialNumber": "x"}} {
		s.must(http.StatusBadRequest, "PATCH", p.path(), body)
	}
	device := s.must(http.StatusOK, "GET", p.path(), nil).body
	for _, name := range []string{"ownerType", "managedDeviceOwnerType"} {
		delete(device, name)
	}
	s.must(http.StatusOK, "PATCH", p.path(), device)
}

func TestBase64AsFilesHaveIt(t *testing.T) {
	s := newSite(t)
	for i, change := range []func(string) string{
		func(b string) string { return b + "\n" },
		func(b string) string { return b + "\r\n \t" },
		func(b string) string { return " \n" + b },
		func(b string) string { return b[:76] + "\r\n" + b[76:] },
		func(b string) string { return strings.TrimRight(b, "=") + "\n" },
		func(b string) string { return strings.NewReplacer("+", "-", "/", "_").Replace(b) + "\n" },
	} {
		// so that it ends with =, == and without
		identifier := "com.example.b" + strings.Repeat("x", i)
		made := s.must(http.StatusCreated, "POST", configurations,
			object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
				"displayName": "x", "payload": change(profile(identifier))})
		if raw, err := base64.StdEncoding.DecodeString(made.body["payload"].(string)); err != nil ||
			!strings.Contains(string(raw), identifier) {
			t.Errorf("%d: %v: %.200s", i, err, raw)
		}
	}
	app := s.addApp("x")
	list := "<plist version=\"1.0\"><dict><key>a</key><string>b</string></dict></plist>"
	s.must(http.StatusCreated, "POST", appSettings,
		object{"@odata.type": "#microsoft.graph.iosMobileAppConfiguration", "displayName": "x",
			"targetedMobileApps": []string{app},
			"encodedSettingXml":  base64.StdEncoding.EncodeToString([]byte(list)) + "\n "})
	a := s.call("POST", configurations,
		object{"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "x",
			"payload": "QQ=!"})
	if a.status != http.StatusBadRequest || !strings.Contains(a.message(), "base64") {
		t.Errorf("got %s", a)
	}
}

func TestByteOrderMark(t *testing.T) {
	s := newSite(t)
	text, err := json.Marshal(cameraPolicy("x"))
	if err != nil {
		t.Fatal(err)
	}
	s.must(http.StatusCreated, "POST", policiesPath, "\ufeff"+string(text))
	s.must(http.StatusCreated, "POST", groups, zipped(t, "\ufeff{\"displayName\":\"g\"}"),
		"Content-Encoding", "gzip")
	for _, body := range []string{"\ufeff", "\ufeff\ufeff{}", "{\ufeff}"} {
		if a := s.call("POST", groups, body); a.status != http.StatusBadRequest {
			t.Errorf("%q: got %s", body, a)
		}
	}
}
