package graph

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const codeForbidden = "Forbidden"

// forbidden refuses what a caller's roles do not allow.
func forbidden(format string, args ...any) *odata.Fault {
	return &odata.Fault{Status: http.StatusForbidden, Code: codeForbidden,
		Message: fmt.Sprintf(format, args...)}
}

// authorize finds out where the caller may do what the route does: where one of their assignments
// has all rights that it needs.
func (c *call) authorize(rt route) error {
	for _, right := range rt.needs {
		if len(c.caller.Scope(right)) == 0 {
			return forbidden("'%s' has no role or permission that allows %s.", c.caller.Name, right)
		}
	}
	if len(rt.needs) == 0 {
		return nil
	}
	if c.scope = c.caller.Scope(rt.needs...); len(c.scope) == 0 {
		return forbidden("'%s' has no single role assignment that allows %s together.",
			c.caller.Name, joined(rt.needs))
	}
	return nil
}

// needsToo adds a right to those that the call needs: what its body says is more than what every
// call of its route does.
func (c *call) needsToo(right access.Right) error {
	c.route.needs = append(slices.Clone(c.route.needs), right)
	return c.authorize(c.route)
}

func joined(rights []access.Right) string {
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = string(r)
	}
	return strings.Join(names, " and ")
}

// stillAllowed is the permit of a call: what decides is read anew in the transaction of each of its
// writes.
func (c *call) stillAllowed(ctx context.Context, tx access.Tx) error {
	if c.caller == nil {
		return nil
	}
	if err := c.caller.Refresh(ctx, tx); err != nil {
		return err
	}
	if err := c.authorize(c.route); err != nil {
		return err
	}
	for _, decide := range c.decisions {
		if err := decide(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// decide returns the error of a decision, and has it decided again when the call writes.
func (c *call) decide(decision access.Permit) error {
	c.decisions = append(c.decisions, decision)
	return c.config.Roles.View(c.req.Context(),
		func(tx access.Tx) error { return decision(c.req.Context(), tx) })
}

// errHidden is the error of a device or payload that exists beyond the caller's reach. The caller
// is told that it does not exist.
type errHidden struct{ error }

func (e errHidden) Unwrap() error { return e.error }

// areasOf returns the areas of the caller's scope that a device is in; fleet.ErrNotFound if it is
// in none.
func (c *call) areasOf(ctx context.Context, id fleet.DeviceID) (fleet.Scope, error) {
	if c.scope.Everything() {
		return c.scope, nil
	}
	place, err := c.config.Devices.Place(ctx, id)
	if err != nil {
		return nil, err
	}
	areas := c.scope.Around(place)
	if len(areas) == 0 {
		return nil, errHidden{fleet.ErrNotFound}
	}
	return areas, nil
}

// sight is what a caller sees of devices and payloads.
type sight struct {
	call   *call
	access *access.Sight
}

func (c *call) newSight() *sight {
	return &sight{call: c, access: access.NewSight(c.scope, c.config.Devices, c.config.Catalog)}
}

// action returns what the caller sees of an action on a device; nil: nothing.
func (s *sight) action(ctx context.Context, device fleet.DeviceID,
	a *action.Action) (*action.Action, error) {
	areas, err := s.access.Areas(ctx, device)
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	if areas.AllPayloads() && !slices.ContainsFunc(a.Results,
		func(r action.Result) bool { return r.InPlace != "" }) {
		return a, nil
	}
	seen := *a
	seen.Results = nil
	for _, r := range a.Results {
		ok, err := s.access.Sees(ctx, device, r.Payload)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if r, err = s.result(ctx, device, r); err != nil {
			return nil, err
		}
		seen.Results = append(seen.Results, r)
	}
	return &seen, nil
}

// event reports whether the caller sees an event.
func (s *sight) event(ctx context.Context, e *live.Event) (bool, error) {
	return s.access.SeesChange(ctx, e.Device, e.Place, e.Result)
}

// assignments are those of a list that are to everybody, or to a group or device that the caller
// sees.
func (s *sight) assignments(ctx context.Context,
	list []catalog.Assignment) ([]catalog.Assignment, error) {
	if s.call.scope.Everything() {
		return list, nil
	}
	seen := []catalog.Assignment{}
	for _, a := range list {
		ok := true
		switch a.Kind {
		case catalog.Group, catalog.ExcludeGroup:
			ok = s.call.scope.Names(a.Target)
		case catalog.OneDevice:
			areas, err := s.access.Areas(ctx, fleet.DeviceID(a.Target))
			if err != nil {
				return nil, err
			}
			ok = len(areas) > 0
		}
		if ok {
			seen = append(seen, a)
		}
	}
	return seen, nil
}

// assignments returns a payload's assignments, as far as the caller sees to whom they are.
func (c *call) assignments(id action.PayloadID) ([]catalog.Assignment, error) {
	list, err := c.config.Catalog.Assignments(c.req.Context(), id)
	if err != nil {
		return nil, err
	}
	return c.newSight().assignments(c.req.Context(), list)
}

// reach lists the payloads of a device that the caller can name; nil: all.
func (c *call) reach(ctx context.Context, id fleet.DeviceID) ([]action.PayloadID, error) {
	areas, err := c.areasOf(ctx, id)
	if err != nil || areas.AllPayloads() {
		return nil, err
	}
	list, err := c.seenPayloads(ctx, id)
	if err != nil {
		return nil, err
	}
	ids := make([]action.PayloadID, len(list))
	for i, p := range list {
		ids[i] = p.ID
	}
	return ids, nil
}

// seenPayloads lists what is assigned to a device or held off it, as far as the caller sees it.
func (c *call) seenPayloads(ctx context.Context, id fleet.DeviceID) ([]*action.Payload, error) {
	if _, err := c.areasOf(ctx, id); err != nil {
		return nil, err
	}
	list, err := c.config.Engine.Payloads(ctx, id)
	if err != nil {
		return nil, err
	}
	s := c.newSight()
	seen := make([]*action.Payload, 0, len(list))
	for _, p := range list {
		ok, err := s.access.Sees(ctx, id, p.ID)
		if err != nil {
			return nil, err
		}
		if ok {
			seen = append(seen, p)
		}
	}
	namePlaces(seen)
	return seen, nil
}

// group checks that the caller may name the group that the path names; catalog.ErrNotFound if not.
func (c *call) group() (string, error) {
	id := lower(c.req.PathValue("id"))
	if !c.scope.Names(id) {
		return "", errHidden{catalog.ErrNotFound}
	}
	return id, nil
}

// rightsOf are the rights on a kind of payload.
type rightsOf struct{ read, create, update, delete, assign access.Right }

var (
	configurationRights = rightsOf{access.ReadConfigurations, access.CreateConfigurations,
		access.UpdateConfigurations,
		access.DeleteConfigurations, access.AssignConfigurations}
	appRights = rightsOf{access.ReadApps, access.CreateApps, access.UpdateApps, access.DeleteApps,
		access.AssignApps}
)
