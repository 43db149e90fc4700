package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

func TestTroubles(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting(""))
	get := func() error {
		_, err := w.emm.Enterprises.Policies.Get(w.enterprise + "/policies/p").Do()
		return err
	}
	// Google's client tries a 503 again by itself, so the calls are counted.
	w.service.AddTrouble(simulator.Trouble{Method: "policies.get", Status: 403, Times: 2})
	for range 2 {
		w.refused(get(), 403, "PERMISSIBLE_USAGE")
	}
	w.must(get())
	for _, code := range []int{429, 500, 503} {
		w.service.AddTrouble(simulator.Trouble{Status: code})
		_, err := w.emm.Enterprises.Policies.Patch(w.enterprise+"/policies/p",
			reporting("")).Do()
		w.refused(err, code, "")
		w.service.ClearTroubles()
	}
	w.must(get())
	read, err := w.emm.Enterprises.Policies.Get(w.enterprise + "/policies/p").Do()
	w.must(err)
	if read.Version != 1 {
		t.Errorf("a refused PATCH made version %d", read.Version)
	}
}

// An answer may be lost when the call has had its effect already.
func TestLostAnswer(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Times: 1, LoseAnswer: true})
	_, err := w.emm.Enterprises.Policies.Patch(w.enterprise+"/policies/p", reporting("")).Do()
	var answer *googleapi.Error
	if err == nil || errors.As(err, &answer) {
		t.Fatalf("the answer came: %v", err)
	}
	read, err := w.emm.Enterprises.Policies.Get(w.enterprise + "/policies/p").Do()
	w.must(err)
	if read.Version != 1 {
		t.Errorf("version %d", read.Version)
	}
}

func TestLatency(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.service.AddTrouble(simulator.Trouble{Latency: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err := w.emm.Enterprises.Get(w.enterprise).Context(ctx).Do()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while it takes its time: %v", err)
	}
}

// Pages have ten items unless more are wanted, and a hundred at most.
func TestPages(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	w.post("p", reporting(""))
	token := w.token("PERSONAL_USAGE_DISALLOWED", "p").Value
	for i := range 230 {
		_, err := w.service.Enroll(token, fmt.Sprint("S", i), simulator.DeviceOptions{})
		w.must(err)
	}
	for size, want := range map[int64]int{0: 10, 7: 7, 1000: 100} {
		seen, page := make(map[string]bool), 0
		err := w.emm.Enterprises.Devices.List(w.enterprise).PageSize(size).Pages(t.Context(),
			func(answer *androidmanagement.ListDevicesResponse) error {
				if len(answer.Devices) != want && answer.NextPageToken != "" {
					t.Errorf("page size %d: %d devices", size, len(answer.Devices))
				}
				for _, d := range answer.Devices {
					seen[d.Name] = true
				}
				page++
				return nil
			})
		w.must(err)
		if len(seen) != 230 || page != (230+want-1)/want {
			t.Errorf("page size %d: %d devices on %d pages", size, len(seen), page)
		}
	}
	_, err := w.emm.Enterprises.Devices.List(w.enterprise).PageToken("!").Do()
	w.refused(err, 400, "page token")
	_, err = w.emm.Enterprises.Devices.List(w.enterprise).PageSize(-1).Do()
	w.refused(err, 400, "page_size")
}

func TestUnknownCalls(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	for call, code := range map[string]int{"GET nothing": 404, "PUT " + w.enterprise: 404,
		"GET " + w.enterprise + "?fild=1":       400,
		"GET " + w.enterprise + "%2Fpolicies/p": 404,
		"GET " + w.enterprise + "/policies/":    404,
		"GET enterprises/LC2":                   404,
		"POST " + w.enterprise + ":what":        404,
		"POST " + w.enterprise + "/policies/p":  404} {
		var verb, path string
		fmt.Sscan(call, &verb, &path)
		if got, body := w.status(verb, path); got != code {
			t.Errorf("%s: %d %s", call, got, body)
		}
	}
}
