package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// managementState reads how a device stands; empty: there is no record of it.
func (s *site) managementState(d *simulator.Device) string {
	s.Helper()
	status, answer := s.call("GET", "/beta/deviceManagement/managedDevices/"+s.ids[d]+
		"?$select=managementState", nil)
	if status == http.StatusNotFound {
		return ""
	}
	_, rest, _ := strings.Cut(string(answer), `"managementState":"`)
	state, _, _ := strings.Cut(rest, `"`)
	return state
}

// A device that is retired leaves management with all that was managed; its action ends as canceled,
// nothing comes back, and its record stays until somebody deletes it.
func TestRetiredDeviceLeavesWithAllThatWasManaged(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.profile("com.example.wifi"), s.app(1)
	phone, other := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1}),
		s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 2})
	s.eventually("everything is installed", func() bool {
		return has(phone, wifi, mail) && has(other, wifi, mail)
	})
	path := "/beta/deviceManagement/managedDevices/" + s.ids[phone]
	s.sync(phone, wifi)
	if status, answer := s.call("POST", path+"/retire", nil); status != http.StatusNoContent {
		t.Fatalf("retire: %d %s", status, answer)
	}
	if state := s.managementState(phone); state != "retirePending" && state != "unhealthy" {
		t.Errorf("it is %s", state)
	}
	// what is asked of it now is refused, by what became of it
	if status, _ := s.post(phone, "syncPayloads", nil); status >= http.StatusInternalServerError {
		t.Errorf("an action meanwhile: %d", status)
	}
	s.eventually("it has left", func() bool {
		return !phone.Enrolled() && s.managementState(phone) == "unhealthy"
	})
	if !has(phone) || !has(other, wifi, mail) || !other.Enrolled() {
		t.Errorf("it has %v, and the other %v", inventory(phone), inventory(other))
	}
	if r := s.result(phone); r.ActionState != "canceled" && r.ActionState != "done" &&
		r.ActionState != "notSupported" {
		t.Errorf("its action is %s", r.ActionState)
	}
	if status, _ := s.call("POST", path+"/retire", nil); status != http.StatusConflict {
		t.Errorf("retired once more: %d", status)
	}
	// It comes back by enrolling anew, and is the same device.
	id := s.ids[phone]
	s.enrollBy(phone, map[string]any{"expiresIn": "1h"})
	s.eventually("everything is installed again", func() bool { return has(phone, wifi, mail) })
	if s.ids[phone] != id || s.managementState(phone) != "managed" {
		t.Errorf("it came back as %s, %s", s.ids[phone], s.managementState(phone))
	}
}

// DELETE retires a device that is managed, and its record goes when it has left. A device that is
// off stays as one that is to go.
func TestDeletedDeviceLeavesFirst(t *testing.T) {
	s := newSite(t)
	wifi := s.profile("com.example.wifi")
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1})
	s.eventually("it is installed", func() bool { return has(phone, wifi) })
	phone.SetOnline(false)
	path := "/beta/deviceManagement/managedDevices/" + s.ids[phone]
	for range 2 { // asked twice is as once
		if status, answer := s.call("DELETE", path, nil); status != http.StatusNoContent {
			t.Fatalf("delete: %d %s", status, answer)
		}
	}
	if state := s.managementState(phone); state != "deletePending" || !phone.Enrolled() {
		t.Errorf("it is %s", state)
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET", "/beta/deviceManagement/managedDevices?$filter=managementState%20eq%20"+
		"'deletePending'", nil, &list)
	if len(list.Value) != 1 || list.Value[0].ID != s.ids[phone] {
		t.Errorf("those that are to go are %v", list.Value)
	}
	phone.SetOnline(true)
	s.eventually("its record is gone", func() bool { return s.managementState(phone) == "" })
	if phone.Enrolled() || !has(phone) {
		t.Errorf("it still has %v", inventory(phone))
	}
	if status, _ := s.call("DELETE", path, nil); status != http.StatusNotFound {
		t.Errorf("deleted once more: %d", status)
	}
	// The same hardware is a new device.
	id := s.ids[phone]
	s.enrollBy(phone, map[string]any{"expiresIn": "1h"})
	if s.ids[phone] == id {
		t.Error("it has the id of the one that was deleted")
	}
	s.eventually("it is installed", func() bool { return has(phone, wifi) })
}

// The record of a device that left by itself goes at once, with what is assigned to it alone.
func TestRecordOfOneThatLeftIsDeleted(t *testing.T) {
	s := newSite(t)
	wifi := s.profile("com.example.wifi")
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: 1})
	s.eventually("it is installed", func() bool { return has(phone, wifi) })
	if err := phone.Unenroll(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.must("POST", "/beta/deviceManagement/deviceConfigurations/"+wifi.ID+"/assign",
		map[string]any{"assignments": []any{map[string]any{"target": map[string]any{
			"@odata.type": "#syncpayloads.deviceAssignmentTarget", "deviceId": s.ids[phone]}}}}, nil)
	s.must("DELETE", "/beta/deviceManagement/managedDevices/"+s.ids[phone], nil, nil)
	if state := s.managementState(phone); state != "" {
		t.Errorf("it is still there, %s", state)
	}
	var list struct{ Value []any }
	s.must("GET", "/beta/deviceManagement/deviceConfigurations/"+wifi.ID+"/assignments", nil, &list)
	if len(list.Value) != 0 {
		t.Errorf("it is still assigned: %v", list.Value)
	}
	s.must("GET", "/beta/deviceManagement/managedDevices?$search=C", nil, &list)
	if len(list.Value) != 0 {
		t.Errorf("it is still found: %v", list.Value)
	}
}
