package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

const (
	auditEvents        = "/beta/deviceManagement/auditEvents"
	remoteActionAudits = "/beta/deviceManagement/remoteActionAudits"
)

// auditor makes an auditor for the devices of these groups, and returns the header with their
// token.
func (s *site) auditor(name string, groups ...string) []string {
	s.t.Helper()
	_, bearer, err := s.tokens.Create(s.t.Context(),
		access.TokenInput{Name: name, Role: access.SchoolAdministrator, Groups: groups})
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + bearer}
}

// activities are the activityTypes of a list, in its order.
func activities(a answer) (list []string) {
	for _, v := range a.values() {
		list = append(list, fmt.Sprint(v["activityType"]))
	}
	return list
}

func TestAuditEvent(t *testing.T) {
	s := newSite(t)
	id := s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "staff", "mailEnabled": false, "mailNickname": "s",
			"securityEnabled": true}).body["id"].(string)
	p := s.enrollPhone()
	a := s.must(http.StatusNoContent, "POST", groups+"/"+id+"/members/$ref",
		object{"@odata.id": s.URL + p.path()})
	list := s.must(http.StatusOK, "GET", auditEvents, nil)
	if got := activities(list); !reflect.DeepEqual(got,
		[]string{"groups.addMember", "groups.create"}) {
		t.Fatalf("recorded %v", got)
	}
	event := list.values()[0]
	resources := event["resources"]
	if at(resources, 0, "resourceId") != id || at(resources, 0, "displayName") != "staff" ||
		at(resources, 0, "auditResourceType") != "group" ||
		at(resources, 0, "modifiedProperties", 0, "displayName") != "member" ||
		at(resources, 0, "modifiedProperties", 0, "oldValue") != nil ||
		at(resources, 0, "modifiedProperties", 0, "newValue") != string(p.id) ||
		at(resources, 0, "modifiedProperties", 1) != nil ||
		at(resources, 1, "type") != "#microsoft.graph.managedDevice" ||
		at(resources, 1, "resourceId") != string(p.id) {
		t.Errorf("resources: %v", resources)
	}
	actor := event["actor"].(object)
	if actor["type"] != "ItPro" || actor["userPrincipalName"] != "help desk" ||
		actor["ipAddress"] != "127.0.0.1" ||
		at(actor, "userPermissions", 0) != "Administrator" || actor["applicationId"] != nil {
		t.Errorf("actor: %v", actor)
	}
	for name, want := range map[string]any{"activityDateTime": "2025-02-13T10:17:05Z",
		"activityOperationType": "Action", "activityResult": "Success",
		"correlationId": a.header.Get("request-id"), "category": "Device",
		"componentName": "groups", "failureReason": nil} {
		if event[name] != want {
			t.Errorf("%s is %v, want %v", name, event[name], want)
		}
	}
	one := s.must(http.StatusOK, "GET", auditEvents+"/"+event["id"].(string), nil).body
	delete(one, "@odata.context")
	if !reflect.DeepEqual(one, event) {
		t.Errorf("by id %v, in the list %v", one, event)
	}
	one = s.must(http.StatusOK, "GET", auditEvents+"/"+event["id"].(string)+"?$select=id,activity",
		nil).body
	if len(one) != 3 {
		t.Errorf("selected %v", one)
	}
	s.must(http.StatusNotFound, "GET", auditEvents+"/none", nil)
}

