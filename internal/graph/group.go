package graph

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

func groupRoutes() []route {
	const groups, group = versionPath + "groups", versionPath + "groups/{id}"
	return []route{
		{method: "GET", pattern: groups, name: "groups.list", options: queryOptions, needs: may(access.ReadGroups), handle: (*call).listGroups},
		{method: "GET", pattern: groups + countSuffix, name: "groups.count", options: countOptions, needs: may(access.ReadGroups), handle: (*call).listGroups},
		{method: "POST", pattern: groups, name: "groups.create", needs: may(access.CreateGroups), handle: (*call).createGroup},
		{method: "GET", pattern: group, name: "groups.get", options: []string{optionSelect}, needs: may(access.ReadGroups), handle: (*call).getGroup},
		{method: "DELETE", pattern: group, name: "groups.delete", needs: may(access.DeleteGroups), handle: (*call).deleteGroup},
		{method: "GET", pattern: group + "/members", name: "groups.listMembers", options: []string{optionTop, optionSkipToken},
			needs: may(access.ReadGroups), handle: (*call).listMembers},
		{method: "GET", pattern: group + "/members/$ref", name: "groups.listMemberReferences",
			options: []string{optionTop, optionSkipToken}, needs: may(access.ReadGroups), handle: (*call).listMemberReferences},
		{method: "POST", pattern: group + "/members/$ref", name: "groups.addMember", needs: may(access.UpdateGroups), handle: (*call).addMember},
		{method: "DELETE", pattern: group + "/members/{device}/$ref", name: "groups.removeMember",
			needs: may(access.UpdateGroups), handle: (*call).removeMember},
	}
}

var groupProperties = []string{"id", "displayName", "description", "createdDateTime", "groupTypes", "mailEnabled",
	"securityEnabled"}

// groupListing is what the options take of groups.
var groupListing = &listing{
	filters: map[string]comparer{
		"id": textField(catalog.ByID), "displayName": textField(catalog.ByDisplayName), "description": textField(catalog.ByDescription),
		"createdDateTime": timeField(catalog.ByCreated), "mailEnabled": constField(false), "securityEnabled": constField(true),
		"groupTypes": emptyField{},
	},
	orders: map[string]query.Field{"id": catalog.ByID, "displayName": catalog.ByDisplayName, "createdDateTime": catalog.ByCreated},
	search: map[string]query.Field{"displayName": catalog.ByDisplayName, "description": catalog.ByDescription},
}

// groupFields shows a group of devices as what Graph calls a security group.
func groupFields(g *catalog.DeviceGroup) fields {
	return fields{
		{"id", g.ID},
		{"displayName", g.DisplayName},
		{"description", textOrNull(g.Description)},
		{"createdDateTime", timestamp(g.Created)},
		{"groupTypes", []string{}},
		{"mailEnabled", false},
		{"securityEnabled", true},
	}
}

func (c *call) listGroups() error {
	selected, err := c.selected(groupProperties)
	if err != nil {
		return err
	}
	var within query.Condition
	if only := c.scope.Groups(); only != nil {
		within = query.OneOf{Field: catalog.ByID, Values: only}
	}
	return serveList(c, "groups", groupListing, within, c.Catalog.ListGroups, func(g *catalog.DeviceGroup) (fields, error) {
		return groupFields(g).pick(selected), nil
	})
}

func (c *call) getGroup() error {
	selected, err := c.selected(groupProperties)
	if err != nil {
		return err
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	g, err := c.Catalog.GetGroup(c.r.Context(), id)
	if err != nil {
		return err
	}
	return c.replyGroup(http.StatusOK, g, selected)
}

func (c *call) replyGroup(status int, g *catalog.DeviceGroup, selected []string) error {
	c.tag(groupTag(g))
	context := c.contextURL("groups") + "/$entity"
	return c.reply(status, append(fields{{"@odata.context", context}, {etagProperty, quoted(groupTag(g))}}, groupFields(g).pick(selected)...))
}

// createGroup takes what Graph requires of a new group. Groups here have no mail, so mailNickname has no effect.
func (c *call) createGroup() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only("displayName", "description", "mailEnabled", "mailNickname", "securityEnabled"); err != nil {
		return err
	}
	for name, only := range map[string]bool{"mailEnabled": false, "securityEnabled": true} {
		if v := body.values[name]; v != nil && v != only {
			return badRequest(name, "Property '%s' can only be %t.", name, only)
		}
	}
	var in catalog.GroupInput
	if in.DisplayName, err = body.requiredText("displayName"); err != nil {
		return err
	}
	if in.Description, _, err = body.text("description"); err != nil {
		return err
	}
	if c.scope.Groups() != nil {
		return forbidden("'%s' is limited to some groups, and may not make others.", c.caller.Name)
	}
	g, err := c.Catalog.CreateGroup(c.r.Context(), in)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.base()+c.version()+"groups/"+g.ID)
	return c.replyGroup(http.StatusCreated, g, groupProperties)
}

func (c *call) deleteGroup() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	if err := c.Catalog.DeleteGroup(c.r.Context(), id, c.sameGroup); err != nil {
		return err
	}
	return c.noContent()
}

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
	list, err := c.Catalog.Members(c.r.Context(), id, fleet.DeviceID(after), size+1)
	if err != nil {
		return err
	}
	list, next := cut(list, size, func(d fleet.DeviceID) string { return string(d) })
	page := page{collection: "groups/" + id + "/members" + suffix, next: next, value: []fields{}}
	for _, device := range list {
		if _, err := c.around(c.r.Context(), device); errors.Is(err, fleet.ErrNotFound) {
			continue
		} else if err != nil {
			return err
		}
		shown, err := show(device)
		if err != nil {
			return err
		}
		page.value = append(page.value, shown)
	}
	return c.list(page)
}

// listMembers shows members as Graph's device type.
func (c *call) listMembers() error {
	return c.members("", func(id fleet.DeviceID) (fields, error) {
		d, err := c.Devices.Device(c.r.Context(), id)
		if err != nil {
			return nil, err
		}
		return fields{{"@odata.type", "#microsoft.graph.device"}, {"id", d.ID}, {"deviceId", d.ID},
			{"displayName", textOrNull(d.Name)}, {"operatingSystem", textOrNull(string(d.Platform))},
			{"operatingSystemVersion", textOrNull(d.OSVersion)}}, nil
	})
}

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
