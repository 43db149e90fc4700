package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// manySettings are settings of a macOS policy, the first n of the catalog's.
func manySettings(n int) (list []object) {
	for _, id := range []string{"com.apple.mcx_dontallowfdedisable",
		"com.apple.softwareupdate_automaticdownload",
		"com.apple.security.firewall_enablefirewall",
		"loginwindow_disableloginitemssuppression"}[:n] {
		list = append(list, object{"settingInstance": choiceSetting(id, "true")})
	}
	return list
}

// Policies are found and sorted by how many settings they have, also when that changes.
func TestPoliciesBySettingCount(t *testing.T) {
	s := newSite(t)
	var ids []string
	for _, n := range []int{3, 1, 2} {
		ids = append(ids, s.must(http.StatusCreated, "POST", policiesPath, policyBody(
			fmt.Sprint("policy ", n), "macOS", manySettings(n)...)).body["id"].(string))
	}
	s.addProfile("wifi") // has none, and is of another collection
	named := func(options url.Values) (names []string) {
		t.Helper()
		for link := policiesPath + "?" + options.Encode(); link != ""; {
			a := s.must(http.StatusOK, "GET", link, nil)
			for _, v := range a.values() {
				names = append(names, fmt.Sprint(v["name"], " of ", v["settingCount"]))
			}
			link, _ = a.body["@odata.nextLink"].(string)
		}
		return names
	}
	const one, two, three = "policy 1 of 1", "policy 2 of 2", "policy 3 of 3"
	for filter, want := range map[string][]string{"settingCount eq 2": {two},
		"SettingCount gt 1": {three, two}, "settingCount le 1": {one}, "settingCount eq 0": nil,
		"settingCount ne 3 and isAssigned eq false": {one, two}} {
		got := named(url.Values{"$filter": {filter}, "$orderby": {"name desc"}})
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", filter, got, want)
		}
	}
	for order, want := range map[string][]string{"settingCount": {one, two, three},
		"settingCount desc,name": {three, two, one}} {
		if got := named(url.Values{"$orderby": {order}, "$top": {"1"}}); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", order, got, want)
		}
	}
	s.must(http.StatusNoContent, "PUT", policiesPath+"/"+ids[1],
		policyBody("policy 1", "macOS", manySettings(4)...))
	if got := named(url.Values{"$filter": {"settingCount eq 4"}}); len(got) != 1 {
		t.Errorf("after an edit: %v", got)
	}
	for _, wrong := range []string{"settingCount eq '2'", "contains(settingCount,'2')",
		"settingCount eq 1.5"} {
		s.must(http.StatusBadRequest, "GET", policiesPath+"?$filter="+url.QueryEscape(wrong), nil)
	}
}

// In lists as of one, settings come with their definitions, beside assignments, if asked for.
func TestPoliciesWithAllThatIsRelated(t *testing.T) {
	s := newSite(t)
	id := s.must(http.StatusCreated, "POST", policiesPath,
		policyBody("a", "macOS", manySettings(2)...)).body["id"].(string)
	s.must(http.StatusOK, "POST", policiesPath+"/"+id+"/assign", object{"assignments": []object{
		{"target": object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}}})
	for _, path := range []string{policiesPath, policiesPath + "/" + id,
		"/beta/deviceManagement/configurationPolicies/graph.deviceManagementConfigurationPolicy"} {
		for expand, defined := range map[string]bool{"settings,assignments": false,
			"assignments,settings($expand=settingDefinitions)":               true,
			"Settings($expand=SettingDefinitions($select=name)),assignments": true} {
			a := s.must(http.StatusOK, "GET", path+"?$expand="+url.QueryEscape(expand), nil)
			policy := a.body
			if list := a.values(); len(list) > 0 {
				policy = list[0]
			}
			if at(policy, "assignments", 0, "target", "@odata.type") !=
				"#microsoft.graph.allDevicesAssignmentTarget" || at(policy, "settings", 1) == nil ||
				at(policy, "settings", 2) != nil {
				t.Errorf("%s, %s: %v", path, expand, policy)
			}
			definition := at(policy, "settings", 1, "settingDefinitions", 0)
			if defined != (at(definition, "name") == "AutomaticDownload") {
				t.Errorf("%s, %s: defined by %v", path, expand, definition)
			}
		}
	}
}
