package amapi_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"
	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Whatever is asked in whatever order, whatever Google loses, repeats, delays, refuses or forgets to
// answer, and whoever else meddles: in the end the device is as was asked last, by its own state,
// and the server knows it.
func TestConvergence(t *testing.T) {
	lessOften(t, 20)
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		defer w.google.Close()
		c := &convergence{world: w, rt: rt, held: map[action.PayloadID]bool{}}
		c.begin()
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			c.act(rapid.SampledFrom(acts).Draw(rt, "act"))
		}
		c.end()
	})
}

// lessOften makes the test try a fraction as often as -rapid.checks says: each time is a world.
func lessOften(t *testing.T, fraction int) {
	checks := flag.Lookup("rapid.checks").Value
	old := checks.String()
	n, err := strconv.Atoi(old)
	if err == nil {
		err = checks.Set(strconv.Itoa(max(1, n/fraction)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := checks.Set(old); err != nil {
			t.Error(err)
		}
	})
}

type convergence struct {
	*world
	rt   *rapid.T
	apps map[string]action.PayloadID
	nets map[string]action.PayloadID
	held map[action.PayloadID]bool
	d    *simulator.Device
	id   fleet.DeviceID
}

func (c *convergence) begin() {
	c.apps, c.nets = map[string]action.PayloadID{}, map[string]action.PayloadID{}
	for i := range 3 {
		name := fmt.Sprint("com.example.app", i)
		c.apps[name] = c.app(name)
		ssid := fmt.Sprint("net", i)
		c.nets[ssid] = c.wifi(ssid)
	}
	c.d, c.id = c.enroll("S", phone)
	c.quiet[c.d] = true
}

var acts = []string{"call", "call", "restore", "serve", "serve", "sync", "sync", "pull", "faults",
	"lose an answer", "refuse", "too many", "foreign edit", "restart", "sweep",
	"hours", "offline", "enroll anew"}

func (c *convergence) act(what string) {
	switch what {
	case "call":
		clear(c.held)
		var list []action.PayloadID
		for _, names := range []map[string]action.PayloadID{c.apps, c.nets} {
			for _, name := range slices.Sorted(maps.Keys(names)) {
				if rapid.Bool().Draw(c.rt, "hold "+name) {
					c.held[names[name]] = true
					list = append(list, names[name])
				}
			}
		}
		c.call(c.id, list...)
	case "restore":
		clear(c.held)
		c.call(c.id)
	case "serve":
		c.clock.Advance(time.Minute)
		c.must(c.engine.Sweep(c.Context()))
		c.must(c.channel.Wake(c.Context(), c.id))
		c.channel.ServeDue(c.Context())
	case "sync":
		c.clock.Advance(time.Second)
		_ = c.d.Sync() // it may be offline
	case "pull":
		_, _ = c.channel.Pull(c.Context())
	case "faults":
		chance := func(name string) float64 {
			return float64(rapid.IntRange(0, 2).Draw(c.rt, name)) / 2
		}
		c.d.SetFaults(simulator.Faults{LoseReports: chance("lose"),
			RepeatReports: chance("repeat"), SwapReports: chance("swap"),
			AppLate:       rapid.IntRange(0, 2).Draw(c.rt, "late"),
			AppReports:    rapid.IntRange(0, 2).Draw(c.rt, "in progress"),
			StaleProgress: rapid.Bool().Draw(c.rt, "stale")})
	case "lose an answer":
		c.service.AddTrouble(simulator.Trouble{Method: rapid.SampledFrom([]string{"policies.patch",
			"devices.patch", "subscriptions.acknowledge", "devices.get"}).Draw(c.rt, "of"),
			LoseAnswer: true, Times: 1})
	case "refuse":
		c.service.AddTrouble(simulator.Trouble{Method: "policies.patch", Status: 503,
			Times: rapid.IntRange(1, 3).Draw(c.rt, "times")})
	case "too many":
		c.service.AddTrouble(simulator.Trouble{Status: 429, Times: 1})
	case "foreign edit":
		c.service.EditPolicy(c.policyOf(), func(p *androidmanagement.Policy) {
			p.CameraAccess = "CAMERA_ACCESS_DISABLED"
			p.Applications = nil
		})
	case "restart":
		c.clock.Advance(5 * time.Minute)
		c.node = c.newNode()
	case "sweep":
		_ = c.channel.Sweep(c.Context())
	case "hours":
		c.clock.Advance(time.Duration(rapid.IntRange(1, 30).Draw(c.rt, "hours")) * time.Hour)
	case "offline":
		c.d.SetOnline(rapid.Bool().Draw(c.rt, "online"))
	case "enroll anew":
		c.service.ClearTroubles()
		c.clock.Advance(2 * time.Minute)
		d, err := c.service.Enroll(c.token(amapi.FullyManaged, access.EnrollmentTerms{}).Value,
			"S", phone)
		if err != nil {
			c.Fatal(err)
		}
		c.d, c.devices = d, []*simulator.Device{d}
		c.quiet[d] = true
		clear(c.held) // it starts clean
		c.must(c.channel.Sweep(c.Context()))
	}
}

func (c *convergence) policyOf() string {
	setup, err := c.store.AndroidSetup(c.Context())
	c.must(err)
	return setup.Enterprise + "/policies/" + string(c.id)
}

// end lets everything work again, and holds the device against what is wanted.
func (c *convergence) end() {
	c.service.ClearTroubles()
	c.d.SetFaults(simulator.Faults{})
	c.d.SetOnline(true)
	c.quiet[c.d] = false
	for steps := 0; !c.settled(c.id) || c.d.Settings()["cameraAccess"] != nil; steps++ {
		if steps > 300 {
			list, _ := c.engine.Payloads(c.Context(), c.id)
			for _, p := range list {
				c.rt.Logf("%s: presence %d, listed %d, since %d, %+v", p.DisplayName, p.Presence,
					p.Listed, p.Since, p.Work)
			}
			c.rt.Fatalf("the server never knows that the device is as was asked; %+v",
				c.postings(c.d))
		}
		c.step(10 * time.Minute)
	}
	for name, p := range c.apps {
		if c.d.Has(name) == c.held[p] {
			c.rt.Errorf("%s: held off %t, and the device has it %t", name, c.held[p],
				c.d.Has(name))
		}
	}
	var want []string
	for ssid, p := range c.nets {
		if !c.held[p] {
			want = append(want, ssid)
		}
	}
	slices.Sort(want)
	if got := ssids(c.d); got != strings.Join(want, " ") {
		c.rt.Errorf("the device has the networks %s, want %s", got, strings.Join(want, " "))
	}
	actions, err := c.engine.Actions(c.Context(), c.id)
	c.must(err)
	if len(actions) > 0 && !actions[0].State.Final() {
		c.rt.Errorf("the action is in state %d", actions[0].State)
	}
}

// phone has an app of its own, as every device: a list without any proves nothing.
var phone = simulator.DeviceOptions{SystemApps: []string{"com.android.settings"}}
