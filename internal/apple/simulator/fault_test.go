package simulator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

func installWiFi(server *testServer, device *simulator.Device) string {
	return server.send(device, "InstallProfile", keyed{"Payload": profile("com.example.wifi", "1")})
}

func hasWiFi(device *simulator.Device) bool {
	return slices.Contains(identifiers(device), "com.example.wifi/1")
}

// TestHooks shows for each effect what the server sees and what became of the device, in one
// connection and the next.
func TestHooks(t *testing.T) {
	storageFull := []simulator.ErrorLink{{Domain: "NSCocoaErrorDomain", Code: 640,
		Description: "No space."}}
	for _, test := range []struct {
		name                string
		hook                simulator.Hook
		lost, installed     bool
		answers, answersEnd string // after the first and after the second connection
	}{
		{"not now", simulator.Hook{Effect: simulator.AnswerNotNow}, false, false, "NotNow",
			"NotNow Acknowledged"},
		{"error of its own", simulator.Hook{Effect: simulator.AnswerError, Chain: storageFull},
			false, false, "Error", "Error"},
		{"lost command", simulator.Hook{Effect: simulator.LoseCommand}, true, false, "",
			"Acknowledged"},
		{"lost answer", simulator.Hook{Effect: simulator.LoseAnswer}, true, true, "",
			"Acknowledged"},
		{"repeated answer", simulator.Hook{Effect: simulator.RepeatAnswer}, false, true,
			"Acknowledged Acknowledged",
			"Acknowledged Acknowledged"},
		{"other request", simulator.Hook{Effect: simulator.AnswerError,
			RequestType: "RemoveProfile"}, false, true,
			"Acknowledged", "Acknowledged"},
		{"other identifier", simulator.Hook{Effect: simulator.AnswerError,
			Identifier: "com.example.x"}, false, true,
			"Acknowledged", "Acknowledged"},
		{"this identifier", simulator.Hook{Effect: simulator.AnswerNotNow,
			Identifier: "com.example.wifi", Times: 2},
			false, false, "NotNow", "NotNow NotNow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t)
			device := server.enrolled(t, server.fleet(simulator.Options{}),
				simulator.Config{Kind: simulator.IPhone, Seed: 1})
			device.AddHook(test.hook)
			uuid := installWiFi(server, device)
			if err := device.Connect(t.Context()); errors.Is(err, simulator.ErrLost) != test.lost {
				t.Errorf("first connection: %v", err)
			}
			if got := server.statuses(uuid); got != test.answers ||
				hasWiFi(device) != test.installed {
				t.Errorf("answers %q, installed %v; want %q, %v", got, hasWiFi(device),
					test.answers, test.installed)
			}
			if err := device.Connect(t.Context()); err != nil {
				t.Errorf("second connection: %v", err)
			}
			if got := server.statuses(uuid); got != test.answersEnd {
				t.Errorf("in the end answers are %q, want %q", got, test.answersEnd)
			}
		})
	}
}

func TestHookAlways(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.AddHook(simulator.Hook{RequestType: "ProfileList", Effect: simulator.AnswerError,
		Times: simulator.Always})
	for range 3 {
		if got := server.do(t, device, "ProfileList", nil); chain(got) != "NSURLErrorDomain -1001" {
			t.Errorf("answer is %s %s", got.Status, chain(got))
		}
	}
	device.ClearHooks()
	if got := server.do(t, device, "ProfileList", nil); got.Status != "Acknowledged" {
		t.Errorf("without hooks: %s", got.Status)
	}
}

func TestLostCommandIsInTheJournal(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.AddHook(simulator.Hook{Effect: simulator.LoseCommand})
	device.AddHook(simulator.Hook{Effect: simulator.LoseAnswer})
	installWiFi(server, device)
	var got []string
	for range 3 {
		device.Connect(t.Context()) // the first two are lost by design
	}
	for _, entry := range device.Journal() {
		got = append(got, fmt.Sprintf("%s %q lost=%v", entry.Identifier, entry.Status, entry.Lost))
	}
	want := []string{`com.example.wifi "" lost=true`, `com.example.wifi "Acknowledged" lost=true`,
		`com.example.wifi "Acknowledged" lost=false`}
	if !slices.Equal(got, want) {
		t.Errorf("journal is %v, want %v", got, want)
	}
}

