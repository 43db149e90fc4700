package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// A secret is never served, and its token stands for it.
func TestPolicySecrets(t *testing.T) {
	const secret = "hunter2-and-more"
	s := newSite(t)
	p := s.enrollPhone()
	network := payloadSetting("com.apple.wifi.managed",
		object{"@odata.type": settingType + "SimpleSettingInstance",
			"settingDefinitionId": "com.apple.wifi.managed_password",
			"simpleSettingValue": object{"@odata.type": settingType + "SecretSettingValue",
				"value": secret, "valueState": "notEncrypted"}})
	id := s.addPolicy(policyBody("Campus", "iOS", network))
	s.spread()
	p.connect()
	revision := p.has[action.Profiles]["com.github.syncpayloads.policy."+id]
	for _, link := range []string{policiesPath + "?$expand=settings",
		policiesPath + "/" + id + "?$expand=settings", policiesPath + "/" + id + "/settings",
		auditEvents, p.path(), "/api/devices/" + string(p.id) + "/payloads"} {
		if a := s.must(http.StatusOK, "GET", link, nil); strings.Contains(string(a.text), secret) {
			t.Errorf("%s shows the secret: %s", link, a)
		}
	}
	whole := s.must(http.StatusOK, "GET", policiesPath+"/"+id+"?$expand=settings", nil).body
	s.must(http.StatusNoContent, "PUT", policiesPath+"/"+id, whole)
	s.spread()
	p.connect()
	if again := p.has[action.Profiles]["com.github.syncpayloads.policy."+id]; revision == "" ||
		again != revision {
		t.Errorf("what was read and sent back is another version: %q, was %q", again, revision)
	}
	if strings.Contains(s.log.text(), secret) {
		t.Errorf("the log has the secret: %s", s.log.text())
	}
}

// TestPolicyIsRemovedAndRestored walks a policy through the action with a device.
func TestPolicyIsRemovedAndRestored(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	mac := s.enroll(fleet.Device{Name: "Mac", UDID: "mac", Platform: fleet.MacOS,
		OSVersion: "15.1"})
	id := s.addPolicy(cameraPolicy("No camera"))
	identifier := "com.github.syncpayloads.policy." + id
	s.spread()
	p.connect()
	mac.connect()
	held := p.has[action.Profiles]
	first := held[identifier]
	if first == "" || len(mac.has[action.Profiles]) != 0 {
		t.Fatalf("the phone has %v, the Mac %v", held, mac.has[action.Profiles])
	}
	policy := object{"payloadId": id, "payloadType": "deviceManagementConfigurationPolicy"}
	if a := s.call("POST", p.path()+"/syncPayloads",
		object{"deviceActionPayloads": []object{config(id)}}); a.status != http.StatusBadRequest {
		t.Errorf("named as another type: %s", a)
	}
	p.sync(policy)
	checkResult(t, p.result("syncPayloads"), "pending", map[string]string{id: "remove inProgress"})
	p.connect()
	checkResult(t, p.result("syncPayloads"), "done", map[string]string{id: "remove removed"})
	if _, there := held[identifier]; there {
		t.Errorf("it is still there: %v", held)
	}
	if shown := at(p.result("syncPayloads"), "deviceActionPayloads", 0); at(shown,
		"payloadType") != "deviceManagementConfigurationPolicy" ||
		at(shown, "displayName") != "No camera" {
		t.Errorf("shown as %v", shown)
	}
	// A new version while it is off comes with the restoration.
	changed := cameraPolicy("No camera")
	changed["settings"] = []object{payloadSetting(restrictions,
		choiceSetting(restrictions+"_allowcamera", "true"))}
	s.must(http.StatusNoContent, "PUT", policiesPath+"/"+id, changed)
	s.spread()
	p.connect()
	if _, there := held[identifier]; there {
		t.Errorf("a new version brought it back: %v", held)
	}
	p.sync()
	p.connect()
	checkResult(t, p.result("syncPayloads"), "done", map[string]string{id: "restore succeeded"})
	if held[identifier] == "" || held[identifier] == first {
		t.Errorf("restored is version %q, and the first was %q", held[identifier], first)
	}
	p.must(http.StatusNoContent, "POST", p.path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{
			{"itemId": id, "itemType": "deviceManagementConfigurationPolicy"}}})
	p.connect()
	if item := at(p.result("changeAssignments"), "deviceAssignmentItems", 0); at(item,
		"itemSubTypeDisplayName") != "settingsCatalog" ||
		at(item, "itemType") != "deviceManagementConfigurationPolicy" ||
		at(item, "assignmentItemActionStatus") != "removed" {
		t.Errorf("shown as %v", item)
	}
	s.must(http.StatusNoContent, "POST", p.path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{}})
	p.connect()
	if held[identifier] == "" {
		t.Errorf("not restored: %v", held)
	}
	s.must(http.StatusNoContent, "DELETE", policiesPath+"/"+id, nil)
	s.spread()
	p.connect()
	if len(held) != 0 {
		t.Errorf("of a deleted policy is left %v", held)
	}
}

// spread tells devices what has changed in the catalog, which the server does by itself while it
// runs.
func (s *site) spread() {
	s.t.Helper()
	for {
		n, err := s.store.SpreadChanges(s.t.Context(), s.clock.Now(), 100)
		if err != nil {
			s.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}
