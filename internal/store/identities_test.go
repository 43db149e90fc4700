package store_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// enrolledDevice stores a device that has enrolled with a certificate of the same name.
func enrolledDevice(t *testing.T, s *store.Store, name string) {
	t.Helper()
	if err := s.AddChallenge(t.Context(), mdm.Challenge{SHA256: name,
		Expires: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), name, time.Unix(1, 0),
		mdm.Certificate{SHA256: name, Serial: name, DER: []byte(name),
			NotAfter: time.Unix(9, 0)}); err != nil {
		t.Fatal(err)
	}
	if err := change(t.Context(), s, name, "0", time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func change(ctx context.Context, s *store.Store, device, topic string, revoked time.Time) error {
	return s.UpdateIdentity(ctx, device, device, func(e *mdm.Enrollment, c *mdm.Certificate) error {
		e.Topic, e.Certificate, c.Enrollment, c.Revoked = topic, device, device, revoked
		return nil
	})
}

// Who a device is, as a server tells it that keeps identities in memory, is never older than what
// was stored before it was asked.
func TestIdentitiesAreCurrent(t *testing.T) {
	s := storetest.Open(t)
	if err := s.Hold(); err != nil {
		t.Fatal(err)
	}
	devices := []string{"a", "b"}
	stored := make([]atomic.Int64, len(devices))
	var writers, readers sync.WaitGroup
	var over atomic.Bool
	for _, device := range devices {
		enrolledDevice(t, s, device)
	}
	for i, device := range devices {
		writers.Go(func() {
			for n := int64(1); n <= 300; n++ {
				if err := change(t.Context(), s, device, strconv.FormatInt(n, 10),
					time.Unix(n, 0).UTC()); err != nil {
					t.Error(err)
					return
				}
				stored[i].Store(n)
			}
		})
		for range 3 {
			readers.Go(func() {
				for !over.Load() {
					least := stored[i].Load()
					e, c, err := s.Identity(t.Context(), device, device)
					if err != nil {
						t.Error(err)
						return
					}
					if n, _ := strconv.ParseInt(e.Topic, 10, 64); n < least ||
						n > 0 && c.Revoked.Unix() != n {
						t.Errorf("device %s: topic %s and revoked %s, after %d was stored", device,
							e.Topic, c.Revoked, least)
						return
					}
				}
			})
		}
	}
	writers.Wait()
	over.Store(true)
	readers.Wait()
}

// A caller may do what it likes with what it was told; only storing it changes it.
func TestIdentitiesAreCopies(t *testing.T) {
	s := storetest.Open(t)
	if err := s.Hold(); err != nil {
		t.Fatal(err)
	}
	enrolledDevice(t, s, "a")
	for range 3 {
		e, c, err := s.Identity(t.Context(), "a", "a")
		if err != nil || e.Topic != "0" || e.Stage != 0 || c.Enrollment != "a" ||
			!c.Revoked.IsZero() {
			t.Fatalf("%+v, %+v, %v", e, c, err)
		}
		e.Topic, e.Stage, c.Enrollment, c.Revoked = "x", mdm.Left, "x", time.Unix(1, 0)
	}
	if e, c, err := s.Identity(t.Context(), "a", "b"); err != nil || e == nil || c != nil {
		t.Errorf("with a certificate that is not stored: %v, %v, %v", e, c, err)
	}
	if e, c, err := s.Identity(t.Context(), "b", "a"); err != nil || e != nil || c == nil {
		t.Errorf("of a device that is not stored: %v, %v, %v", e, c, err)
	}
}

// A database in a file has one server; one of PostgreSQL's any number.
func TestHold(t *testing.T) {
	location := storetest.Location(t)
	first, err := store.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Hold(); err != nil {
		t.Fatal(err)
	}
	second := storetest.OpenAt(t, location)
	switch err := second.Hold(); {
	case storetest.Postgres() && err != nil:
		t.Error(err)
	case !storetest.Postgres() && (err == nil ||
		!strings.Contains(err.Error(), "another server uses database "+location)):
		t.Errorf("two servers of one file: %v", err)
	}
	enrolledDevice(t, second, "a") // commands may use the file beside the server
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Hold(); err != nil {
		t.Errorf("once the first server has ended: %v", err)
	}
}
