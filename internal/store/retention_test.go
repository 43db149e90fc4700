package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Old actions go in pieces, but for the newest of each device and name, and those that have not
// ended.
func TestForgetActions(t *testing.T) {
	s := openFleet(t, fleet.Device{ID: "a", UDID: "a"}, fleet.Device{ID: "b", UDID: "b"})
	begin := time.Date(2025, 2, 13, 0, 0, 0, 0, time.UTC)
	number := int64(0)
	save := func(device fleet.DeviceID, name action.Name, state action.State, day int) {
		t.Helper()
		number++
		a := &action.Action{ID: action.ActionID(fmt.Sprintf("%s-%04d", device, number)),
			Number: number, Name: name, State: state, Started: begin.AddDate(0, 0, day)}
		if err := s.Update(t.Context(), device,
			func(tx engine.Tx) error { return tx.SaveAction(t.Context(), device, a) }); err != nil {
			t.Fatal(err)
		}
	}
	save("b", action.SyncPayloads, action.Done, -9) // 1: the only one of its device
	for range 600 {
		save("a", action.SyncPayloads, action.Done, 0)
	}
	save("a", action.SyncPayloads, action.Pending, 0)   // 602: has not ended
	save("a", action.ChangeAssignments, action.Done, 0) // 603: the newest of its name
	save("a", action.SyncPayloads, action.Done, 0)      // 604: old, and not the newest
	save("a", action.SyncPayloads, action.Done, 5)      // 605: young
	save("a", action.SyncPayloads, action.Done, 6)      // 606: young and the newest
	left := func() string {
		t.Helper()
		var numbers []string
		for _, device := range []fleet.DeviceID{"a", "b"} {
			found, err := s.PastActions(t.Context(), device, 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range found {
				numbers = append(numbers, fmt.Sprint(a.Number))
			}
		}
		return strings.Join(numbers, " ")
	}
	e := engine.New(engine.Config{Store: s})
	if err := e.ForgetActions(t.Context(), begin); err != nil || strings.Count(left(), " ") != 605 {
		t.Errorf("what is not old is gone, or %v", err)
	}
	if err := e.ForgetActions(t.Context(), begin.AddDate(0, 0, 5)); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "606 605 603 602 1" {
		t.Errorf("what is left is %s", got)
	}
	if err := e.ForgetActions(t.Context(), begin.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "606 603 602 1" {
		t.Errorf("what is left in the end is %s", got)
	}
	dropped, next, err := s.DropActions(t.Context(), begin.AddDate(1, 0, 0), engine.ActionMark{}, 1)
	if want := (engine.ActionMark{Started: begin.AddDate(0, 0, -9), ID: "b-0001"}); dropped != 0 ||
		next != want || err != nil {
		t.Errorf("one at a time: %d, %+v, %v", dropped, next, err)
	}
}
