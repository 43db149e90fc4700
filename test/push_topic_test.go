package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// An admin who sets a push certificate of another topic is told which devices it concerns, before,
// in Health, and where something waits for one of them.
func TestPushCertificateOfAnotherTopic(t *testing.T) {
	s, phone, vpn, _ := onePhone(t)
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	const path = "/beta/deviceManagement/applePushNotificationCertificate"
	body := map[string]any{"certificate": string(certificate), "privateKey": string(key)}
	name := phone.Facts().DeviceName
	if status, text := s.call("PATCH", path, body); status != http.StatusConflict ||
		!strings.Contains(string(text), "1 device ("+name+")") {
		t.Fatalf("got %d: %s", status, text)
	}
	warned := func() string {
		var health struct{ Warnings []string }
		s.must("GET", "/api/health", nil, &health)
		return strings.Join(health.Warnings, " ")
	}
	if text := warned(); strings.Contains(text, name) {
		t.Errorf("before there is a reason, Health warns: %s", text)
	}
	body["force"] = true
	s.must("PATCH", path, body, nil)
	if text := warned(); !strings.Contains(text,
		"1 device ("+name+") enrolled under another topic") {
		t.Errorf("Health warns: %s", text)
	}
	s.sync(phone, vpn)
	s.eventually("what waits says why", func() bool {
		lines := s.result(phone).DeviceActionPayloads
		return len(lines) == 1 && lines[0].Status == "inProgress" &&
			strings.Contains(lines[0].Detail, "cannot be woken")
	})
	s.fleet.Wake(phone)
	if r := s.ends(phone,
		"the removal ends when the phone comes by itself"); r.of(vpn) != "remove/removed" {
		t.Errorf("shown is %+v", r)
	}
}
