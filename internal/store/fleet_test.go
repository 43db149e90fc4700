package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

var dawn = time.Date(2025, 2, 13, 6, 0, 0, 0, time.UTC)

func openFleet(t *testing.T, devices ...fleet.Device) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "fleet.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	for i := range devices {
		err := s.Update(t.Context(), devices[i].ID, func(tx engine.Tx) error { return tx.SaveDevice(context.Background(), &devices[i]) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func ids(devices []fleet.Device) string {
	var text string
	for _, d := range devices {
		text += string(d.ID)
	}
	return text
}

func TestDevicesFilter(t *testing.T) {
	s := openFleet(t,
		fleet.Device{ID: "a", Name: "Anna's 100%", Platform: fleet.IOS, UDID: "u1", Supervised: true, Enrolled: true, LastSync: dawn},
		fleet.Device{ID: "b", Name: "bob_1", Platform: fleet.MacOS, UDID: "u2", SerialNumber: "S2", LastSync: dawn.Add(time.Hour)},
		fleet.Device{ID: "c", Name: `C:\x`, Platform: fleet.IOS, UDID: "u3", Enrolled: true},
	)
	is := func(f fleet.Field, o fleet.Operator, v any) fleet.Condition {
		return fleet.Comparison{Field: f, Operator: o, Value: v}
	}
	for _, tt := range []struct {
		where fleet.Condition
		want  string
	}{
		{nil, "abc"},
		{is(fleet.ByName, fleet.Equal, "BOB_1"), "b"},
		{is(fleet.ByName, fleet.NotEqual, "bob_1"), "ac"},
		{is(fleet.ByName, fleet.Contains, "%"), "a"},
		{is(fleet.ByName, fleet.Contains, "_"), "b"},
		{is(fleet.ByName, fleet.Contains, `\`), "c"},
		{is(fleet.ByName, fleet.Contains, "'"), "a"},
		{is(fleet.ByName, fleet.StartsWith, "anna"), "a"},
		{is(fleet.ByName, fleet.EndsWith, "_1"), "b"},
		{is(fleet.ByName, fleet.EndsWith, ""), "abc"},
		{is(fleet.ByName, fleet.Greater, "b"), "bc"},
		{is(fleet.BySerialNumber, fleet.Equal, nil), "ac"},
		{is(fleet.BySerialNumber, fleet.Equal, ""), "ac"},
		{is(fleet.BySerialNumber, fleet.NotEqual, nil), "b"},
		{is(fleet.BySerialNumber, fleet.Less, "T"), "b"},
		{fleet.Not{Condition: is(fleet.BySerialNumber, fleet.Less, "T")}, "ac"},
		{is(fleet.BySupervised, fleet.Equal, true), "a"},
		{is(fleet.ByEnrolled, fleet.Equal, false), "b"},
		{is(fleet.ByLastSync, fleet.LessOrEqual, dawn), "a"},
		{is(fleet.ByLastSync, fleet.Greater, dawn), "b"},
		{is(fleet.ByLastSync, fleet.Equal, nil), "c"},
		{fleet.Not{Condition: is(fleet.ByLastSync, fleet.Greater, dawn)}, "ac"},
		{is(fleet.ByName, fleet.Equal, "' OR 1=1 --"), ""},
		{fleet.Any{}, ""},
		{fleet.All{}, "abc"},
		{fleet.Any{is(fleet.ByID, fleet.Equal, "A"), is(fleet.ByID, fleet.Equal, "b")}, "ab"},
		{fleet.All{is(fleet.ByPlatform, fleet.Equal, "iOS"), fleet.Not{Condition: is(fleet.ByID, fleet.Equal, "a")}}, "c"},
	} {
		got, err := s.Devices(t.Context(), fleet.Query{Where: tt.where})
		if err != nil || ids(got) != tt.want {
			t.Errorf("%#v: got %q, %v; want %q", tt.where, ids(got), err, tt.want)
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
		fleet.Comparison{Field: fleet.ByName, Operator: fleet.Equal, Value: true},
		fleet.Comparison{Field: fleet.BySupervised, Operator: fleet.Equal, Value: "true"},
		fleet.Comparison{Field: fleet.ByLastSync, Operator: fleet.Contains, Value: "2"},
		fleet.Comparison{Field: fleet.ByName, Operator: fleet.Contains, Value: nil},
		fleet.Comparison{Field: fleet.ByName, Operator: 99, Value: "x"},
		fleet.Comparison{Field: 99, Operator: fleet.Equal, Value: "x"},
		fleet.Not{},
	} {
		if got, err := s.Devices(t.Context(), fleet.Query{Where: c}); err == nil {
			t.Errorf("%#v: got %v, want an error", c, got)
		}
	}
	if _, err := s.Devices(t.Context(), fleet.Query{OrderBy: fleet.ByUDID}); err == nil {
		t.Error("sorted by a field that has no order")
	}
}

// TestDevicesPages walks every order in pages of every size, with equal and unknown keys among the devices.
func TestDevicesPages(t *testing.T) {
	var devices []fleet.Device
	for i := range 12 {
		d := fleet.Device{ID: fleet.DeviceID(string(rune('a' + i))), UDID: fmt.Sprint(i), Name: fmt.Sprint("n", i%3)}
		if i%4 > 0 {
			d.LastSync = dawn.Add(time.Duration(i%4) * time.Microsecond)
		}
		devices = append(devices, d)
	}
	s := openFleet(t, devices...)
	for _, order := range []fleet.Field{fleet.ByID, fleet.ByName, fleet.ByLastSync} {
		for _, descending := range []bool{false, true} {
			all, err := s.Devices(t.Context(), fleet.Query{OrderBy: order, Descending: descending})
			if err != nil || len(all) != len(devices) {
				t.Fatalf("order %d: %d devices, %v", order, len(all), err)
			}
			for size := 1; size <= len(devices); size++ {
				var walked []fleet.Device
				q := fleet.Query{OrderBy: order, Descending: descending, Limit: size}
				for {
					page, err := s.Devices(t.Context(), q)
					if err != nil {
						t.Fatal(err)
					}
					if walked = append(walked, page...); len(page) < size {
						break
					}
					last := page[len(page)-1]
					q.After = &fleet.Position{ID: last.ID, Name: last.Name, LastSync: last.LastSync}
				}
				if !slices.Equal(walked, all) {
					t.Errorf("order %d, descending %t, pages of %d: got %s, want %s", order, descending, size, ids(walked), ids(all))
				}
			}
		}
	}
}
