package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncpayloads/syncpayloads/client"
)

// ended is the error of what was cut short: none if the time was over or the user ended it.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) &&
		!errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return nil
}

// learnIDs finds out under which ids the server knows the devices.
func (f *figures) learnIDs(ctx context.Context, c *client.Client) error {
	bySerial := make(map[string]*observed, len(f.devices))
	for d, o := range f.devices {
		bySerial[d.Facts().SerialNumber] = o
	}
	for d, err := range c.Devices(ctx, client.DeviceOptions{PageSize: 1000}) {
		if err != nil {
			return fmt.Errorf("listing devices: %w", err)
		}
		if o := bySerial[d.SerialNumber]; o != nil {
			f.byID[d.ID] = o
		}
	}
	return nil
}

// follow reads the stream of all devices' events until ctx ends, and measures how long after a
// device's report the end of its action is heard of.
func (s *simulateCommand) follow(ctx context.Context, transport http.RoundTripper,
	f *figures) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet,
		strings.TrimSuffix(s.URL, "/")+"/api/events", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Accept", "application/x-ndjson")
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("following the events: %w", err)
	}
	defer answer.Body.Close() //nolint:errcheck // it ends with ctx
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("following the events: %s", answer.Status)
	}
	for lines := bufio.NewReader(answer.Body); ; {
		line, err := lines.ReadBytes('\n')
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("following the events: %w", err)
		}
		var event struct {
			Type, DeviceID string
			ActionState    client.ActionState
		}
		heard := time.Now()
		if len(line) > 1 && json.Unmarshal(line, &event) == nil && event.Type == "actionChanged" &&
			(event.ActionState == client.StateDone || event.ActionState == client.StateFailed) {
			f.ended(event.DeviceID, heard)
		}
	}
}

const (
	callsAtOnce = 16
	mostCalls   = 100_000 // a second
)

// call takes everything off one device after the other and puts it back, so many calls a second,
// until ctx ends.
func (s *simulateCommand) call(ctx context.Context, c *client.Client, f *figures) error {
	if s.Calls <= 0 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(callsAtOnce)
	tick := time.NewTicker(time.Duration(float64(time.Second) / s.Calls))
	defer tick.Stop()
	for remove := true; ; remove = !remove {
		for id := range f.byID {
			select {
			case <-ctx.Done():
				return group.Wait()
			case <-tick.C:
			}
			group.Go(func() error {
				if err := s.callOne(ctx, c, id, remove, f); err != nil && ctx.Err() == nil {
					return fmt.Errorf("calling syncPayloads on device %s: %w", id, err)
				}
				return nil
			})
		}
	}
}

func (s *simulateCommand) callOne(ctx context.Context, c *client.Client, id string, remove bool,
	f *figures) error {
	var set []client.Selection
	if remove {
		payloads, err := c.Payloads(ctx, id)
		if err != nil {
			return err
		}
		for _, p := range payloads {
			set = append(set, client.Selection{ID: p.ID, Type: p.Type})
		}
		if len(set) == 0 {
			return nil
		}
	}
	err := c.SyncPayloads(ctx, id, set, client.SyncOptions{})
	if err == nil {
		f.calls.Add(1)
	}
	return err
}
