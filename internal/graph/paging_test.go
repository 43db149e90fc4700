package graph_test

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// moving is how rows of a list come and go. A list that never changes has none.
type moving struct {
	add    func(w *world, name string) string // the id, as the list's rows have it
	remove func(w *world, id string)          // nil: they stay
	key    string                             // of a row; empty: id
	orders []string
	filter string // with %s for a name's beginning; empty: the list takes none
}

// patched makes a thing and names it.
func patched(path, property string, make func(w *world) string) func(*world, string) string {
	return func(w *world, name string) string {
		id := make(w)
		w.must(http.StatusOK, "PATCH", path+"/"+id, object{property: name + " " + w.next()})
		return id
	}
}

func deleted(path string) func(*world, string) {
	return func(w *world, id string) { w.must(http.StatusNoContent, "DELETE", path+"/"+id, nil) }
}

func enrolled(w *world, name string) string {
	id := string(w.enroll(fleet.Device{Name: name, UDID: uuid.NewString(), Platform: fleet.IOS,
		Model: name + "x", OSVersion: "18." + name}).id)
	w.clock.Advance(time.Second)
	return id
}

// acted starts an action on the world's device, that ends with the next.
func acted(w *world, _ string) string {
	w.clock.Advance(time.Second)
	w.must(http.StatusNoContent, "POST", devices+"/"+w.device+"/syncPayloads",
		object{"deviceActionPayloads": []object{}})
	return fmt.Sprint(w.must(http.StatusOK, "GET", "/api/devices/"+w.device+"/actions?$top=1",
		nil).values()[0]["id"])
}

const startsWith = "startswith(displayName,'%s')"

// movings has a row for every list, by its operation's name.
var movings = func() map[string]moving {
	byName := []string{"displayName", "displayName desc", "id desc", "displayName desc,id"}
	byTime := append([]string{"createdDateTime desc", "lastModifiedDateTime,displayName desc",
		"createdDateTime,displayName,id desc"}, byName...)
	device := moving{add: enrolled, filter: "startswith(deviceName,'%s')",
		orders: []string{"deviceName desc", "model,osVersion desc", "id",
			"operatingSystem,enrolledDateTime desc", "serialNumber desc,deviceName,model desc"}}
	member := moving{add: func(w *world, name string) string {
		id := enrolled(w, name)
		w.must(http.StatusNoContent, "POST", groups+"/"+w.group+"/members/$ref",
			memberReference(id))
		return id
	}, remove: func(w *world, id string) {
		w.must(http.StatusNoContent, "DELETE", groups+"/"+w.group+"/members/"+id+"/$ref", nil)
	}}
	reference := moving{key: "@odata.id", add: func(w *world, name string) string {
		return w.URL + devices + "/" + member.add(w, name)
	}, remove: func(w *world, id string) {
		member.remove(w,
			id[strings.LastIndexByte(id, '/')+1:])
	}}
	removed := moving{key: "deviceId", add: func(w *world, _ string) string {
		id := w.newDevice()
		w.must(http.StatusNoContent, "POST", devices+"/"+id+"/syncPayloads",
			object{"deviceActionPayloads": []object{config(w.payload)}})
		w.clock.Advance(time.Second)
		return id
	}, remove: func(w *world, id string) {
		w.must(http.StatusNoContent, "POST", devices+"/"+id+"/syncPayloads",
			object{"deviceActionPayloads": []object{}})
	}}
	all := map[string]moving{
		"managedDevices.list": device, "comanagedDevices.list": device,
		"groups.listMembers": member, "groups.listMemberReferences": reference,
		"groups.list": {add: func(w *world, name string) string {
			return w.must(http.StatusCreated, "POST", groups,
				object{"displayName": name}).body["id"].(string)
		}, remove: deleted(groups), orders: append([]string{"createdDateTime desc,displayName"},
			byName...), filter: startsWith},
		"roleDefinitions.list": {add: patched(definitions, "displayName", (*world).newRole),
			remove: deleted(definitions), orders: byName, filter: startsWith},
		"roleAssignments.list": {add: patched(assignments, "displayName", (*world).newAssignment),
			remove: deleted(assignments), orders: byName,
			filter: startsWith},
		"roleDefinitions.listAssignments": {orders: byName, filter: startsWith},
		// of these there is nothing, or one
		"mobileApps.listCategories": {}, "mobileApps.listRelationships": {},
		"organization.list": {}, "assignmentFilters.list": {}, "deviceCategories.list": {},
		"detectedApps.list": {}, "mobileAppCategories.list": {}, "roleAssignments.listScopeTags": {},
		"roleScopeTags.listAssignments": {},
		"groups.listTransitiveMembers":  member,
		"roleScopeTags.list": {add: patched(scopeTags, "displayName", (*world).newTag),
			remove: deleted(scopeTags), orders: byName, filter: startsWith},
		"subscriptions.list": {add: func(w *world, _ string) string {
			return w.must(http.StatusCreated, "POST", subscriptions,
				w.subscriptionBody()).body["id"].(string)
		}, remove: deleted(subscriptions)},
		"remoteActionAudits.list": {add: acted,
			orders: []string{"requestDateTime desc", "deviceDisplayName,requestDateTime desc",
				"action,id"},
			filter: "startswith(deviceDisplayName,'%s')"},
		"mobileAppIntentAndStates.list": {add: enrolled},
		"actions.list":                  {add: acted},
		"removed.list":                  removed,
		"auditEvents.list": {add: acted,
			orders: []string{"activityDateTime desc", "activityDateTime"}},
		// What never changes.
		"resourceOperations.list": {}, "configurationSettings.list": {
			orders: []string{"displayName desc,name", "name", "id desc"},
			filter: "startswith(name,'%s')"},
		"configurationCategories.list":       {orders: []string{"displayName desc", "id"}},
		"configurationPolicies.listSettings": {},
	}
	for _, set := range []string{"managedDevices", "comanagedDevices"} {
		all[set+".listDetectedApps"], all[set+".listUsers"] = moving{}, moving{}
		for kind, of := range map[string]string{"Configuration": "deviceConfigurations",
			"AppConfiguration": "mobileAppConfigurations"} {
			all[set+".list"+kind+"States"] = moving{remove: deleted(payloadPaths[of]),
				filter: startsWith,
				add: patched(payloadPaths[of], "displayName",
					func(w *world) string { return w.newPayload(of) }),
				orders: append([]string{"state,displayName desc", "version desc"}, byName...)}
		}
	}
	for set, path := range payloadPaths {
		property := "displayName"
		orders, filter := byTime, startsWith
		if set == "configurationPolicies" {
			property = "name"
			orders, filter = []string{"name desc", "lastModifiedDateTime,name"},
				"startswith(name,'%s')"
		}
		all[set+".list"] = moving{add: patched(path, property, func(w *world) string {
			return w.newPayload(set)
		}), remove: deleted(path),
			orders: orders, filter: filter}
	}
	return all
}()

