package faults

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// cutBefore lets a database go just before a device sends an answer, once it is armed.
type cutBefore struct {
	armed atomic.Bool
	wall  *wall
}

// Reporting implements simulator.Observer.
func (c *cutBefore) Reporting(*simulator.Device) {
	if c.armed.CompareAndSwap(true, false) {
		c.wall.refuse()
	}
}

// Answered implements simulator.Observer.
func (c *cutBefore) Answered(*simulator.Device, simulator.Exchange) {}

// While the database is away devices are told that it is the server who is in trouble, and for how
// long to stay away. What they said meanwhile does not count, and they are asked again for it.
func TestDevicesWithoutDatabase(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	walls, urls := walled(t, c, 1)
	all := newSite(t, 0, c.URL("syncpayloads"), urls...)
	cut := &cutBefore{wall: walls[0]}
	// No push reaches this fleet, and it does not run: the device connects when it is told to.
	s := *all
	s.fleet = simulator.NewFleet(simulator.Options{Transport: s.transport(), Keys: keys,
		Apps: appStore, Timeout: time.Minute,
		Observer: cut, Log: quiet()})
	s.enroll(0)
	d, p := s.devices[0], s.catalog[0]
	s.connects(d, "the device has everything",
		func() bool { return slices.Equal(inventory(d.Device), s.left(nil)) })
	var link struct{ URL string }
	s.must("POST", "/api/enrollments", map[string]any{"expiresIn": "1h"}, &link)
	if !s.declare(s.url, d, []payload{p}, "0") {
		t.Fatal("a call is not accepted")
	}

	cut.armed.Store(true)
	for _, says := range []string{"what it did", "that it is idle"} {
		if err := d.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "HTTP 503") {
			t.Errorf("a device that says %s is told %v, want 503", says, err)
		}
	}
	res, err := s.http.Get(link.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if seconds,
		_ := strconv.Atoi(res.Header.Get("Retry-After")); res.StatusCode != http.StatusServiceUnavailable || seconds < 1 {
		t.Errorf("a link answers %s, Retry-After %q", res.Status, res.Header.Get("Retry-After"))
	}
	if status, answer, err := s.call("PUT", "/mdm",
		"no message of a device"); status != http.StatusBadRequest {
		t.Errorf("what no device says is answered %d %s %v", status, answer, err)
	}

	walls[0].heal()
	s.awake()
	if r, _ := s.result(d); r.of(p) != "remove/inProgress" {
		t.Errorf("what the device said without the database counts: %+v", r)
	}
	s.connects(d, "what was asked is done", func() bool {
		r, _ := s.result(d)
		return r.of(p) == "remove/removed" &&
			slices.Equal(inventory(d.Device), s.left([]payload{p}))
	})
	s.askedOnce(d)
	if res, err := s.http.Get(link.URL); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the link answers %+v, %v, after the database came back", res, err)
	} else {
		_ = res.Body.Close()
	}
}

// connects lets the device connect until ok.
func (s *site) connects(d *device, what string, ok func() bool) {
	s.Helper()
	// for which an app waits to be looked at
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if err := d.Connect(s.Context()); err != nil || time.Now().After(end) {
			s.Fatalf("not within a minute: %s; the device has %v, %v", what, inventory(d.Device),
				err)
		}
	}
}

// awake waits until the servers answer calls again.
func (s *site) awake() {
	s.Helper()
	// as a client waits before it calls again
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status, _, err := s.call("GET", "/beta/deviceManagement/managedDevices?$top=1", nil)
		if err == nil && status == http.StatusOK {
			return
		}
		if time.Now().After(end) {
			s.Fatalf("the servers do not recover: %d, %v", status, err)
		}
	}
}
