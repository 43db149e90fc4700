package mdm_test

import (
	"net/http"
	"testing"
	"time"
)

// renewed is a device with a further identity that was issued for it.
func (s *server) renewed(t *testing.T, d *device, key int) *device {
	t.Helper()
	next := s.newDevice(t, d.udid, key)
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	for sha256, c := range s.store.certificates {
		if c.Enrollment == "" {
			c.Enrollment = d.udid
			s.store.certificates[sha256] = c
		}
	}
	return next
}

// A renewed identity may begin with any message, and what came before it does not come back.
func TestRenewedIdentity(t *testing.T) {
	for name, first := range map[string]func(*device) *answered{
		"TokenUpdate": func(d *device) *answered { return d.tokenUpdate("token 2") },
		"Idle":        (*device).idle,
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			d := s.enroll(t, "1", 1)
			old := d.tokenUpdate("token 1")
			s.pass(time.Hour)
			next := s.renewed(t, d, 2)
			next.want(http.StatusOK, first(next))
			next.want(http.StatusOK, next.idle())
			d.want(http.StatusForbidden, d.idle())
			d.want(http.StatusForbidden, d.replay(old))
			if n, _, _ := s.engine.counts(); n != 1 {
				t.Errorf("enrolled %d times", n)
			}
		})
	}
}

// An identity that was issued for no device yet, for another one, or earlier, takes nobody's place
// with a TokenUpdate.
func TestIdentitiesThatAreNoRenewal(t *testing.T) {
	s := newServer(t)
	d := s.enroll(t, "1", 1)
	s.pass(time.Hour)
	parked := s.newDevice(t, "1", 2)
	parked.want(http.StatusForbidden, parked.tokenUpdate("token 2"))
	other := s.enroll(t, "2", 2)
	s.pass(time.Hour)
	next := *s.renewed(t, other, 2)
	next.udid = "1"
	next.want(http.StatusForbidden, next.tokenUpdate("token 2"))
	again := s.enroll(t, "1", 2)
	d.want(http.StatusForbidden, d.tokenUpdate("token 3"))
	again.want(http.StatusOK, again.idle())
}
