package store_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Old keys are deleted in pieces, the oldest first, and younger ones stay.
func TestDropKeys(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"})
	at := time.Date(2025, 2, 13, 0, 0, 0, 0, time.UTC)
	names := []string{"1", "2", "3", "4", "5", "6"}
	for i, name := range names {
		key := &engine.Key{Caller: "token:x", Name: name, Digest: []byte(name)}
		if err := s.Update(t.Context(), "a", func(tx engine.Tx) error {
			return tx.SaveKey(t.Context(), "a", key, at.Add(time.Duration(i)*time.Hour))
		}); err != nil {
			t.Fatal(err)
		}
	}
	known := func(caller, name string, since time.Time) (digest []byte) {
		t.Helper()
		err := s.View(t.Context(), func(tx engine.Tx) (err error) {
			digest, err = tx.KeyDigest(t.Context(), "a", &engine.Key{Caller: caller, Name: name},
				since)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return digest
	}
	if known("token:y", "1", time.Time{}) != nil ||
		string(known("token:x", "1", at.Add(-1))) != "1" || known("token:x", "1", at) != nil {
		t.Error("a key is not its caller's for its time")
	}
	for i, want := range []int{2, 2, 1, 0} {
		if n, err := s.DropKeys(t.Context(), at.Add(4*time.Hour), 2); err != nil || n != want {
			t.Errorf("piece %d: %d keys, %v; want %d", i, n, err, want)
		}
		if first := known("token:x", "1", at.Add(-1)); first != nil {
			t.Error("the oldest key is not the first to go")
		}
	}
	if string(known("token:x", "6", at)) != "6" {
		t.Error("a young key was deleted")
	}
}