func TestAfterNotNowTheConnectionGoesOn(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.AddHook(simulator.Hook{Effect: simulator.AnswerNotNow})
	first := installWiFi(server, device)
	second := server.send(device, "ProfileList", nil)
	if err := device.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if server.statuses(first) != "NotNow" || server.statuses(second) != "Acknowledged" {
		t.Errorf("answers are %q and %q", server.statuses(first), server.statuses(second))
	}
}

// TestProbabilities: with probability 1 each fault happens every time, and never to commands
// guaranteed to execute.
func TestProbabilities(t *testing.T) {
	for _, test := range []struct {
		name             string
		faults           simulator.Faults
		install, inspect string // answers to InstallProfile and DeviceInformation
	}{
		{"none", simulator.Faults{}, "Acknowledged", "Acknowledged"},
		{"not now", simulator.Faults{NotNow: 1}, "NotNow", "Acknowledged"},
		{"transient", simulator.Faults{Transient: 1}, "Error", "Acknowledged"},
		{"lost command", simulator.Faults{LostCommand: 1}, "", ""},
		{"lost answer", simulator.Faults{LostAnswer: 1}, "", ""},
		{"repeated answer", simulator.Faults{RepeatedAnswer: 1}, "Acknowledged Acknowledged",
			"Acknowledged Acknowledged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t)
			device := server.enrolled(t, server.fleet(simulator.Options{}),
				simulator.Config{Kind: simulator.IPhone, Seed: 1})
			device.SetFaults(test.faults)
			inspect := server.send(device, "DeviceInformation", keyed{"Queries": []any{"UDID"}})
			device.Connect(t.Context()) // the lost ones say so
			install := installWiFi(server, device)
			device.Connect(t.Context()) // likewise
			if got := server.statuses(inspect); got != test.inspect {
				t.Errorf("DeviceInformation: %q, want %q", got, test.inspect)
			}
			if got := server.statuses(install); got != test.install {
				t.Errorf("InstallProfile: %q, want %q", got, test.install)
			}
		})
	}
}

func TestFaultsOfAppsByProbability(t *testing.T) {
	for state, faults := range map[simulator.AppState]simulator.Faults{
		simulator.AppUserRejected: {UserRejects: 1}, simulator.AppFailed: {InstallFails: 1},
		simulator.AppManaged: {}} {
		server := newServer(t)
		device := server.enrolled(t, server.fleet(simulator.Options{}),
			simulator.Config{Kind: simulator.IPhone, Seed: 1})
		device.SetFaults(faults)
		server.do(t, device, "InstallApplication", keyed{"Identifier": "com.example.app"})
		if got := device.Apps()[0].State; got != state {
			t.Errorf("%+v: %s", faults, got)
		}
	}
}

// TestFaultsFollowTheSeed: the same seed meets the same troubles, another seed others.
func TestFaultsFollowTheSeed(t *testing.T) {
	history := func(seed uint64) string {
		server := newServer(t)
		device := server.enrolled(t, server.fleet(simulator.Options{}),
			simulator.Config{Kind: simulator.IPhone, Seed: seed})
		device.SetFaults(simulator.Faults{Transient: 0.5})
		var statuses []string
		for range 24 {
			statuses = append(statuses, server.do(t, device, "RemoveApplication",
				keyed{"Identifier": "x"}).ErrorChain[0].ErrorDomain)
		}
		return strings.Join(statuses, " ")
	}
	first := history(1)
	if again := history(1); again != first {
		t.Errorf("seed 1 gave\n%s\nand then\n%s", first, again)
	}
	if other := history(2); other == first {
		t.Errorf("seeds 1 and 2 both gave\n%s", first)
	}
}

func TestOfflineDeviceDoesNotConnect(t *testing.T) {
	server := newServer(t)
	device := server.enrolled(t, server.fleet(simulator.Options{}),
		simulator.Config{Kind: simulator.IPhone, Seed: 1})
	device.SetOnline(false)
	if err := device.Connect(t.Context()); !errors.Is(err, simulator.ErrOffline) ||
		server.idleCount() != 0 {
		t.Errorf("connection: %v, %d Idle", err, server.idleCount())
	}
	if err := device.Enroll(t.Context(), server.link()); !errors.Is(err, simulator.ErrOffline) ||
		!device.Enrolled() {
		t.Errorf("enrollment: %v, enrolled %v", err, device.Enrolled())
	}
	device.SetOnline(true)
	if err := device.Connect(t.Context()); err != nil || server.idleCount() != 1 {
		t.Errorf("back online: %v, %d Idle", err, server.idleCount())
	}
}
