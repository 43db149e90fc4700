package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/syncpayloads/syncpayloads/client"
)

// readyFile is what scripts that use the demonstration need to know.
type readyFile struct {
	URL     string        `json:"url"`
	Token   string        `json:"token"`
	CA      string        `json:"ca"`
	Stream  string        `json:"stream"`  // the events of all devices
	Console string        `json:"console"` // signs a browser in, once, within linkTime
	Devices []readyDevice `json:"devices"`
}

type readyDevice struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Platform string         `json:"platform"`
	Payloads []readyPayload `json:"payloads"`
}

type readyPayload struct {
	ID          string             `json:"id"`
	Type        client.PayloadType `json:"type"`
	DisplayName string             `json:"displayName"`
}

// writeReady writes the file in one step, so that nobody reads half of it.
func (d *demo) writeReady(ctx context.Context, file string) error {
	console, err := d.consoleLink(ctx)
	if err != nil {
		return err
	}
	ready := readyFile{URL: d.server.URL(), Token: d.token, CA: d.server.CAFile(),
		Stream: d.server.URL() + "/api/events", Console: console}
	for _, device := range d.fleet.devices {
		payloads, err := d.client.Payloads(ctx, device.id)
		if err != nil {
			return err
		}
		listed := readyDevice{ID: device.id, Name: device.name, Platform: device.platform,
			Payloads: []readyPayload{}}
		for _, p := range payloads {
			listed.Payloads = append(listed.Payloads, readyPayload{p.ID, p.Type, p.DisplayName})
		}
		ready.Devices = append(ready.Devices, listed)
	}
	text, err := json.MarshalIndent(ready, "", "  ")
	if err != nil {
		return err
	}
	temporary := file + ".tmp"
	if err := os.WriteFile(temporary, append(text, '\n'), 0o600); err != nil { // it has the token
		return fmt.Errorf("writing the ready file: %w", err)
	}
	if err := os.Rename(temporary, file); err != nil {
		return fmt.Errorf("writing the ready file: %w", err)
	}
	return nil
}
