package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/live"
)

const codeForbidden = "Forbidden"

// forbidden refuses what a caller's roles do not allow.
func forbidden(format string, args ...any) *fault {
	return &fault{status: http.StatusForbidden, code: codeForbidden, message: fmt.Sprintf(format, args...)}
}

// authorize finds out where the caller may do what the route does.
func (c *call) authorize(rt route) error {
	for _, right := range rt.needs {
		if len(c.caller.Scope(right)) == 0 {
			return forbidden("'%s' has no role or permission that allows %s.", c.caller.Name, right)
		}
	}
	if len(rt.needs) > 0 {
		c.scope = c.caller.Scope(rt.needs[0])
	}
	return nil
}

// errHidden is the error of a device or payload that exists beyond the caller's reach. The caller is told that it does
// not exist.
type errHidden struct{ error }

func (e errHidden) Unwrap() error { return e.error }

// around returns the areas of the caller's scope that a device is in; fleet.ErrNotFound if it is in none.
func (c *call) around(ctx context.Context, id fleet.DeviceID) (fleet.Scope, error) {
	if c.scope.Everything() {
		return c.scope, nil
	}
	place, err := c.Devices.Place(ctx, id)
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
	*call
	*access.Sight
}

func (c *call) newSight() *sight {
	return &sight{call: c, Sight: access.NewSight(c.scope, c.Devices, c.Catalog)}
}

// action returns what the caller sees of an action on a device; nil: nothing.
func (s *sight) action(ctx context.Context, device fleet.DeviceID, a *action.Action) (*action.Action, error) {
	areas, err := s.Areas(ctx, device)
	if err != nil || len(areas) == 0 {
		return nil, err
	}
	if areas.Tags() == nil && !slices.ContainsFunc(a.Results, func(r action.Result) bool { return r.InPlace != "" }) {
		return a, nil
	}
	seen := *a
	seen.Results = nil
	for _, r := range a.Results {
		ok, err := s.Sees(ctx, device, r.Payload)
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
	return s.SeesChange(ctx, e.Device, e.Result)
}

// reach lists the payloads of a device that the caller can name; nil: all.
func (c *call) reach(ctx context.Context, id fleet.DeviceID) ([]action.PayloadID, error) {
	areas, err := c.around(ctx, id)
	if err != nil || areas.Tags() == nil {
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
	if _, err := c.around(ctx, id); err != nil {
		return nil, err
	}
	list, err := c.Engine.Payloads(ctx, id)
	if err != nil {
		return nil, err
	}
	s := c.newSight()
	seen := make([]*action.Payload, 0, len(list))
	for _, p := range list {
		ok, err := s.Sees(ctx, id, p.ID)
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

// group checks that the caller's scope reaches the group that the path names; catalog.ErrNotFound if not.
func (c *call) group() (string, error) {
	id := lower(c.r.PathValue("id"))
	if limits := c.scope.Groups(); limits != nil && !slices.Contains(limits, id) {
		return "", errHidden{catalog.ErrNotFound}
	}
	return id, nil
}

// mayTarget refuses to touch assignments beyond the groups that the caller's scope is limited to.
func (c *call) mayTarget(ctx context.Context, list []catalog.Assignment) error {
	limits := c.scope.Groups()
	if limits == nil {
		return nil
	}
	for _, a := range list {
		switch a.Kind {
		case catalog.Group, catalog.ExcludeGroup:
			if slices.Contains(limits, lower(a.Target)) {
				continue
			}
		case catalog.OneDevice:
			if _, err := c.around(ctx, fleet.DeviceID(lower(a.Target))); err == nil {
				continue
			} else if !errors.Is(err, fleet.ErrNotFound) {
				return err
			}
		}
		return forbidden("'%s' may only assign to the groups and devices of their role, and this payload is assigned, or would be, beyond them.",
			c.caller.Name)
	}
	return nil
}

// mayTag refuses to give or take scope tags that the caller's scope does not have.
func (c *call) mayTag(old, fresh []string) error {
	limits := c.scope.Tags()
	if limits == nil {
		return nil
	}
	if len(fresh) == 0 {
		fresh = []string{fleet.DefaultTag}
	}
	for _, tag := range slices.Concat(old, fresh) {
		if slices.Contains(old, tag) != slices.Contains(fresh, tag) && !slices.Contains(limits, tag) {
			return forbidden("'%s' may not give or take the scope tag %s.", c.caller.Name, clip(tag))
		}
	}
	return nil
}

// rightsOf are the rights on a kind of payload.
type rightsOf struct{ read, create, update, delete, assign access.Right }

var (
	configurationRights = rightsOf{access.ReadConfigurations, access.CreateConfigurations, access.UpdateConfigurations,
		access.DeleteConfigurations, access.AssignConfigurations}
	appRights = rightsOf{access.ReadApps, access.CreateApps, access.UpdateApps, access.DeleteApps, access.AssignApps}
)
