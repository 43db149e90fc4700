package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// walkRemoves are the payloads that the walk takes off the first device and puts back.
var walkRemoves = []string{officeWiFi, companyVPN, keynote}

// walkTime is how long one step of the walk may take.
const walkTime = 2 * time.Minute

// walk removes three payloads from a device and restores them, and shows for every step the request
// that does it.
func (d *demo) walk(ctx context.Context) error {
	device := d.fleet.devices[0]
	known, err := d.client.Payloads(ctx, device.id)
	if err != nil {
		return err
	}
	chosen, err := choose(known, walkRemoves)
	if err != nil {
		return err
	}
	// A device says "not now" while its user has it locked, for example.
	device.AddHook(simulator.Hook{RequestType: "RemoveProfile", Identifier: profilePrefix + "vpn",
		Effect: simulator.AnswerNotNow})
	d.explain(1, "what the device has", device, "", nil)
	for _, p := range known {
		fmt.Fprintf(d.out, "  %-18s %-20s %s\n", p.DisplayName, kindOf(p), payloadState(p))
	}
	if err := d.walkStep(ctx, 2, "remove "+names(chosen), device, known, chosen); err != nil {
		return err
	}
	if err := d.walkStep(ctx, 3, "restore everything: state an empty set", device, known,
		nil); err != nil {
		return err
	}
	return d.finalResult(ctx, device)
}

// walkStep runs one action, shows its progress, and then asks the device itself.
func (d *demo) walkStep(ctx context.Context, number int, what string, device *demoDevice, known,
	set []client.Payload) error {
	body, err := json.Marshal(map[string]any{"deviceActionPayloads": selections(set)})
	if err != nil {
		return err
	}
	d.explain(number, what, device, "/syncPayloads", body)
	if err := d.client.SyncPayloads(ctx, device.id, selections(set),
		client.SyncOptions{}); err != nil {
		return err
	}
	watched := watcher{server: d.client, device: device.id,
		view: newView(d.out, device.name, kinds(known)), timeout: walkTime}
	if err := watched.run(ctx); err != nil {
		return err
	}
	results, err := d.client.ActionResults(ctx, device.id)
	if err != nil {
		return err
	}
	if err := endedAsAsked(client.Latest(results), set); err != nil {
		return err
	}
	if err := d.check(device, known, set); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Checked in the device's own stores: ")
	if len(set) > 0 {
		fmt.Fprintf(d.out, "%s are gone, the rest is there.\n", names(set))
	} else {
		fmt.Fprintln(d.out, "everything is there.")
	}
	return nil
}

// endedAsAsked holds an action's result against the set that it was started with.
func endedAsAsked(result *client.ActionResult, set []client.Payload) error {
	if result == nil || len(result.Payloads) == 0 {
		return errors.New("the action has no results")
	}
	for _, p := range result.Payloads {
		intent, status := client.Restore, client.Succeeded
		if slices.ContainsFunc(set, func(asked client.Payload) bool { return asked.ID == p.ID }) {
			intent, status = client.Remove, client.Removed
		}
		if p.Intent != intent || p.Status != status || p.ErrorCode != 0 {
			return fmt.Errorf("%s ended as %s/%s (code %d): want %s/%s", p.DisplayName, p.Intent,
				p.Status, p.ErrorCode, intent, status)
		}
	}
	return nil
}

// check asks the simulated device what it has, which is what the server's results claim to be.
func (d *demo) check(device *demoDevice, known, set []client.Payload) error {
	for _, item := range demoCatalog(d.fleet.manifests.url) {
		name := item.body["displayName"]
		byName := func(p client.Payload) bool { return p.DisplayName == name }
		wanted := slices.ContainsFunc(known, byName) && !slices.ContainsFunc(set, byName)
		if has := device.has(item.identifier); has != wanted {
			return fmt.Errorf("%s in the stores of %s itself: %t, want %t", name, device.name, has,
				wanted)
		}
	}
	return nil
}

// explain says what comes and which request does the same by hand.
func (d *demo) explain(number int, what string, device *demoDevice, action string, body []byte) {
	fmt.Fprintf(d.out, "\n%d. %s: %s\n\n", number, device.name, what)
	url := d.server.URL() + "/beta/deviceManagement/managedDevices/" + device.id + action
	if action == "" {
		url = d.server.URL() + "/api/devices/" + device.id + "/payloads"
	}
	d.printCurl(url, body)
}

func (d *demo) printCurl(url string, body []byte) {
	fmt.Fprintf(d.out, "curl --cacert %s \\\n  -H 'Authorization: Bearer %s' \\\n",
		d.server.CAFile(), d.token)
	if body != nil {
		fmt.Fprintf(d.out, "  -H 'Content-Type: application/json' -d '%s' \\\n", body)
	}
	fmt.Fprintf(d.out, "  '%s'\n\n", url)
}

func (d *demo) finalResult(ctx context.Context, device *demoDevice) error {
	fmt.Fprintf(d.out, "\n4. %s: the result, as any Graph client reads it\n\n", device.name)
	d.printCurl(d.server.URL()+"/beta/deviceManagement/managedDevices/"+device.id+"?$select=id,deviceName,deviceActionResults", nil)
	results, err := d.client.ActionResults(ctx, device.id)
	if err != nil {
		return err
	}
	return printJSON(d.out, map[string]any{"deviceActionResults": results})
}
