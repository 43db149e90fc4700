package test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	applepayload "github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// BenchmarkRoundTrips measures the engine and the database without the wire: 200 devices take ten
// profiles off and put them back, each answer with the next task in one durable transaction, with
// events. One iteration is one round trip.
func BenchmarkRoundTrips(b *testing.B) {
	st, err := store.Open(b.Context(), storetest.Location(b))
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	e := engine.New(engine.Config{Store: st, Log: quiet()})
	devices, set := benchFleet(b, e, catalog.New(st, catalog.MustForms(applepayload.Forms()),
		time.Now, uuid.NewString))
	b.ResetTimer()
	roundTrips(b, devices, set, b.N)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "roundtrips/s")
}

// benchFleet enrolls 200 devices, each of which gets ten profiles.
func benchFleet(b *testing.B, e *engine.Engine,
	profiles *catalog.Catalog) ([]*benchDevice, []action.Selection) {
	var set []action.Selection
	for i := range 10 {
		identifier := fmt.Sprintf("com.example.profile%d", i)
		p, err := profiles.Create(b.Context(),
			catalog.Input{ODataType: "iosCustomConfiguration", DisplayName: identifier,
				FileName: "p.mobileconfig", File: mobileconfig(identifier, uuid.NewString())})
		if err == nil {
			_, err = profiles.Assign(b.Context(), p.ID,
				[]catalog.Assignment{{Kind: catalog.AllDevices}})
		}
		if err != nil {
			b.Fatal(err)
		}
		set = append(set, action.Selection{ID: p.ID, Type: p.Type})
	}
	devices := make([]*benchDevice, 200)
	for i := range devices {
		id, err := e.Enroll(b.Context(), fleet.Device{UDID: fmt.Sprint("udid", i),
			Platform: fleet.IOS}, "")
		if err != nil {
			b.Fatal(err)
		}
		devices[i] = &benchDevice{b: b, e: e, id: id, has: map[string]string{}}
		devices[i].connect(nil)
	}
	return devices, set
}

// roundTrips lets all devices at once take the set off and put it back, until n round trips have
// been made.
func roundTrips(b *testing.B, devices []*benchDevice, set []action.Selection, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for _, d := range devices {
		wg.Go(func() {
			for left.Load() > 0 {
				for _, s := range [][]action.Selection{set, nil} {
					if err := d.e.Start(b.Context(), d.id,
						engine.Call{Name: action.SyncPayloads, Actor: "bench",
							Set: s}); err != nil {
						b.Error(err)
					}
					d.connect(&left)
				}
			}
		})
	}
	wg.Wait()
}

type benchDevice struct {
	b   *testing.B
	e   *engine.Engine
	id  fleet.DeviceID
	has map[string]string
}

func (d *benchDevice) connect(left *atomic.Int64) {
	task, err := d.e.Idle(d.b.Context(), d.id)
	for err == nil && task != nil {
		if left != nil {
			left.Add(-1)
		}
		var o action.Outcome
		switch task.Kind {
		case action.Install:
			d.has[task.Payload.Identifier] = task.Payload.Revision
		case action.Uninstall:
			delete(d.has, task.Payload.Identifier)
		case action.TakeInventory:
			for identifier, revision := range d.has {
				o.Sightings = append(o.Sightings,
					action.Sighting{Identifier: identifier, Revision: revision, Present: true})
			}
		}
		task, err = d.e.Answer(d.b.Context(), d.id, engine.Report{Task: task.ID, Outcome: o})
	}
	if err != nil {
		d.b.Error(err)
	}
}
