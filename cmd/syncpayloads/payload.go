package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

type payloadCommand struct {
	List payloadListCommand `cmd:"" help:"List what is assigned to a device or removed from it, with its state."`
}

type payloadListCommand struct {
	reachable `embed:""`
	Device    string `arg:"" help:"The device's id or name."`
	JSON      bool   `name:"json" help:"Print JSON."`
}

// Run lists the payloads.
func (p *payloadListCommand) Run(ctx context.Context, out io.Writer) error {
	c, device, err := p.find(ctx, p.Device)
	if err != nil {
		return err
	}
	found, err := c.Payloads(ctx, device.ID)
	if err != nil {
		return err
	}
	if p.JSON {
		if found == nil {
			found = []client.Payload{}
		}
		return printJSON(out, found)
	}
	p.sayWhose(out, p.JSON)
	if part, ok := c.(interface{ Missing() []string }); ok {
		for _, missing := range part.Missing() {
			fmt.Fprintln(out, "Not told:", printable(missing))
		}
	}
	rows := make([][]string, len(found))
	for i, payload := range found {
		rows[i] = []string{payload.ID, payload.DisplayName, kindOf(payload), payloadState(payload),
			restoreTime(payload)}
		if p.toGraph() {
			rows[i][3], rows[i][4] = reportedState(payload), reportedRestore(payload)
		}
	}
	return printTable(out, []string{"id", "name", "kind", "state", "restored by itself"}, rows)
}

// payloadState describes the state of a payload in a few words.
func payloadState(p client.Payload) string {
	state := map[client.Presence]string{client.Present: "installed",
		client.Absent: "not installed"}[p.Presence]
	switch {
	case p.Removed && p.Presence == client.Absent:
		state = "removed"
	case state == "":
		state = "not known"
	}
	switch p.Work {
	case client.WorkIdle:
	case client.WorkFailed:
		state += ", given up"
		if p.Error != nil {
			state += fmt.Sprintf(": %s (code %d)%s", p.Error.Detail, p.Error.Code,
				explanation(p.Error.Meaning, p.Error.Advice))
		}
	default:
		state += ", " + string(p.Work)
	}
	if !p.Assigned {
		state += ", no longer assigned"
	}
	return state
}

func restoreTime(p client.Payload) string {
	switch {
	case !p.Removed:
		return ""
	case p.Restore.IsZero():
		return "never"
	}
	return moment(p.Restore) + " (in " + time.Until(p.Restore).Round(time.Second).String() + ")"
}
