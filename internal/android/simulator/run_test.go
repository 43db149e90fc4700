package simulator_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// Devices act by themselves when their delay is over: they take what is new, and come again until
// their apps are there.
func TestStep(t *testing.T) {
	w := newWorld(t, simulator.Options{Delay: time.Minute})
	w.listen()
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	d := w.enroll("S1", simulator.DeviceOptions{Faults: simulator.Faults{AppReports: 2}})
	if w.service.Step() != 0 {
		t.Error("it acted at once")
	}
	for range 10 {
		w.advance(time.Minute)
		w.service.Step()
	}
	if !d.Has("com.example.mail") || kinds(w.take()) !=
		"test ENROLLMENT STATUS_REPORT STATUS_REPORT STATUS_REPORT" {
		t.Errorf("apps %v", d.Apps())
	}
	w.advance(23 * time.Hour)
	if n := w.service.Step(); n != 0 {
		t.Errorf("%d acted without reason", n)
	}
	w.advance(2 * time.Hour)
	if n := w.service.Step(); n != 1 || kinds(w.take()) != "STATUS_REPORT" {
		t.Errorf("%d reported after a day", n)
	}
	d.SetOnline(false)
	w.post("p", reporting("BLOCKED", "com.example.mail"))
	w.advance(time.Hour)
	w.service.Step()
	d.SetOnline(true)
	w.advance(2 * time.Minute)
	w.service.Step()
	if d.Has("com.example.mail") {
		t.Error("it was not in touch when it could be")
	}
}

// Everything at once, for the race detector; in the end every device is as its policy wants it.
func TestManyAtOnce(t *testing.T) {
	w := newWorld(t, simulator.Options{Quota: 1 << 30, Unordered: true})
	w.listen()
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	token := w.token("PERSONAL_USAGE_DISALLOWED", "p").Value
	ctx, stop := context.WithCancel(t.Context())
	var running, working sync.WaitGroup
	running.Go(func() { w.service.Run(ctx) })
	devices := make([]*simulator.Device, 8)
	for i := range devices {
		working.Go(func() {
			d, err := w.service.Enroll(token, fmt.Sprint("S", i), simulator.DeviceOptions{
				Faults: simulator.Faults{LoseReports: 0.3, RepeatReports: 0.3, SwapReports: 0.3}})
			if err != nil {
				t.Error(err)
				return
			}
			devices[i] = d
			for range 5 {
				w.post("p", reporting("FORCE_INSTALLED", "com.example.mail", "com.example.chat"))
				if err := d.Sync(); err != nil {
					t.Error(err)
				}
				w.get(d)
				d.Settings()
				w.take()
			}
		})
	}
	working.Wait()
	stop()
	running.Wait()
	for _, d := range devices {
		w.must(d.Sync())
		_, version := d.PolicyVersion()
		if !d.Has("com.example.chat") || version != 41 || w.get(d).AppliedPolicyVersion != 41 {
			t.Errorf("%s has version %d", d.Name(), version)
		}
	}
}

// A thousand devices, each with a policy of its own, cost little memory and no goroutine.
func TestThousandDevicesAreCheap(t *testing.T) {
	const count = 1000
	w := newWorld(t, simulator.Options{Quota: 1 << 30})
	w.post("p", reporting(""))
	token := w.token("PERSONAL_USAGE_DISALLOWED", "p").Value
	before, goroutines := heap(), runtime.NumGoroutine()
	for i := range count {
		d, err := w.service.Enroll(token, fmt.Sprint("S", i), simulator.DeviceOptions{})
		w.must(err)
		w.must(d.Sync())
	}
	each := (heap() - before) / count
	t.Logf("%d bytes a device", each)
	if more := runtime.NumGoroutine() - goroutines; each > 10_000 || more > 10 {
		t.Errorf("a device costs %d bytes, and all of them %d goroutines", each, more)
	}
	runtime.KeepAlive(w)
}

// heap is the memory in use, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
