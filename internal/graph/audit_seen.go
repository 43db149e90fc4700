package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// hideUnseen takes out of entries what their reader does not see, if they read only their own: an
// entry about a device tells what was off it beyond them, and what they once saw may be another's
// now.
func (c *call) hideUnseen(list []audit.Entry) error {
	if c.scope.Everything() {
		return nil
	}
	ctx := c.req.Context()
	return c.config.Roles.View(ctx, func(tx access.Tx) error {
		for i := range list {
			e := &list[i]
			e.Reason = strings.TrimPrefix(e.Reason, audit.Beyond)
			e.Objects = slices.Clone(e.Objects)
			for j := range e.Objects {
				if err := c.hideObject(ctx, tx, &e.Objects[j]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// removedNote is the property of a device, in the record, that names payloads.
const removedNote = "removedPayloads"

func (c *call) hideObject(ctx context.Context, tx access.Tx, o *audit.Object) error {
	switch {
	case o.Type == "managedDevice":
		place, err := tx.Place(ctx, fleet.DeviceID(o.ID))
		if err != nil && !errors.Is(err, fleet.ErrNotFound) {
			return err
		}
		areas := c.scope.Around(place)
		if len(areas) == 0 {
			o.Name, o.Before, o.After = "", nil, nil
			return nil
		}
		for _, noted := range []*json.RawMessage{&o.Before, &o.After} {
			if *noted, err = onlySeen(ctx, tx, areas, *noted); err != nil {
				return err
			}
		}
	case c.config.Forms.Of(o.Type) != nil:
		tags, err := tx.PayloadTags(ctx, action.PayloadID(o.ID))
		if errors.Is(err, catalog.ErrNotFound) {
			return nil // they deleted it themselves
		}
		if err == nil && !c.scope.Reaches(tags) {
			o.Name, o.Before, o.After = "", nil, nil
		}
		return err
	case o.Type == "group" && !c.scope.Names(o.ID):
		o.Name, o.Before, o.After = "", nil, nil
	}
	return nil
}

// onlySeen leaves of the payloads that are noted as removed those that one of a device's areas has.
func onlySeen(ctx context.Context, tx access.Tx, areas fleet.Scope,
	text json.RawMessage) (json.RawMessage, error) {
	noted := propertiesOf(text)
	var ids []action.PayloadID
	if areas.AllPayloads() || noted[removedNote] == nil ||
		json.Unmarshal(noted[removedNote], &ids) != nil {
		return text, nil
	}
	seen := []action.PayloadID{}
	for _, id := range ids {
		tags, err := tx.PayloadTags(ctx, id)
		if err != nil && !errors.Is(err, catalog.ErrNotFound) {
			return nil, err
		}
		if err == nil && areas.Reaches(tags) {
			seen = append(seen, id)
		}
	}
	var err error
	if noted[removedNote], err = json.Marshal(seen); err != nil {
		return nil, err
	}
	return json.Marshal(noted)
}
