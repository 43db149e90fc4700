package catalog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// GroupInput is a group to create.
type GroupInput struct {
	DisplayName string
	Description string
	Nickname    string
}

// GroupPatch is an edit of a group. Nil: it stays.
type GroupPatch struct {
	DisplayName, Description, Nickname *string
}

// maxNickname is the most characters of Graph's mailNickname.
const maxNickname = 64

// CreateGroup adds an empty group. The error is an *invalid.Input if the input is at fault.
func (c *Catalog) CreateGroup(ctx context.Context, in GroupInput) (*DeviceGroup, error) {
	if err := checkNames(in.DisplayName, in.Description); err != nil {
		return nil, err
	}
	if err := checkNickname(in.Nickname); err != nil {
		return nil, err
	}
	g := &DeviceGroup{ID: c.newID(), DisplayName: in.DisplayName, Description: in.Description,
		Nickname: in.Nickname, Created: c.now().UTC()}
	if err := c.store.UpdateCatalog(ctx, func(tx Tx) error {
		noteGroup(ctx, nil, g)
		return tx.InsertGroup(ctx, g)
	}); err != nil {
		return nil, err
	}
	return g, nil
}

func checkNickname(name string) error {
	if utf8.RuneCountInString(name) > maxNickname {
		return &invalid.Input{Property: "mailNickname",
			Reason: fmt.Sprintf("has more than %d characters", maxNickname)}
	}
	return nil
}

// UpdateGroup edits a group, and puts devices into it that are not in it yet: all of it or nothing.
// The error is ErrNotFound, fleet.ErrNotFound for a device that does not exist, an *invalid.Input if
// the patch is at fault, or that of a condition on the group as it stands.
func (c *Catalog) UpdateGroup(ctx context.Context, id string, patch GroupPatch,
	members []fleet.DeviceID, only ...func(*DeviceGroup) error) error {
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		current, err := tx.Group(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(current, only); err != nil {
			return err
		}
		g := *current
		set(&g.DisplayName, patch.DisplayName)
		set(&g.Description, patch.Description)
		set(&g.Nickname, patch.Nickname)
		if err := errors.Join(checkNames(g.DisplayName, g.Description),
			checkNickname(g.Nickname)); err != nil {
			return err
		}
		if g != *current {
			noteGroup(ctx, current, &g)
			if err := tx.UpdateGroup(ctx, &g); err != nil {
				return err
			}
		}
		for _, device := range members {
			if err := addMember(ctx, tx, &g, device); err != nil {
				return err
			}
		}
		return nil
	})
}

// GetGroup returns a group; ErrNotFound if there is none.
func (c *Catalog) GetGroup(ctx context.Context, id string) (g *DeviceGroup, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		g, err = tx.Group(ctx, strings.ToLower(id))
		return err
	})
	return g, err
}

// ListGroups returns the groups that a query selects.
func (c *Catalog) ListGroups(ctx context.Context,
	q query.Query) (page query.Page[*DeviceGroup], err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		page, err = tx.Groups(ctx, q)
		return err
	})
	return page, err
}

// DeleteGroup deletes a group with the assignments to it. The error is ErrNotFound, or that of a
// condition on the group as it stands.
func (c *Catalog) DeleteGroup(ctx context.Context, id string,
	only ...func(*DeviceGroup) error) error {
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		g, err := tx.Group(ctx, strings.ToLower(id))
		if err != nil {
			return err
		}
		if err := fulfils(g, only); err != nil {
			return err
		}
		noteGroup(ctx, g, nil)
		return tx.DeleteGroup(ctx, g.ID)
	})
}

// AddMember puts a device into a group. A device that is in it already stays. The error is
// ErrNotFound if there is no such group, fleet.ErrNotFound if there is no such device.
func (c *Catalog) AddMember(ctx context.Context, group string, device fleet.DeviceID) error {
	group, device = strings.ToLower(group), fleet.DeviceID(strings.ToLower(string(device)))
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		g, err := tx.Group(ctx, group)
		if err != nil {
			return err
		}
		return addMember(ctx, tx, g, device)
	})
}

// addMember puts a device into a group, within a transaction.
func addMember(ctx context.Context, tx Tx, g *DeviceGroup, device fleet.DeviceID) error {
	ok, err := tx.DeviceExists(ctx, device)
	if err != nil {
		return err
	}
	if !ok {
		return fleet.ErrNotFound
	}
	added, err := tx.AddMember(ctx, g.ID, device)
	noteMember(ctx, g, device, !added, true)
	if err != nil || !added {
		return err
	}
	return tx.RecordChange(ctx, Change{Kind: OneDevice, Target: string(device)})
}

// RemoveMember takes a device out of a group. The error is ErrNotFound if there is no such group,
// fleet.ErrNotFound if the device is not in it.
func (c *Catalog) RemoveMember(ctx context.Context, group string, device fleet.DeviceID) error {
	group, device = strings.ToLower(group), fleet.DeviceID(strings.ToLower(string(device)))
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		g, err := tx.Group(ctx, group)
		if err != nil {
			return err
		}
		removed, err := tx.RemoveMember(ctx, group, device)
		if err != nil {
			return err
		}
		if !removed {
			return fleet.ErrNotFound
		}
		noteMember(ctx, g, device, true, false)
		return tx.RecordChange(ctx, Change{Kind: OneDevice, Target: string(device)})
	})
}

// Members lists a group's devices by ascending id from behind after, at most limit; ErrNotFound if
// there is no such group.
func (c *Catalog) Members(ctx context.Context, group string, after fleet.DeviceID,
	limit int) (list []fleet.DeviceID, err error) {
	group = strings.ToLower(group)
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		if _, err := tx.Group(ctx, group); err != nil {
			return err
		}
		list, err = tx.Members(ctx, group, after, limit)
		return err
	})
	return list, err
}
