package catalog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func TestSignedVersionNeedsAUUIDOfItsOwn(t *testing.T) {
	ctx := t.Context()
	s, err := store.Open(ctx, storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	c := catalog.New(s, time.Now, uuid.NewString)
	file := func(id, ssid string) []byte {
		return sign(t, xmlList(t, top(dict{"PayloadUUID": id}, with(wifi, dict{"SSID_STR": ssid}))))
	}
	p, err := c.Create(ctx, catalog.Input{ODataType: catalog.IOSCustomConfiguration, DisplayName: "Office", File: file("U-1", "one")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Update(ctx, p.ID, catalog.Patch{File: file("u-1", "two")})
	var invalid *catalog.Invalid
	if !errors.As(err, &invalid) || invalid.Property != "payload" || !strings.Contains(invalid.Reason, "give it a new PayloadUUID") {
		t.Errorf("a signed file with a former UUID: %v", err)
	}
	second := file("U-2", "two")
	got, err := c.Update(ctx, p.ID, catalog.Patch{File: second})
	if err != nil || got.Version != 2 || got.Revision != "u-2" || string(got.Content) != string(second) {
		t.Errorf("a signed file with a new UUID: %+v, %v", got, err)
	}
}