func TestAuditEventsOfWrites(t *testing.T) {
	s := newSite(t)
	wifi, app := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	s.must(http.StatusOK, "PATCH", configurations+"/"+wifi,
		object{"@odata.type": "#microsoft.graph.iosCustomConfiguration", "description": "campus",
			"payload": profile("com.example.wifi")})
	p.sync(config(wifi))
	s.must(http.StatusBadRequest, "POST", p.path()+"/syncPayloads",
		object{"deviceActionPayloads": []object{config("none")}})
	s.must(http.StatusNoContent, "DELETE", apps+"/"+app, nil)
	list := s.must(http.StatusOK, "GET", auditEvents, nil).values()
	changed := func(i, n int) (names []string) {
		properties, _ := at(list[i]["resources"], n, "modifiedProperties").([]any)
		for _, m := range properties {
			names = append(names, fmt.Sprint(at(m, "displayName")))
		}
		return names
	}
	if list[1]["activityResult"] != "ClientError" || fmt.Sprint(list[1]["statusCode"]) != "400" ||
		list[1]["failureReason"] == nil {
		t.Errorf("a refused call: %v", list[1])
	}
	if got := changed(2, 0); fmt.Sprint(got) != "[removedPayloads restoreAfter]" ||
		at(list[2], "resources", 0, "displayName") != "Anna's iPhone" ||
		at(list[2], "resources", 0, "modifiedProperties", 0, "newValue") != `["`+wifi+`"]` {
		t.Errorf("an action changed %v: %v", got, list[2])
	}
	if got := changed(3, 0); fmt.Sprint(got) != "[description payload version]" {
		t.Errorf("an edit changed %v", got)
	}
	if got := changed(0, 0); len(got) < 4 || at(list[0], "resources", 0, "modifiedProperties", 0,
		"newValue") != nil {
		t.Errorf("a deletion changed %v", list[0])
	}
	if got := changed(4, 0); fmt.Sprint(got) != "[assignments]" {
		t.Errorf("an assignment changed %v", got)
	}
}

func TestAuditEventFilters(t *testing.T) {
	s := newSite(t)
	for i := range 5 {
		s.must(http.StatusCreated, "POST", groups,
			object{"displayName": fmt.Sprint(i), "mailEnabled": false, "mailNickname": "s",
				"securityEnabled": true})
		s.clock.Advance(time.Microsecond)
	}
	s.must(http.StatusNotFound, "DELETE", groups+"/none", nil)
	me := at(s.must(http.StatusOK, "GET", auditEvents, nil).values()[0], "actor", "userId").(string)
	for filter, want := range map[string]int{
		"activityOperationType eq 'Create'":                          5,
		"activityOperationType eq 'Delete'":                          1,
		"activityResult eq 'ClientError'":                            1,
		"activityType eq 'groups.create'":                            5,
		"activityType eq 'groups.create' and activityResult eq 'x'":  0,
		"actor/userId eq '" + me + "'":                               6,
		"actor/userId eq 'x'' OR 1=1 --'":                            0,
		"activityDateTime ge 2025-02-13T10:17:05.000002Z":            4,
		"activityDateTime gt 2025-02-13T10:17:05.000002Z":            3,
		"activityDateTime gt 2025-02-13T10:17:05.0000015Z":           4,
		"activityDateTime lt 2025-02-13T10:17:05.000002Z":            2,
		"activityDateTime le 2025-02-13T11:17:05.000002+01:00":       3,
		"activityDateTime ge 2025-02-14":                             0,
		"displayName eq 'groups.create'":                             5,
		"componentName eq 'groups'":                                  6,
		"componentName eq 'group'":                                   0,
		"componentName eq 'groups.create'":                           0,
		"category eq 'Device' and activityResult eq 'Success'":       5,
		"Category eq 'device'":                                       6,
		"category eq 'Role'":                                         0,
		"category eq 'Other'":                                        0,
		"category eq 'x'":                                            0,
		"activityDateTime ge 2025-02-13 and activityType eq 'x''y '": 0,
	} {
		a := s.must(http.StatusOK, "GET", auditEvents+"?$filter="+url.QueryEscape(filter), nil)
		if len(a.values()) != want {
			t.Errorf("%s: %d events, want %d", filter, len(a.values()), want)
		}
	}
	var seen []string
	for link := auditEvents + "?$top=4&$select=sequence&$filter=" +
		url.QueryEscape("activityDateTime ge 2025-02-13"); link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		for _, v := range a.values() {
			seen = append(seen, fmt.Sprint(v["sequence"]))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if fmt.Sprint(seen) != "[6 5 4 3 2 1]" {
		t.Errorf("in pages: %v", seen)
	}
	seen = nil
	for link := auditEvents + "?$top=4&$select=sequence&$count=true&$orderby=activityDateTime%20asc" +
		"&$filter=" + url.QueryEscape("displayName eq 'groups.create'"); link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil)
		seen = append(seen, fmt.Sprint("of ", a.body["@odata.count"]))
		for _, v := range a.values() {
			seen = append(seen, fmt.Sprint(v["sequence"]))
		}
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if fmt.Sprint(seen) != "[of 5 1 2 3 4 of 5 5]" {
		t.Errorf("the oldest first: %v", seen)
	}
	for query, want := range map[string]string{
		"$skip=4&$select=sequence":                       "[2 1]",
		"$skip=1&$top=2":                                 "[5 4]",
		"$skip=4&$top=9&$orderby=activityDateTime%20asc": "[5 6]",
		"$skip=6": "[]",
		"$skip=3&$top=1&$filter=category%20eq%20'Device'":                           "[3]",
		"$skip=1&$filter=displayName%20eq%20'groups.create'&$top=2":                 "[4 3]",
		"$skip=1&$filter=category%20eq%20'Device'%20and%20componentName%20eq%20'x'": "[]",
	} {
		seen = nil
		for _, v := range s.must(http.StatusOK, "GET", auditEvents+"?"+query, nil).values() {
			seen = append(seen, fmt.Sprint(v["sequence"]))
		}
		if fmt.Sprint(seen) != want {
			t.Errorf("%s: %v, want %s", query, seen, want)
		}
	}
	if n := s.must(http.StatusOK, "GET", auditEvents+"/$count?$filter=category%20eq%20'Device'",
		nil); string(n.text) != "6" {
		t.Errorf("counted %s", n)
	}
	for _, query := range []string{"$skiptoken=x", "$skiptoken=eyJQb3NpdGlvbiI6eyJJRCI6Ii0xIn19",
		"$skip=x", "$skip=-1", "$skip=100001",
		"$skip=1&$skiptoken=eyJQb3NpdGlvbiI6eyJLZXlzIjpbIjUiXX19", "$orderby=activity", "$orderby=activityDateTime,id", "$orderby=", "$count=x"} {
		s.must(http.StatusBadRequest, "GET", auditEvents+"?"+query, nil)
	}
}

