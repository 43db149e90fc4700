package graph

import (
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// bindMembers refers to devices that are put into a group. As in Graph, at most twenty at once.
const (
	bindMembers = "members@odata.bind"
	mostBound   = 20
)

// deviceSets are the collections in which references to devices may be.
var deviceSets = []string{"managedDevices", "comanagedDevices", "devices", "directoryObjects"}

// readGroup reads what a body sets of a group. Every group here is a security group without mail.
func readGroup(body *odata.Object) (patch catalog.GroupPatch, members []fleet.DeviceID, err error) {
	if err := body.Only("displayName", "description", "mailEnabled", "mailNickname",
		"securityEnabled", bindMembers); err != nil {
		return patch, nil, err
	}
	for name, only := range map[string]bool{"mailEnabled": false, "securityEnabled": true} {
		if v := body.Values[name]; v != nil && v != only {
			return patch, nil, odata.BadRequest(name, "Property '%s' can only be %t.", name, only)
		}
	}
	err = body.Read(odata.Readers{"displayName": body.Edits(&patch.DisplayName),
		"description":  body.Edits(&patch.Description),
		"mailNickname": body.Edits(&patch.Nickname)})
	if err != nil {
		return patch, nil, err
	}
	members, err = readMembers(body)
	return patch, members, err
}

// readMembers reads the references to devices that a body puts into a group.
func readMembers(body *odata.Object) ([]fleet.DeviceID, error) {
	references, err := body.OptionalTexts(bindMembers)
	if err != nil {
		return nil, err
	}
	if len(references) > mostBound {
		return nil, odata.BadRequest(bindMembers,
			"Property '%s' names %d devices; at most %d are possible at once.", bindMembers,
			len(references), mostBound)
	}
	devices := make([]fleet.DeviceID, len(references))
	for i, reference := range references {
		id, ok := referred(reference, deviceSets...)
		if !ok {
			element := fmt.Sprintf("%s[%d]", bindMembers, i)
			return nil, odata.BadRequest(element,
				"Property '%s' must be the URL of a device, ending in managedDevices/ and its id.",
				element)
		}
		devices[i] = fleet.DeviceID(lower(id))
	}
	return devices, nil
}

// updateGroup is PATCH of a group. As in Graph it answers with nothing.
func (c *call) updateGroup() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	patch, members, err := readGroup(body)
	if err != nil {
		return err
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	changes := []access.Change{{Group: id}}
	for _, device := range members {
		changes = append(changes, access.Change{Group: id, Device: device})
	}
	for _, change := range changes {
		if err := c.mayChange(change); err != nil {
			return err
		}
	}
	if err := c.config.Catalog.UpdateGroup(c.req.Context(), id, patch, members,
		c.sameGroup); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}
