package graph

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func deviceRoutes(set string) []route {
	collection := "/beta/deviceManagement/" + set
	device := collection + "/{id}"
	queryOptions := []string{optionSelect, optionFilter, optionOrderBy, optionTop, optionCount, optionSkipToken}
	routes := []route{
		{method: "GET", pattern: collection, name: set + ".list", options: queryOptions,
			handle: func(c *call) error { return c.listDevices(set) }},
		{method: "GET", pattern: device, name: set + ".get", options: []string{optionSelect},
			handle: func(c *call) error { return c.getDevice(set) }},
	}
	// An action may be called by its name alone or with its namespace (OData URL conventions).
	for _, namespace := range []string{"", "microsoft.graph."} {
		routes = append(routes,
			route{method: "POST", pattern: device + "/" + namespace + "syncPayloads", name: set + ".syncPayloads",
				handle: syncPayloads.start},
			route{method: "POST", pattern: device + "/" + namespace + "changeAssignments", name: set + ".changeAssignments",
				handle: changeAssignments.start},
			route{method: "POST", pattern: device + "/" + namespace + "syncDevice", name: set + ".syncDevice",
				handle: (*call).syncDevice})
	}
	return routes
}

func (c *call) deviceID() fleet.DeviceID { return fleet.DeviceID(strings.ToLower(c.r.PathValue("id"))) }

func (c *call) syncDevice() error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := c.Engine.Sync(c.r.Context(), c.deviceID()); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) getDevice(set string) error {
	selected, err := c.selected(devicePropertyNames)
	if err != nil {
		return err
	}
	d, err := c.Devices.Device(c.r.Context(), c.deviceID())
	if err != nil {
		return err
	}
	body, err := c.deviceFields(c.r.Context(), d, selected)
	if err != nil {
		return err
	}
	context := c.contextURL("deviceManagement/"+set) + "/$entity"
	return c.reply(http.StatusOK, append(fields{{"@odata.context", context}}, body...))
}

func (c *call) listDevices(set string) error {
	selected, err := c.selected(devicePropertyNames)
	if err != nil {
		return err
	}
	q, err := c.deviceQuery()
	if err != nil {
		return err
	}
	page := page{collection: "deviceManagement/" + set}
	wanted, err := counted(c.options)
	if err != nil {
		return err
	}
	if wanted {
		n, err := c.Devices.CountDevices(c.r.Context(), q.Where)
		if err != nil {
			return err
		}
		page.count = &n
	}
	devices, err := c.devicePage(q, &page)
	if err != nil {
		return err
	}
	page.value = make([]fields, len(devices))
	for i := range devices {
		if page.value[i], err = c.deviceFields(c.r.Context(), &devices[i], selected); err != nil {
			return err
		}
	}
	return c.list(page)
}

// devicePage reads one page of a query and one device more, to know whether there is a next page.
func (c *call) devicePage(q fleet.Query, p *page) ([]fleet.Device, error) {
	size := q.Limit
	if size == 0 {
		return nil, nil
	}
	q.Limit++
	devices, err := c.Devices.Devices(c.r.Context(), q)
	if err != nil || len(devices) <= size {
		return devices, err
	}
	last := devices[size-1]
	p.next = skipToken{OrderBy: c.options.Get(optionOrderBy),
		Position: fleet.Position{ID: last.ID, Name: last.Name, LastSync: last.LastSync}}.String()
	return devices[:size], nil
}

// deviceFields are the selected properties of a device, in the order of deviceProperties.
func (c *call) deviceFields(ctx context.Context, d *fleet.Device, selected []string) (fields, error) {
	body := make(fields, 0, len(selected))
	for _, p := range deviceProperties {
		switch {
		case !slices.Contains(selected, p.name):
		case p.value == nil: // deviceActionResults
			actions, err := c.Engine.Actions(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			body = append(body, field{p.name, actionResults(actions)})
		default:
			body = append(body, field{p.name, p.value(d)})
		}
	}
	return body, nil
}
