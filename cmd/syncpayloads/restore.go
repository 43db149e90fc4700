package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/syncpayloads/syncpayloads/client"
)

type restoreCommand struct {
	actionFlags `embed:""`
	Device      string   `arg:"" help:"The device's id or name."`
	Payloads    []string `arg:"" optional:"" name:"payload" help:"Ids or names of what to restore; without any, everything."`
}

// Run restores the payloads. An action states the whole set of what is to be off the device, so its
// set is what stays removed.
func (r *restoreCommand) Run(ctx context.Context, out io.Writer) error {
	return r.run(ctx, out, r.Device, func(known []client.Payload) ([]client.Payload, string,
		error) {
		if len(r.Payloads) == 0 {
			return nil, "restoring everything", nil
		}
		chosen, err := choose(known, r.Payloads)
		if err != nil {
			return nil, "", err
		}
		// A new action would restart the others' time for nothing. But a payload that is on its way
		// back, or failed to come back, is worth a new action.
		if i := slices.IndexFunc(chosen, r.needsNone); i >= 0 {
			return nil, "",
				fmt.Errorf("%q is not removed from the device, so it cannot be restored",
					chosen[i].DisplayName)
		}
		staying := slices.DeleteFunc(removed(known),
			func(p client.Payload) bool { return contains(chosen, p) })
		note := "restoring " + names(chosen)
		if len(staying) > 0 {
			note += "; staying off, their time starting anew: " + names(staying)
		}
		return staying, note, nil
	})
}

func onDevice(p client.Payload) bool { return !p.Removed && p.Presence == client.Present }

// needsNone reports whether a payload needs no restore. Intune does not say that one is on the
// device that no action named: it is assigned, and nothing is being done about it.
func (r *restoreCommand) needsNone(p client.Payload) bool {
	untouched := r.toGraph() && p.Presence == client.Unknown && p.Work == client.WorkIdle
	return onDevice(p) || !p.Removed && untouched
}
