package graph_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

const healthPath = "/api/health"

func TestHealth(t *testing.T) {
	started := time.Date(2025, 2, 13, 9, 0, 0, 0, time.UTC)
	s := newSite(t, func(c *graph.Config) { c.Version, c.Started = "v1.2.3", started })
	p := s.enrollPhone()
	s.enroll(fleet.Device{Name: "second", UDID: "2", Platform: fleet.MacOS})
	a := s.must(http.StatusOK, "GET", healthPath, nil)
	if a.body["version"] != "v1.2.3" || a.body["started"] != "2025-02-13T09:00:00Z" ||
		a.body["database"] != "ok" ||
		fmt.Sprint(a.body["devices"]) != "2" || a.body["pushCertificate"] != nil ||
		!strings.Contains(fmt.Sprint(a.body["warnings"]), "No push certificate") {
		t.Errorf("got %s", a)
	}
	w := &world{site: s}
	group := w.newGroup()
	s.must(http.StatusNoContent, "POST", groups+"/"+group+"/members/$ref",
		memberReference(string(p.id)))
	bearer := w.bearer(access.ReadOnlyOperator, []string{group}, nil)
	if a := s.must(http.StatusOK, "GET", healthPath, nil, "Authorization",
		"Bearer "+bearer); fmt.Sprint(a.body["devices"]) != "1" {
		t.Errorf("who is limited to one device: %s", a)
	}
}

func TestHealthTellsOfAnUnsafeDatabase(t *testing.T) {
	var unsafe error
	s := newSite(t,
		func(c *graph.Config) { c.Durable = func(context.Context) error { return unsafe } })
	for _, unsafe = range []error{nil, errors.New("fsync is off")} {
		a := s.must(http.StatusOK, "GET", healthPath, nil)
		if told := strings.Contains(fmt.Sprint(a.body["warnings"]),
			"may lose"); told != (unsafe != nil) {
			t.Errorf("with %v Health says %v", unsafe, a.body["warnings"])
		}
	}
}

func TestHealthWarnings(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2025, 2, 13, 10, 17, 5, 0, time.UTC) // as a site begins
	for name, tt := range map[string]struct {
		push        time.Duration // what is left of the push certificate
		valid, left time.Duration // of the TLS certificate
		want        string        // empty: no warning
	}{
		"fine":                      {365 * day, 365 * day, 300 * day, ""},
		"push certificate for long": {30 * day, 365 * day, 300 * day, ""},
		"push certificate not long": {30*day - time.Second, 365 * day, 300 * day,
			"The push certificate expires at 2025-03-15 10:17 UTC, in 29 days."},
		"push certificate at last": {time.Hour, 365 * day, 300 * day, "in less than a day."},
		"push certificate expired": {0, 365 * day, 300 * day,
			"The push certificate expired at 2025-02-13 10:17 UTC: no device can be woken."},
		"TLS certificate not long": {365 * day, 365 * day, 30*day - time.Second,
			"The server's TLS certificate expires at 2025-03-15 10:17 UTC, in 29 days"},
		"short TLS certificate": {365 * day, 8 * day, 2 * day, ""},
		"its last day":          {365 * day, 8 * day, 2*day - time.Second, "in 1 day:"},
		"TLS certificate expired": {365 * day, 8 * day, 0,
			"The server's TLS certificate expired"},
	} {
		s := newSite(t, func(c *graph.Config) {
			c.TLSCertificate = func() *x509.Certificate {
				return &x509.Certificate{NotBefore: now.Add(tt.left - tt.valid),
					NotAfter: now.Add(tt.left)}
			}
		})
		s.channel.certificate = &graph.PushCertificate{Topic: "com.apple.mgmt.External.1",
			Expires: now.Add(tt.push)}
		a := s.must(http.StatusOK, "GET", healthPath, nil)
		warnings, _ := a.body["warnings"].([]any)
		if (tt.want == "") != (len(warnings) == 0) ||
			tt.want != "" && (len(warnings) != 1 ||
				!strings.Contains(fmt.Sprint(warnings[0]), tt.want)) {
			t.Errorf("%s: warns %q, want %q", name, warnings, tt.want)
		}
		if at(a.body, "pushCertificate", "topic") != "com.apple.mgmt.External.1" ||
			at(a.body, "pushCertificate",
				"expirationDateTime") != now.Add(tt.push).Format(time.RFC3339) {
			t.Errorf("%s: got %s", name, a)
		}
	}
}

// A database that fails is told of, without what it said.
func TestHealthOfAFailingDatabase(t *testing.T) {
	busy, broke := errors.New("database is locked"),
		errors.New("SELECT secret FROM devices: disk I/O error")
	for err, want := range map[error]string{busy: "busy", broke: "failed"} {
		s := newSite(t, func(c *graph.Config) {
			c.Devices = broken{err}
			c.Busy = func(err error) bool { return errors.Is(err, busy) }
		})
		a := s.must(http.StatusOK, "GET", healthPath, nil)
		if devices, there := a.body["devices"]; a.body["database"] != want || !there ||
			devices != nil ||
			!strings.HasPrefix(fmt.Sprint(at(a.body, "warnings", 0)),
				"The database does not answer") || strings.Contains(string(a.text), err.Error()) {
			t.Errorf("%v: got %s", err, a)
		}
		if log := s.log.text(); !strings.Contains(log, err.Error()) ||
			!strings.Contains(log, a.header.Get("request-id")) {
			t.Errorf("%v: logged %q", err, log)
		}
	}
}
