package test

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// A fleet with bad manners ends as asked: some say not now, some fail for a while, some lose their
// answers.
func TestFleetEndsAsAsked(t *testing.T) {
	devices := 200
	if n, err := strconv.Atoi(os.Getenv("SYNCPAYLOADS_TEST_DEVICES")); err == nil {
		devices = n
	}
	s := newSite(t)
	var all []payload
	for i := range 7 {
		all = append(all, s.profile(fmt.Sprintf("com.example.profile%d", i)))
	}
	for i := range int64(3) {
		all = append(all, s.app(i))
	}
	fleet := make([]*simulator.Device, devices)
	for i := range fleet {
		fleet[i] = s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: uint64(i)})
		fleet[i].SetFaults(simulator.Faults{NotNow: 0.10, Transient: 0.05, LostAnswer: 0.02,
			Busy: time.Minute, AppLooks: 2})
	}
	s.settled(fleet, "everything is installed", all)

	s.each(fleet, func(d *simulator.Device) { s.sync(d, all...) })
	s.settled(fleet, "everything is removed", nil)
	s.each(fleet, func(d *simulator.Device) { s.expectResults(d, all, "remove/removed") })

	s.each(fleet, func(d *simulator.Device) { s.sync(d) })
	s.settled(fleet, "everything is restored", all)
	s.each(fleet, func(d *simulator.Device) { s.expectResults(d, all, "restore/succeeded") })
}

// settled lets time pass until each device's action has ended and its own stores are as wanted.
func (s *site) settled(fleet []*simulator.Device, what string, want []payload) {
	s.Helper()
	open := fleet
	s.within(15*time.Second, what, func() bool {
		var left []*simulator.Device
		for _, d := range open {
			if !has(d, want...) {
				left = append(left, d)
			} else if r := s.result(d); r.ActionName != "" && !r.final() {
				left = append(left, d)
			}
		}
		open = left
		return len(open) == 0
	})
}

func (s *site) each(fleet []*simulator.Device, do func(*simulator.Device)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, 16)
	for _, d := range fleet {
		slots <- struct{}{}
		wg.Go(func() { do(d); <-slots })
	}
	wg.Wait()
}

func (s *site) expectResults(d *simulator.Device, all []payload, want string) {
	r := s.result(d)
	if r.ActionState != "done" || len(r.DeviceActionPayloads) != len(all) {
		s.Errorf("%s: %+v", d.Facts().DeviceName, r)
		return
	}
	for _, p := range all {
		if got := r.of(p); got != want {
			s.Errorf("%s: %s is shown as %s, want %s: %+v", d.Facts().DeviceName, p.Identifier, got,
				want, r)
		}
	}
}
