package graph

import (
	"errors"
	"strconv"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// historyRoutes tell what was and, over the whole fleet, what is removed now. None of them is
// Graph's.
func historyRoutes() []route {
	needs := may(access.ReadDevices)
	paged := []string{odata.OptionTop, odata.OptionSkipToken}
	return []route{
		{method: "GET", pattern: "/api/devices/{id}/actions", name: "actions.list",
			resource: managedDevices, options: paged, needs: needs,
			handle: (*call).listActions},
		{method: "GET", pattern: "/api/devices/{id}/actions/{number}/events",
			name: "actions.events", resource: managedDevices, needs: needs,
			handle: (*call).listActionEvents},
		{method: "GET", pattern: "/api/devices/{id}/enrollments", name: "enrollments.list",
			resource: managedDevices, needs: needs, handle: (*call).listEnrollments},
		{method: "GET", pattern: "/api/removed", name: "removed.list", options: paged, needs: needs,
			handle: (*call).listRemoved},
		{method: "GET", pattern: "/api/failures", name: "failures.list",
			options: []string{optionDays}, needs: needs,
			handle: (*call).listFailures},
	}
}

// listActions is GET /api/devices/{id}/actions: every action of a device, the newest first.
func (c *call) listActions() error {
	size, err := odata.PageSize(c.req.Options)
	if err != nil {
		return err
	}
	var before int64
	if err := c.req.ReadPosition(&before); err != nil {
		return err
	}
	if _, err := c.areasOf(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	if _, err := c.config.Devices.Device(c.req.Context(), c.deviceID()); err != nil {
		return err
	}
	list, err := c.config.History.PastActions(c.req.Context(), c.deviceID(), before, size+1)
	if err != nil {
		return err
	}
	seen, items := c.newSight(), []odata.Fields{}
	for _, a := range list[:min(size, len(list))] {
		if a, err = seen.action(c.req.Context(), c.deviceID(), a); err != nil {
			return err
		}
		if a == nil { // the device has left the caller's area meanwhile
			return errHidden{fleet.ErrNotFound}
		}
		items = append(items, append(odata.Fields{{"id", a.ID}, {"number", a.Number},
			{"initiatedBy", a.Actor}}, ownActionResult(a, c.server.explain)...))
	}
	var next any
	if size > 0 && len(list) > size {
		next = list[size-1].Number
	}
	return c.req.ReplyOwnPage(items, next)
}

// listActionEvents is GET /api/devices/{id}/actions/{number}/events: what became of an action, step
// by step, as far as events are kept.
func (c *call) listActionEvents() error {
	ctx := c.req.Context()
	number, err := strconv.ParseInt(c.req.PathValue("number"), 10, 64)
	if err != nil {
		return odata.NotFound("There is no action with this number.")
	}
	if _, err := c.areasOf(ctx, c.deviceID()); err != nil {
		return err
	}
	a, err := c.config.History.PastAction(ctx, c.deviceID(), number)
	if errors.Is(err, fleet.ErrNotFound) {
		return odata.NotFound("There is no action with this number.")
	}
	if err != nil {
		return err
	}
	events, err := c.config.History.ActionEvents(ctx, c.deviceID(), a)
	if err != nil {
		return err
	}
	seen, items := c.newSight(), []odata.Fields{}
	for i := range events {
		ok, err := seen.event(ctx, &events[i])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		named, err := seen.namePlaceIn(ctx, &events[i])
		if err != nil {
			return err
		}
		items = append(items, eventFields(named, c.server.explain))
	}
	return c.req.ReplyOwnPage(items, nil)
}

// listRemoved is GET /api/removed: what is held off any device now, the newest first.
func (c *call) listRemoved() error {
	size, err := odata.PageSize(c.req.Options)
	if err != nil {
		return err
	}
	q := engine.RemovalQuery{Limit: size + 1}
	if !c.scope.Everything() {
		q.Scope = c.scope
	}
	var after removalPosition
	if err := c.req.ReadPosition(&after); err != nil {
		return err
	}
	if after.Device != "" {
		q.After = &engine.Removal{Device: after.Device, Payload: after.Payload, Since: after.Since}
	}
	list, err := c.config.History.Removals(c.req.Context(), q)
	if err != nil {
		return err
	}
	items := []odata.Fields{}
	for i := range list[:min(size, len(list))] {
		items = append(items, removalFields(&list[i]))
	}
	var next any
	if size > 0 && len(list) > size {
		last := list[size-1]
		next = removalPosition{last.Since, last.Device, last.Payload}
	}
	return c.req.ReplyOwnPage(items, next)
}

type removalPosition struct {
	Since   time.Time
	Device  fleet.DeviceID
	Payload action.PayloadID
}

func removalFields(r *engine.Removal) odata.Fields {
	return odata.Fields{
		{"deviceId", r.Device},
		{"deviceName", odata.TextOrNull(r.DeviceName)},
		{"payloadId", r.Payload},
		{"payloadType", changeAssignments.typeName(r.Type)},
		{"displayName", odata.TextOrNull(r.DisplayName)},
		{"subType", odata.TextOrNull(r.SubType)},
		{"removedDateTime", odata.Timestamp(r.Since)},
		{"removedBy", r.Actor},
		{"restoreDateTime", odata.Timestamp(r.RestoreAt)},
	}
}
