package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func deviceRoutes(set string) []route {
	collection := "/beta/deviceManagement/" + set
	device := collection + "/{id}"
	routes := []route{
		{method: "GET", pattern: collection, name: set + ".list", options: queryOptions, needs: []access.Right{access.ReadDevices},
			handle: func(c *call) error { return c.listDevices(set) }},
		{method: "GET", pattern: collection + countSuffix, name: set + ".count", options: countOptions, needs: []access.Right{access.ReadDevices},
			handle: func(c *call) error { return c.listDevices(set) }},
		{method: "GET", pattern: device, name: set + ".get", options: []string{optionSelect}, needs: []access.Right{access.ReadDevices},
			handle: func(c *call) error { return c.getDevice(set) }},
		{method: "PATCH", pattern: device, name: set + ".update", needs: []access.Right{access.UpdateDevices, access.ReadDevices},
			handle: func(c *call) error { return c.updateDevice(set) }},
	}
	// Who runs the action needs both rights (spec section 3).
	act := []access.Right{access.ChangeAssignments, access.ReadOrganization}
	// An action may be called by its name alone or with its namespace (OData URL conventions).
	for _, namespace := range []string{"", "microsoft.graph."} {
		routes = append(routes,
			route{method: "POST", pattern: device + "/" + namespace + "syncPayloads", name: set + ".syncPayloads",
				needs: act, handle: syncPayloads.start},
			route{method: "POST", pattern: device + "/" + namespace + "syncPayloads/preview", name: set + ".syncPayloads.preview",
				needs: act, unchanging: true, handle: syncPayloads.preview},
			route{method: "POST", pattern: device + "/" + namespace + "changeAssignments", name: set + ".changeAssignments",
				needs: act, handle: changeAssignments.start},
			route{method: "POST", pattern: device + "/" + namespace + "changeAssignments/preview", name: set + ".changeAssignments.preview",
				needs: act, unchanging: true, handle: changeAssignments.preview},
			route{method: "POST", pattern: device + "/" + namespace + "syncDevice", name: set + ".syncDevice",
				needs: []access.Right{access.SyncDevices}, handle: (*call).syncDevice})
	}
	for _, k := range stateKinds {
		routes = append(routes, k.routes(set)...)
	}
	return routes
}

func (c *call) deviceID() fleet.DeviceID { return fleet.DeviceID(lower(c.r.PathValue("id"))) }

// lower is an id as it is stored: callers may write its letters in either case.
func lower(id string) string { return strings.ToLower(id) }

func (c *call) syncDevice() error {
	if err := c.noBody(); err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Device: c.deviceID()}); err != nil {
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
	return c.replyDevice(set, selected)
}

func (c *call) replyDevice(set string, selected []string) error {
	if _, err := c.around(c.r.Context(), c.deviceID()); err != nil {
		return err
	}
	if err := c.tagDevice(); err != nil {
		return err
	}
	d, err := c.Devices.Device(c.r.Context(), c.deviceID())
	if err != nil {
		return err
	}
	body, err := c.newSight().deviceFields(c.r.Context(), d, selected)
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
	var within fleet.Condition
	if !c.scope.Everything() {
		within = fleet.Within(c.scope)
	}
	seen := c.newSight()
	return serveList(c, "deviceManagement/"+set, deviceListing, within, c.Devices.Devices, func(d fleet.Device) (fields, error) {
		return seen.deviceFields(c.r.Context(), &d, selected)
	})
}

func isNil(a *action.Action) bool { return a == nil }

// updateDevice is PATCH …/{id}: of a device, the scope tags can be set.
func (c *call) updateDevice(set string) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only(tagProperty); err != nil {
		return err
	}
	tags, err := body.requiredTexts(tagProperty)
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Device: c.deviceID(), Tags: tags}); err != nil {
		return err
	}
	if err := c.Catalog.TagDevice(c.r.Context(), c.deviceID(), tags); err != nil {
		return err
	}
	if _, err := c.around(c.r.Context(), c.deviceID()); errors.Is(err, fleet.ErrNotFound) {
		return c.noContent() // it was given away
	}
	return c.replyDevice(set, devicePropertyNames)
}

// deviceFields are the selected properties of a device, in the order of deviceProperties.
func (s *sight) deviceFields(ctx context.Context, d *fleet.Device, selected []string) (fields, error) {
	body := make(fields, 0, len(selected))
	for _, p := range deviceProperties {
		switch {
		case !slices.Contains(selected, p.name):
		case p.value == nil: // deviceActionResults
			actions, err := s.Engine.Actions(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			for i := range actions {
				if actions[i], err = s.action(ctx, d.ID, actions[i]); err != nil {
					return nil, err
				}
			}
			body = append(body, field{p.name, actionResults(slices.DeleteFunc(actions, isNil))})
		default:
			body = append(body, field{p.name, p.value(d)})
		}
	}
	return body, nil
}
