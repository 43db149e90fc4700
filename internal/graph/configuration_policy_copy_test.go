package graph_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// A copy has the settings of the other policy, its secrets among them, and is nobody's.
func TestPolicyCopy(t *testing.T) {
	const secret = "hunter2-and-more"
	s := newSite(t)
	p := s.enrollPhone()
	tag := s.newScopeTag("Munich")
	body := policyBody("Campus", "iOS", payloadSetting("com.apple.wifi.managed",
		object{"@odata.type": settingType + "SimpleSettingInstance",
			"settingDefinitionId": "com.apple.wifi.managed_password",
			"simpleSettingValue": object{"@odata.type": settingType + "SecretSettingValue",
				"value": secret, "valueState": "notEncrypted"}}))
	body["description"], body["roleScopeTagIds"] = "of the campus", []string{tag}
	document := string(s.must(http.StatusOK, "GET", "/beta/$metadata", nil).text)
	for name, declared := range map[string]bool{"createCopy": true, "assign": true,
		"assignments": false, "roleAssignments": false} {
		if strings.Contains(document, `<Action Name="`+name+`"`) != declared {
			t.Errorf("$metadata declares the action %s: %t", name, !declared)
		}
	}
	id := s.addPolicy(body)
	path := policiesPath + "/" + id
	before := s.must(http.StatusOK, "GET", path+"?$expand=settings", nil).body
	made := s.must(http.StatusCreated, "POST", path+"/createCopy", object{"displayName": "Copy"})
	copied := made.body["id"].(string)
	if made.header.Get("Location") != s.URL+policiesPath+"/"+copied || copied == id ||
		made.body["name"] != "Copy" || made.body["description"] != "of the campus" ||
		made.body["isAssigned"] != false || fmt.Sprint(made.body["roleScopeTagIds"]) != "["+tag+"]" ||
		!reflect.DeepEqual(made.body["settings"], before["settings"]) ||
		strings.Contains(string(made.text), secret) {
		t.Fatalf("made %s", made)
	}
	named := s.must(http.StatusCreated, "POST", path+"/createCopy",
		object{"displayName": "Other", "description": ""}).body
	if named["description"] != nil {
		t.Errorf("the description is %v", named["description"])
	}
	if after := s.must(http.StatusOK, "GET", path+"?$expand=settings",
		nil).body; !reflect.DeepEqual(after, before) {
		t.Errorf("the policy was %v, and is %v", before, after)
	}
	// the secret itself reaches devices, and stays when the policy that had it goes
	s.must(http.StatusNoContent, "DELETE", path, nil)
	s.must(http.StatusOK, "POST", policiesPath+"/"+copied+"/assign", toAllDevices("assignments"))
	s.spread()
	p.connect()
	if p.has[action.Profiles]["com.github.syncpayloads.policy."+copied] == "" {
		t.Errorf("the phone has %v", p.has[action.Profiles])
	}
	if err := s.store.ViewCatalog(t.Context(), func(tx catalog.Tx) error {
		stored, err := tx.Payload(t.Context(), action.PayloadID(copied))
		if err == nil && !strings.Contains(string(stored.Content), secret) {
			t.Errorf("what is installed lacks the secret: %s", stored.Content)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []object{{}, {"displayName": ""}, {"displayName": 1},
		{"displayName": "x", "settings": []object{}}} {
		s.must(http.StatusBadRequest, "POST", policiesPath+"/"+copied+"/createCopy", bad)
	}
	s.must(http.StatusNotFound, "POST", path+"/createCopy", object{"displayName": "x"})
}
