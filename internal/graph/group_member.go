package graph

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// members reads one page of a group's members.
func (c *call) members(suffix string, show func(fleet.DeviceID) (fields, error)) error {
	after, size, err := c.plainPage()
	if err != nil {
		return err
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	value, next, err := c.memberPage(id, after, size, show)
	if err != nil {
		return err
	}
	return c.list(page{collection: membersPath(id) + suffix, next: next, value: value})
}

func membersPath(group string) string { return "groups/" + group + "/members" }

// memberPage reads the members of a group from behind one on, as far as the caller reaches them, and the $skiptoken of the
// next page.
func (c *call) memberPage(group, after string, size int, show func(fleet.DeviceID) (fields, error)) (value []fields, next string, err error) {
	list, err := c.Catalog.Members(c.r.Context(), group, fleet.DeviceID(after), size+1)
	if err != nil {
		return nil, "", err
	}
	list, next = cut(list, size, func(d fleet.DeviceID) string { return string(d) })
	value = []fields{}
	for _, device := range list {
		if _, err := c.around(c.r.Context(), device); errors.Is(err, fleet.ErrNotFound) {
			continue
		} else if err != nil {
			return nil, "", err
		}
		shown, err := show(device)
		if err != nil {
			return nil, "", err
		}
		value = append(value, shown)
	}
	return value, next, nil
}

// expandMembers is what $expand may name of a group. As in Graph, it shows the first twenty.
const (
	expandMembers = "members"
	mostExpanded  = 20
)

// expandedMembers are the first members of a group with a link to the rest, if they are wanted.
func (c *call) expandedMembers(group string, wanted []string) (fields, error) {
	if !slices.Contains(wanted, expandMembers) {
		return nil, nil
	}
	value, next, err := c.memberPage(group, "", mostExpanded, c.memberFields)
	if err != nil {
		return nil, err
	}
	f := fields{{expandMembers, value}}
	if next != "" {
		link := c.base() + c.version() + membersPath(group) + "?" + optionSkipToken + "=" + url.QueryEscape(next)
		f = append(f, field{expandMembers + "@odata.nextLink", link})
	}
	return f, nil
}

// memberFields shows a member as Graph's device type.
func (c *call) memberFields(id fleet.DeviceID) (fields, error) {
	d, err := c.Devices.Device(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	return fields{{"@odata.type", "#microsoft.graph.device"}, {"id", d.ID}, {"deviceId", d.ID},
		{"displayName", textOrNull(d.Name)}, {"operatingSystem", textOrNull(string(d.Platform))},
		{"operatingSystemVersion", textOrNull(d.OSVersion)}}, nil
}

func (c *call) listMembers() error { return c.members("", c.memberFields) }

func (c *call) listMemberReferences() error {
	return c.members("/$ref", func(id fleet.DeviceID) (fields, error) {
		return fields{{"@odata.id", c.base() + c.version() + "deviceManagement/managedDevices/" + string(id)}}, nil
	})
}

// addMember is POST …/members/$ref with a reference to a device.
func (c *call) addMember() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only(); err != nil {
		return err
	}
	reference, err := body.requiredText("@odata.id")
	if err != nil {
		return err
	}
	device, ok := referredDevice(reference)
	if !ok {
		return badRequest("@odata.id",
			"Property '@odata.id' must be the URL of a device, ending in managedDevices/ and its id.")
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	if _, err := c.around(c.r.Context(), fleet.DeviceID(lower(string(device)))); err != nil {
		return err
	}
	if err := c.Catalog.AddMember(c.r.Context(), id, device); err != nil {
		return err
	}
	return c.noContent()
}

// referredDevice reads the device out of a reference: the last two segments of its URL.
func referredDevice(reference string) (fleet.DeviceID, bool) {
	u, err := url.Parse(reference)
	if err != nil {
		return "", false
	}
	segments := strings.Split(u.Path, "/")
	if len(segments) < 2 {
		return "", false
	}
	switch id := segments[len(segments)-1]; segments[len(segments)-2] {
	case "managedDevices", "comanagedDevices", "devices", "directoryObjects":
		return fleet.DeviceID(id), id != ""
	default:
		return "", false
	}
}

func (c *call) removeMember() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	device := fleet.DeviceID(lower(c.r.PathValue("device")))
	if _, err := c.around(c.r.Context(), device); err != nil {
		return err
	}
	if err := c.Catalog.RemoveMember(c.r.Context(), id, device); err != nil {
		return err
	}
	return c.noContent()
}
