package store_test

import (
	"fmt"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// Of many payloads those are read that there are, whole, in however many queries it takes.
func TestPayloadsOfAStep(t *testing.T) {
	s, cat := openCatalog(t)
	made := map[action.PayloadID]*catalog.Payload{}
	var ids []action.PayloadID
	for i := range 3 {
		p := create(t, cat, app(payload.IOSStoreApp, fmt.Sprintf(`{"bundleId":"a.b%d","storeId":7}`, i)))
		made[p.ID] = p
		ids = append(ids, p.ID)
		for n := range 700 { // there are no such payloads
			ids = append(ids, action.PayloadID(fmt.Sprintf("none-%d-%d", i, n)))
		}
	}
	deleted := ids[0]
	delete(made, deleted)
	if err := cat.Delete(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func(func(engine.Tx) error) error{
		func(fn func(engine.Tx) error) error { return s.Update(t.Context(), "", fn) },
		func(fn func(engine.Tx) error) error { return s.UpdateAlone(t.Context(), fn) },
	} {
		err := read(func(tx engine.Tx) error {
			if none, err := tx.Payloads(t.Context(), nil); err != nil || len(none) > 0 {
				t.Errorf("of none there are %d, %v", len(none), err)
			}
			found, err := tx.Payloads(t.Context(), ids)
			if err != nil || len(found) != len(made) {
				t.Errorf("%d payloads are found, %v, want %d", len(found), err, len(made))
			}
			for id, p := range made {
				if got := found[id]; got == nil || got.Version != p.Version ||
					string(got.Content) != string(p.Content) {
					t.Errorf("%s is %+v, want %+v", id, got, p)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
