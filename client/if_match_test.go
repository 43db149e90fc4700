package client_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/syncpayloads/syncpayloads/client"
)

func TestSetThatChangedMeanwhile(t *testing.T) {
	s := newSite(t)
	id, _, device := s.phoneWithWiFi(t)
	known, tag, err := s.PayloadSet(t.Context(), device.ID)
	if err != nil || len(known) != 1 || tag == "" {
		t.Fatalf("%+v with tag %q, %v", known, tag, err)
	}
	set := []client.Selection{{ID: id, Type: client.DeviceConfiguration}}
	if err := s.SyncPayloads(t.Context(), device.ID, set,
		client.SyncOptions{IfMatch: tag, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	// The answer may have been lost: the same call again is no other one.
	if err := s.SyncPayloads(t.Context(), device.ID, set,
		client.SyncOptions{IfMatch: tag, Key: "k"}); err != nil {
		t.Error(err)
	}
	if err := s.SyncPayloads(t.Context(), device.ID, nil,
		client.SyncOptions{IfMatch: tag}); !client.IsChanged(err) {
		t.Errorf("an outdated tag: %v", err)
	}
	if err := s.SyncPayloads(t.Context(), "x", nil, client.SyncOptions{}); err == nil ||
		client.IsChanged(err) {
		t.Errorf("a device that is not there: %v", err)
	}
}

// Each call has a key of its own, which its tries share.
func TestKeyOfTheTries(t *testing.T) {
	var calls atomic.Int64
	keys := make(map[string]int)
	c := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		keys[r.Header.Get("Idempotency-Key")]++
		if calls.Add(1)%2 == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	for range 2 {
		if err := c.SyncPayloads(t.Context(), "d", nil, client.SyncOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(keys) != 2 || keys[""] > 0 {
		t.Errorf("the keys of two calls of two tries: %v", keys)
	}
	for key, n := range keys {
		if n != 2 {
			t.Errorf("key %q came %d times", key, n)
		}
	}
}
