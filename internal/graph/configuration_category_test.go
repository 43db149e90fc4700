package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

const categoriesPath = "/beta/deviceManagement/configurationCategories"

// Settings are found by what people and tools know of them, and are in categories.
func TestFindConfigurationSettings(t *testing.T) {
	s := newSite(t)
	camera := s.must(http.StatusOK, "GET", settingsPath+"/"+restrictions+"_allowcamera", nil).body
	category, _ := camera["categoryId"].(string)
	if category == "" || camera["visibility"] != "settingsCatalog" ||
		camera["settingUsage"] != "configuration" {
		t.Fatalf("the setting is %v", camera)
	}
	count := func(path, filter string) string {
		a := s.must(http.StatusOK, "GET", path+"/$count?$filter="+url.QueryEscape(filter), nil)
		return string(a.text)
	}
	for filter, want := range map[string]string{
		"id eq '" + restrictions + "_allowcamera'":                             "1",
		"name eq 'allowcamera' and categoryId eq '" + category + "'":           "1",
		"name eq 'allowCamera' and applicability/platform has 'macOS'":         "1",
		"name eq 'allowCamera' and applicability/platform has 'android'":       "0",
		"name eq 'allowCamera' and not (applicability/technologies has 'mdm')": "0",
		"name eq 'allowCamera' and visibility has 'settingsCatalog'":           "1",
		"name eq 'allowCamera' and settingUsage has 'compliance'":              "0",
		"description ne null":                    "0",
		"keywords/any(k:k eq 'no such keyword')": "0",
		"keywords/any(k:k eq '" + fmt.Sprint(at(camera, "keywords", 0)) + "')" + " and name eq 'allowCamera'": "1",
	} {
		if got := count(settingsPath, filter); got != want {
			t.Errorf("%s: %s settings, want %s", filter, got, want)
		}
	}
	seen := map[any]int{}
	for link := settingsPath + "?$search=camera&$top=2&$orderby=displayName%20desc&$select=id"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			seen[v["id"]]++
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if seen[restrictions+"_allowcamera"] != 1 || seen[passcode+"_maxfailedattempts"] != 0 {
		t.Errorf("found %v", seen)
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%v came %d times", id, n)
		}
	}
	one := s.must(http.StatusOK, "GET", categoriesPath+"/"+category, nil).body
	if one["id"] != category || one["rootCategoryId"] != category || one["displayName"] == "" ||
		one["childCategoryIds"] == nil || one["platforms"] != "iOS,macOS" ||
		one["technologies"] != "mdm,appleRemoteManagement" {
		t.Errorf("the category is %v", one)
	}
	for filter, want := range map[string]string{
		"id eq '" + category + "'": "1",
		"id eq '" + category + "' and platforms has 'iOS' and technologies has 'mdm'": "1",
		"platforms has 'android'":                                    "0",
		"parentCategoryId ne '00000000-0000-0000-0000-000000000000'": "0",
		"displayName eq '" + fmt.Sprint(one["displayName"]) + "'":    "1",
	} {
		if got := count(categoriesPath, filter); got != want {
			t.Errorf("%s: %s categories, want %s", filter, got, want)
		}
	}
	s.must(http.StatusNotFound, "GET", categoriesPath+"/none", nil)
	for _, path := range []string{settingsPath + "?$filter=colour%20eq%20'red'",
		settingsPath + "?$filter=applicability/platform%20has%20'amiga'",
		settingsPath + "?$filter=keywords%20eq%20'x'", categoriesPath + "?$orderby=colour"} {
		s.must(http.StatusBadRequest, "GET", path, nil)
	}
}
