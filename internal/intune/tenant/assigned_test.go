package tenant_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

const (
	person   = "22222222-2222-4333-8444-555555555555"
	anyone   = "00000000-0000-0000-0000-000000000000"
	oldBase  = "Microsoft.Management.Services.Api.DeviceConfiguration"
	catalog  = "DeviceManagementConfigurationPolicy"
	settings = "deviceManagement/managedDevices/" + device +
		"/managedDeviceMobileAppConfigurationStates"
)

// itemNamed is the id of a policy or app of a test.
func itemNamed(n int) string { return fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012x", n) }

// appsOf is the path of somebody's list of the device's apps.
func appsOf(user string) string {
	return "users('" + user + "')/mobileAppIntentAndStates('" + device + "')"
}

// assignments is a service that tells what is assigned: a report, by the row that a page of it
// begins with, and lists by their path. What it has no list for is not found.
func assignments(t *testing.T, report func(skip int) any, lists map[string]any) *service {
	s := newService(t, nil)
	s.graph = func(w http.ResponseWriter, r *http.Request) {
		calls := s.asked()
		body := []byte(calls[len(calls)-1].body)
		if !strings.HasSuffix(r.URL.Path, "/$batch") {
			var page struct{ Skip int }
			_ = json.Unmarshal(body, &page)
			reply(w, http.StatusOK, report(page.Skip))
			return
		}
		var batch struct{ Requests []struct{ ID, URL string } }
		_ = json.Unmarshal(body, &batch)
		var answers []any
		for _, one := range batch.Requests {
			list, known := lists[strings.TrimPrefix(one.URL, "/")]
			status := http.StatusNotFound
			if known {
				status = http.StatusOK
			}
			answers = append(answers, map[string]any{"id": one.ID, "status": status, "body": list})
		}
		reply(w, http.StatusOK, map[string]any{"responses": answers})
	}
	return s
}

// rows is a page of a report. Its columns are in no order that a reader may rely on.
func rows(total int, values ...[]any) any {
	return map[string]any{"TotalRowCount": total, "Schema": []any{
		map[string]any{"Column": "PolicyStatus"}, map[string]any{"Column": "PolicyName"},
		map[string]any{"Column": "PolicyId"}, map[string]any{"Column": "IntuneDeviceId"},
		map[string]any{"Column": "PolicyBaseTypeName"}}, "Values": values}
}

func row(n int) []any { return []any{2, fmt.Sprint("p", n), itemNamed(n), device, catalog} }

func (s *service) wantAssigned(what string, complete bool, want ...int) {
	s.Helper()
	found, err := s.client().Assigned(s.Context(), device, person)
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
	var ids, wanted []string
	for _, i := range found.Items {
		ids = append(ids, i.ID)
	}
	for _, n := range want {
		wanted = append(wanted, itemNamed(n))
	}
	slices.Sort(ids)
	if !slices.Equal(ids, wanted) || found.Complete != complete ||
		complete != (len(found.Missing) == 0) {
		s.Errorf("%s: %v, complete %v, missing %v; want %v", what, ids, found.Complete,
			found.Missing, wanted)
	}
}

// Of what Intune tells only what is assigned to this device, and can be named, is believed to be.
func TestWhatIsAssigned(t *testing.T) {
	app := func(n int, intent, state string) any {
		return map[string]any{"applicationId": itemNamed(n), "mobileAppIntent": intent,
			"installState": state}
	}
	configuration := func(id, state string) any { return map[string]any{"id": id, "state": state} }
	report := func(int) any {
		return rows(6, row(1), row(1), []any{1, "not applicable", itemNamed(2), device, catalog},
			[]any{2, "of another device", itemNamed(3), person, catalog},
			[]any{2, "not nameable", itemNamed(4), device, "DeviceConfigurationAdmxPolicy"},
			[]any{5, "old", itemNamed(5), strings.ToUpper(device), oldBase})
	}
	assignments(t, report, map[string]any{
		appsOf(anyone): map[string]any{"mobileAppList": []any{app(10, "requiredInstall", "failed"),
			app(11, "available", "notInstalled"), app(12, "available", "installed"),
			app(13, "requiredUninstall", "installed"), app(14, "exclude", "installed")}},
		appsOf(person): map[string]any{"mobileAppList": []any{
			app(15, "requiredAndAvailableInstall", "installed"), app(12, "available", "installed")}},
		settings: map[string]any{"value": []any{configuration(itemNamed(20), "compliant"),
			configuration(itemNamed(21)+"_"+device+"_"+person, "compliant"),
			configuration(itemNamed(22), "notApplicable"),
			configuration(itemNamed(23), "notAssigned")}},
	}).wantAssigned("all", true, 1, 5, 10, 12, 15, 20, 21)
}

// What a part of the answers does not tell is said to be missing, so that nobody takes it for not
// assigned.
func TestWhatIsMissing(t *testing.T) {
	report := func(int) any { return rows(1, row(1)) }
	none, list := map[string]any{"mobileAppList": []any{}}, map[string]any{"value": []any{}}
	all := func(states any) map[string]any {
		return map[string]any{appsOf(anyone): none, settings: states}
	}
	assignments(t, report, all(list)).wantAssigned("one list of apps", true, 1)
	assignments(t, report, map[string]any{settings: list}).wantAssigned("no list of apps", false, 1)
	assignments(t, report, map[string]any{appsOf(anyone): none}).wantAssigned(
		"no app configurations", false, 1)
	assignments(t, report, all(map[string]any{"value": []any{}, "@odata.nextLink": "x"})).wantAssigned(
		"a second page", false, 1)
	assignments(t, report, all(map[string]any{"value": []any{map[string]any{
		"id": device + "_" + itemNamed(1)}}})).wantAssigned("the device's id comes first", false, 1)
	assignments(t, func(int) any { return rows(2, row(1), []any{2, "p", "a/b", device, catalog}) },
		all(list)).wantAssigned("an id that is none", false, 1)
	assignments(t, func(skip int) any {
		if skip > 0 {
			return rows(2)
		}
		return rows(2, row(1))
	}, all(list)).wantAssigned("a report that ends too soon", false, 1)
	assignments(t, func(skip int) any { return rows(3, row(skip)) }, all(list)).wantAssigned(
		"three pages", true, 0, 1, 2)
}

// However much a tenant tells of one device, what is kept and asked has an end.
func TestAssignedHasBounds(t *testing.T) {
	lists := map[string]any{appsOf(anyone): map[string]any{"mobileAppList": []any{}},
		settings: map[string]any{"value": []any{}}}
	for what, rowsOf := range map[string]func(skip int) any{
		"many": func(int) any {
			var values [][]any
			for n := range 2500 {
				values = append(values, row(n))
			}
			return rows(2500, values...)
		},
		"endless": func(int) any {
			var values [][]any
			for range 500 {
				values = append(values, row(1))
			}
			return rows(1<<30, values...)
		},
	} {
		calls := 0
		s := assignments(t, func(skip int) any {
			if calls++; calls > 100 {
				return rows(1 << 30)
			}
			return rowsOf(skip)
		}, lists)
		found, err := s.client().Assigned(t.Context(), device, person)
		if err != nil || found.Complete || len(found.Items) > 2000 || calls > 100 ||
			len(found.Missing) > 10 {
			t.Errorf("%s: %d calls, %v", what, calls, err)
		}
	}
}

// A set is whole: an empty one is told as one, and one that is too large is not sent.
func TestSetsAsTheyAreSent(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})
	c := s.client()
	if _, err := c.ChangeAssignments(t.Context(), device,
		make([]tenant.ActionItem, 31)); err == nil || len(s.asked()) > 0 {
		t.Errorf("31 items: %d calls, %v", len(s.asked()), err)
	}
	if _, err := c.ChangeAssignments(t.Context(), device, nil); err != nil ||
		s.asked()[0].body != `{"deviceAssignmentItems":[]}` {
		t.Errorf("none: %v, %v", s.asked(), err)
	}
	if _, err := c.ChangeAssignments(t.Context(), device,
		make([]tenant.ActionItem, 30)); err != nil {
		t.Errorf("30 items: %v", err)
	}
}

// Of a device with very many results only some are read, and what is none is left out.
func TestManyResults(t *testing.T) {
	results := []any{7, "x"}
	for range 300 {
		results = append(results, map[string]any{"actionName": "changeAssignments"})
	}
	s := newService(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"id": device, "deviceActionResults": results})
	})
	found, err := s.client().Actions(t.Context(), device)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Results) != 198 {
		t.Errorf("%d results are read", len(found.Results))
	}
}
