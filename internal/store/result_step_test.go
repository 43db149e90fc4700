package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// Results that were stored before they had a step show the one that their status and words meant,
// wherever they are read.
func TestResultsWithoutStep(t *testing.T) {
	st, ctx := storetest.Open(t), t.Context()
	at := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	words := []struct {
		status action.Status
		detail string
		want   action.Step
	}{
		{action.Initiated, "", action.StepAsked},
		{action.Initiated,
			"the device cannot be woken, and this waits until it connects by itself: x",
			action.StepUnwakeable},
		{action.InProgress, "", action.StepSent},
		{action.InProgress, "sent to the device", action.StepSent},
		{action.InProgress, "what comes in its place was sent to the device", action.StepReplacing},
		{action.InProgress, "the device said not now; it is sent again when the device comes back",
			action.StepNotNow},
		{action.InProgress,
			"attempt 1 of 5 failed: busy (code 42); next try at 2025-03-01T12:01:00Z",
			action.StepFailing},
		{action.InProgress, "acknowledged, verifying", action.StepAcknowledged},
		{action.InProgress, "acknowledged; the device said not now when asked for its inventory",
			action.StepAcknowledged},
		{action.InProgress, "Installing", action.StepSettling},
		{action.Removed, "it was not on the device", action.StepVerified},
		{action.Succeeded, "", action.StepVerified},
		{action.Error, "sent nowhere", action.StepFailed},
	}
	a := &action.Action{ID: "a", Number: 1, Name: action.SyncPayloads, State: action.Active,
		Started: at, Updated: at}
	var events []live.Event
	for i, w := range words {
		r := action.Result{Payload: action.PayloadID(rune('a' + i)), Status: w.status,
			Detail: w.detail, LastModified: at}
		a.Results = append(a.Results, r)
		events = append(events, live.Event{Device: "d", At: at, Kind: live.PayloadChanged,
			Action: "a", Result: &r})
	}
	if text, err := store.ActionText(a); err != nil || strings.Contains(text, `"Step"`) {
		t.Fatalf("it is not stored as it was: %s, %v", text, err)
	}
	err := st.Update(ctx, "d", func(tx engine.Tx) error {
		if err := tx.SaveDevice(ctx, &fleet.Device{ID: "d", UDID: "d",
			Platform: fleet.IOS}); err != nil {
			return err
		}
		if err := tx.SaveAction(ctx, "d", a); err != nil {
			return err
		}
		return tx.AppendEvents(ctx, events)
	})
	if err != nil {
		t.Fatal(err)
	}
	hold := func(where string, got []action.Result, err error) {
		t.Helper()
		if err != nil || len(got) != len(words) {
			t.Fatalf("%s: %d results, %v", where, len(got), err)
		}
		for i, w := range words {
			if got[i].Step != w.want {
				t.Errorf("%s: %q shows step %d, want %d", where, w.detail, got[i].Step, w.want)
			}
		}
	}
	var inLedger []action.Result
	err = st.View(ctx, func(tx engine.Tx) error {
		l, err := tx.Ledger(ctx, "d")
		if err == nil {
			inLedger = l.Device.Action.Results
		}
		return err
	})
	hold("the ledger", inLedger, err)

	past, err := st.PastAction(ctx, "d", 1)
	hold("history", past.Results, err)
	told, err := st.ActionEvents(ctx, "d", past)
	var results []action.Result
	for _, e := range told {
		results = append(results, *e.Result)
	}
	hold("events", results, err)
	for where, device := range map[string]fleet.DeviceID{"snapshot of the device": "d",
		"snapshot of all": ""} {
		standing, _, err := st.Standing(ctx, device)
		if err != nil || len(standing) != 1 {
			t.Fatalf("%s: %v, %v", where, standing, err)
		}
		hold(where, standing[0].Action.Results, nil)
	}
}
