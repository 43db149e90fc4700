package graph

import (
	"context"
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// mayChange decides whether one area alone holds a change. What the caller does not see is not
// there.
func (c *call) mayChange(change access.Change) error {
	return c.decide(func(ctx context.Context, tx access.Tx) error {
		if c.scope.Everything() {
			return nil
		}
		if err := c.seesChanged(ctx, tx, &change); err != nil {
			return err
		}
		if areas, err := change.In(ctx, tx, c.scope); err != nil || len(areas) > 0 {
			return err
		}
		return c.explainBeyondReach(ctx, tx, change)
	})
}

// seesChanged returns the error of the first thing that is touched and not seen, as if it did not
// exist.
func (c *call) seesChanged(ctx context.Context, tx access.Tx, change *access.Change) error {
	if change.Payload != "" {
		tags, err := tx.PayloadTags(ctx, change.Payload)
		if err == nil && !c.scope.Reaches(tags) {
			err = errHidden{catalog.ErrNotFound}
		}
		if err != nil {
			return err
		}
	}
	if change.Device != "" {
		place, err := tx.Place(ctx, change.Device)
		if err == nil && len(c.scope.Around(place)) == 0 {
			err = errHidden{fleet.ErrNotFound}
		}
		if err != nil {
			return err
		}
	}
	if change.Group != "" && !c.scope.Names(change.Group) {
		return errHidden{catalog.ErrNotFound}
	}
	for i, to := range change.Targets {
		if err := c.seesTarget(ctx, tx, to, i); err != nil {
			return err
		}
	}
	return nil
}

// seesTarget returns the catalog's own error of a target that does not exist if the caller does not
// see it.
func (c *call) seesTarget(ctx context.Context, tx access.Tx, to catalog.Assignment, i int) error {
	switch to.Kind {
	case catalog.Group, catalog.ExcludeGroup:
		exists, err := tx.GroupExists(ctx, to.Target)
		if err != nil || exists && (c.scope.Names(to.Target) ||
			c.caller.Scope(access.ReadGroups).Names(to.Target)) {
			return err
		}
	case catalog.OneDevice:
		place, err := tx.Place(ctx, fleet.DeviceID(to.Target))
		if errors.Is(err, fleet.ErrNotFound) {
			break
		}
		if err != nil || len(c.scope.Around(place)) > 0 ||
			len(c.caller.Scope(access.ReadDevices).Around(place)) > 0 {
			return err
		}
	default:
		return nil
	}
	return catalog.NoTarget(to, i)
}

// explainBeyondReach says why no area holds a change of what the caller sees.
func (c *call) explainBeyondReach(ctx context.Context, tx access.Tx, change access.Change) error {
	if tags := change.Tags; tags != nil {
		change.Tags = nil
		areas, err := change.In(ctx, tx, c.scope)
		if err != nil {
			return err
		}
		if len(areas) > 0 {
			foreign, err := change.Foreign(ctx, tx, areas[0], tags)
			if err != nil {
				return err
			}
			return forbidden("'%s' may not give or take the scope tag %s.", c.caller.Name,
				odata.Clip(foreign))
		}
	}
	switch {
	case change.CreatesGroup:
		return forbidden("'%s' is limited to some groups, and may not make others.", c.caller.Name)
	case change.DeletesGroup:
		return forbidden("'%s' may only delete a group of which all devices, and all that is assigned to it, are within one of their role assignments.",
			c.caller.Name)
	case change.Payload != "":
		return forbidden("'%s' may only change, and assign to, what is all within one of their role assignments: this payload is assigned, or "+
			"would be, to devices beyond it.", c.caller.Name)
	default:
		return forbidden("'%s' may only do this where one of their role assignments holds both the device and the group.", c.caller.Name)
	}
}

// errMoved is the error of a call that was decided on what has changed since.
func errMoved() *odata.Fault {
	return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
		Message: "Roles, groups or scope tags changed while this call was made. Nothing was changed; make it again."}
}

// mayAct decides on an action: the caller reaches the device and, of its payloads, at least those
// that were found.
func (c *call) mayAct(device fleet.DeviceID, reach []action.PayloadID) error {
	return c.decide(func(ctx context.Context, tx access.Tx) error {
		place, err := tx.Place(ctx, device)
		if err != nil {
			return err
		}
		areas := c.scope.Around(place)
		switch {
		case len(areas) == 0:
			return errHidden{fleet.ErrNotFound}
		case areas.AllPayloads():
			return nil
		case reach == nil: // all of them, then
			return errMoved()
		}
		for _, id := range reach {
			tags, err := tx.PayloadTags(ctx, id)
			if err == nil && !areas.Reaches(tags) || errors.Is(err, catalog.ErrNotFound) {
				err = errMoved()
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// taggedBy are the scope tags of what the caller makes: those that are given, else those of the
// area that it comes to belong to. Nil: the default.
func (c *call) taggedBy(given []string) ([]string, error) {
	if given != nil {
		return given, nil
	}
	area, ok := access.Choose(c.scope)
	if !ok {
		return nil, odata.BadRequest(tagProperty,
			"Property '%s' is required: your role assignments are limited to different scope tags. Name those of one of them.",
			tagProperty)
	}
	return area.Tags, nil
}

// seesTags reports whether the caller sees a payload with these tags.
func (c *call) seesTags(tags []string) bool { return c.scope.Reaches(tags) }