// TestEveryListPages walks every list while rows are added and removed under it. Those that are
// there throughout come exactly once, in whatever order, whatever the filter and the size of the
// pages.
func TestEveryListPages(t *testing.T) {
	w := newWorld(newSite(t))
	w.must(http.StatusNoContent, "DELETE", subscriptions+"/"+w.ids["subscriptions"], nil)
	for _, op := range graph.Operations() {
		if !slices.Contains(op.Options, "$skiptoken") || strings.HasPrefix(op.Pattern, "/v1.0/") {
			continue
		}
		m, ok := movings[op.Name]
		if !ok {
			t.Errorf("%s: a list without a row in movings: %s", op.Pattern, op.Name)
			continue
		}
		if m.key == "" {
			m.key = "id"
		}
		t.Run(op.Name, func(t *testing.T) {
			w.t = t
			lessOften(t, map[bool]int{false: 10, true: 100}[m.add == nil])
			path := w.pathOf(op)
			var there []string
			for i := 0; m.add != nil && i < 5; i++ {
				there = append(there, m.add(w, fmt.Sprint("n", i%2)))
			}
			fixed := url.Values{}
			if slices.Contains(op.Options, "$select") && m.key == "id" {
				fixed.Set("$select", "id")
			}
			rapid.Check(t,
				func(t *rapid.T) { there = m.walk(t, w, path, maps.Clone(fixed), there) })
			for _, id := range there {
				if m.remove != nil {
					m.remove(w, id)
				}
			}
		})
		w.t = t
	}
}

