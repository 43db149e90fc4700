package graph

import (
	"net/url"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// members reads one page of a group's members.
func (c *call) members(part string, show func(*fleet.Device) odata.Fields) error {
	after, size, err := c.req.PageByID()
	if err != nil {
		return err
	}
	counts, err := c.req.WantsCount()
	if err != nil {
		return err
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	page := odata.Page{Collection: "groups/" + id + "/" + part}
	if page.Value, page.Next, err = c.memberPage(id, after, size, show); err != nil {
		return err
	}
	if c.castsMembersAway() {
		page.Value, page.Next = []odata.Fields{}, ""
	}
	if counts {
		n, err := c.memberCount(id)
		if err != nil {
			return err
		}
		page.Count = &n
	}
	return c.req.ReplyPage(page)
}

// castsMembersAway reports whether the path casts members to a type that none of them is of.
func (c *call) castsMembersAway() bool {
	cast := c.req.Cast()
	return cast != "" && cast != memberType
}

func membersPath(group string) string { return "groups/" + group + "/" + expandMembers }

// countMembers counts those that the caller reaches.
func (c *call) countMembers() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	if _, err := c.config.Catalog.GetGroup(c.req.Context(), id); err != nil {
		return err
	}
	n, err := c.memberCount(id)
	if err != nil {
		return err
	}
	return c.req.ReplyCount(n)
}

func (c *call) memberCount(group string) (int, error) {
	if c.castsMembersAway() {
		return 0, nil
	}
	where := query.All{fleet.Member(group)}
	if !c.scope.Everything() {
		where = append(where, fleet.Within(c.scope))
	}
	return c.config.Devices.CountDevices(c.req.Context(), where)
}

// memberPage reads the members of a group that come after one, as far as the caller reaches them,
// and the $skiptoken of the next page.
func (c *call) memberPage(group, after string, size int,
	show func(*fleet.Device) odata.Fields) (value []odata.Fields, next string, err error) {
	if _, err := c.config.Catalog.GetGroup(c.req.Context(), group); err != nil {
		return nil, "", err
	}
	where := query.All{fleet.Member(group), query.Comparison{Field: fleet.ByID,
		Operator: query.Greater, Value: after}}
	if !c.scope.Everything() {
		where = append(where, fleet.Within(c.scope))
	}
	list, err := c.config.Devices.Devices(c.req.Context(),
		query.Query{Where: where, OrderBy: []query.Order{{Field: fleet.ByID}}, Limit: size + 1})
	if err != nil {
		return nil, "", err
	}
	seen, next := odata.SplitPage(list.Items, size,
		func(d fleet.Device) string { return string(d.ID) })
	value = make([]odata.Fields, len(seen))
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
func (c *call) expandedMembers(group string, wanted []string) (odata.Fields, error) {
	if !slices.Contains(wanted, expandMembers) {
		return nil, nil
	}
	value, next, err := c.memberPage(group, "", mostExpanded, memberFields)
	if err != nil {
		return nil, err
	}
	f := odata.Fields{{expandMembers, value}}
	if next != "" {
		link := c.req.URL(membersPath(group) + "?" + odata.OptionSkipToken + "=" +
			url.QueryEscape(next))
		f = append(f, odata.Field{expandMembers + "@odata.nextLink", link})
	}
	return f, nil
}

// memberType is Graph's type of all members.
const memberType = "device"

// memberFields shows a member as Graph's device type.
func memberFields(d *fleet.Device) odata.Fields {
	return odata.Fields{{"@odata.type", "#" + odata.GraphNamespace + memberType}, {"id", d.ID},
		{"deviceId", d.ID},
		{"displayName", odata.TextOrNull(d.Name)},
		{"operatingSystem", odata.TextOrNull(string(d.Platform))},
		{"operatingSystemVersion", odata.TextOrNull(d.OSVersion)}}
}

// memberShape is what $select may name of a member: what Graph's type of devices has.
var memberShape = newShape(memberType, odata.Properties{{"id", odata.String},
	{"deviceId", odata.String}, {"displayName", odata.String},
	{"operatingSystem", odata.String}, {"operatingSystemVersion", odata.String}})

func (c *call) listMembers() error { return c.listMembersAs(expandMembers) }

// listTransitiveMembers lists the same: there are no groups within groups.
func (c *call) listTransitiveMembers() error { return c.listMembersAs("transitiveMembers") }

func (c *call) listMembersAs(part string) error {
	show := memberFields
	if c.req.Options.Has(odata.OptionSelect) {
		selected, err := c.selected(memberShape)
		if err != nil {
			return err
		}
		show = func(d *fleet.Device) odata.Fields {
			f := memberFields(d)
			return append(f[:1:1], c.shown(memberShape, f[1:], selected)...)
		}
	}
	return c.members(part, show)
}

func (c *call) listMemberReferences() error {
	return c.members(expandMembers+"/$ref", func(d *fleet.Device) odata.Fields {
		return odata.Fields{{"@odata.id", c.req.URL("deviceManagement/managedDevices/" +
			string(d.ID))}}
	})
}

// addMember is POST …/members/$ref with a reference to a device.
func (c *call) addMember() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only(); err != nil {
		return err
	}
	reference, err := body.RequiredText("@odata.id")
	if err != nil {
		return err
	}
	id, ok := referred(reference, deviceSets...)
	if !ok {
		return odata.BadRequest("@odata.id",
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
	if err := c.config.Catalog.AddMember(c.req.Context(), group, device); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}

func (c *call) removeMember() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	device := fleet.DeviceID(lower(c.req.PathValue("device")))
	if err := c.mayChange(access.Change{Group: id, Device: device}); err != nil {
		return err
	}
	if err := c.config.Catalog.RemoveMember(c.req.Context(), id, device); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}
