package sqldb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// A step is written only if the ledger that it read is still the one that stands; else it is
// computed again, also if it leaves the ledger itself as it is: what it decided rests on a ledger
// that is gone. After some tries it has the database to itself. The writer in between is another
// node.
func TestStepRestsOnTheLedgerThatStands(t *testing.T) {
	for _, savesLedger := range []bool{false, true} {
		for meanwhile := range 4 {
			t.Run(fmt.Sprintf("savesLedger=%t,meanwhile=%d", savesLedger, meanwhile),
				func(t *testing.T) {
					location := storetest.Location(t)
					one, other := storetest.OpenAt(t, location), storetest.OpenAt(t, location)
					const device fleet.DeviceID = "d"
					enroll(t, one, device)
					key := &engine.Key{Caller: "c", Name: "k"}
					var seen []int
					err := one.Update(t.Context(), device, func(tx engine.Tx) error {
						l, err := tx.Ledger(t.Context(), device)
						if err != nil {
							return err
						}
						seen = append(seen, l.Wake.Tries)
						if len(seen) <= meanwhile {
							countTry(t, other, device)
						}
						key.Digest = []byte{byte(l.Wake.Tries)}
						if err := tx.SaveKey(t.Context(), device, key, dawn); err != nil ||
							!savesLedger {
							return err
						}
						l.Wake.Tries += 10
						return tx.SaveLedger(t.Context(), device, l)
					})
					if err != nil {
						t.Fatal(err)
					}
					want := make([]int, meanwhile+1)
					for i := range want {
						want[i] = i
					}
					if !slices.Equal(seen, want) {
						t.Errorf("the step read ledgers %v, want %v", seen, want)
					}
					wantTries := meanwhile
					if savesLedger {
						wantTries += 10
					}
					err = other.View(t.Context(), func(tx engine.Tx) error {
						digest, err := tx.KeyDigest(t.Context(), device, key,
							dawn.Add(-time.Second))
						if err != nil {
							return err
						}
						l, err := tx.Ledger(t.Context(), device)
						if err != nil {
							return err
						}
						if !slices.Equal(digest, []byte{byte(meanwhile)}) ||
							l.Wake.Tries != wantTries {
							t.Errorf("kept are key %v and ledger %d, want %d and %d", digest,
								l.Wake.Tries, meanwhile, wantTries)
						}
						return nil
					})
					if err != nil {
						t.Error(err)
					}
				})
		}
	}
}

var dawn = time.Date(2025, 2, 13, 6, 0, 0, 0, time.UTC)

func enroll(t *testing.T, s *store.Store, device fleet.DeviceID) {
	t.Helper()
	err := s.Update(t.Context(), device, func(tx engine.Tx) error {
		return tx.SaveDevice(t.Context(), &fleet.Device{ID: device, UDID: "u"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// countTry writes a device's ledger.
func countTry(t *testing.T, s *store.Store, device fleet.DeviceID) {
	t.Helper()
	err := s.Update(t.Context(), device, func(tx engine.Tx) error {
		l, err := tx.Ledger(t.Context(), device)
		if err != nil {
			return err
		}
		l.Wake.Tries++
		return tx.SaveLedger(t.Context(), device, l)
	})
	if err != nil {
		t.Fatal(err)
	}
}
