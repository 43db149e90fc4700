package graph

import (
	"net/http"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var deviceGroups = &resource{name: "groups", path: odata.BetaPath + "groups", odataType: "group",
	object: "group",
	noun:   "group", category: categoryDevice, stable: true, tagged: true,
	setByServer: []string{"id", "createdDateTime", "deletedDateTime", "expirationDateTime",
		"renewedDateTime", "securityIdentifier", "mail",
		"proxyAddresses", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime",
		"onPremisesSecurityIdentifier"}}

// What is done to the members of a group.
var (
	toListMembers = &verb{name: "listMembers", method: "GET", suffix: "/{id}/members",
		part: "members", many: true}
	toListMemberReferences = &verb{name: "listMemberReferences", method: "GET",
		suffix: "/{id}/members/$ref", many: true}
	toCountMembers = &verb{name: "countMembers", method: "GET",
		suffix: "/{id}/members" + odata.CountSuffix, part: "members"}
	// groups have no groups in them
	toListTransitiveMembers = &verb{name: "listTransitiveMembers", method: "GET",
		suffix: "/{id}/transitiveMembers", part: "transitiveMembers", many: true}
	toCountTransitiveMembers = &verb{name: "countTransitiveMembers", method: "GET",
		suffix: "/{id}/transitiveMembers" + odata.CountSuffix, part: "transitiveMembers"}
	toAddMember    = &verb{name: "addMember", method: "POST", suffix: "/{id}/members/$ref"}
	toRemoveMember = &verb{name: "removeMember", method: "DELETE",
		suffix: "/{id}/members/{device}/$ref"}
)

func groupRoutes() []route {
	read, update := may(access.ReadGroups), may(access.UpdateGroups)
	pages := []string{odata.OptionTop, odata.OptionSkipToken}
	members := append(slices.Clone(odata.ListOptions), odata.OptionCount)
	return []route{
		deviceGroups.route(toList, read, odata.ExpandOptions, (*call).listGroups),
		deviceGroups.route(toCount, read, odata.CountOptions, (*call).listGroups),
		deviceGroups.route(toCreate, may(access.CreateGroups), nil, (*call).createGroup),
		deviceGroups.route(toGet, read, []string{odata.OptionSelect, odata.OptionExpand},
			(*call).getGroup),
		deviceGroups.route(toUpdate, update, nil, (*call).updateGroup),
		deviceGroups.route(toDelete, may(access.DeleteGroups), nil, (*call).deleteGroup),
		deviceGroups.route(toListMembers, read, members,
			(*call).listMembers).answering("directoryObject").casting(),
		deviceGroups.route(toCountMembers, read, nil,
			(*call).countMembers).answering("directoryObject").casting(),
		deviceGroups.route(toListTransitiveMembers, read, members,
			(*call).listTransitiveMembers).answering("directoryObject").casting(),
		deviceGroups.route(toCountTransitiveMembers, read, nil,
			(*call).countMembers).answering("directoryObject").casting(),
		deviceGroups.route(toListMemberReferences, read, pages,
			(*call).listMemberReferences).answering(""),
		deviceGroups.route(toAddMember, update, nil, (*call).addMember),
		deviceGroups.route(toRemoveMember, update, nil, (*call).removeMember),
	}
}

var groupProperties = odata.Properties{
	{"id", odata.String}, {"displayName", odata.String}, {"description", odata.String},
	{"createdDateTime", odata.DateTime},
	{"groupTypes", odata.CollectionOf(odata.String)}, {"mailEnabled", odata.Boolean},
	{"securityEnabled", odata.Boolean}, {"mailNickname", odata.String},
}

// groupShape is what a group is served with.
var groupShape = newShape("group", groupProperties)

// groupListing is what the options take of groups.
var groupListing = groupShape.complete(&odata.Listing{
	Filters: map[string]odata.Comparer{
		"id": odata.TextField(catalog.ByID), "displayName": odata.TextField(catalog.ByDisplayName),
		"description":     odata.TextField(catalog.ByDescription),
		"createdDateTime": odata.TimeField(catalog.ByCreated),
		"mailEnabled":     odata.ConstField(false), "securityEnabled": odata.ConstField(true),
		"groupTypes": odata.EmptyField{}, "mailNickname": odata.TextField(catalog.ByNickname),
	},
	Orders: map[string]query.Field{"id": catalog.ByID, "displayName": catalog.ByDisplayName,
		"createdDateTime": catalog.ByCreated},
	Search: map[string]query.Field{"displayName": catalog.ByDisplayName,
		"description": catalog.ByDescription},
})

// groupFields shows a group of devices as what Graph calls a security group.
func groupFields(g *catalog.DeviceGroup) odata.Fields {
	return odata.Fields{
		{"id", g.ID},
		{"displayName", g.DisplayName},
		{"description", odata.TextOrNull(g.Description)},
		{"createdDateTime", odata.Timestamp(g.Created)},
		{"groupTypes", []string{}},
		{"mailEnabled", false},
		{"securityEnabled", true},
		{"mailNickname", odata.TextOrNull(g.Nickname)},
	}
}

func (c *call) listGroups() error {
	selected, err := c.selected(groupShape)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandMembers)
	if err != nil {
		return err
	}
	return odata.ServeList(c.req, "groups", groupListing, c.namedGroups(),
		c.config.Catalog.ListGroups, func(g *catalog.DeviceGroup) (odata.Fields, error) {
			members, err := c.expandedMembers(g.ID, expanded)
			return append(odata.Tagged(groupTag(g), c.shown(groupShape, groupFields(g), selected)),
				members...), err
		})
}

