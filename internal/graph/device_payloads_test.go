package graph_test

import (
	"net/http"
	"testing"
	"time"
)

// What can be named on a device, and how it stands: assigned, off, on its way back.
func TestDevicePayloads(t *testing.T) {
	s := newSite(t)
	wifi, mail := s.addProfile("wifi"), s.addApp("mail")
	p := s.enrollPhone()
	p.connect()
	path := "/api/devices/" + string(p.id) + "/payloads"
	check := func(id string, want map[string]any) {
		t.Helper()
		for _, item := range s.must(http.StatusOK, "GET", path, nil).body["value"].([]any) {
			line := item.(map[string]any)
			if line["id"] != id {
				continue
			}
			for name, value := range want {
				if line[name] != value {
					t.Errorf("%s is %v, want %v: %v", name, line[name], value, line)
				}
			}
			return
		}
		t.Errorf("%s is not listed", id)
	}
	check(wifi, map[string]any{"type": "deviceConfiguration", "subType": "wiFi", "assigned": true,
		"removed":         false,
		"restoreDateTime": nil, "presence": "present", "work": "idle", "error": nil})
	p.sync(object{"payloadId": mail, "payloadType": "application"})
	check(mail, map[string]any{"type": "application", "removed": true, "work": "queued",
		"restoreDateTime": s.clock.Now().Add(8 * time.Hour).Format(time.RFC3339)})
	p.connect()
	check(mail, map[string]any{"removed": true, "presence": "absent", "work": "idle"})
	p.sync()
	check(mail, map[string]any{"removed": false, "presence": "absent", "work": "queued",
		"restoreDateTime": nil})
	if a := s.call("GET", "/api/devices/x/payloads", nil); a.status != http.StatusNotFound {
		t.Errorf("an unknown device: got %s", a)
	}
}
