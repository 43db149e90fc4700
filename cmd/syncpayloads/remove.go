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

// actionFlags is what remove and restore have in common: they start an action, and may wait for its
// end.
type actionFlags struct {
	reachable    `embed:""`
	Wait         bool           `help:"Wait until the action has ended, and show its progress."`
	Timeout      time.Duration  `help:"Give up waiting after this time; 0: never. The action goes on." default:"0" placeholder:"DURATION"`
	RestoreAfter *time.Duration `help:"When the server restores by itself what is removed then; 0: never. The server has a default." placeholder:"DURATION"`
	JSON         bool           `name:"json" help:"Print JSON: the action's result, or with --wait the events, each as one line."`
}

type removeCommand struct {
	actionFlags `embed:""`
	Device      string   `arg:"" help:"The device's id or name."`
	Payloads    []string `arg:"" name:"payload" help:"Ids or names of what to remove. What is removed already stays so."`
}

// Run removes the payloads. An action states the whole set of what is to be off the device, so what
// is removed already must be in it.
func (r *removeCommand) Run(ctx context.Context, out io.Writer) error {
	return r.run(ctx, out, r.Device, func(known []client.Payload) ([]client.Payload, string,
		error) {
		chosen, err := choose(known, r.Payloads)
		if err != nil {
			return nil, "", err
		}
		staying := slices.DeleteFunc(removed(known),
			func(p client.Payload) bool { return contains(chosen, p) })
		note := "removing " + names(chosen)
		if len(staying) > 0 {
			note += "; staying off, their time starting anew: " + names(staying)
		}
		return append(staying, chosen...), note, nil
	})
}

// run starts an action. plan makes its set from the device's payloads, and a note that says in
// words what it does.
func (c *actionFlags) run(ctx context.Context, out io.Writer, device string,
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
	action := client.Latest(slices.DeleteFunc(slices.Clone(started),
		func(r client.ActionResult) bool { return c.toGraph() && r.Name != "changeAssignments" }))
	if action == nil && !c.toGraph() {
		return fmt.Errorf("the server accepted the action but does not show it; "+
			"see `syncpayloads device show %s`", found.ID)
	}
	if !c.JSON {
		fmt.Fprintf(out, "%s: %s\n", printable(found.Name), printable(note))
	}
	c.sayWhose(out, c.JSON)
	if c.Wait { // Graph may show the action only later
		return c.await(ctx, out, server, found, kinds(known), action)
	}
	if c.JSON {
		return printJSON(out, action)
	}
	fmt.Fprintf(out, "See it happen with: syncpayloads watch %s\n", found.ID)
	return nil
}

// maxPlans is how often an action is planned, at most, because somebody else changed the set
// meanwhile.
const maxPlans = 5

// start plans the action for the present state of the device, and starts it. If somebody else's
// action came in between, it plans again: a set that does not know of that action would undo it.
func (c *actionFlags) start(ctx context.Context, server service, device string,
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
		if try == maxPlans {
			return nil, "", fmt.Errorf("others changed what is off the device %d times meanwhile; "+
				"try again: %w", maxPlans, err)
		}
	}
}

func (c *actionFlags) await(ctx context.Context, out io.Writer, server service,
	device *client.Device,
	kinds map[string]string, action *client.ActionResult) error {
	var shown view = jsonView{out}
	if !c.JSON {
		shown = newView(out, device.Name, kinds)
	}
	watched := watcher{server: server, device: device.ID, view: shown, timeout: c.Timeout,
		only: action, pin: true}
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

// kinds returns the kinds of payloads by id, because not all results have them.
func kinds(known []client.Payload) map[string]string {
	found := make(map[string]string, len(known))
	for _, p := range known {
		found[p.ID] = kindOf(p)
	}
	return found
}
