package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/access"
	android "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// helpDesk keeps the demonstration's devices busy while somebody looks at it: it takes things off
// them and puts them back, over the public API with a token of its own. It leaves the walk's device
// alone.
type helpDesk struct {
	client *client.Client
	log    *slog.Logger
	pause  func(turn int) time.Duration
	stop   context.CancelFunc
	busy   sync.WaitGroup
}

// deskToken is the name under which what the help desk does is recorded.
const deskToken = "help desk demo"

// chore is one action on one device.
type chore struct {
	off    []string      // names of what is to be off; none: everything comes back
	locked time.Duration // how long the device is locked meanwhile, and says "not now"
	fails  *simulator.Hook
	// what an Android device refuses for refusedFor
	refuses *android.Refusal
}

// refusedFor is how long an Android device refuses something, until its user has seen to it.
const refusedFor = 10 * time.Second

// demoChores are done one after the other and over again, on the devices of these names.
var demoChores = map[string][]chore{
	"Ben-iPhone": {{off: []string{"Work email", "Pages"}}, {off: []string{companyVPN, "Pages"}},
		{}},
	"Reception-iPad": {{off: []string{"Exam restrictions", officeWiFi}, locked: 8 * time.Second},
		{}},
	"Studio-Mac": {{off: []string{"Mac firewall", "Inventory Agent"}}, {fails: &firewallFault},
		{}},
	"Lobby-AppleTV": {{off: []string{officeWiFi}}, {}},
	"Pixel 9 39DEMO01": {{off: []string{androidTimesheets, androidRules}},
		{refuses: &androidStorage}, {}},
	"Galaxy Tab S10 39DEMO02": {{off: []string{androidWiFi}}, {}},
}

// androidStorage is a real trouble: an app does not fit until its user has made room.
var androidStorage = android.Refusal{Package: timesheetsPackage,
	InstallReason: "INSUFFICIENT_STORAGE"}

// firewallFault is a real failure: a device that does not like a value.
var firewallFault = simulator.Hook{RequestType: "InstallProfile",
	Identifier: profilePrefix + "firewall", Effect: simulator.AnswerError,
	Chain: []simulator.ErrorLink{
		{Domain: "MCInstallationErrorDomain", Code: 4001,
			Description: "The profile “Mac firewall” could not be installed."},
		{Domain: "MCPayloadErrorDomain", Code: 2004,
			Description: "The field “EnableStealthMode” has an invalid value."}}}

// deskPause is lively at first, and then as quiet as a real help desk.
func deskPause(turn int) time.Duration {
	if turn < 6 {
		return 3 * time.Second
	}
	return 30 * time.Second
}

// startHelpDesk begins with the first chores at once. It ends with close, or with ctx. pause is the
// time between the end of a device's chore and its next.
func (d *demo) startHelpDesk(ctx context.Context, log *slog.Logger,
	pause func(turn int) time.Duration) error {
	bearer, err := d.makeToken(ctx, access.TokenInput{Name: deskToken,
		Role: access.HelpDeskOperator})
	if err != nil {
		return err
	}
	c, err := client.New(client.Config{URL: d.server.URL(), Token: bearer,
		CAFile: d.server.CAFile()})
	if err != nil {
		return err
	}
	d.desk = &helpDesk{client: c, log: log, pause: pause}
	ctx, d.desk.stop = context.WithCancel(ctx)
	for _, device := range d.fleet.devices {
		if chores := demoChores[device.name]; len(chores) > 0 {
			d.desk.busy.Go(func() { d.desk.attend(ctx, device, chores) })
		}
	}
	return nil
}

// close ends the help desk. It works for one that was never started.
func (h *helpDesk) close() {
	if h != nil {
		h.stop()
		h.busy.Wait()
	}
}

// attend does the chores on a device.
func (h *helpDesk) attend(ctx context.Context, device *demoDevice, chores []chore) {
	for turn := 0; ctx.Err() == nil; turn++ {
		if err := h.do(ctx, device, chores[turn%len(chores)]); err != nil && ctx.Err() == nil {
			h.log.Warn("the demo's help desk", "device", device.name, "err", err)
		}
		wait(ctx, h.pause(turn))
	}
}

// do does a chore, and waits until it has ended.
func (h *helpDesk) do(ctx context.Context, device *demoDevice, c chore) error {
	known, err := h.client.Payloads(ctx, device.id)
	if err != nil {
		return err
	}
	set, err := choose(known, c.off)
	if err != nil {
		return err
	}
	if c.fails != nil {
		device.AddHook(*c.fails)
	}
	if c.locked > 0 {
		device.SetLocked(true)
	}
	if c.refuses != nil {
		device.android.Refuse(*c.refuses)
	}
	err = h.client.SyncPayloads(ctx, device.id, selections(set), client.SyncOptions{})
	if c.locked > 0 {
		wait(ctx, c.locked)
		device.SetLocked(false)
	}
	if c.refuses != nil {
		wait(ctx, refusedFor)
		device.android.Allow()
	}
	if err != nil {
		return err
	}
	for update, err := range h.client.Watch(ctx, device.id) {
		if err != nil {
			return err
		}
		if latest := client.Latest(update.Results); latest != nil && latest.State.Final() {
			return nil
		}
	}
	return errors.New("the stream ended")
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
