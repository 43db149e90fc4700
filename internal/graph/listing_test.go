package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// escaped writes the values of a query as they are written in it.
func escaped(query string) string {
	options := strings.Split(query, "&")
	for i, option := range options {
		name, value, _ := strings.Cut(option, "=")
		options[i] = name + "=" + url.QueryEscape(value)
	}
	return strings.Join(options, "&")
}

// column is one property of all rows of a list.
func column(a answer, property string) string {
	var list []string
	for _, v := range a.values() {
		list = append(list, fmt.Sprint(v[property]))
	}
	return strings.Join(list, " ")
}

func TestListsOfOthers(t *testing.T) {
	s := newSite(t)
	ids := map[string]string{}
	for _, name := range []string{"cat", "Bee", "ant"} {
		s.clock.Advance(time.Minute)
		ids[name] = s.addProfile(name)
		s.must(http.StatusCreated, "POST", groups,
			object{"displayName": name,
				"description": map[string]string{"ant": "of six legs"}[name]})
		s.must(http.StatusCreated, "POST", scopeTags, object{"displayName": name})
	}
	s.clock.Advance(time.Minute)
	s.must(http.StatusOK, "PATCH", configurations+"/"+ids["cat"],
		object{"description": "100% wild", "payload": profile("com.example.cat")})
	s.addApp("app")
	s.must(http.StatusCreated, "POST", apps, object{"@odata.type": "#microsoft.graph.iosStoreApp",
		"displayName": "store", "publisher": "Apple",
		"bundleId":    "com.example.store",
		"appStoreUrl": "https://apps.apple.com/us/app/name/id361309726"})
	s.must(http.StatusCreated, "POST", definitions, object{"displayName": "Night shift"})
	for _, tt := range []struct{ path, query, want string }{
		{configurations, "$orderby=displayName", "ant Bee cat"},
		{configurations, "$orderby=displayName desc", "cat Bee ant"},
		{configurations, "$orderby=createdDateTime", "cat Bee ant"},
		{configurations, "$orderby=lastModifiedDateTime desc", "cat ant Bee"},
		{configurations, "$orderby=displayName&$skip=1&$top=1", "Bee"},
		{configurations, "$filter=displayName gt 'B'&$orderby=displayName", "Bee cat"},
		{configurations, "$filter=version eq 2", "cat"},
		{configurations, "$filter=description eq null&$orderby=displayName", "ant Bee"},
		{configurations, "$filter=createdDateTime gt 2025-02-13T10:18:05Z&$orderby=displayName",
			"ant Bee"},
		{configurations, "$filter=payloadFileName eq 'ANT.mobileconfig'", "ant"},
		{configurations, "$filter=isof('microsoft.graph.macOSCustomConfiguration')", ""},
		{configurations,
			"$filter=roleScopeTagIds/any(t:t eq '0') and not endswith(displayName,'t')", "Bee"},
		{configurations, "$search=\"100%\"", "cat"},
		{configurations, "$search=\"displayName:%\"", ""},
		{apps, "$filter=isof('microsoft.graph.iosVppApp')", "app"},
		{apps, "$filter=publisher eq 'apple'", "store"},
		{apps, "$filter=publisher eq null", "app"},
		{apps,
			"$filter=bundleId in ('com.example.store','x') or contains(bundleId,'.app')&$orderby=displayName", "app store"},
		{groups, "$orderby=displayName desc&$filter=securityEnabled eq true", "cat Bee ant"},
		{groups, "$filter=displayName eq 'BEE'", "Bee"},
		{groups, "$search=\"description:LEGS\"", "ant"},
		{groups, "$filter=groupTypes/any(c:c eq 'Unified')", ""},
		{scopeTags, "$orderby=displayName", "ant Bee cat Default"},
		{scopeTags, "$filter=isBuiltIn eq true", "Default"},
		{scopeTags, "$filter=id eq '1'", "cat"},
		{definitions, "$filter=isBuiltIn eq false", "Night shift"},
		{definitions, "$filter=startswith(displayName,'help')", "Help Desk Operator"},
		{definitions, "$orderby=displayName&$top=2", "Administrator Help Desk Operator"},
		{assignments, "$filter=scopeType eq 'allDevices'", "help desk"},
		{assignments, "$filter=members/any(m:m eq 'x')", ""},
		{definitions + "/" + access.Administrator + "/roleAssignments",
			"$filter=displayName ne 'x'", "help desk"},
		{definitions + "/" + access.HelpDeskOperator + "/roleAssignments",
			"$filter=displayName ne 'x'", ""},
	} {
		if got := column(s.must(http.StatusOK, "GET", tt.path+"?"+escaped(tt.query), nil),
			"displayName"); got != tt.want {
			t.Errorf("%s?%s: got %q, want %q", tt.path, tt.query, got, tt.want)
		}
	}
}

