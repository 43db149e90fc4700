package test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// Whatever is asked of the server, nobody is answered, and nobody is told of it, before it is
// committed.
func TestNothingIsAnsweredBeforeItsCommit(t *testing.T) {
	slow := storetest.OpenSlow(t)
	s := newSiteOn(t, server.Config{DataDir: t.TempDir(), Store: slow.Store})
	p := s.profile("com.example.wifi")
	e := s.server.Engine()
	id, err := e.Enroll(t.Context(), fleet.Device{UDID: "1", Name: "phone", Platform: fleet.IOS},
		"")
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Minute)
	events, _ := s.listen(t.Context(), "/api/events",
		map[string]string{"Accept": "application/x-ndjson"})
	s.take(events, func(e event) bool { return e.Type == "snapshot" })
	told := 0
	held := func(what string, do func()) {
		t.Helper()
		asked, release := slow.Hold()
		defer release()
		answered := make(chan struct{})
		go func() { do(); close(answered) }()
		hasty := func(wait time.Duration) {
			t.Helper()
			select {
			case <-answered:
				t.Fatalf("%s is answered before it is committed", what)
			case e := <-events:
				t.Fatalf("%s is told before it is committed: %v", what, e)
			case <-time.After(wait):
			}
		}
		for end := time.Now().Add(30 * time.Second); !asked(); hasty(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s commits nothing", what)
			}
		}
		hasty(storetest.Grace)
		release()
		<-answered
		for drained := false; !drained; {
			select {
			case <-events:
				told++
			case <-time.After(storetest.Grace):
				drained = true
			}
		}
	}
	want := func(status int, method, path string, header map[string]string, body any) func() {
		return func() {
			if got, answer := s.send(method, path, header, body); got != status {
				t.Errorf("%s %s: %d %s", method, path, got, answer)
			}
		}
	}
	sets := func(items ...any) map[string]any {
		return map[string]any{"deviceActionPayloads": append([]any{}, items...)}
	}
	sync := "/beta/deviceManagement/managedDevices/" + string(id) + "/syncPayloads"
	held("a call", want(http.StatusNoContent, "POST", sync, nil,
		sets(map[string]any{"payloadId": p.ID, "payloadType": p.Type})))
	held("a call with a key", want(http.StatusNoContent, "POST", sync,
		map[string]string{"Idempotency-Key": `"a"`}, sets()))
	var next *engine.Task
	held("a task", func() { next, err = e.Idle(t.Context(), id) })
	for n := 0; next != nil && err == nil && n < 4; n++ {
		o := action.Outcome{}
		if next.Kind == action.TakeInventory && next.Class == action.Profiles {
			o.Sightings = []action.Sighting{{Identifier: p.Identifier, Present: true,
				Revision: "another"}}
		}
		held("a device's answer", func() {
			next, err = e.Answer(t.Context(), id, engine.Report{Task: next.ID, Outcome: o})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	held("a group", want(http.StatusCreated, "POST", "/beta/groups", nil,
		map[string]any{"displayName": "Berlin"}))
	held("a policy", want(http.StatusCreated, "POST", "/beta/deviceManagement/deviceConfigurations",
		nil, map[string]any{
			"@odata.type": "#microsoft.graph.iosCustomConfiguration", "displayName": "x",
			"payloadFileName": "x.mobileconfig",
			"payload": base64.StdEncoding.EncodeToString(mobileconfig("com.example.x",
				uuid.NewString()))}))
	held("a token", want(http.StatusCreated, "POST", "/api/tokens", nil,
		map[string]any{"name": "x", "role": "Administrator"}))
	held("an enrollment", func() {
		_, err = e.Enroll(t.Context(), fleet.Device{UDID: "2", Name: "other", Platform: fleet.IOS},
			"")
	})
	if err != nil {
		t.Fatal(err)
	}
	if told < 4 {
		t.Errorf("the stream told of %d changes", told)
	}
}
