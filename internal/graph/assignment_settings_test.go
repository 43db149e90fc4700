package graph_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// appAssignment is an assignment of an app to whom a target addresses.
func appAssignment(target object, settings any) object {
	return object{"intent": "required", "target": target, "settings": settings}
}

func assignApps(list ...object) object { return object{"mobileAppAssignments": list} }

const vppSettings = "#microsoft.graph.iosVppAppAssignmentSettings"

// What Graph says in the settings of assignments whether an app goes with management is here a
// property of the app. Assignments and app change together, or not at all.
func TestRemovalSettingIsThatOfTheApp(t *testing.T) {
	w := newWorld(newSite(t))
	everybody := object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}
	crowd := object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": w.crowd}
	nobody := object{"@odata.type": "#microsoft.graph.groupAssignmentTarget",
		"groupId": "0b8ccbe0-5c39-4f0a-9c3c-000000000001"}
	removes := func(remove any) object {
		return object{"@odata.type": vppSettings, "uninstallOnDeviceRemoval": remove}
	}
	path := apps + "/" + w.addApp("mail")
	holds := func(where string, removal any, assignments int) {
		t.Helper()
		app := w.must(http.StatusOK, "GET", path+"?$expand=assignments", nil).body
		list, _ := app["assignments"].([]any)
		if app["uninstallOnDeviceRemoval"] != removal || len(list) != assignments {
			t.Errorf("%s: the app is %v", where, app)
		}
		for _, a := range list {
			if shown := at(a, "settings", "uninstallOnDeviceRemoval"); shown != (removal != false) {
				t.Errorf("%s: the assignment shows %v", where, shown)
			}
		}
	}
	holds("at first", nil, 1)
	for _, settings := range []any{nil, object{}, removes(nil), removes(true),
		object{"@odata.type": vppSettings, "useDeviceLicensing": true, "isRemovable": true,
			"vpnConfigurationId": "", "preventAutoAppUpdate": false}} {
		w.must(http.StatusNoContent, "POST", path+"/assign",
			assignApps(appAssignment(everybody, settings)))
		holds("as it is", nil, 1)
	}
	w.must(http.StatusNoContent, "POST", path+"/assign",
		assignApps(appAssignment(everybody, removes(false)), appAssignment(crowd, nil)))
	holds("kept", false, 2)
	e := w.lastEntry()
	if e.Activity != "mobileApps.assign" || len(e.Objects) != 1 {
		t.Fatalf("recorded %+v", e)
	}
	for _, part := range []string{`"uninstallOnDeviceRemoval":false`, `"assignments":[`, w.crowd} {
		if !strings.Contains(string(e.Objects[0].After), part) ||
			part != `"assignments":[` && strings.Contains(string(e.Objects[0].Before), part) {
			t.Errorf("no %s in what was recorded: %s, %s", part, e.Objects[0].Before,
				e.Objects[0].After)
		}
	}
	// What was read can be sent back, and changes nothing.
	read := w.must(http.StatusOK, "GET", path+"/assignments", nil)
	w.must(http.StatusNoContent, "POST", path+"/assign",
		object{"mobileAppAssignments": read.body["value"]})
	holds("sent back", false, 2)
	for _, tt := range []struct {
		body   object
		target string
	}{
		{assignApps(appAssignment(nobody, removes(true))), "mobileAppAssignments[0].target"},
		{assignApps(appAssignment(everybody, removes(true)), appAssignment(crowd, removes(false))),
			"mobileAppAssignments[1].settings.uninstallOnDeviceRemoval"},
		{assignApps(appAssignment(everybody, removes("yes"))),
			"mobileAppAssignments[0].settings.uninstallOnDeviceRemoval"},
		{assignApps(appAssignment(everybody, object{"isRemovable": false})),
			"mobileAppAssignments[0].settings.isRemovable"},
		{assignApps(appAssignment(everybody, object{"preventAutoAppUpdate": true})),
			"mobileAppAssignments[0].settings.preventAutoAppUpdate"},
		{assignApps(appAssignment(everybody, object{"useDeviceLicensing": "true"})),
			"mobileAppAssignments[0].settings.useDeviceLicensing"},
		{assignApps(appAssignment(everybody, object{"colour": nil})),
			"mobileAppAssignments[0].settings.colour"},
		{assignApps(appAssignment(everybody, "x")), "mobileAppAssignments[0].settings"},
		{assignApps(appAssignment(everybody,
			object{"@odata.type": "#microsoft.graph.iosStoreAppAssignmentSettings"})),
			"mobileAppAssignments[0].settings.@odata.type"},
	} {
		a := w.call("POST", path+"/assign", tt.body)
		if a.status != http.StatusBadRequest || at(a.body, "error", "target") != tt.target {
			t.Errorf("%v: got %s, want a 400 of %s", tt.body, a, tt.target)
		}
		holds("refused", false, 2)
	}
	// It is an edit of the app, for which the right to assign is not enough.
	assigner := w.bearerOf([]access.Right{access.AssignApps, access.ReadApps})
	w.as(assigner, http.StatusForbidden, "POST", path+"/assign",
		assignApps(appAssignment(everybody, removes(true))))
	holds("forbidden", false, 2)
	w.as(assigner, http.StatusNoContent, "POST", path+"/assign",
		assignApps(appAssignment(everybody, removes(false))))
	holds("unchanged", false, 1)
	editor := w.bearerOf([]access.Right{access.AssignApps, access.UpdateApps, access.ReadApps})
	w.as(editor, http.StatusNoContent, "POST", path+"/assign",
		assignApps(appAssignment(everybody, removes(true))))
	holds("allowed", true, 1)
}
