package graph

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// The two collections in which Graph has the same devices.
var (
	managedDevices = &resource{name: "managedDevices",
		path: "/beta/deviceManagement/managedDevices", odataType: "managedDevice",
		object: "managedDevice", noun: "device", category: categoryDevice, device: true,
		stable: true, tagged: true,
		setByServer: deviceSetByServer}
	comanagedDevices = &resource{name: "comanagedDevices",
		path: "/beta/deviceManagement/comanagedDevices", odataType: "managedDevice",
		object: "comanagedDevice", noun: "device", category: categoryDevice, device: true,
		tagged:      true,
		setByServer: deviceSetByServer}
)

// What is done to a device. Its entity tag is that of its set, which PATCH does not change.
var (
	toUpdateDevice = &verb{name: "update", method: "PATCH", suffix: "/{id}", edits: true}
	toSync         = &verb{name: "syncDevice", method: "POST", suffix: "/{id}/syncDevice"}
	toSyncPayloads = &verb{name: "syncPayloads", method: "POST", suffix: "/{id}/syncPayloads",
		conditional: true, keyed: true, betaOnly: true}
	toChangeAssignments = &verb{name: "changeAssignments", method: "POST",
		suffix:      "/{id}/changeAssignments",
		conditional: true, keyed: true, betaOnly: true}
)

// preview is the route that tells what a verb would do.
func (r *resource) preview(v *verb, needs []access.Right, handle func(*call) error) route {
	rt := r.route(&verb{name: v.name + ".preview", method: v.method, suffix: v.suffix + "/preview",
		betaOnly: true}, needs, nil, handle)
	rt.unchanging = true
	return rt
}

func deviceRoutes(r *resource) []route {
	read := may(access.ReadDevices)
	set := r.name
	list := func(c *call) error { return c.listDevices(set) }
	routes := []route{
		r.route(toList, read, odata.ExpandOptions, list),
		r.route(toCount, read, odata.CountOptions, list),
		r.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand},
			func(c *call) error { return c.getDevice(set) }),
		r.route(toUpdateDevice, []access.Right{access.UpdateDevices, access.ReadDevices}, nil,
			func(c *call) error { return c.updateDevice(set) }),
		r.route(toSync, may(access.SyncDevices), nil, (*call).syncDevice),
		r.route(toSync.qualified(), may(access.SyncDevices), nil, (*call).syncDevice),
	}
	// Who runs the action needs both rights (spec section 3).
	act := []access.Right{access.ChangeAssignments, access.ReadOrganization}
	for _, v := range []*verb{toSyncPayloads, toSyncPayloads.qualified()} {
		routes = append(routes, r.route(v, act, nil, syncPayloads.start),
			r.preview(v, act, syncPayloads.preview))
	}
	for _, v := range []*verb{toChangeAssignments, toChangeAssignments.qualified()} {
		routes = append(routes, r.route(v, act, nil, changeAssignments.start),
			r.preview(v, act, changeAssignments.preview))
	}
	for _, k := range stateKinds {
		routes = append(routes, k.routes(r)...)
	}
	return append(routes, append(deviceRelatedRoutes(r), retireRoutes(r)...)...)
}

func (c *call) deviceID() fleet.DeviceID { return fleet.DeviceID(lower(c.req.PathValue("id"))) }

