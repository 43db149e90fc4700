package test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// call makes a request of the API and returns status and body.
func (s *site) call(method, path string, body any) (int, []byte) {
	s.Helper()
	return s.send(method, path, nil, body)
}

func (s *site) send(method, path string, header map[string]string, body any) (int, []byte) {
	s.Helper()
	var doc []byte
	if body != nil {
		var err error
		if doc, err = json.Marshal(body); err != nil {
			s.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(doc))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	res, err := s.http.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	return res.StatusCode, answer
}

// must makes a request that has to succeed and decodes its answer.
func (s *site) must(method, path string, body, into any) {
	s.Helper()
	status, answer := s.call(method, path, body)
	if status >= 300 {
		s.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			s.Fatalf("%s %s: %v in %s", method, path, err, answer)
		}
	}
}

// sync declares what is to be off the device.
func (s *site) sync(d *simulator.Device, set ...payload) {
	s.Helper()
	if status, answer := s.post(d, "syncPayloads", set); status != http.StatusNoContent {
		s.Fatalf("syncPayloads: %d %s", status, answer)
	}
}

func (s *site) post(d *simulator.Device, action string, set []payload) (int, []byte) {
	s.Helper()
	return s.callWith(action, d, nil, set...)
}

// callWith calls an action with request headers.
func (s *site) callWith(action string, d *simulator.Device, header map[string]string,
	set ...payload) (int, []byte) {
	s.Helper()
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"payloadId": p.ID, "payloadType": p.Type})
	}
	path := "/beta/deviceManagement/managedDevices/" + s.ids[d] + "/" + action
	return s.send("POST", path, header, map[string]any{"deviceActionPayloads": items})
}

type result struct {
	ActionName           string
	ActionState          string
	DeviceActionPayloads []struct {
		PayloadID, Intent, Status, Detail string
		ErrorCode                         int64
	}
}

// result reads the device's latest syncPayloads result.
func (s *site) result(d *simulator.Device) result {
	s.Helper()
	return s.resultOf(s.ids[d])
}

// resultOf is the latest result of syncPayloads on the device of an id.
func (s *site) resultOf(id string) result {
	s.Helper()
	var device struct{ DeviceActionResults []result }
	s.must("GET", "/beta/deviceManagement/managedDevices/"+id+"?$select=id,deviceActionResults",
		nil, &device)
	for _, r := range device.DeviceActionResults {
		if r.ActionName == string(action.SyncPayloads) {
			return r
		}
	}
	return result{}
}

func (r result) final() bool {
	return slices.Contains([]string{"done", "failed", "canceled", "notSupported"}, r.ActionState)
}

func (r result) of(p payload) string {
	for _, line := range r.DeviceActionPayloads {
		if line.PayloadID == p.ID {
			return line.Intent + "/" + line.Status
		}
	}
	return "none"
}