// namedGroups is the condition that the caller may name a group; nil: they may name all.
func (c *call) namedGroups() query.Condition {
	var named query.Any
	for _, area := range c.scope {
		if area.Groups == nil {
			return nil
		}
		named = append(named, query.OneOf{Field: catalog.ByID, Values: area.Groups})
	}
	return named
}

func (c *call) getGroup() error {
	selected, err := c.selected(groupShape)
	if err != nil {
		return err
	}
	expanded, err := c.req.Expansions(expandMembers)
	if err != nil {
		return err
	}
	id, err := c.group()
	if err != nil {
		return err
	}
	g, err := c.config.Catalog.GetGroup(c.req.Context(), id)
	if err != nil {
		return err
	}
	members, err := c.expandedMembers(g.ID, expanded)
	if err != nil {
		return err
	}
	return c.replyGroup(http.StatusOK, g, append(c.shown(groupShape, groupFields(g), selected), members...))
}

func (c *call) replyGroup(status int, g *catalog.DeviceGroup, shown odata.Fields) error {
	c.req.SetTag(groupTag(g))
	context := c.req.ContextURL("groups") + "/$entity"
	return c.req.Reply(status, append(odata.Fields{{"@odata.context", context}},
		odata.Tagged(groupTag(g), shown)...))
}

// createGroup takes what Graph requires of a new group. Groups here have no mail: mailNickname is
// only kept.
func (c *call) createGroup() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	patch, members, err := readGroup(body)
	if err != nil {
		return err
	}
	if _, err := body.RequiredText("displayName"); err != nil {
		return err
	}
	if len(members) > 0 {
		return odata.BadRequest(bindMembers,
			"Property '%s' is not supported here. Make the group, then add its members.", bindMembers)
	}
	in := catalog.GroupInput{DisplayName: odata.TextOrEmpty(patch.DisplayName),
		Description: odata.TextOrEmpty(patch.Description),
		Nickname:    odata.TextOrEmpty(patch.Nickname)}
	if err := c.mayChange(access.Change{CreatesGroup: true}); err != nil {
		return err
	}
	g, err := c.config.Catalog.CreateGroup(c.req.Context(), in)
	if err != nil {
		return err
	}
	c.req.Writer.Header().Set("Location", c.req.URL("groups/"+g.ID))
	return c.replyGroup(http.StatusCreated, g,
		c.shown(groupShape, groupFields(g), c.view(groupShape).names))
}

func (c *call) deleteGroup() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Group: id, DeletesGroup: true}); err != nil {
		return err
	}
	if err := c.config.Catalog.DeleteGroup(c.req.Context(), id, c.sameGroup); err != nil {
		return err
	}
	return c.req.ReplyNoContent()
}
