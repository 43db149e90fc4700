package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// An id with characters that no database holds is that of nothing, on either engine, wherever it is
// looked for.
func TestIDsThatCannotBe(t *testing.T) {
	st, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	ctx := t.Context()
	for _, id := range []string{"a\x00b", "\x00", "\xff", strings.Repeat("x", 100_000) + "\x00"} {
		for what, look := range map[string]func() error{
			"device": func() error { _, err := st.Device(ctx, fleet.DeviceID(id)); return err },
			"place":  func() error { _, err := st.Place(ctx, fleet.DeviceID(id)); return err },
			"entry":  func() error { _, err := st.Entry(ctx, id); return err },
			"events": func() error {
				_, err := st.Events(ctx, fleet.DeviceID(id), 0, 1)
				return err
			},
			"standing": func() error {
				_, _, err := st.Standing(ctx, fleet.DeviceID(id))
				return err
			},
			"action": func() error {
				_, err := st.PastAction(ctx, fleet.DeviceID(id), 1)
				return err
			},
			"payload": func() error {
				return st.ViewCatalog(ctx, func(tx catalog.Tx) error {
					_, err := tx.Payload(ctx, action.PayloadID(id))
					return err
				})
			},
			"payload's tags": func() error {
				return st.ViewCatalog(ctx, func(tx catalog.Tx) error {
					_, err := tx.PayloadTags(ctx, action.PayloadID(id))
					return err
				})
			},
			"ledger": func() error {
				return st.View(ctx, func(tx engine.Tx) error {
					_, err := tx.Ledger(ctx, fleet.DeviceID(id))
					return err
				})
			},
		} {
			if err := look(); err != nil && !errors.Is(err, fleet.ErrNotFound) &&
				!errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, audit.ErrNotFound) {
				t.Errorf("%s %.20q: %v", what, id, err)
			}
		}
	}
}
