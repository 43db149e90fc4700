package simulator

import (
	"slices"
	"time"
)

// result is one element of deviceActionResults.
type result struct {
	name    string
	state   string
	start   time.Time
	updated time.Time
	visible time.Time // when those who ask begin to see it
	entries []*entry  // of changeAssignments
	void    bool      // it only says that the call had an error; the one before it is in force
}

// maxResults is how many elements a device keeps.
const maxResults = 10

func (d *Device) trim() {
	if over := len(d.results) - maxResults; over > 0 {
		d.results = slices.Delete(d.results, 0, over)
	}
}

// current is the changeAssignments in force on a device, whether it is seen already or not. Nil:
// there is none.
func (d *Device) current() *result {
	for _, r := range slices.Backward(d.results) {
		if r.name == changeAssignments && !r.void {
			return r
		}
	}
	return nil
}

// entry is what a result says of an item. Nil: nothing.
func (r *result) entry(id string) *entry {
	if r == nil {
		return nil
	}
	for _, e := range r.entries {
		if e.id == id {
			return e
		}
	}
	return nil
}

// refresh sets the action's state from those of its items.
func (r *result) refresh(now time.Time) {
	waiting, failed := 0, 0
	begun := false
	for _, e := range r.entries {
		switch {
		case e.status == statusError:
			failed++
			begun = true
		case e.ended():
			begun = true
		default:
			waiting++
			begun = begun || e.status == statusInProgress
		}
	}
	state := "done"
	switch {
	case waiting > 0 && begun:
		state = "active"
	case waiting > 0:
		state = "pending"
	case failed > 0:
		state = "failed"
	}
	r.state, r.updated = state, now
}

// shown are the results that who asks now sees.
func (d *Device) shown(now time.Time) []*result {
	f := d.tenant.site.faults
	var list []*result
	seen := make(map[string]int)
	for _, r := range slices.Backward(d.results) {
		over := r.state == "done" || r.state == "failed"
		vanished := f.ResultsVanish > 0 && over && now.Sub(r.updated) > f.ResultsVanish
		if vanished || r.visible.After(now) {
			continue
		}
		seen[r.name]++
		if seen[r.name] == 1 || seen[r.name] == 2 && f.OlderElements {
			list = append(list, r)
		}
	}
	if f.OlderElements {
		d.tenant.site.random.Shuffle(len(list), func(i, j int) {
			list[i], list[j] = list[j], list[i]
		})
	}
	return list
}

// actionResult is a deviceActionResult as it is sent. The items are those of the derived type
// changeAssignmentsActionResult.
type actionResult struct {
	Type    string            `json:"@odata.type"`
	Name    string            `json:"actionName"`
	State   string            `json:"actionState"`
	Start   string            `json:"startDateTime"`
	Updated string            `json:"lastUpdatedDateTime"`
	Items   *[]assignmentItem `json:"deviceAssignmentItems,omitempty"`
}

// assignmentItem is a deviceAssignmentItem as it is sent.
type assignmentItem struct {
	ID       string   `json:"itemId"`
	Type     ItemType `json:"itemType"`
	Subtype  *string  `json:"itemSubTypeDisplayName"`
	Name     *string  `json:"itemDisplayName"`
	Intent   string   `json:"assignmentItemActionIntent"`
	Status   string   `json:"assignmentItemActionStatus"`
	Message  *string  `json:"intentActionMessage"`
	Code     int64    `json:"errorCode"`
	Acted    string   `json:"lastActionDateTime"`
	Modified string   `json:"lastModifiedDateTime"`
}

// actionResults is deviceActionResults of one device that was asked for by its id.
func (d *Device) actionResults(now time.Time) []actionResult {
	list := []actionResult{}
	for _, r := range d.shown(now) {
		one := actionResult{Type: "#microsoft.graph.deviceActionResult", Name: r.name,
			State: r.state, Start: instant(r.start), Updated: instant(r.updated)}
		if r.name == changeAssignments {
			one.Type = "#microsoft.graph.changeAssignmentsActionResult"
			items := d.tenant.site.showItems(r.entries)
			one.Items = &items
		}
		list = append(list, one)
	}
	return list
}

func (s *Site) showItems(entries []*entry) []assignmentItem {
	list := []assignmentItem{}
	for _, e := range entries {
		one := assignmentItem{ID: e.id, Type: e.kind, Intent: e.intent, Status: e.status,
			Code: e.code, Acted: instant(e.acted), Modified: instant(e.modified)}
		if e.item != nil && !s.happens(s.faults.NullNames) {
			one.Name, one.Subtype = &e.item.name, &e.item.subtype
		}
		if e.message != "" {
			one.Message = &e.message
		}
		if s.happens(s.faults.UnknownMembers) {
			one.Status = "queuedForDevice"
		}
		list = append(list, one)
	}
	if s.faults.ShuffleItems {
		s.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	return list
}

// instant is a time as Graph writes it.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.9999999Z") }
