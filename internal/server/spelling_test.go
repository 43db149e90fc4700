package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// However the path of a call is spelled, it takes a call's place: Graph's letters may be in either
// case, and a slash may end it. What is not Graph's has one spelling.
func TestSpellingsTakeTheSamePlace(t *testing.T) {
	t.Parallel()
	s := newCrowded(t, server.Config{Capacity: server.Capacity{Calls: 1, Waiting: 1,
		Wait: time.Millisecond}})
	spellings := map[string]int{
		"/BETA/devicemanagement/MANAGEDDEVICES":  http.StatusOK,
		"/beta/deviceManagement/managedDevices/": http.StatusOK,
		"/V1.0/Groups/":                          http.StatusOK,
		"/beta/deviceManagement/deviceConfigurations/graph.iosCustomConfiguration": http.StatusOK,
		"/beta/$Metadata/": http.StatusOK, "/API/events": http.StatusNotFound,
		"/api/events/": http.StatusNotFound, "/Healthz": http.StatusNotFound,
		"/healthz/": http.StatusNotFound, "/MDM": http.StatusNotFound,
	}
	for path, status := range spellings {
		if answer, text := s.ask("GET", path); answer.StatusCode != status {
			t.Errorf("%s: %s %s", path, answer.Status, text)
		}
	}
	defer s.stay(1, "POST", "/Beta/DeviceManagement/DeviceConfigurations/")()
	for path := range spellings {
		if answer, text := s.ask("GET", path); answer.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s in a crowd: %s %s", path, answer.Status, text)
		}
	}
}
