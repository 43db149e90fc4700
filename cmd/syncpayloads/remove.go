package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

// change is what remove and restore have in common: an action that is started, and perhaps waited
// for.
type change struct {
	connection   `embed:""`
	Wait         bool           `help:"Wait until the action has ended, and show its progress."`
	Timeout      time.Duration  `help:"Give up waiting after this time; 0: never. The action goes on." default:"0" placeholder:"DURATION"`
	RestoreAfter *time.Duration `help:"When the server restores by itself what is removed then; 0: never. The server has a default." placeholder:"DURATION"`
	JSON         bool           `name:"json" help:"Print JSON: the action's result, or with --wait the events, each as one line."`
}

type removeCommand struct {
	change   `embed:""`
	Device   string   `arg:"" help:"The device's id or name."`
	Payloads []string `arg:"" name:"payload" help:"Ids or names of what to remove. What is removed already stays so."`
}

// Run removes the payloads beside those that are removed already: an action states the whole set.
func (r *removeCommand) Run(ctx context.Context, out io.Writer) error {
	return r.run(ctx, out, r.Device, func(known []client.Payload) ([]client.Payload, string,
		error) {
		chosen, err := choose(known, r.Payloads)
		if err != nil {
			return nil, "", err
		}
		kept := slices.DeleteFunc(removed(known),
			func(p client.Payload) bool { return contains(chosen, p) })
		note := "removing " + names(chosen)
		if len(kept) > 0 {
			note += "; staying off, their time starting anew: " + names(kept)
		}
		return append(kept, chosen...), note, nil
	})
}

// run starts the action whose set plan makes of the device's payloads.
func (c *change) run(ctx context.Context, out io.Writer, device string,
	plan func([]client.Payload) (set []client.Payload, note string, err error)) error {
	server, found, err := c.find(ctx, device)
	if err != nil {
		return err
	}
	known, note, err := c.start(ctx, server, found.ID, plan)
	if err != nil {
		return err
	}
	started, err := server.ActionResults(ctx, found.ID)
	if err != nil {
		return err
	}
	action := client.Latest(started)
	if action == nil {
		return fmt.Errorf("the server accepted the action but does not show it; see `syncpayloads device show %s`", found.ID)
	}
	if !c.JSON {
		fmt.Fprintf(out, "%s: %s\n", printable(found.Name), printable(note))
	}
	if c.Wait {
		return c.await(ctx, out, server, found, kinds(known), action)
	}
	if c.JSON {
		return printJSON(out, action)
	}
	fmt.Fprintf(out, "See it happen with: syncpayloads watch %s\n", found.ID)
	return nil
}

// plans is how often an action is planned anew because somebody else changed the set meanwhile.
const plans = 5

// start plans the action on the device as it stands, and starts it. It plans again when somebody
// else's action came in between, which would be undone by a set that knows nothing of it.
func (c *change) start(ctx context.Context, server *client.Client, device string,
	plan func([]client.Payload) ([]client.Payload, string, error)) (known []client.Payload,
	note string, err error) {
	for try := 1; ; try++ {
		known, tag, err := server.PayloadSet(ctx, device)
		if err != nil {
			return nil, "", err
		}
		set, note, err := plan(known)
		if err != nil {
			return nil, "", err
		}
		err = server.SyncPayloads(ctx, device, selections(set),
			client.SyncOptions{RestoreAfter: c.RestoreAfter, IfMatch: tag})
		if !client.IsChanged(err) {
			return known, note, err
		}
		if try == plans {
			return nil, "",
				fmt.Errorf("others changed what is off the device %d times meanwhile; try again: %w", plans, err)
		}
	}
}

func (c *change) await(ctx context.Context, out io.Writer, server *client.Client,
	device *client.Device,
	kinds map[string]string, action *client.ActionResult) error {
	var shown view = jsonView{out}
	if !c.JSON {
		shown = newView(out, device.Name, kinds)
	}
	watched := watching{server: server, device: device.ID, view: shown, timeout: c.Timeout,
		only: action}
	return watched.run(ctx)
}

func removed(known []client.Payload) []client.Payload {
	return slices.DeleteFunc(slices.Clone(known), func(p client.Payload) bool { return !p.Removed })
}

func contains(list []client.Payload, p client.Payload) bool {
	return slices.ContainsFunc(list, func(other client.Payload) bool { return other.ID == p.ID })
}

func names(list []client.Payload) string {
	texts := make([]string, len(list))
	for i, p := range list {
		texts[i] = p.DisplayName
	}
	return strings.Join(texts, ", ")
}

func selections(list []client.Payload) []client.Selection {
	set := make([]client.Selection, len(list))
	for i, p := range list {
		set[i] = client.Selection{ID: p.ID, Type: p.Type}
	}
	return set
}

// kinds are the kinds of payloads by their ids, which results do not all have.
func kinds(known []client.Payload) map[string]string {
	found := make(map[string]string, len(known))
	for _, p := range known {
		found[p.ID] = kindOf(p)
	}
	return found
}
