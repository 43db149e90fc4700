package catalog

import (
	"context"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// GroupInput is a group to create.
type GroupInput struct {
	DisplayName string
	Description string
}

// CreateGroup adds an empty group. The error is an *Invalid if the input is at fault.
func (c *Catalog) CreateGroup(ctx context.Context, in GroupInput) (*DeviceGroup, error) {
	if err := checkNames(in.DisplayName, in.Description); err != nil {
		return nil, err
	}
	g := &DeviceGroup{ID: c.newID(), DisplayName: in.DisplayName, Description: in.Description, Created: c.now().UTC()}
	if err := c.store.UpdateCatalog(ctx, func(tx Tx) error { return tx.InsertGroup(ctx, g) }); err != nil {
		return nil, err
	}
	return g, nil
}

// GetGroup returns a group; ErrNotFound if there is none.
func (c *Catalog) GetGroup(ctx context.Context, id string) (g *DeviceGroup, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		g, err = tx.Group(ctx, strings.ToLower(id))
		return err
	})
	return g, err
}

// ListGroups returns groups by ascending id from behind after, at most limit.
func (c *Catalog) ListGroups(ctx context.Context, after string, limit int) (list []*DeviceGroup, err error) {
	err = c.store.ViewCatalog(ctx, func(tx Tx) error {
		list, err = tx.Groups(ctx, strings.ToLower(after), limit)
		return err
	})
	return list, err
}

// DeleteGroup deletes a group with the assignments to it; ErrNotFound if there is none.
func (c *Catalog) DeleteGroup(ctx context.Context, id string) error {
	return c.store.UpdateCatalog(ctx, func(tx Tx) error { return tx.DeleteGroup(ctx, strings.ToLower(id)) })
}

// AddMember puts a device into a group. A device that is in it already stays. The error is ErrNotFound if there is no
// such group, fleet.ErrNotFound if there is no such device.
func (c *Catalog) AddMember(ctx context.Context, group string, device fleet.DeviceID) error {
	group, device = strings.ToLower(group), fleet.DeviceID(strings.ToLower(string(device)))
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		if _, err := tx.Group(ctx, group); err != nil {
			return err
		}
		ok, err := tx.DeviceExists(ctx, device)
		if err != nil {
			return err
		}
		if !ok {
			return fleet.ErrNotFound
		}
		added, err := tx.AddMember(ctx, group, device)
		if err != nil || !added {
			return err
		}
		return tx.RecordChange(ctx, Change{Kind: OneDevice, Target: string(device)})
	})
}

// RemoveMember takes a device out of a group. The error is ErrNotFound if there is no such group, fleet.ErrNotFound if
// the device is not in it.
func (c *Catalog) RemoveMember(ctx context.Context, group string, device fleet.DeviceID) error {
	group, device = strings.ToLower(group), fleet.DeviceID(strings.ToLower(string(device)))
	return c.store.UpdateCatalog(ctx, func(tx Tx) error {
		if _, err := tx.Group(ctx, group); err != nil {
			return err
		}
		removed, err := tx.RemoveMember(ctx, group, device)
		if err != nil {
			return err
		}
		if !removed {
			return fleet.ErrNotFound
		}
		return tx.RecordChange(ctx, Change{Kind: OneDevice, Target: string(device)})
	})
}

// Members lists a group's devices by ascending id from behind after, at most limit; ErrNotFound if there is no such
// group.
func (c *Catalog) Members(ctx context.Context, group string, after fleet.DeviceID, limit int) (list []fleet.DeviceID, err error) {
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