// The functions of the record tell what $filter may say of categories and activities.
func TestAuditFunctions(t *testing.T) {
	s := newSite(t)
	texts := func(path string) (list []string) {
		t.Helper()
		value, _ := s.must(http.StatusOK, "GET", path, nil).body["value"].([]any)
		for _, v := range value {
			list = append(list, v.(string))
		}
		return list
	}
	all := texts(auditEvents + "/getAuditCategories()")
	seen := make(map[string]string)
	for _, category := range all {
		list := texts(auditEvents + "/getAuditActivityTypes(category='" + category + "')")
		if len(list) == 0 {
			t.Errorf("%s has no activities", category)
		}
		for _, activity := range list {
			if other := seen[activity]; other != "" {
				t.Errorf("%s is in %s and %s", activity, other, category)
			}
			seen[activity] = category
		}
	}
	for activity, category := range map[string]string{"groups.create": "Device",
		"managedDevices.checkOut": "Device", "managedDevices.syncPayloads": "Device",
		"deviceConfigurations.assign": "DeviceConfiguration", "mobileApps.create": "Application",
		"roleAssignments.delete": "Role", "session.signIn": "Other",
		"auditEvents.get": "Other"} {
		if seen[activity] != category {
			t.Errorf("%s is in %q, want %s", activity, seen[activity], category)
		}
	}
	const prefix = "/deviceManagement/auditEvents/"
	want := texts(auditEvents + "/getAuditActivityTypes(category='Role')")
	for _, path := range []string{"/v1.0" + prefix + "getAuditActivityTypes(category='Role')",
		"/beta" + prefix + "microsoft.graph.getAuditActivityTypes(category='role')",
		"/beta" + prefix + "GETAUDITACTIVITYTYPES(category=%27ROLE%27)/"} {
		if got := texts(path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	for path, status := range map[string]int{
		"getAuditActivityTypes(category='x')":  http.StatusOK,
		"getAuditActivityTypes(kind='Role')":   http.StatusNotFound,
		"getAuditActivityTypes(category=Role)": http.StatusNotFound,
		"getAuditActivityTypes()":              http.StatusNotFound,
		"getAuditActivityTypes":                http.StatusNotFound,
		"microsoft.graph.getAuditCategories()": http.StatusOK,
		"getAuditCategories()?$top=1":          http.StatusBadRequest,
	} {
		if a := s.call("GET", auditEvents+"/"+path, nil); a.status != status {
			t.Errorf("%s: got %s, want %d", path, a, status)
		}
	}
}

// Who may read the record only for some groups sees what they did themselves, and of others not
// even that it is there.
func TestAuditEventsOfLimitedCallers(t *testing.T) {
	s := newSite(t)
	body := object{"displayName": "x", "mailEnabled": false, "mailNickname": "s",
		"securityEnabled": true}
	id := s.must(http.StatusCreated, "POST", groups, body).body["id"].(string)
	theirs := s.must(http.StatusOK, "GET", auditEvents, nil).values()[0]
	header := s.auditor("teacher", id)
	if list := s.must(http.StatusOK, "GET", auditEvents, nil, header...).values(); len(list) != 0 {
		t.Errorf("sees %v", list)
	}
	s.must(http.StatusNotFound, "POST", devices+"/none/syncDevice", nil, header...)
	list := s.must(http.StatusOK, "GET", auditEvents, nil, header...).values()
	if len(list) != 1 || at(list[0], "actor", "userPrincipalName") != "teacher" {
		t.Fatalf("sees %v", list)
	}
	s.must(http.StatusOK, "GET", auditEvents+"/"+list[0]["id"].(string), nil, header...)
	s.must(http.StatusNotFound, "GET", auditEvents+"/"+theirs["id"].(string), nil, header...)
	// That they looked for an entry of others, which is there, is not told them: it would tell that
	// it is.
	for filter, want := range map[string]int{at(theirs, "actor", "userId").(string): 0,
		at(list[0], "actor", "userId").(string): 1} {
		a := s.must(http.StatusOK, "GET",
			auditEvents+"?$filter="+url.QueryEscape("actor/userId eq '"+filter+"'"), nil, header...)
		n := s.must(http.StatusOK, "GET", auditEvents+"/$count?$filter="+
			url.QueryEscape("actor/userId eq '"+filter+"'"), nil, header...)
		if len(a.values()) != want || string(n.text) != fmt.Sprint(want) {
			t.Errorf("of %s: sees %v, counts %s", filter, a, n)
		}
	}
}

func TestRemoteActionAudits(t *testing.T) {
	s := newSite(t)
	s.addProfile("wifi")
	group := s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "x", "mailEnabled": false, "mailNickname": "s",
			"securityEnabled": true}).body["id"].(string)
	var phones []*phone
	for i := range 4 {
		p := s.enroll(fleet.Device{Name: "phone " + strconv.Itoa(i), UDID: strconv.Itoa(i),
			Platform: fleet.IOS})
		phones = append(phones, p)
		p.sync()
		if i%2 == 1 { // two start at the same moment
			s.clock.Advance(time.Second)
		}
	}
	s.must(http.StatusNoContent, "POST", groups+"/"+group+"/members/$ref",
		object{"@odata.id": s.URL + phones[2].path()})
	phones[2].must(http.StatusNoContent, "POST", phones[2].path()+"/changeAssignments",
		object{"deviceAssignmentItems": []object{}})
	evolved := []string{"Prefer", "include-unknown-enum-members"}
	all := s.must(http.StatusOK, "GET", remoteActionAudits, nil, evolved...).values()
	if len(all) != 5 || all[0]["action"] != "changeAssignments" ||
		all[0]["managedDeviceId"] != string(phones[2].id) ||
		all[0]["deviceDisplayName"] != "phone 2" ||
		all[0]["initiatedByUserPrincipalName"] != "help desk" || all[0]["actionState"] != "done" ||
		all[0]["requestDateTime"] != "2025-02-13T10:17:07Z" ||
		all[0]["deviceActionCategory"] != "single" || len(all[0]) != 12 {
		t.Fatalf("listed %v", all)
	}
	var seen []map[string]any
	for link := remoteActionAudits + "?$top=1"; link != ""; {
		a := s.must(http.StatusOK, "GET", link, nil, evolved...)
		seen = append(seen, a.values()...)
		link, _ = a.body["@odata.nextLink"].(string)
	}
	if !reflect.DeepEqual(seen, all) {
		t.Errorf("in pages %v\nat once %v", seen, all)
	}
	within := s.must(http.StatusOK, "GET", remoteActionAudits+"?$select=managedDeviceId", nil,
		s.auditor("teacher", group)...).values()
	if len(within) != 2 || within[0]["managedDeviceId"] != string(phones[2].id) ||
		within[1]["managedDeviceId"] != string(phones[2].id) || len(within[0]) != 1 {
		t.Errorf("within a group: %v", within)
	}
	s.must(http.StatusBadRequest, "GET", remoteActionAudits+"?$filter=x", nil)
}
