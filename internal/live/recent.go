package live

import (
	"slices"
	"sort"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// recent holds the newest events of all devices, without a gap. Each event is linked to the one
// before it of the same device, so the events of a device that has been quiet are found without
// looking at those of the others. The links are numbers: events are counted from the first that was
// ever added, and first is the number of events[0].
type recent struct {
	events   []*Event // in order; readers keep slices of it, so its elements never change
	previous []int    // for each event, the number of the same device's event before it; -1: none
	first    int      // the number of events[0]
	bytes    int      // total size of events
	// total size of events that were dropped but are still in the array behind the slice
	droppedBytes int
	newest       map[fleet.DeviceID]int
}

func (r *recent) add(e *Event) {
	number, known := r.newest[e.Device]
	if !known {
		number = -1
	}
	r.events, r.previous = append(r.events, e), append(r.previous, number)
	r.newest[e.Device] = r.first + len(r.events) - 1
	r.bytes += e.size()
}

// trim drops the oldest events until at most n are left, of at most so many bytes together.
func (r *recent) trim(n, bytes int) {
	drop := 0
	for ; drop < len(r.events) && (len(r.events)-drop > n || r.bytes > bytes); drop++ {
		e := r.events[drop]
		if r.newest[e.Device] == r.first+drop {
			delete(r.newest, e.Device)
		}
		r.bytes -= e.size()
		r.droppedBytes += e.size()
	}
	if drop == 0 {
		return
	}
	r.events, r.previous, r.first = r.events[drop:], r.previous[drop:], r.first+drop
	// Dropped events stay in memory as long as the array does. A reader that still uses the old
	// array keeps it alive by itself.
	if r.droppedBytes > bytes {
		r.events, r.previous, r.droppedBytes = slices.Clone(r.events), slices.Clone(r.previous), 0
	}
}

// eventsAfter lists the events after a position: of one device or, if device is empty, of all
// devices. ok is false if some of them have been dropped already.
func (r *recent) eventsAfter(device fleet.DeviceID, after int64) ([]*Event, bool) {
	if len(r.events) == 0 || after < r.events[0].Position-1 {
		return nil, false
	}
	if device == "" {
		i := sort.Search(len(r.events), func(i int) bool { return r.events[i].Position > after })
		return r.events[i:], true
	}
	var list []*Event
	number, known := r.newest[device]
	for known && number >= r.first {
		e := r.events[number-r.first]
		if e.Position <= after {
			break
		}
		list, number = append(list, e), r.previous[number-r.first]
	}
	slices.Reverse(list)
	return list, true
}
