package graph_test

import (
	"net/http"
	"strings"
	"testing"
)

// As in Graph, a path may be in any letters, an action by its name alone or with its namespace, and
// an id is a GUID.
func TestPathsInAnyLetters(t *testing.T) {
	s := newSite(t)
	wifi := s.addProfile("wifi")
	p := s.enrollPhone()
	p.connect()
	id := strings.ToUpper(string(p.id))
	body := object{"deviceActionPayloads": []object{config(strings.ToUpper(wifi))}}
	for _, path := range []string{"/beta/devicemanagement/manageddevices/" + id + "/syncpayloads",
		"/BETA/DeviceManagement/ManagedDevices('" + id + "')/SYNCPAYLOADS",
		"/Beta/deviceManagement/comanageddevices/" + id + "/microsoft.graph.syncPayloads",
		"/beta/deviceManagement/managedDevices/" + id + "/Microsoft.Graph.SyncPayloads",
		p.path() + "/microsoft.graph.syncdevice",
		"/V1.0/deviceManagement/managedDevices/" + id + "/MICROSOFT.GRAPH.SYNCDEVICE"} {
		content := any(body)
		if strings.Contains(strings.ToLower(path), "syncdevice") {
			content = nil
		}
		s.must(http.StatusNoContent, "POST", path, content)
	}
	s.must(http.StatusNoContent, "POST", p.path()+"/microsoft.graph.changeAssignments",
		object{"deviceAssignmentItems": []object{}})
	s.must(http.StatusOK, "POST",
		configurations+"/"+strings.ToUpper(wifi)+"/Microsoft.Graph.Assign",
		toAllDevices("assignments"))
	for path, text := range map[string]string{
		"/beta/DEVICEMANAGEMENT/deviceconfigurations/" + strings.ToUpper(wifi): wifi,
		"/beta/Groups/$COUNT":                          "0",
		"/beta/$Metadata":                              "EntityContainer",
		"/V1.0/devicemanagement/manageddevices?$top=1": string(p.id),
	} {
		a := s.must(http.StatusOK, "GET", path, nil)
		if !strings.Contains(string(a.text), text) ||
			strings.Contains(string(a.text), "DEVICEMANAGEMENT") {
			t.Errorf("%s: got %.300s", path, a)
		}
	}
	// Batches, and within them.
	a := s.must(http.StatusOK, "POST", "/BETA/$Batch", object{"requests": []object{
		{"id": "1", "method": "GET", "url": "/DeviceManagement/ManagedDevices"},
		{"id": "2", "method": "GET", "url": "/V1.0/GROUPS"},
		{"id": "3", "method": "POST", "url": "/$BATCH", "body": object{"requests": []object{}},
			"headers": object{"Content-Type": "application/json"}},
		{"id": "4", "method": "GET", "url": "/groups/%00"}}})
	for i, want := range []string{"200", "200", "400", "400"} {
		if part := at(a.body, "responses", i); part == nil ||
			at(part, "status").(interface{ String() string }).String() != want {
			t.Errorf("part %d: got %v, want %s", i, part, want)
		}
	}
}

// What a key holds is its own affair, whatever it looks like.
func TestKeysAreNoSegments(t *testing.T) {
	s := newSite(t)
	for _, key := range []string{"ASSIGN", "a%2Fassign", "%24count%2Fx", "microsoft.graph.assign"} {
		a := s.call("GET", configurations+"/"+key+"/assignments", nil)
		if a.status != http.StatusNotFound ||
			!strings.Contains(a.message(), "There is no object with this id") {
			t.Errorf("%s: got %s", key, a)
		}
	}
}
