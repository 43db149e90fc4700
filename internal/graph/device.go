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

// The two collections in which Graph has the same devices.
var (
	managedDevices = &resource{name: "managedDevices", path: "/beta/deviceManagement/managedDevices", odataType: "managedDevice",
		object: "managedDevice", noun: "device", category: categoryDevice, device: true, stable: true, tagged: true,
		setByServer: deviceSetByServer, setElsewhere: deviceWritable}
	comanagedDevices = &resource{name: "comanagedDevices", path: "/beta/deviceManagement/comanagedDevices", odataType: "managedDevice",
		object: "comanagedDevice", noun: "device", category: categoryDevice, device: true, tagged: true,
		setByServer: deviceSetByServer, setElsewhere: deviceWritable}
)

// What is done to a device. Its entity tag is that of its set, which PATCH does not change.
var (
	toUpdateDevice      = &verb{name: "update", method: "PATCH", suffix: "/{id}", edits: true}
	toSync              = &verb{name: "syncDevice", method: "POST", suffix: "/{id}/syncDevice"}
	toSyncPayloads      = &verb{name: "syncPayloads", method: "POST", suffix: "/{id}/syncPayloads", conditional: true, keyed: true, betaOnly: true}
	toChangeAssignments = &verb{name: "changeAssignments", method: "POST", suffix: "/{id}/changeAssignments",
		conditional: true, keyed: true, betaOnly: true}
)

// preview is the route that tells what a verb would do.
func (r *resource) preview(v *verb, needs []access.Right, handle func(*call) error) route {
	rt := r.route(&verb{name: v.name + ".preview", method: v.method, suffix: v.suffix + "/preview", betaOnly: true}, needs, nil, handle)
	rt.unchanging = true
	return rt
}

func deviceRoutes(r *resource) []route {
	read := may(access.ReadDevices)
	set := r.name
	list := func(c *call) error { return c.listDevices(set) }
	routes := []route{
		r.route(toList, read, queryOptions, list),
		r.route(toCount, read, countOptions, list),
		r.route(toGet, read, []string{optionSelect}, func(c *call) error { return c.getDevice(set) }),
		r.route(toUpdateDevice, []access.Right{access.UpdateDevices, access.ReadDevices}, nil,
			func(c *call) error { return c.updateDevice(set) }),
		r.route(toSync, may(access.SyncDevices), nil, (*call).syncDevice),
		r.route(toSync.qualified(), may(access.SyncDevices), nil, (*call).syncDevice),
	}
	// Who runs the action needs both rights (spec section 3).
	act := []access.Right{access.ChangeAssignments, access.ReadOrganization}
	for _, v := range []*verb{toSyncPayloads, toSyncPayloads.qualified()} {
		routes = append(routes, r.route(v, act, nil, syncPayloads.start), r.preview(v, act, syncPayloads.preview))
	}
	for _, v := range []*verb{toChangeAssignments, toChangeAssignments.qualified()} {
		routes = append(routes, r.route(v, act, nil, changeAssignments.start), r.preview(v, act, changeAssignments.preview))
	}
	for _, k := range stateKinds {
		routes = append(routes, k.routes(r)...)
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
