package simulator_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// run runs a fleet until the test ends.
func run(t *testing.T, fleet *simulator.Fleet) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); fleet.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
}

func (s *testServer) waitIdles(t *testing.T, count int) {
	t.Helper()
	s.wait(t, fmt.Sprintf("%d connections", count), func() bool { return s.idles >= count })
}

func (s *testServer) waitAnswers(t *testing.T, uuid string, count int) {
	t.Helper()
	s.wait(t, fmt.Sprintf("%d answers to %s", count, uuid), func() bool {
		found := 0
		for _, answer := range s.results {
			if answer.CommandUUID == uuid {
				found++
			}
		}
		return found >= count
	})
}

func TestWakeConnects(t *testing.T) {
	server := newServer(t)
	fleet := server.fleet(simulator.Options{Workers: 2})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	fleet.Wake(device) // before Run: kept
	run(t, fleet)
	server.waitIdles(t, 1)
	uuid := installWiFi(server, device)
	fleet.Wake(device)
	server.waitAnswers(t, uuid, 1)
}

func TestBusyDeviceComesBackByItself(t *testing.T) {
	server, clock := newServer(t), newClock()
	fleet := server.fleet(simulator.Options{Clock: clock})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.SetFaults(simulator.Faults{Busy: time.Minute})
	device.AddHook(simulator.Hook{Effect: simulator.AnswerNotNow})
	uuid := installWiFi(server, device)
	run(t, fleet)
	fleet.Wake(device)
	server.waitAnswers(t, uuid, 1)
	clock.Advance(time.Minute)
	server.waitAnswers(t, uuid, 2)
	if got := server.statuses(uuid); got != "NotNow Acknowledged" {
		t.Errorf("answers are %q", got)
	}
}

func TestInterruptedDeviceComesBackByItself(t *testing.T) {
	server, clock := newServer(t), newClock()
	fleet := server.fleet(simulator.Options{Clock: clock, RetryAfter: time.Minute})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.AddHook(simulator.Hook{Effect: simulator.LoseAnswer})
	uuid := installWiFi(server, device)
	if err := device.Connect(t.Context()); err == nil {
		t.Fatal("the answer was not lost")
	}
	run(t, fleet)
	clock.Advance(time.Minute)
	server.waitAnswers(t, uuid, 1)
	if stats := fleet.Stats(); stats.Connections != 2 || stats.Commands != 2 ||
		stats.Failures != 1 {
		t.Errorf("stats are %+v", stats)
	}
}

func TestUnlockedDeviceComesBackByItself(t *testing.T) {
	server := newServer(t)
	fleet := server.fleet(simulator.Options{})
	device := server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	run(t, fleet)
	device.SetLocked(true)
	uuid := installWiFi(server, device)
	list := server.send(device, "ProfileList", nil)
	fleet.Wake(device)
	server.waitAnswers(t, list, 1)
	if got := server.statuses(uuid); got != "NotNow" || server.statuses(list) != "Acknowledged" {
		t.Errorf("locked: InstallProfile %q, ProfileList %q", got, server.statuses(list))
	}
	device.SetLocked(false)
	server.waitAnswers(t, uuid, 2)
	if got := server.statuses(uuid); got != "NotNow Acknowledged" {
		t.Errorf("answers are %q", got)
	}
}

func TestPolling(t *testing.T) {
	server, clock := newServer(t), newClock()
	fleet := server.fleet(simulator.Options{Clock: clock, PollEvery: time.Hour})
	server.enrolled(t, fleet, simulator.Config{Kind: simulator.IPhone, Seed: 1})
	run(t, fleet)
	for polls := 1; polls <= 3; polls++ {
		clock.Advance(time.Hour)
		server.waitIdles(t, polls)
	}
}

// TestFleetSettlesUnderFaults runs many devices with every random fault; in the end each has what
// was sent.
func TestFleetSettlesUnderFaults(t *testing.T) {
	server := newServer(t)
	fleet := server.fleet(simulator.Options{Workers: 8, RetryAfter: time.Millisecond})
	const devices, profiles = 20, 5
	var enrolling sync.WaitGroup
	for i := range devices {
		device := fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: uint64(i)})
		device.SetFaults(simulator.Faults{NotNow: 0.2, LostCommand: 0.1, LostAnswer: 0.1,
			RepeatedAnswer: 0.1,
			Busy:           time.Millisecond})
		enrolling.Go(func() {
			if err := device.Enroll(t.Context(), server.link()); err != nil {
				t.Error(err)
			}
		})
	}
	enrolling.Wait()
	for _, device := range fleet.Devices() {
		for i := range profiles {
			server.send(device, "InstallProfile",
				keyed{"Payload": profile(fmt.Sprintf("com.example.%d", i), "1")})
		}
	}
	run(t, fleet)
	for _, device := range fleet.Devices() {
		fleet.Wake(device)
	}
	server.wait(t, "empty queues", func() bool {
		for _, queue := range server.queues {
			if len(queue) > 0 {
				return false
			}
		}
		return true
	})
	for _, device := range fleet.Devices() {
		if got := len(device.Profiles()); got != profiles+1 {
			t.Errorf("%s has %d profiles, want %d", device.Facts().DeviceName, got, profiles+1)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	fleet := simulator.NewFleet(simulator.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	fleet.Run(ctx) // hangs, and the test with it, unless Run heeds the context
}