func (c *call) syncDevice() error {
	if err := c.req.ReadNoBody(); err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Device: c.deviceID()}); err != nil {
		return err
	}
	if err := c.config.Engine.Sync(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

func (c *call) getDevice(set string) error {
	selected, err := c.selected(deviceShape)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(append(deviceRelations.Names(), expandStates)...)
	if err != nil {
		return err
	}
	return c.replyDevice(set, selected, expanded...)
}

func (c *call) replyDevice(set string, selected []string, expanded ...string) error {
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	if err := c.tagDevice(); err != nil {
		return err
	}
	d, err := c.config.Devices.Device(c.req.Context(), c.deviceID())
	if err != nil {
		return err
	}
	body, err := c.newSight().deviceFields(c.req.Context(), d, selected)
	if err != nil {
		return err
	}
	if body, err = c.withRelated(body, expanded); err != nil {
		return err
	}
	context := c.req.ContextURL("deviceManagement/"+set) + "/$entity"
	return c.req.Reply(http.StatusOK, append(odata.Fields{{"@odata.context", context}}, body...))
}

func (c *call) listDevices(set string) error {
	selected, err := c.selected(deviceShape)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(deviceRelations.Names()...)
	if err != nil {
		return err
	}
	var within fleet.Condition
	if !c.scope.Everything() {
		within = fleet.Within(c.scope)
	}
	seen := c.newSight()
	return odata.ServeList(c.req, "deviceManagement/"+set, c.server.devices.listing, within,
		c.config.Devices.Devices, func(d fleet.Device) (odata.Fields, error) {
			shown, err := seen.deviceFields(c.req.Context(), &d, selected)
			if err != nil {
				return nil, err
			}
			return c.withRelated(shown, expanded)
		})
}

func isNil(a *action.Action) bool { return a == nil }

// updateDevice is PATCH …/{id}: of a device, the scope tags, the name, the notes and
// the owner can be set.
func (c *call) updateDevice(set string) error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	edit, err := readDeviceEdit(body)
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Device: c.deviceID(), Tags: edit.Tags}); err != nil {
		return err
	}
	if !isNothing(edit) {
		err := c.config.Catalog.EditDevice(c.req.Context(), c.deviceID(), edit)
		if err != nil {
			return err
		}
	}
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); errors.Is(err, fleet.ErrNotFound) {
		return c.req.ReplyNoContent() // it was given away
	}
	return c.replyDevice(set, c.view(deviceShape).names)
}

// deviceNameProperty is the name by which admins call a device. Until they give it one that is the
// device's own.
const deviceNameProperty = "managedDeviceName"

// isNothing reports whether an edit changes nothing.
func isNothing(e fleet.Edit) bool {
	return e.Tags == nil && e.ManagedName == nil && e.Notes == nil && e.Owner == nil
}

// The properties of a device that say whose it is.
var ownerProperties = []string{"ownerType", "managedDeviceOwnerType"}

// readDeviceEdit reads what a body changes of a device.
func readDeviceEdit(body *odata.Object) (e fleet.Edit, err error) {
	if err := body.Only(deviceWritable...); err != nil {
		return e, err
	}
	err = body.Read(odata.Readers{
		tagProperty: func(name string) (err error) {
			e.Tags, err = body.OptionalTexts(name)
			return err
		},
		deviceNameProperty: body.Edits(&e.ManagedName),
		"notes":            body.Edits(&e.Notes),
	})
	if err != nil {
		return e, err
	}
	owners := []fleet.Owner{fleet.OwnerUnknown, fleet.OwnedByOrg, fleet.OwnedByPerson}
	for _, name := range ownerProperties {
		if body.Values[name] == nil {
			continue
		}
		i, err := body.Member(name, []string{string(owners[0]), string(owners[1]),
			string(owners[2])})
		if err != nil {
			return e, err
		}
		if e.Owner != nil && *e.Owner != owners[i] {
			return e, odata.BadRequest(name, "Properties '%s' and '%s' must say the same.",
				ownerProperties[0], ownerProperties[1])
		}
		e.Owner = &owners[i]
	}
	if isNothing(e) {
		return e, odata.BadRequest(tagProperty,
			"Property '%s', '%s', 'notes' or 'ownerType' is required.", tagProperty,
			deviceNameProperty)
	}
	return e, nil
}

// deviceFields are the selected properties of a device, in the order of their table.
func (s *sight) deviceFields(ctx context.Context, d *fleet.Device,
	selected []string) (odata.Fields, error) {
	known := s.call.server.devices.properties
	body := make(odata.Fields, 0, min(len(selected), len(known))+1)
	for _, p := range known {
		switch {
		case !slices.Contains(selected, p.name):
		case p.value == nil: // deviceActionResults
			actions, err := s.call.config.Engine.Actions(ctx, d.ID)
			if err != nil {
				return nil, err
			}
			for i := range actions {
				if actions[i], err = s.action(ctx, d.ID, actions[i]); err != nil {
					return nil, err
				}
			}
			body = append(body, odata.Field{p.name,
				actionResults(slices.DeleteFunc(actions, isNil), s.call.server.explain)})
		default:
			body = append(body, odata.Field{p.name, p.value(d)})
		}
	}
	return s.call.filled(deviceShape, body, selected), nil
}

// deviceWritable are the properties of managedDevice that bodies set.
var deviceWritable = append([]string{tagProperty, deviceNameProperty, "notes"}, ownerProperties...)

// deviceSetByServer are the others.
var deviceSetByServer = slices.DeleteFunc(slices.Clone(deviceShape.beta.names),
	func(name string) bool { return slices.Contains(deviceWritable, name) })
