package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

var dawn = time.Date(2025, 2, 13, 6, 0, 0, 0, time.UTC)

func openFleet(t *testing.T, devices ...fleet.Device) *store.Store {
	t.Helper()
	s := storetest.Open(t)
	for _, d := range devices {
		save(t, s, d)
	}
	return s
}

func save(t *testing.T, s *store.Store, d fleet.Device) {
	t.Helper()
	if err := s.Update(t.Context(), d.ID,
		func(tx engine.Tx) error { return tx.SaveDevice(t.Context(), &d) }); err != nil {
		t.Fatal(err)
	}
}

func ids(devices []fleet.Device) string {
	var text string
	for _, d := range devices {
		text += string(d.ID)
	}
	return text
}

func is(f query.Field, o query.Operator, v any) query.Condition {
	return query.Comparison{Field: f, Operator: o, Value: v}
}

func TestDevicesFilter(t *testing.T) {
	s := openFleet(t,
		fleet.Device{ID: "a", Name: "Anna's 100%", Platform: fleet.IOS, UDID: "u1",
			Supervised: true, Enrolled: true, LastSync: dawn},
		fleet.Device{ID: "b", Name: "bob_1", Platform: fleet.MacOS, UDID: "u2", SerialNumber: "S2",
			LastSync: dawn.Add(time.Hour)},
		fleet.Device{ID: "c", Name: `C:\x`, Platform: fleet.IOS, UDID: "u3", Enrolled: true},
	)
	for _, tt := range []struct {
		where fleet.Condition
		want  string
	}{
		{nil, "abc"},
		{is(fleet.ByName, query.Equal, "BOB_1"), "b"},
		{is(fleet.ByName, query.NotEqual, "bob_1"), "ac"},
		{is(fleet.ByName, query.Contains, "%"), "a"},
		{is(fleet.ByName, query.Contains, "_"), "b"},
		{is(fleet.ByName, query.Contains, `\`), "c"},
		{is(fleet.ByName, query.Contains, "'"), "a"},
		{is(fleet.ByName, query.StartsWith, "anna"), "a"},
		{is(fleet.ByName, query.EndsWith, "_1"), "b"},
		{is(fleet.ByName, query.EndsWith, ""), "abc"},
		{is(fleet.ByName, query.Greater, "b"), "bc"},
		{is(fleet.BySerialNumber, query.Equal, nil), "ac"},
		{is(fleet.BySerialNumber, query.Equal, ""), "ac"},
		{is(fleet.BySerialNumber, query.NotEqual, nil), "b"},
		{is(fleet.BySerialNumber, query.Less, "T"), "b"},
		{query.Not{Is: is(fleet.BySerialNumber, query.Less, "T")}, "ac"},
		{is(fleet.ByName, query.Greater, ""), "abc"},
		{is(fleet.BySerialNumber, query.GreaterOrEqual, ""), "b"},
		{is(fleet.BySupervised, query.Equal, true), "a"},
		{query.OneOf{Field: fleet.ByName, Values: []string{"BOB_1", "c:\\X"}}, "bc"},
		{query.OneOf{Field: fleet.ByID, Values: []string{"A"}}, "a"},
		{query.OneOf{Field: fleet.ByID}, ""},
		{query.Has{Field: fleet.ByTag, Value: "0"}, "abc"},
		{query.Has{Field: fleet.ByTag, Value: "0,"}, ""},
		{is(fleet.ByID, query.Equal, nil), ""},
		{is(fleet.ByID, query.NotEqual, nil), "abc"},
		{is(fleet.ByID, query.Contains, "B"), "b"},
		{is(fleet.ByLastSync, query.NotEqual, nil), "ab"},
		{is(fleet.ByLastSync, query.NotEqual, dawn), "bc"},
		{is(fleet.ByEnrolled, query.Equal, false), "b"},
		{is(fleet.ByLastSync, query.LessOrEqual, dawn), "a"},
		{is(fleet.ByLastSync, query.Greater, dawn), "b"},
		{is(fleet.ByLastSync, query.Equal, nil), "c"},
		{query.Not{Is: is(fleet.ByLastSync, query.Greater, dawn)}, "ac"},
		{is(fleet.ByName, query.Equal, "' OR 1=1 --"), ""},
		{query.Any{}, ""},
		{query.All{}, "abc"},
		{query.Any{is(fleet.ByID, query.Equal, "A"), is(fleet.ByID, query.Equal, "b")}, "ab"},
		{query.All{is(fleet.ByPlatform, query.Equal, "iOS"),
			query.Not{Is: is(fleet.ByID, query.Equal, "a")}}, "c"},
	} {
		got, err := s.Devices(t.Context(), query.Query{Where: tt.where})
		if err != nil || ids(got.Items) != tt.want {
			t.Errorf("%#v: got %q, %v; want %q", tt.where, ids(got.Items), err, tt.want)
		}
		n, err := s.CountDevices(t.Context(), tt.where)
		if err != nil || n != len(tt.want) {
			t.Errorf("%#v: count %d, %v; want %d", tt.where, n, err, len(tt.want))
		}
	}
}

func TestDevicesRefusesMismatchedComparisons(t *testing.T) {
	s := openFleet(t)
	for _, c := range []fleet.Condition{
		query.Comparison{Field: fleet.ByName, Operator: query.Equal, Value: true},
		query.Comparison{Field: fleet.BySupervised, Operator: query.Equal, Value: "true"},
		query.Comparison{Field: fleet.ByLastSync, Operator: query.Contains, Value: "2"},
		query.Comparison{Field: fleet.ByName, Operator: query.Contains, Value: nil},
		query.Comparison{Field: fleet.ByName, Operator: 99, Value: "x"},
		query.Comparison{Field: "colour", Operator: query.Equal, Value: "x"},
		query.Not{},
		query.Comparison{Field: fleet.ByTag, Operator: query.Equal, Value: "0"},
		query.Comparison{Field: fleet.ByTag, Operator: query.Equal},
		query.Has{Field: fleet.ByName, Value: "x"},
		query.OneOf{Field: fleet.ByLastSync, Values: []string{"x"}},
	} {
		if got, err := s.Devices(t.Context(), query.Query{Where: c}); err == nil {
			t.Errorf("%#v: got %v, want an error", c, got)
		}
	}
	if _, err := s.Devices(t.Context(),
		query.Query{OrderBy: []query.Order{{Field: fleet.BySupervised}}}); err == nil {
		t.Error("sorted by a field that has no order")
	}
}

// A search finds what names and serial numbers contain, whatever the letters' case, and follows
// renamings.
func TestSearch(t *testing.T) {
	s := openFleet(t,
		fleet.Device{ID: "a", UDID: "1", Name: "Anna's iPhone", SerialNumber: "C39XY"},
		fleet.Device{ID: "b", UDID: "2", Name: `say "hi"`, SerialNumber: "F17AB"},
		fleet.Device{ID: "c", UDID: "3", Name: "Über%all_", SerialNumber: ""})
	search := func(text string) string {
		t.Helper()
		found, err := s.Devices(t.Context(), query.Query{Where: fleet.Found(text)})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return ids(found.Items)
	}
	for text, want := range map[string]string{"IPHONE": "a", "na's i": "a", "c39": "a", "39XY": "a",
		`"hi"`: "b", "an": "a", "%": "", "%all_": "c",
		"über": "c", "nobody": "", "AND": "", "* OR": "", "f1": "b", "ab": ""} {
		if got := search(text); got != want {
			t.Errorf("%q finds %q, want %q", text, got, want)
		}
	}
	save(t, s, fleet.Device{ID: "a", UDID: "1", Name: "Berta's iPad", SerialNumber: "C39XY"})
	if got := search("iphone") + search("berta") + search("C39XY"); got != "aa" {
		t.Errorf("after a renaming: %q", got)
	}
}

// What most of a large fleet is called is found as what few are.
func TestSearchThatFindsMany(t *testing.T) {
	s := openFleet(t)
	const many = 5100
	err := s.Update(t.Context(), "", func(tx engine.Tx) error {
		for i := range many {
			id := fleet.DeviceID(fmt.Sprintf("%04d", i))
			d := fleet.Device{ID: id, UDID: string(id), Name: "TaBlet " + string(id),
				SerialNumber: "SN" + string(id)}
			if i%2 == 1 {
				d.Name, d.SerialNumber = string(id), "X TABLET"
			}
			if err := tx.SaveDevice(t.Context(), &d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]struct {
		first string
		count int
	}{"tABlet": {"0001", many}, "TABLET 0": {"0000", 500}, "X tab": {"0001", many / 2},
		"täblet": {"", 0}, "0003": {"0003", 1}} {
		q := query.Query{Where: fleet.Found(text), OrderBy: []query.Order{{Field: fleet.ByName}},
			Limit: 1, Count: true}
		page, err := s.Devices(t.Context(), q)
		if err != nil || ids(page.Items) != want.first || page.Count != want.count {
			t.Errorf("%q finds %d, the first %q, %v; want %d, %q", text, page.Count,
				ids(page.Items), err, want.count, want.first)
		}
	}
}

// What is limited to an area is found there, and nowhere else.
func TestWithin(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "1"}, fleet.Device{ID: "b", UDID: "2"},
		fleet.Device{ID: "c", UDID: "3"})
	err := s.UpdateCatalog(t.Context(), func(tx catalog.Tx) error {
		_, one := tx.AddMember(t.Context(), inserted(t, tx, "g"), "a")
		_, two := tx.AddMember(t.Context(), inserted(t, tx, "h"), "b")
		return errors.Join(one, two,
			tx.EditDevice(t.Context(), "b", fleet.Edit{Tags: []string{"1", "11"}}, dawn),
			tx.EditDevice(t.Context(), "c", fleet.Edit{Tags: []string{"111"}}, dawn))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		scope fleet.Scope
		want  string
	}{
		{nil, ""},
		{fleet.Everywhere, "abc"},
		{fleet.Scope{{Groups: []string{"g"}}}, "a"},
		{fleet.Scope{{Groups: []string{"g", "h"}}}, "ab"},
		{fleet.Scope{{Groups: []string{}}}, ""},
		{fleet.Scope{{Tags: []string{}}}, ""},
		{fleet.Scope{{Tags: []string{"0"}}}, "a"},
		{fleet.Scope{{Tags: []string{"1"}}}, "b"},
		{fleet.Scope{{Tags: []string{"11", "111"}}}, "bc"},
		{fleet.Scope{{Groups: []string{"g"}, Tags: []string{"1"}}}, ""},
		{fleet.Scope{{Groups: []string{"g"}}, {Tags: []string{"111"}}}, "ac"},
	} {
		found, err := s.Devices(t.Context(), query.Query{Where: fleet.Within(tt.scope)})
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.CountDevices(t.Context(), fleet.Within(tt.scope))
		if ids(found.Items) != tt.want || n != len(tt.want) || err != nil {
			t.Errorf("%v: found %s, counted %d, %v; want %s", tt.scope, ids(found.Items), n, err,
				tt.want)
		}
		for _, id := range []fleet.DeviceID{"a", "b", "c"} {
			place, err := s.Place(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if within := len(tt.scope.Around(place)) > 0; within != strings.Contains(tt.want,
				string(id)) {
				t.Errorf("%v: %s, which is at %v, is within: %t", tt.scope, id, place, within)
			}
		}
	}
}

func inserted(t *testing.T, tx catalog.Tx, id string) string {
	t.Helper()
	if err := tx.InsertGroup(t.Context(), &catalog.DeviceGroup{ID: id, Created: dawn}); err != nil {
		t.Fatal(err)
	}
	return id
}
