package store_test

import (
	"errors"
	"testing"

	"golang.org/x/crypto/acme/autocert"

	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func TestACMECache(t *testing.T) {
	location := storetest.Location(t)
	s, err := store.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	cache := s.ACMECache()
	if _, err := cache.Get(t.Context(), "mdm.example.com"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("of nothing: %v", err)
	}
	for _, data := range []string{"first", "second, longer", "\x00\xff"} {
		if err := cache.Put(t.Context(), "mdm.example.com", []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(cache.Put(t.Context(), "mdm.example.com+token", []byte("x")),
		cache.Delete(t.Context(), "mdm.example.com+token"),
		cache.Delete(t.Context(), "never there"), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(t.Context(), location); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	cache = s.ACMECache()
	if data, err := cache.Get(t.Context(), "mdm.example.com"); err != nil ||
		string(data) != "\x00\xff" {
		t.Errorf("after a restart: %q, %v", data, err)
	}
	if _, err := cache.Get(t.Context(), "mdm.example.com+token"); !errors.Is(err,
		autocert.ErrCacheMiss) {
		t.Errorf("of what was deleted: %v", err)
	}
}
