package access

import (
	"context"
	"errors"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Change describes everything that one operation touches. It is allowed only if a single area of
// the caller's scope contains all of it.
//
// One area must do, because areas never add up: somebody whose one assignment covers the group
// Berlin, and whose other one covers the tag Shops, may not touch what is half in the one and half
// in the other. So it is not enough that each part of the change is in some area.
type Change struct {
	// Payload is the payload, with all devices to which it is assigned; empty: none.
	Payload action.PayloadID
	Targets []catalog.Assignment // to whom the payload is to be assigned, with ids in lower case
	Device  fleet.DeviceID       // the device; empty: none
	Group   string               // a group that the operation names, in lower case; empty: none
	// DeletesGroup says that the group is deleted, with its memberships and the assignments to it.
	DeletesGroup bool
	// CreatesGroup says that a group is created. A new group is in no area that is limited to
	// groups.
	CreatesGroup bool
	// TagsOnly says that only tags change. Then an area without a limit to groups need not contain
	// the devices, because changing tags changes nothing on a device.
	TagsOnly bool
	// Tags are the scope tags that the payload, or else the device, or what is created, is to
	// carry; nil: they stay as they are.
	Tags []string
}

// In returns the areas of a scope that each contain all of the change; empty: the scope does not
// allow it.
func (ch *Change) In(ctx context.Context, tx Tx,
	scope fleet.Scope) (holding fleet.Scope, err error) {
	for _, a := range scope {
		ok, err := ch.in(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		if ok {
			holding = append(holding, a)
		}
	}
	return holding, nil
}

func (ch *Change) in(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	if a.Everything() {
		return true, nil
	}
	for _, part := range []func(context.Context, Tx, fleet.Area) (bool,
		error){ch.payloadIn, ch.deviceIn, ch.groupIn, ch.targetsIn} {
		if ok, err := part(ctx, tx, a); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (ch *Change) payloadIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	var tags []string
	if ch.Payload != "" {
		var err error
		if tags, err = tx.PayloadTags(ctx, ch.Payload); err != nil {
			return false, ignoreMissing(err, catalog.ErrNotFound)
		}
		if !a.Payload(tags) {
			return false, nil
		}
		if ok, err := ch.devicesIn(ctx, tx, a); err != nil || !ok {
			return false, err
		}
	}
	return ch.Tags == nil || ch.Device != "" || a.Foreign(tags, ch.Tags) == "", nil
}

// devicesIn reports whether an area contains all devices to which the payload is assigned, as far
// as the change touches them.
func (ch *Change) devicesIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	if ch.TagsOnly && a.Groups == nil {
		return true, nil
	}
	list, err := tx.Targets(ctx, ch.Payload)
	if err != nil {
		return false, err
	}
	return areaHoldsTargets(ctx, tx, a, list)
}

// Foreign returns the first tag that would be added or removed if the tags fresh replaced the
// present ones, and that the area does not have; empty: there is none.
func (ch *Change) Foreign(ctx context.Context, tx Tx, a fleet.Area,
	fresh []string) (string, error) {
	var old []string
	var err error
	switch {
	case ch.Payload != "":
		old, err = tx.PayloadTags(ctx, ch.Payload)
	case ch.Device != "":
		var place fleet.Place
		place, err = tx.Place(ctx, ch.Device)
		old = place.Tags
	}
	return a.Foreign(old, fresh), err
}

func (ch *Change) deviceIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	if ch.Device == "" {
		return true, nil
	}
	place, err := tx.Place(ctx, ch.Device)
	if err != nil {
		return false, ignoreMissing(err, fleet.ErrNotFound)
	}
	return a.Device(place) && (ch.Tags == nil || a.Foreign(place.Tags, ch.Tags) == ""), nil
}

func (ch *Change) groupIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	switch {
	case ch.CreatesGroup:
		return a.Groups == nil, nil
	case ch.Group == "":
		return true, nil
	case !a.Group(ch.Group) || !ch.DeletesGroup:
		return a.Group(ch.Group), nil
	}
	devices, payloads, err := tx.GroupBeyond(ctx, ch.Group, a)
	return !devices && !payloads, err
}

func (ch *Change) targetsIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	return areaHoldsTargets(ctx, tx, a, ch.Targets)
}

// areaHoldsTargets reports whether an area contains every device that the assignments reach now.
func areaHoldsTargets(ctx context.Context, tx Tx, a fleet.Area,
	list []catalog.Assignment) (bool, error) {
	for _, to := range list {
		switch to.Kind {
		case catalog.Group, catalog.ExcludeGroup:
			if !a.Group(to.Target) {
				return false, nil
			}
			if devices, _, err := tx.GroupBeyond(ctx, to.Target, a); err != nil || devices {
				return false, err
			}
		case catalog.OneDevice:
			place, err := tx.Place(ctx, fleet.DeviceID(to.Target))
			if err != nil || !a.Device(place) {
				return false, ignoreMissing(err, fleet.ErrNotFound)
			}
		default: // all devices
			if !a.Everything() {
				return false, nil
			}
		}
	}
	return true, nil
}

// ignoreMissing returns nil if err says that a thing does not exist, and otherwise err.
func ignoreMissing(err, none error) error {
	if errors.Is(err, none) {
		return nil
	}
	return err
}

// Choose returns the area that belongs to what somebody creates: an area without limits if the
// scope has one, else the first area. ok is false if the areas differ in their tags, because then
// it is not clear which tags the new thing is to carry.
func Choose(scope fleet.Scope) (area fleet.Area, ok bool) {
	if scope.AllPayloads() || len(scope) == 0 {
		return fleet.Area{}, true
	}
	first := scope[0]
	same := !slices.ContainsFunc(scope, func(a fleet.Area) bool {
		return !slices.Equal(slices.Sorted(slices.Values(a.Tags)),
			slices.Sorted(slices.Values(first.Tags)))
	})
	return first, same
}