// lessOften makes the test try its properties a fraction as often as -rapid.checks says: there are
// many of them.
func lessOften(t *testing.T, fraction int) {
	checks := flag.Lookup("rapid.checks").Value
	old := checks.String()
	n, err := strconv.Atoi(old)
	if err == nil {
		err = checks.Set(strconv.Itoa(max(1, n/fraction)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Set(old); err != nil {
			t.Error(err)
		}
	})
}

// walk walks through a list once, with the options of query and others. there are the rows of the
// test's own; it returns those that are there at the end.
func (m moving) walk(t *rapid.T, w *world, path string, query url.Values, there []string) []string {
	if m.filter != "" && rapid.Bool().Draw(t, "filtered") {
		query.Set("$filter", fmt.Sprintf(m.filter,
			rapid.SampledFrom([]string{"n", "n1", "N0"}).Draw(t, "beginning")))
	}
	if len(m.orders) > 0 && rapid.Bool().Draw(t, "ordered") {
		query.Set("$orderby", rapid.SampledFrom(m.orders).Draw(t, "order"))
	}
	query.Set("$top", "1000")
	expected := map[string]bool{}
	for _, row := range w.must(http.StatusOK, "GET", path+"?"+query.Encode(), nil).values() {
		expected[fmt.Sprint(row[m.key])] = true
	}
	size := rapid.IntRange(max(1, len(expected)/5), max(2, len(expected))).Draw(t, "size")
	query.Set("$top", fmt.Sprint(size))
	seen := map[string]int{}
	for link := path + "?" + query.Encode(); link != ""; {
		a := w.must(http.StatusOK, "GET", link, nil)
		if rows := a.values(); len(rows) > size {
			t.Fatalf("a page of %d, not of %d", len(rows), size)
		}
		for _, row := range a.values() {
			seen[fmt.Sprint(row[m.key])]++
		}
		link, _ = a.body["@odata.nextLink"].(string)
		if m.add != nil && link != "" && rapid.Bool().Draw(t, "adds") {
			there = append(there, m.add(w, fmt.Sprint("n", rapid.IntRange(0, 1).Draw(t, "name"))))
		}
		for m.remove != nil && len(there) > 3 &&
			(len(there) > 7 || rapid.Bool().Draw(t, "removes")) {
			i := rapid.IntRange(0, len(there)-1).Draw(t, "which")
			m.remove(w, there[i])
			delete(expected, there[i])
			there = slices.Delete(there, i, i+1)
		}
	}
	for id := range expected {
		if seen[id] != 1 {
			t.Fatalf("%s: %s came %d times", query, id, seen[id])
		}
	}
	for id, n := range seen {
		if n > 1 {
			t.Fatalf("%s: %s came %d times", query, id, n)
		}
	}
	return there
}

// TestWalkByLastSync walks through devices in the order of their last contact while they make
// contact. None is lost, and none comes more than twice; those that make no contact come once.
func TestWalkByLastSync(t *testing.T) {
	s := newSite(t)
	var all []fleet.DeviceID
	for i := range 8 {
		all = append(all, s.enroll(fleet.Device{Name: "d", UDID: fmt.Sprint(i),
			Platform: fleet.IOS}).id)
	}
	rapid.Check(t, func(t *rapid.T) {
		link := devices + "?$select=id&$orderby=" +
			rapid.SampledFrom([]string{"lastSyncDateTime", "lastSyncDateTime%20desc",
				"deviceName,lastSyncDateTime%20desc"}).Draw(t, "order") + "&$top=" +
			fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "size"))
		seen, moved := map[string]int{}, map[string]bool{}
		for pages := 0; link != ""; pages++ {
			if pages > 40 {
				t.Fatal("the walk does not end")
			}
			a := s.must(http.StatusOK, "GET", link, nil)
			for _, row := range a.values() {
				seen[row["id"].(string)]++
			}
			link, _ = a.body["@odata.nextLink"].(string)
			if link == "" {
				break
			}
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 3,
				rapid.ID).Draw(t, "contacts") {
				// Contacts reach the disk late, and not in the order in which they were made.
				s.clock.Advance(time.Second)
				at := s.clock.Now().Add(-time.Duration(rapid.IntRange(0, 60).Draw(t,
					"late")) * time.Second)
				if err := s.store.Touch(s.t.Context(),
					map[fleet.DeviceID]time.Time{id: at}); err != nil {
					t.Fatal(err)
				}
				moved[string(id)] = true
			}
		}
		for _, id := range all {
			n := seen[string(id)]
			if n < 1 || n > 2 || n == 2 && !moved[string(id)] {
				t.Fatalf("%s came %d times; made contact: %t; all: %v", id, n, moved[string(id)],
					slices.Collect(maps.Values(seen)))
			}
		}
	})
}
