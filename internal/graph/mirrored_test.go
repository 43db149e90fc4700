package graph_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// What another system keeps is listed and read as that system's, and nothing here changes it.
func TestMirroredPayloadsAreReadOnly(t *testing.T) {
	s := newSite(t)
	const policies = "/beta/deviceManagement/configurationPolicies"
	var list []*catalog.Payload
	for i, tt := range []struct {
		kind      action.PayloadType
		odataType string
	}{{action.DeviceConfiguration, "iosCustomConfiguration"},
		{action.DeviceConfiguration, "iosEasEmailProfileConfiguration"},
		{action.Application, "iosStoreApp"},
		{action.AppConfiguration, "iosMobileAppConfiguration"},
		{action.ConfigurationPolicy, "deviceManagementConfigurationPolicy"}} {
		id := fmt.Sprintf("5c0b9f3e-0000-4000-8000-00000000000%d", i)
		list = append(list, &catalog.Payload{ID: action.PayloadID(id), Type: tt.kind,
			ODataType: tt.odataType, DisplayName: "theirs", SubType: "custom",
			Platforms:  []fleet.Platform{fleet.IOS},
			Identifier: id, Version: 1, Content: []byte{},
			Properties: []byte(`{"publisher":"Fabrikam"}`), Tags: []string{"0"},
			Created: s.clock.Now(), LastModified: s.clock.Now(), MirroredFrom: "Contoso"})
	}
	if err := s.store.SaveMirroredPayloads(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for i, collection := range []string{configurations, configurations, apps,
		"/beta/deviceAppManagement/mobileAppConfigurations", policies} {
		paths[collection+"/"+string(list[i].ID)] = collection
	}
	for path, collection := range paths {
		got := s.must(http.StatusOK, "GET", path, nil).body
		if got["@syncpayloads.mirroredFrom"] != "Contoso" ||
			collection == apps && got["publisher"] != "Fabrikam" {
			t.Errorf("%s: %v", path, got)
		}
		found := false
		for _, one := range s.must(http.StatusOK, "GET", collection, nil).values() {
			found = found || one["id"] == got["id"] &&
				one["@syncpayloads.mirroredFrom"] == "Contoso"
		}
		if !found {
			t.Errorf("%s does not list it as the tenant's", collection)
		}
		named := "assignments"
		if collection == apps {
			named = "mobileAppAssignments"
		}
		for _, tt := range []struct {
			method, path string
			body         any
		}{
			{"PATCH", path, object{"description": "mine"}},
			{"DELETE", path, nil},
			{"POST", path + "/assign", object{named: []any{}}},
			{"POST", path + "/microsoft.graph.assign", object{named: []any{}}},
			{"POST", path + "/assignments", object{"target": object{
				"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}},
		} {
			if strings.HasSuffix(tt.path, "/assignments") && collection != configurations {
				continue // one is added there in another form, or not at all
			}
			r := s.must(http.StatusMethodNotAllowed, tt.method, tt.path, tt.body)
			if message := fmt.Sprint(r.body["error"]); !strings.Contains(message,
				"managed in Intune") || r.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %s", tt.method, tt.path, message)
			}
		}
		if again := s.must(http.StatusOK, "GET", path, nil).body; fmt.Sprint(again) !=
			fmt.Sprint(got) {
			t.Errorf("%s became %v", path, again)
		}
	}
	s.must(http.StatusMethodNotAllowed, "POST", policies+"/"+string(list[4].ID)+"/createCopy",
		object{"displayName": "copy", "description": ""})
	own := s.must(http.StatusCreated, "POST", configurations, object{
		"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "ours",
		"payloadName": "Campus", "payloadFileName": "a.mobileconfig",
		"payload": profile("com.example.wifi")}).body
	if _, marked := own["@syncpayloads.mirroredFrom"]; marked {
		t.Errorf("our own is marked: %v", own)
	}
	// a tenant that claims the id of a policy of ours, or of another tenant, does not get it
	theft := *list[0]
	theft.DisplayName, theft.MirroredFrom = "stolen", "Fabrikam"
	other := *list[0]
	other.ID, other.DisplayName = action.PayloadID(own["id"].(string)), "stolen"
	if err := s.store.SaveMirroredPayloads(t.Context(),
		[]*catalog.Payload{&theft, &other}); err != nil {
		t.Fatal(err)
	}
	for _, one := range s.must(http.StatusOK, "GET", configurations, nil).values() {
		if one["displayName"] == "stolen" {
			t.Errorf("it is %v", one)
		}
	}
}
