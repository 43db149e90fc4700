package test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// appleKilled is the load: devices that take commands all the time.
type appleKilled struct {
	*killed
	devices []*simulator.Device
}

// The process is killed at random points under load. What was accepted is there afterwards, what a
// device reported is never asked again, and in the end every device has what was asked last.
func TestKill(t *testing.T) {
	k := startAppleKilled(t, 8)
	kills := killsWanted(50)
	k.run(kills, nil)
	k.finish()
	t.Logf("%d kills, %d accepted calls", kills, k.calls.Load())
}

func startAppleKilled(t *testing.T, devices int) *appleKilled {
	t.Helper()
	gateway, err := simulator.NewGateway(simulator.GatewayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = gateway.Close() })
	apns := filepath.Join(t.TempDir(), "apns.pem")
	if err := os.WriteFile(apns, gateway.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &appleKilled{killed: startKilled(t, devices, "--apns-url", gateway.URL(), "--apns-ca",
		apns)}
	k.pause = 120 * time.Millisecond
	k.gateway, k.ids = gateway, map[*simulator.Device]string{}
	k.prepare(devices)
	return k
}

func (k *appleKilled) prepare(devices int) {
	k.Helper()
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), time.Now())
	if err != nil {
		k.Fatal(err)
	}
	k.must("PATCH", "/beta/deviceManagement/applePushNotificationCertificate",
		map[string]any{"certificate": string(certificate), "privateKey": string(key)}, nil)
	for i := range 4 {
		k.all = append(k.all, k.profile(fmt.Sprintf("com.example.profile%d", i)))
	}
	for i := range int64(2) {
		k.all = append(k.all, k.app(i))
	}
	k.fleet = simulator.NewFleet(simulator.Options{Transport: k.transport(), Keys: keys,
		Gateway: k.gateway, Apps: appStore,
		PollEvery: 200 * time.Millisecond, RetryAfter: 50 * time.Millisecond, JournalSize: 100_000,
		Log: quiet()})
	for i := range devices {
		d := k.enroll(simulator.Config{Kind: simulator.IPhone, Seed: uint64(i)})
		k.devices = append(k.devices, d)
		k.deviceIDs = append(k.deviceIDs, k.ids[d])
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { k.fleet.Run(ctx); close(ran) }()
	k.Cleanup(func() { stop(); <-ran })
}

// finish lets everything settle and compares.
func (k *appleKilled) finish() {
	end := time.Now().Add(2 * time.Minute)
	for i, d := range k.devices {
		set := *k.last[i].Load()
		var left []payload
		for _, p := range k.all {
			if !slices.Contains(set, p) {
				left = append(left, p)
			}
		}
		for !has(d, left...) || !k.result(d).final() {
			if time.Now().After(end) {
				k.Fatalf("device %d has %v, asked was %v: %+v", i, inventory(d), identifiers(left),
					k.result(d))
			}
			time.Sleep(20 * time.Millisecond) // devices connect by themselves
		}
		if r := k.result(d); r.ActionState != "done" {
			k.Errorf("device %d: %+v", i, r)
		}
		taken := map[string]bool{}
		for _, e := range d.Journal() {
			if taken[e.CommandUUID] {
				k.Errorf("device %d was asked %s again, which it had reported", i, e.RequestType)
			}
			taken[e.CommandUUID] = e.Status != "" && e.Status != "NotNow" && !e.Lost
		}
	}
}
