package store

import (
	"errors"
	"testing"

	"golang.org/x/crypto/acme/autocert"
)

func TestACMECache(t *testing.T) {
	path := t.TempDir() + "/x.db"
	s, err := Open(t.Context(), path)
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
		cache.Delete(t.Context(), "mdm.example.com+token"), cache.Delete(t.Context(), "never there"), s.Close()); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	cache = s.ACMECache()
	if data, err := cache.Get(t.Context(), "mdm.example.com"); err != nil || string(data) != "\x00\xff" {
		t.Errorf("after a restart: %q, %v", data, err)
	}
	if _, err := cache.Get(t.Context(), "mdm.example.com+token"); !errors.Is(err, autocert.ErrCacheMiss) {
		t.Errorf("of what was deleted: %v", err)
	}
}
