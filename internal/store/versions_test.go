package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

func TestVersionsOfAProfile(t *testing.T) {
	s, c := openCatalog(t)
	p := create(t, c, wifi("com.example.office"))
	if _, err := c.Assign(t.Context(), p.ID,
		[]catalog.Assignment{{Kind: catalog.AllDevices}}); err != nil {
		t.Fatal(err)
	}
	wantChanges(t, s, everybody)
	edit := func(patch catalog.Patch) *catalog.Payload {
		t.Helper()
		if _, err := c.Update(t.Context(), p.ID, patch); err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	name, file := "Guests", "guests.mobileconfig"
	got := edit(catalog.Patch{DisplayName: &name, FileName: &file,
		Properties: []byte(`{"payloadName":"New","x":null}`),
		File:       profile("com.example.office", "U-1", "one")})
	if got.Version != 1 || got.DisplayName != name || got.FileName != file ||
		string(got.Properties) != `{"payloadName":"New"}` ||
		!got.LastModified.After(p.LastModified) {
		t.Errorf("an edit of names made %+v", got)
	}
	wantChanges(t, s)

	got = edit(catalog.Patch{File: profile("com.example.office", "U-2", "two")})
	if got.Version != 2 || got.Revision != "u-2" || got.Original != nil {
		t.Errorf("a new file with a new UUID made %+v", got)
	}
	wantChanges(t, s, everybody)

	seen := map[string]bool{"u-1": true, "u-2": true}
	for version, ssid := range []string{"three", "one"} {
		file := profile("com.example.office", "U-1", ssid)
		got = edit(catalog.Patch{File: file})
		delivered, err := payload.ParseProfile(got.Content)
		if err != nil {
			t.Fatal(err)
		}
		if got.Version != int64(version+3) || seen[got.Revision] ||
			delivered.UUID != got.Revision || string(got.Uploaded()) != string(file) ||
			!strings.Contains(string(got.Content), ssid) {
			t.Errorf("a file with a former UUID made version %d, revision %s, uploaded %s",
				got.Version, got.Revision, got.Uploaded())
		}
		seen[got.Revision] = true
		wantChanges(t, s, everybody)
		if again := edit(catalog.Patch{File: file}); again.Version != got.Version ||
			again.Revision != got.Revision {
			t.Errorf("the same file again made version %d", again.Version)
		}
		wantChanges(t, s)
	}

	_, err := c.Update(t.Context(), p.ID, catalog.Patch{File: profile("com.example.other", "U-9",
		"x")})
	refused(t, err, "payload", "make a new configuration")
	_, err = c.Update(t.Context(), p.ID, catalog.Patch{File: []byte("x")})
	refused(t, err, "payload", "not a configuration profile")
	if kept, err := c.Get(t.Context(), p.ID); err != nil || kept.Version != 4 {
		t.Errorf("after refused edits: %+v, %v", kept, err)
	}
	if _, err := c.Update(t.Context(), nobody, catalog.Patch{}); !errors.Is(err,
		catalog.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}

func TestSimultaneousEditsAreAllVersions(t *testing.T) {
	_, c := openCatalog(t)
	p := create(t, c, wifi("com.example.office"))
	const n = 32
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := c.Update(context.Background(), p.ID,
				catalog.Patch{File: profile("com.example.office", "U-1",
					fmt.Sprint(i))}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := c.Get(t.Context(), p.ID); err != nil || got.Version != n+1 {
		t.Errorf("version %d, %v; want %d", got.Version, err, n+1)
	}
}
