package direct

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// term is one comparison of a filter.
type term struct {
	property string
	negated  bool
	value    string
}

var (
	comparison = regexp.MustCompile(`^\s*([A-Za-z]+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*`)
	conjoined  = regexp.MustCompile(`^and\s+`)
)

// properties are what a filter may compare.
var properties = map[string]func(*client.Device) string{
	"id":                   func(d *client.Device) string { return d.ID },
	"deviceName":           func(d *client.Device) string { return d.Name },
	"serialNumber":         func(d *client.Device) string { return d.SerialNumber },
	"operatingSystem":      func(d *client.Device) string { return d.OperatingSystem },
	"osVersion":            func(d *client.Device) string { return d.OSVersion },
	"model":                func(d *client.Device) string { return d.Model },
	"managementState":      func(d *client.Device) string { return d.ManagementState },
	"deviceEnrollmentType": func(d *client.Device) string { return d.EnrollmentType },
}

const longestFilter = 2000 // bytes

// parseFilter reads the filters that can be held against every row here.
func parseFilter(text string) ([]term, error) {
	if text == "" {
		return nil, nil
	}
	var terms []term
	for rest := text; len(text) <= longestFilter; {
		m := comparison.FindStringSubmatch(rest)
		if m == nil || properties[m[1]] == nil {
			break
		}
		terms = append(terms, term{m[1], m[2] == "ne", strings.ReplaceAll(m[3], "''", "'")})
		if rest = rest[len(m[0]):]; rest == "" {
			return terms, nil
		}
		and := conjoined.FindString(rest)
		if and == "" {
			break
		}
		rest = rest[len(and):]
	}
	names := make([]string, 0, len(properties))
	for name := range properties {
		names = append(names, name)
	}
	slices.Sort(names)
	return nil, fmt.Errorf("filter %q: against Graph a filter is made of PROPERTY eq 'VALUE' or "+
		"PROPERTY ne 'VALUE', joined by and; properties: %s", text, strings.Join(names, ", "))
}

func matches(terms []term, d *client.Device) bool {
	for _, t := range terms {
		if strings.EqualFold(properties[t.property](d), t.value) == t.negated {
			return false
		}
	}
	return true
}

var errBrokenOff = errors.New("broken off")

// Devices yields the managed devices, and asks for them page by page. After an error it ends. Graph
// leaves a filter that it does not support unheeded, so every row is held against it here. They
// come as Graph orders them: OrderBy and PageSize are not used.
func (c *Client) Devices(ctx context.Context,
	o client.DeviceOptions) iter.Seq2[client.Device, error] {
	return func(yield func(client.Device, error) bool) {
		terms, err := parseFilter(o.Filter)
		if err == nil {
			err = c.where(ctx, o.Filter, func(d *client.Device) bool {
				return !matches(terms, d) || yield(*d, nil)
			})
		}
		if err != nil && !errors.Is(err, errBrokenOff) {
			yield(client.Device{}, err)
		}
	}
}

// where calls fn with each device once, until it returns false.
func (c *Client) where(ctx context.Context, filter string, fn func(*client.Device) bool) error {
	seen := make(map[string]bool)
	return c.graph.DevicesWhere(ctx, filter, func(p tenant.Page) (bool, error) {
		for i := range p.Devices {
			d := deviceOf(&p.Devices[i])
			if seen[d.ID] {
				continue // the list moved while it was read
			}
			seen[d.ID] = true
			if !fn(&d) {
				return false, errBrokenOff
			}
		}
		return true, nil
	})
}

// Device returns a device by its id, name or serial number. The error is a *client.UnknownDevice or
// a *client.AmbiguousName if there is not exactly one.
func (c *Client) Device(ctx context.Context, name string) (*client.Device, error) {
	if id, err := uuid.Parse(name); err == nil {
		found, err := c.graph.Device(ctx, id.String())
		if err == nil {
			return c.withResults(ctx, deviceOf(found))
		}
		if !tenant.IsStatus(err, 404) {
			return nil, err
		}
	}
	quoted := "'" + strings.ReplaceAll(name, "'", "''") + "'"
	var found []client.Device
	err := c.where(ctx, "deviceName eq "+quoted+" or serialNumber eq "+quoted,
		func(d *client.Device) bool {
			if strings.EqualFold(d.Name, name) || strings.EqualFold(d.SerialNumber, name) {
				found = append(found, *d)
			}
			return len(found) < 20
		})
	switch {
	case err != nil && !errors.Is(err, errBrokenOff):
		return nil, err
	case len(found) == 0:
		return nil, &client.UnknownDevice{Name: name}
	case len(found) > 1:
		return nil, &client.AmbiguousName{Name: name, Devices: found}
	}
	return c.withResults(ctx, found[0])
}

func (c *Client) withResults(ctx context.Context, d client.Device) (*client.Device, error) {
	var err error
	d.ActionResults, err = c.ActionResults(ctx, d.ID)
	return &d, err
}

// SyncDevice has Intune ask the device to check in.
func (c *Client) SyncDevice(ctx context.Context, id string) error {
	return c.graph.SyncDevice(ctx, id)
}
