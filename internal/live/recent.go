package live

import (
	"slices"
	"sort"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// recent is the newest events, without a gap. A device's are found without a look at the others'.
type recent struct {
	events []*Event // grows and is cut, but what readers hold of it stays
	before []int    // of each the number of the same device's event before it; -1: there is none
	first  int      // number of events[0]: they are counted from the first that was ever added
	bytes  int      // of events
	passed int      // bytes of those that were forgotten and are still in the same array
	newest map[fleet.DeviceID]int
}

func (r *recent) add(e *Event) {
	number, known := r.newest[e.Device]
	if !known {
		number = -1
	}
	r.events, r.before = append(r.events, e), append(r.before, number)
	r.newest[e.Device] = r.first + len(r.events) - 1
	r.bytes += e.size()
}

// trim forgets all but the newest n, or fewer that have so many bytes together.
func (r *recent) trim(n, bytes int) {
	drop := 0
	for ; drop < len(r.events) && (len(r.events)-drop > n || r.bytes > bytes); drop++ {
		e := r.events[drop]
		if r.newest[e.Device] == r.first+drop {
			delete(r.newest, e.Device)
		}
		r.bytes -= e.size()
		r.passed += e.size()
	}
	if drop == 0 {
		return
	}
	r.events, r.before, r.first = r.events[drop:], r.before[drop:], r.first+drop
	if r.passed > bytes { // who reads has the old array as long as it takes
		r.events, r.before, r.passed = slices.Clone(r.events), slices.Clone(r.before), 0
	}
}

// eventsAfter lists the events after a position, of one device or, if device is empty, of
// all; false if some of them are not known any more.
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
		list, number = append(list, e), r.before[number-r.first]
	}
	slices.Reverse(list)
	return list, true
}