func TestFilterDevicesByChoice(t *testing.T) {
	s := newSite(t)
	for name, d := range map[string]fleet.Device{"phone": {Platform: fleet.IOS, Supervised: true},
		"pod": {Platform: fleet.IOS, Model: "iPod9,1"},
		"pad": {Platform: fleet.IPadOS, UserEnrolled: true}, "mac": {Platform: fleet.MacOS},
		"tv": {Platform: fleet.TVOS},
		"owned": {Platform: fleet.Android,
			EnrollmentType: "androidEnterpriseFullyManaged"},
		"kiosk": {Platform: fleet.Android,
			EnrollmentType: "androidEnterpriseDedicatedDevice"},
		"profile": {Platform: fleet.Android,
			EnrollmentType: "androidEnterpriseCorporateWorkProfile"},
		"byod":  {Platform: fleet.Android, UserEnrolled: true, EnrollmentType: "own"},
		"robot": {Platform: fleet.Android}} {
		d.Name, d.UDID = name, name
		s.enroll(d)
	}
	all := s.must(http.StatusOK, "GET", devices+"?$orderby=deviceName", nil)
	for _, property := range []string{"ownerType", "managedDeviceOwnerType", "deviceType",
		"complianceState", "managementAgent",
		"deviceEnrollmentType", "deviceRegistrationState", "managementState"} {
		members := map[string][]string{}
		for _, row := range all.values() {
			members[fmt.Sprint(row[property])] = append(members[fmt.Sprint(row[property])],
				fmt.Sprint(row["deviceName"]))
		}
		for member, want := range members {
			got := names(s.must(http.StatusOK, "GET",
				devices+"?$orderby=deviceName&$filter="+property+"%20eq%20'"+member+"'", nil))
			if got != strings.Join(want, " ") {
				t.Errorf("%s eq '%s': got %s, shown so are %v", property, member, got, want)
			}
		}
	}
}

func TestCount(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.enroll(fleet.Device{Name: fmt.Sprint("d", i), UDID: fmt.Sprint(i), Platform: fleet.IOS})
	}
	s.addProfile("wifi")
	for path, want := range map[string]string{
		devices + "/$count": "3",
		devices + "/$count?$filter=deviceName%20eq%20'd1'":                   "1",
		devices + "/$count?$search=d":                                        "3",
		strings.Replace(devices, "/beta/", "/v1.0/", 1) + "/$count":          "3",
		"/beta/deviceManagement/comanagedDevices/$count":                     "3",
		configurations + "/$count":                                           "1",
		apps + "/$count":                                                     "0",
		definitions + "/$count?$filter=isBuiltIn%20eq%20true":                "4",
		definitions + "/" + access.Administrator + "/roleAssignments/$count": "1",
		"/beta/deviceManagement/remoteActionAudits/$count":                   "0",
	} {
		a := s.must(http.StatusOK, "GET", path, nil)
		if string(a.text) != want || !strings.HasPrefix(a.header.Get("Content-Type"),
			"text/plain") {
			t.Errorf("%s: got %s %v, want %s", path, a, a.header, want)
		}
	}
	a := s.must(http.StatusOK, "GET", devices+"?$count=true&$top=1&$skip=1&$orderby=deviceName",
		nil)
	if fmt.Sprint(a.body["@odata.count"]) != "3" || names(a) != "d1" {
		t.Errorf("a page with the count: %s", a)
	}
	link := a.body["@odata.nextLink"].(string)
	if rest := s.must(http.StatusOK, "GET", link, nil); names(rest) != "d2" ||
		strings.Contains(link, "$skip=") || rest.body["@odata.nextLink"] != nil {
		t.Errorf("behind it, at %s: %s", link, rest)
	}
}

