package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Events with much in them take as much memory as is meant for them, not as many times as there may
// be events; what is kept is the newest, without a gap, and found by device.
func TestRecentIsBoundedByBytes(t *testing.T) {
	const most = 1 << 20
	r := recent{newest: make(map[fleet.DeviceID]int)}
	for i := range 5000 {
		r.add(&Event{Position: int64(i), Device: fleet.DeviceID(fmt.Sprint("d", i%7)),
			Result: &action.Result{Detail: strings.Repeat("x", 5000)}})
		r.trim(memoryEvents, most)
		reachable := 0
		for _, e := range r.events {
			reachable += e.size()
		}
		if reachable != r.bytes || reachable > most || r.droppedBytes > most {
			t.Fatalf("after %d events %d bytes are kept and %d held, counted as %d", i+1, reachable,
				r.droppedBytes, r.bytes)
		}
	}
	all, ok := r.eventsAfter("", r.events[0].Position-1)
	if n := len(all); !ok || n < most/8000 || all[n-1].Position != 4999 ||
		all[0].Position != int64(5000-n) {
		t.Errorf("%d events are kept", n)
	}
	one, ok := r.eventsAfter("d1", r.events[0].Position-1)
	if !ok || len(one) < len(all)/7 || one[0].Device != "d1" {
		t.Errorf("%d events of one device are kept", len(one))
	}
}

// What the log is told while it does not keep up is bounded, too.
func TestToldIsBoundedByBytes(t *testing.T) {
	tell := announcements{wake: make(chan struct{}, 1)}
	for i := range 200 {
		tell.add([]Event{{Position: int64(i),
			Result: &action.Result{Detail: strings.Repeat("x", 1<<20)}}})
		if tell.bytes > memoryBytes+2<<20 || len(tell.events) > memoryBytes>>20+2 {
			t.Fatalf("%d events with %d bytes wait", len(tell.events), tell.bytes)
		}
	}
	if events, ahead := tell.takeAfter(0); len(events)+len(ahead) == 0 || tell.bytes != 0 {
		t.Error("nothing waits")
	}
}
