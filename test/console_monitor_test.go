package test

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// monitor is what the monitor of a device's page shows.
type monitor struct {
	State string
	Rows  []monitorRow
}

type monitorRow struct {
	ID, Action, Status, Detail, At string
}

// of is how the monitor shows a payload, in words.
func (m monitor) of(p payload) string {
	for _, r := range m.Rows {
		if r.ID == p.ID {
			return strings.TrimSuffix(r.Action+"/"+r.Status+": "+r.Detail, ": ")
		}
	}
	return "none"
}

// readMonitor reads the monitor from the page.
const readMonitor = `() => {
	const text = (root, selector) => root?.querySelector(selector)?.textContent.trim() || "";
	const monitor = document.querySelector("#monitor");
	return {
		state: text(monitor, ".progress .mark"),
		rows: [...monitor?.querySelectorAll("tbody tr") || []].map((row) => ({
			id: row.dataset.key,
			action: text(row, "[data-label=Action]"),
			status: text(row, "[data-label=Status]"),
			detail: text(row, ".explanation dd") || text(row, ".detail"),
			at: row.querySelector("[data-label='Status time'] time").dateTime,
		})),
	};
}`

var (
	stateWords = map[string]string{"pending": "Waiting for the device", "active": "In progress",
		"done":   "Done",
		"failed": "Ended with errors", "canceled": "Canceled", "notSupported": "Not supported"}
	statusWords = map[string]string{"initiated": "In progress", "inProgress": "In progress",
		"removed": "Removed", "succeeded": "Restored", "error": "Error"}
	actionWords = map[string]string{"remove": "Remove", "restore": "Restore"}
)

// expected is what the monitor has to show, by the API.
func (s *site) expected(d *simulator.Device) monitor {
	s.Helper()
	var list struct {
		Value []struct {
			ActionState           string
			DeviceActionPayloads  []lineOfAction
			DeviceAssignmentItems []lineOfAction
		}
	}
	s.must("GET", "/api/devices/"+s.ids[d]+"/actions?$top=1", nil, &list)
	if len(list.Value) == 0 {
		return monitor{Rows: []monitorRow{}}
	}
	latest := list.Value[0]
	m := monitor{State: stateWords[latest.ActionState], Rows: []monitorRow{}}
	for _, line := range append(latest.DeviceActionPayloads, latest.DeviceAssignmentItems...) {
		m.Rows = append(m.Rows, line.row())
	}
	return m
}

// lineOfAction is a deviceActionPayload or a deviceAssignmentItem.
type lineOfAction struct {
	PayloadID, Intent, Status, Detail                                                   string
	ItemID, AssignmentItemActionIntent, AssignmentItemActionStatus, IntentActionMessage string
	LastModifiedDateTime                                                                time.Time
}

func (l lineOfAction) row() monitorRow {
	row := monitorRow{ID: cmp.Or(l.PayloadID, l.ItemID),
		Action: actionWords[cmp.Or(l.Intent, l.AssignmentItemActionIntent)],
		Status: statusWords[cmp.Or(l.Status, l.AssignmentItemActionStatus)],
		Detail: strings.TrimSpace(cmp.Or(l.Detail, l.IntentActionMessage)),
		At:     l.LastModifiedDateTime.UTC().Format("2006-01-02T15:04:05.000Z")}
	if row.Status == "In progress" && row.Detail == "" {
		row.Detail = "waiting for the device"
	}
	return row
}

// shows waits until the page shows what the API says, which may change meanwhile, and returns it.
func (b *browser) shows(d *simulator.Device) monitor {
	b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var want, got monitor
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		want = b.expected(d)
		if got = see[monitor](b, readMonitor); reflect.DeepEqual(got, want) {
			return got
		}
	}
	b.Fatalf("the page shows\n%+v\nthe API says\n%+v", got, want)
	return monitor{}
}

// watch lets time pass, a second at a time, until what the page shows is as wanted. Each time the
// page has to come to show what the API says. It returns what was shown of each payload, one after
// the other.
func (b *browser) watch(d *simulator.Device, what string,
	ok func(monitor) bool) map[string][]string {
	b.Helper()
	shown := make(map[string][]string)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); b.clock.Advance(time.Second) {
		m := b.shows(d)
		for _, r := range m.Rows {
			line := r.Status + ": " + r.Detail
			if seen := shown[r.ID]; len(seen) == 0 || seen[len(seen)-1] != line {
				shown[r.ID] = append(seen, line)
			}
		}
		if ok(m) {
			return shown
		}
	}
	b.Fatalf("never: %s; shown was %v", what, shown)
	return nil
}

func hasEnded(m monitor) bool {
	return slices.Contains([]string{"Done", "Ended with errors", "Canceled", "Not supported"},
		m.State)
}

// unreloaded returns a check that the document which is shown is the one that is shown now.
func (b *browser) unreloaded() (check func()) {
	b.Helper()
	see[bool](b, `() => window.stillHere = true`)
	loads := b.loaded()
	return func() {
		b.Helper()
		if !see[bool](b, `() => window.stillHere === true`) || b.loaded() != loads {
			b.Errorf("the page was loaded again: %d documents, then %d", loads, b.loaded())
		}
	}
}