func TestExpandAssignments(t *testing.T) {
	s := newSite(t)
	w := &world{site: s, group: s.newGroup("group"), crowd: s.newGroup("crowd"), tag: "0"}
	for _, path := range []string{configurations, apps, appSettings} {
		id := w.newPayload(path[strings.LastIndexByte(path, '/')+1:])
		want := s.must(http.StatusOK, "GET", path+"/"+id+"/assignments", nil).body["value"]
		one := s.must(http.StatusOK, "GET", path+"/"+id+"?$expand=assignments&$select=id", nil).body
		list := s.must(http.StatusOK, "GET",
			path+"?$expand=assignments&$select=id&$filter=id%20eq%20'"+id+"'", nil).values()
		if len(want.([]any)) != 2 || len(list) != 1 ||
			!reflect.DeepEqual(one["assignments"], want) ||
			!reflect.DeepEqual(list[0]["assignments"], want) {
			t.Errorf("%s: assignments are %v; alone %v, in the list %v", path, want, one, list)
		}
		bare := s.must(http.StatusCreated, "POST", path,
			w.payloadBody(path[strings.LastIndexByte(path, '/')+1:])).body["id"].(string)
		if a := s.must(http.StatusOK, "GET", path+"/"+bare+"?$expand=assignments",
			nil); !reflect.DeepEqual(a.body["assignments"], []any{}) {
			t.Errorf("%s: without assignments %s", path, a)
		}
		if a := s.must(http.StatusOK, "GET", path, nil); slices.Contains(keysOf(a.values()[0]),
			"assignments") {
			t.Errorf("%s: not asked for, and in %s", path, a)
		}
	}
}

func TestPreferredPageSize(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.enroll(fleet.Device{Name: fmt.Sprint("d", i), UDID: fmt.Sprint(i), Platform: fleet.IOS})
	}
	for _, tt := range []struct {
		path, prefer, applied string
		pages                 []int
	}{
		{devices, "odata.maxpagesize=2", "odata.maxpagesize=2", []int{2, 2, 1}},
		{devices + "?$top=3", "odata.maxpagesize=2", "odata.maxpagesize=2", []int{2, 2, 1}},
		{devices + "?$top=3", "odata.maxpagesize=4", "odata.maxpagesize=4", []int{3, 2}},
		{devices, "odata.maxpagesize=9999", "odata.maxpagesize=1000", []int{5}},
		{devices, "odata.maxpagesize=0", "", []int{5}},
		{devices + "?$top=3", "", "", []int{3, 2}},
		{"/beta/deviceManagement/resourceOperations?$select=id", "odata.maxpagesize=20",
			"odata.maxpagesize=20", []int{20, len(access.Rights()) - 20}},
	} {
		a := s.must(http.StatusOK, "GET", tt.path, nil, "Prefer", tt.prefer)
		if got := a.header.Get("Preference-Applied"); got != tt.applied {
			t.Errorf("%s with %q: applied %q", tt.path, tt.prefer, got)
		}
		var pages []int
		for {
			pages = append(pages, len(a.values()))
			link, ok := a.body["@odata.nextLink"].(string)
			if !ok {
				break
			}
			a = s.must(http.StatusOK, "GET", link, nil) // the link remembers the size
		}
		if !reflect.DeepEqual(pages, tt.pages) {
			t.Errorf("%s with %q: pages of %v, want %v", tt.path, tt.prefer, pages, tt.pages)
		}
	}
}

// A position holds for its order alone, and one that was tampered with is refused.
func TestForeignPositions(t *testing.T) {
	s := newSite(t)
	for i := range 3 {
		s.enroll(fleet.Device{Name: fmt.Sprint("d", i), UDID: fmt.Sprint(i), Platform: fleet.IOS})
	}
	token := func(order string) string {
		link := s.must(http.StatusOK, "GET", devices+"?$top=1&$orderby="+order,
			nil).body["@odata.nextLink"].(string)
		return link[strings.Index(link, "$skiptoken="):]
	}
	for _, path := range []string{
		devices + "?" + token("deviceName"),
		devices + "?$orderby=deviceName&" + token("lastSyncDateTime"),
		devices + "?$orderby=model&" + token("deviceName"),
		devices +
			"?$orderby=lastSyncDateTime&$skiptoken=eyJPcmRlckJ5IjoibGFzdFN5bmNEYXRlVGltZSIsIlBvc2l0aW9uIjp7IktleXMiOlsxLCJhIl19fQ",
		devices + "?$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbMV19fQ",
		devices + "?$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbMWU5OV19fQ",
		devices + "?$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbImEiLCJiIl19fQ",
		groups + "?$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbbnVsbF19fQ",
		"/beta/deviceManagement/resourceOperations?$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbMV19fQ",
	} {
		if a := s.call("GET", path, nil); a.status != http.StatusBadRequest ||
			!strings.Contains(a.message(), "$skiptoken") {
			t.Errorf("%s: got %s", path, a)
		}
	}
}
