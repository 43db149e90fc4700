package graph

import (
	"net/url"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// members reads one page of a group's members.
func (c *call) members(suffix string, show func(*fleet.Device) fields) error {
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
func (c *call) memberPage(group, after string, size int, show func(*fleet.Device) fields) (value []fields, next string, err error) {
	if _, err := c.Catalog.GetGroup(c.r.Context(), group); err != nil {
		return nil, "", err
	}
	where := query.All{fleet.Member(group), query.Comparison{Field: fleet.ByID, Operator: query.Greater, Value: after}}
	if !c.scope.Everything() {
		where = append(where, fleet.Within(c.scope))
	}
	list, err := c.Devices.Devices(c.r.Context(), query.Query{Where: where, OrderBy: []query.Order{{Field: fleet.ByID}}, Limit: size + 1})
	if err != nil {
		return nil, "", err
	}
	seen, next := cut(list.Items, size, func(d fleet.Device) string { return string(d.ID) })
	value = make([]fields, len(seen))
	for i := range seen {
		value[i] = show(&seen[i])
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
	value, next, err := c.memberPage(group, "", mostExpanded, memberFields)
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
func memberFields(d *fleet.Device) fields {
	return fields{{"@odata.type", "#microsoft.graph.device"}, {"id", d.ID}, {"deviceId", d.ID},
		{"displayName", textOrNull(d.Name)}, {"operatingSystem", textOrNull(string(d.Platform))},
		{"operatingSystemVersion", textOrNull(d.OSVersion)}}
}

func (c *call) listMembers() error { return c.members("", memberFields) }

func (c *call) listMemberReferences() error {
	return c.members("/$ref", func(d *fleet.Device) fields {
		return fields{{"@odata.id", c.base() + c.version() + "deviceManagement/managedDevices/" + string(d.ID)}}
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
	id, ok := referred(reference, "managedDevices", "comanagedDevices", "devices", "directoryObjects")
	if !ok {
		return badRequest("@odata.id",
			"Property '@odata.id' must be the URL of a device, ending in managedDevices/ and its id.")
	}
	device := fleet.DeviceID(lower(id))
	group, err := c.group()
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Group: group, Device: device}); err != nil {
		return err
	}
	if err := c.Catalog.AddMember(c.r.Context(), group, device); err != nil {
		return err
	}
	return c.noContent()
}

func (c *call) removeMember() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	device := fleet.DeviceID(lower(c.r.PathValue("device")))
	if err := c.mayChange(access.Change{Group: id, Device: device}); err != nil {
		return err
	}
	if err := c.Catalog.RemoveMember(c.r.Context(), id, device); err != nil {
		return err
	}
	return c.noContent()
}
