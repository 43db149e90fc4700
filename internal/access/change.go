package access

import (
	"context"
	"errors"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Change is all that one operation touches. It is allowed where one single area holds all of it:
// what one assignment lets somebody do and where another lets them do other things never add up.
type Change struct {
	Payload action.PayloadID     // with all to whom it is assigned; empty: none
	Targets []catalog.Assignment // to whom a payload is to be assigned, with ids in lower case
	Device  fleet.DeviceID       // empty: none
	Group   string               // to be named, in lower case; empty: none
	// the group is to be deleted, with its members and the assignments to it
	Ends bool
	// a group is to be made, which is in no area that is limited to groups
	Founds bool
	// nothing but the tags changes: who is not limited to groups touches no device by that
	Marks bool
	// to be carried by the payload or else the device, or by what is made; nil: they stay
	Tags []string
}

// In returns the areas of a scope that hold all of the change.
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
			return false, absent(err, catalog.ErrNotFound)
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

// devicesIn reports whether an area has all devices to which the payload is assigned, as far as the
// change touches them.
func (ch *Change) devicesIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	if ch.Marks && a.Groups == nil {
		return true, nil
	}
	list, err := tx.Targets(ctx, ch.Payload)
	if err != nil {
		return false, err
	}
	return hold(ctx, tx, a, list)
}

// Foreign returns the first tag that would be given or taken, if these replaced those of what is
// changed, and that an area does not have; empty: there is none.
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
		return false, absent(err, fleet.ErrNotFound)
	}
	return a.Device(place) && (ch.Tags == nil || a.Foreign(place.Tags, ch.Tags) == ""), nil
}

func (ch *Change) groupIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	switch {
	case ch.Founds:
		return a.Groups == nil, nil
	case ch.Group == "":
		return true, nil
	case !a.Group(ch.Group) || !ch.Ends:
		return a.Group(ch.Group), nil
	}
	devices, payloads, err := tx.GroupBeyond(ctx, ch.Group, a)
	return !devices && !payloads, err
}

func (ch *Change) targetsIn(ctx context.Context, tx Tx, a fleet.Area) (bool, error) {
	return hold(ctx, tx, a, ch.Targets)
}

// hold reports whether an area has every device that the assignments reach, now.
func hold(ctx context.Context, tx Tx, a fleet.Area, list []catalog.Assignment) (bool, error) {
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
				return false, absent(err, fleet.ErrNotFound)
			}
		default: // all devices
			if !a.Everything() {
				return false, nil
			}
		}
	}
	return true, nil
}

// absent is no error if it says that there is no such thing.
func absent(err, none error) error {
	if errors.Is(err, none) {
		return nil
	}
	return err
}

// Choose returns the area that what somebody makes belongs to: the first that has no limits, else
// the first. More than one that differs in its tags is no choice; ok is false then.
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
