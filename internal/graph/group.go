package graph

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

func groupRoutes() []route {
	const groups, group = versionPath + "groups", versionPath + "groups/{id}"
	return []route{
		{method: "GET", pattern: groups, name: "groups.list", options: listOptions, handle: (*call).listGroups},
		{method: "POST", pattern: groups, name: "groups.create", handle: (*call).createGroup},
		{method: "GET", pattern: group, name: "groups.get", options: []string{optionSelect}, handle: (*call).getGroup},
		{method: "DELETE", pattern: group, name: "groups.delete", handle: (*call).deleteGroup},
		{method: "GET", pattern: group + "/members", name: "groups.listMembers", options: []string{optionTop, optionSkipToken},
			handle: (*call).listMembers},
		{method: "GET", pattern: group + "/members/$ref", name: "groups.listMemberReferences",
			options: []string{optionTop, optionSkipToken}, handle: (*call).listMemberReferences},
		{method: "POST", pattern: group + "/members/$ref", name: "groups.addMember", handle: (*call).addMember},
		{method: "DELETE", pattern: group + "/members/{device}/$ref", name: "groups.removeMember",
			handle: (*call).removeMember},
	}
}

var groupProperties = []string{"id", "displayName", "description", "createdDateTime", "groupTypes", "mailEnabled",
	"securityEnabled"}

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
	after, size, err := c.plainPage()
	if err != nil {
		return err
	}
	list, err := c.Catalog.ListGroups(c.r.Context(), after, size+1)
	if err != nil {
		return err
	}
	list, next := cut(list, size, func(g *catalog.DeviceGroup) string { return g.ID })
	page := page{collection: "groups", next: next, value: make([]fields, len(list))}
	for i, g := range list {
		page.value[i] = groupFields(g).pick(selected)
	}
	return c.list(page)
}

func (c *call) getGroup() error {
	selected, err := c.selected(groupProperties)
	if err != nil {
		return err
	}
	g, err := c.Catalog.GetGroup(c.r.Context(), c.r.PathValue("id"))
	if err != nil {
		return err
	}
	return c.replyGroup(http.StatusOK, g, selected)
}

func (c *call) replyGroup(status int, g *catalog.DeviceGroup, selected []string) error {
	context := c.contextURL("groups") + "/$entity"
	return c.reply(status, append(fields{{"@odata.context", context}}, groupFields(g).pick(selected)...))
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
	g, err := c.Catalog.CreateGroup(c.r.Context(), in)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.base()+versionPath+"groups/"+g.ID)
	return c.replyGroup(http.StatusCreated, g, groupProperties)
}

func (c *call) deleteGroup() error {
	if err := c.Catalog.DeleteGroup(c.r.Context(), c.r.PathValue("id")); err != nil {
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
	id := c.r.PathValue("id")
	list, err := c.Catalog.Members(c.r.Context(), id, fleet.DeviceID(after), size+1)
	if err != nil {
		return err
	}
	list, next := cut(list, size, func(d fleet.DeviceID) string { return string(d) })
	page := page{collection: "groups/" + id + "/members" + suffix, next: next, value: make([]fields, len(list))}
	for i, device := range list {
		if page.value[i], err = show(device); err != nil {
			return err
		}
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
		return fields{{"@odata.id", c.base() + versionPath + "deviceManagement/managedDevices/" + string(id)}}, nil
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
	if err := c.Catalog.AddMember(c.r.Context(), c.r.PathValue("id"), device); err != nil {
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
	err := c.Catalog.RemoveMember(c.r.Context(), c.r.PathValue("id"), fleet.DeviceID(c.r.PathValue("device")))
	if err != nil {
		return err
	}
	return c.noContent()
}
