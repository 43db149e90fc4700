package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

type watchCommand struct {
	reachable `embed:""`
	Device    string        `arg:"" help:"The device's id or name."`
	Follow    bool          `help:"Go on with later actions, until interrupted."`
	Timeout   time.Duration `help:"Give up after this time; 0: never." default:"0" placeholder:"DURATION"`
	JSON      bool          `name:"json" help:"Print the events, each as one line of JSON."`
}

// Run shows the latest action until it has ended.
func (w *watchCommand) Run(ctx context.Context, out io.Writer) error {
	server, device, err := w.find(ctx, w.Device)
	if err != nil {
		return err
	}
	if len(device.ActionResults) == 0 && !w.Follow {
		if !w.JSON {
			fmt.Fprintf(out, "%s: no action has been run on it\n", printable(device.Name))
		}
		return nil
	}
	w.sayWhose(out, w.JSON)
	watched := watcher{server: server, device: device.ID, view: jsonView{out}, timeout: w.Timeout,
		follow: w.Follow}
	if !w.JSON {
		known, err := server.Payloads(ctx, device.ID)
		if err != nil {
			return err
		}
		watched.view = newView(out, device.Name, kinds(known))
	}
	err = watched.run(ctx)
	if w.Follow && errors.Is(err, context.Canceled) {
		return nil // following ends by an interrupt
	}
	return err
}

// watcher shows the actions of a device until the latest one has ended.
type watcher struct {
	server  service
	device  string // the device's id
	view    view
	timeout time.Duration        // 0: no limit
	follow  bool                 // go on after an action has ended
	only    *client.ActionResult // show only this action; nil: the latest one
	pin     bool                 // show only the first action that is seen
}

// run shows the action until it has ended. The error's exit code says how it ended.
func (w *watcher) run(ctx context.Context) (err error) {
	limited := ctx
	if w.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	defer func() { err = errors.Join(w.view.close(), err) }()
	for update, err := range w.server.Watch(limited, w.device) {
		if err != nil {
			return w.ended(ctx, limited, err)
		}
		if update.Device != "" {
			if err := w.view.showDevice(update.Event, update.At,
				enrollmentWords[update.Device]); err != nil {
				return err
			}
			continue
		}
		current := w.pick(update.Results)
		if w.only != nil && (current == nil || superseded(current)) {
			return errors.New("the action was superseded by a later one; " +
				"`syncpayloads watch` shows that")
		}
		if current == nil {
			continue
		}
		if w.pin && w.only == nil {
			w.only = current
		}
		if err := w.view.show(update.Event, current); err != nil {
			return err
		}
		if current.State.Final() && !w.follow && !superseded(current) {
			return endError(current)
		}
	}
	return nil
}

// enrollmentWords describe what happened to a device's enrollment.
var enrollmentWords = map[client.DeviceEvent]string{client.DeviceEnrolled: "the device enrolled",
	client.DeviceReenrolled: "the device enrolled anew: it starts clean",
	client.DeviceLeft:       "the device left management",
	client.DeviceUpdated:    "its name, notes, owner or scope tags were changed",
	client.DeviceDeleted:    "the record of the device was deleted"}

func (w *watcher) pick(results []client.ActionResult) *client.ActionResult {
	if w.only == nil {
		return client.Latest(results)
	}
	for i := range results {
		if sameAction(&results[i], w.only) {
			return &results[i]
		}
	}
	return nil
}

// codeSuperseded is the errorCode of a payload whose action was superseded. The later action starts
// right after that.
const codeSuperseded = -1

func superseded(r *client.ActionResult) bool {
	return r.State == client.StateCanceled &&
		slices.ContainsFunc(r.Payloads, func(p client.PayloadResult) bool {
			return p.ErrorCode == codeSuperseded && p.ErrorSource != "device"
		})
}

func sameAction(a, b *client.ActionResult) bool {
	return a.Name == b.Name && a.Started.Equal(b.Started)
}

func (w *watcher) ended(ctx, limited context.Context, err error) error {
	if ctx.Err() == nil && limited.Err() != nil {
		return &exit{exitTimeout, fmt.Errorf("the action has not ended after %s; it goes on",
			w.timeout)}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// endError returns how an action ended, as an error; nil: with success.
func endError(r *client.ActionResult) error {
	switch failed := r.Failures(); {
	case r.State == client.StateDone:
		return nil
	case r.State == client.StateCanceled:
		return fmt.Errorf("the action was canceled: %s", printable(firstDetail(failed)))
	case r.State == client.StateNotSupported:
		return &exit{exitPayloads, fmt.Errorf("the device cannot do this: %s",
			printable(firstDetail(failed)))}
	default:
		return &exit{exitPayloads,
			fmt.Errorf("%d of %d payloads ended in error; the first: %s (code %d)%s", len(failed),
				len(r.Payloads),
				printable(firstDetail(failed)), failed[0].ErrorCode,
				explanation(failed[0].Meaning, failed[0].Advice))}
	}
}

// explanation returns what the server says about a failure, to be appended to the device's own
// words; empty: it knows nothing about it.
func explanation(meaning, advice string) string {
	if meaning == "" {
		return ""
	}
	return ". " + printable(meaning) + " " + printable(advice)
}

func firstDetail(failed []client.PayloadResult) string {
	if len(failed) == 0 || failed[0].Detail == "" {
		return "no detail was given"
	}
	return failed[0].DisplayName + ": " + failed[0].Detail
}
