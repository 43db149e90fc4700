package graph_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// names are a property of what a list of devices answers with, in its order.
func (s *site) names(query, property string) (list []string) {
	s.t.Helper()
	for _, v := range s.must(http.StatusOK, "GET", devices+"?"+query, nil).values() {
		list = append(list, fmt.Sprint(v[property]))
	}
	return list
}

// The name that admins give a device is theirs: the device keeps its own, and lists find, sort and
// show the one that was given, or else the device's.
func TestManagedDeviceName(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	s.enroll(fleet.Device{Name: "Kiosk", Platform: fleet.IOS, UDID: "kiosk"})
	name := func(path, name string) object {
		return s.must(http.StatusOK, "PATCH", path, object{"managedDeviceName": name}).body
	}
	if d := name(p.path(), "Zebra desk"); d["managedDeviceName"] != "Zebra desk" ||
		d["deviceName"] != "Anna's iPhone" {
		t.Errorf("named: %v, %v", d["managedDeviceName"], d["deviceName"])
	}
	for query, want := range map[string][]string{
		"$filter=managedDeviceName eq 'zebra DESK'":         {"Zebra desk"},
		"$filter=contains(managedDeviceName,'desk')":        {"Zebra desk"},
		"$filter=managedDeviceName eq 'Anna''s iPhone'":     nil,
		"$filter=deviceName eq 'Anna''s iPhone'":            {"Zebra desk"},
		"$filter=managedDeviceName eq 'Kiosk'":              {"Kiosk"},
		"$orderby=managedDeviceName":                        {"Kiosk", "Zebra desk"},
		"$orderby=managedDeviceName desc&$top=1":            {"Zebra desk"},
		"$orderby=deviceName":                               {"Zebra desk", "Kiosk"},
		"$select=managedDeviceName&$orderby=deviceName asc": {"Zebra desk", "Kiosk"},
	} {
		escaped := strings.NewReplacer(" ", "%20", "'", "%27").Replace(query)
		if got := s.names(escaped, "managedDeviceName"); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	// An empty one is the device's own again, by either version and in either collection.
	for _, version := range []string{"/v1.0/deviceManagement/managedDevices/",
		"/beta/deviceManagement/comanagedDevices/"} {
		name(p.path(), "x")
		if d := name(version+string(p.id), ""); d["managedDeviceName"] != "Anna's iPhone" {
			t.Errorf("%s: unnamed it is %v", version, d["managedDeviceName"])
		}
	}
	for _, wrong := range []any{strings.Repeat("ü", 257), 7, []string{"x"}} {
		a := s.must(http.StatusBadRequest, "PATCH", p.path(), object{"managedDeviceName": wrong})
		if at(a.body, "error", "target") != "managedDeviceName" {
			t.Errorf("%.20v: %s", wrong, a)
		}
	}
	if d := name(p.path(), strings.Repeat("ü", 256)); d["managedDeviceName"] !=
		strings.Repeat("ü", 256) {
		t.Errorf("a name of 256 characters is %v", d["managedDeviceName"])
	}
}

// A name that was given is in the audit record and the stream. One that was read and is sent back
// gives the device none, so that it goes on with its own when that changes.
func TestNamingIsToldOnce(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	s.must(http.StatusOK, "PATCH", p.path(), object{"managedDeviceName": "Front desk"})
	a := s.must(http.StatusOK, "GET", auditEvents+"?$top=1", nil)
	changed := at(a.body, "value", 0, "resources", 0, "modifiedProperties")
	want := []any{object{"displayName": "managedDeviceName", "oldValue": "Anna's iPhone",
		"newValue": "Front desk"}}
	if !reflect.DeepEqual(changed, want) {
		t.Errorf("recorded %v", changed)
	}
	s.must(http.StatusOK, "PATCH", p.path(), object{"managedDeviceName": ""})
	s.must(http.StatusOK, "PATCH", p.path(), object{"managedDeviceName": "Anna's iPhone"})
	if err := s.engine.Unenroll(t.Context(), p.id); err != nil {
		t.Fatal(err)
	}
	d, err := s.store.Device(t.Context(), p.id)
	if err != nil || d.ManagedName != "" {
		t.Errorf("its own name was kept as one that was given: %q, %v", d.ManagedName, err)
	}
	got := s.eventTypes("/api/events", s.token, "deviceLeft")
	if want := []string{"deviceEnrolled", "deviceUpdated", "deviceUpdated",
		"deviceLeft"}; !reflect.DeepEqual(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// eventTypes are those of a stream from the first event on, up to one of a type.
func (s *site) eventTypes(path, bearer, last string) (types []string) {
	s.t.Helper()
	for _, e := range s.eventsUpTo(path, bearer, last) {
		types = append(types, fmt.Sprint(e["type"]))
	}
	return types
}

// The record of a device that left is deleted: followers of all devices are told, and those of the
// device, whose stream ends; who is limited if the device was theirs.
func TestDeletedRecordIsTold(t *testing.T) {
	s := newSite(t)
	mine, theirs := s.addTag("mine"), s.addTag("theirs")
	p := s.enrollPhone()
	other := s.enroll(fleet.Device{Name: "other", Platform: fleet.IOS, UDID: "other"})
	s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{mine}})
	s.must(http.StatusOK, "PATCH", other.path(), object{"roleScopeTagIds": []string{theirs}})
	stream := s.follow("/api/devices/"+string(p.id)+"/events", s.token)
	for _, one := range []*phone{p, other} {
		if err := s.engine.Unenroll(t.Context(), one.id); err != nil {
			t.Fatal(err)
		}
		s.must(http.StatusNoContent, "DELETE", one.path(), nil)
	}
	if a := s.call("GET", p.path(), nil); a.status != http.StatusNotFound {
		t.Errorf("it is still there: %s", a)
	}
	var last object
	for e := range stream {
		last = e
	}
	if last["type"] != "deviceDeleted" || last["deviceId"] != string(p.id) {
		t.Errorf("the device's stream ends with %v", last)
	}
	if _, more := last["place"]; more || len(last) != 4 {
		t.Errorf("it tells %v", last)
	}
	for bearer, want := range map[string]string{s.token: string(p.id) + string(other.id),
		s.limitedTo(mine): string(p.id), s.limitedTo(theirs): string(other.id)} {
		deleted := ""
		for e := range s.follow("/api/events?after=0", bearer) {
			if e["type"] == "deviceDeleted" {
				deleted += fmt.Sprint(e["deviceId"])
			}
			if len(deleted) >= len(want) {
				break
			}
		}
		if deleted != want {
			t.Errorf("told of %s, want %s", deleted, want)
		}
	}
	if q := url.PathEscape(string(p.id)); s.call("GET", "/api/devices/"+q+"/events",
		nil).status != http.StatusNotFound {
		t.Error("the stream of a device that is not there begins")
	}
}
