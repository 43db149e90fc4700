package graph

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

var deviceGroups = &resource{name: "groups", path: versionPath + "groups", odataType: "group", object: "group",
	noun: "group", category: categoryDevice, stable: true, tagged: true,
	setByServer: []string{"id", "createdDateTime", "deletedDateTime", "expirationDateTime", "renewedDateTime", "securityIdentifier", "mail",
		"proxyAddresses", "onPremisesSyncEnabled", "onPremisesLastSyncDateTime", "onPremisesSecurityIdentifier"},
	setElsewhere: []string{"groupTypes", "members", "owners", "classification", "creationOptions", "isAssignableToRole", "membershipRule",
		"membershipRuleProcessingState", "onPremisesDomainName", "onPremisesNetBiosName", "onPremisesProvisioningErrors",
		"onPremisesSamAccountName", "preferredDataLocation", "preferredLanguage", "resourceBehaviorOptions", "resourceProvisioningOptions",
		"serviceProvisioningErrors", "theme", "uniqueName", "visibility"}}

// What is done to the members of a group.
var (
	toListMembers          = &verb{name: "listMembers", method: "GET", suffix: "/{id}/members", part: "members", many: true}
	toListMemberReferences = &verb{name: "listMemberReferences", method: "GET", suffix: "/{id}/members/$ref", many: true}
	toAddMember            = &verb{name: "addMember", method: "POST", suffix: "/{id}/members/$ref"}
	toRemoveMember         = &verb{name: "removeMember", method: "DELETE", suffix: "/{id}/members/{device}/$ref"}
)

func groupRoutes() []route {
	read, update := may(access.ReadGroups), may(access.UpdateGroups)
	pages := []string{optionTop, optionSkipToken}
	return []route{
		deviceGroups.route(toList, read, expandOptions, (*call).listGroups),
		deviceGroups.route(toCount, read, countOptions, (*call).listGroups),
		deviceGroups.route(toCreate, may(access.CreateGroups), nil, (*call).createGroup),
		deviceGroups.route(toGet, read, []string{optionSelect, optionExpand}, (*call).getGroup),
		deviceGroups.route(toDelete, may(access.DeleteGroups), nil, (*call).deleteGroup),
		deviceGroups.route(toListMembers, read, pages, (*call).listMembers).answering("directoryObject"),
		deviceGroups.route(toListMemberReferences, read, pages, (*call).listMemberReferences).answering(""),
		deviceGroups.route(toAddMember, update, nil, (*call).addMember),
		deviceGroups.route(toRemoveMember, update, nil, (*call).removeMember),
	}
}

var groupProperties = properties{
	{"id", edmString}, {"displayName", edmString}, {"description", edmString}, {"createdDateTime", edmDateTime},
	{"groupTypes", collectionOf(edmString)}, {"mailEnabled", edmBoolean}, {"securityEnabled", edmBoolean},
}

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
	selected, err := c.selected(groupProperties.names())
	if err != nil {
		return err
	}
	expanded, err := c.expansions(expandMembers)
	if err != nil {
		return err
	}
	return serveList(c, "groups", groupListing, c.namedGroups(), c.Catalog.ListGroups, func(g *catalog.DeviceGroup) (fields, error) {
		members, err := c.expandedMembers(g.ID, expanded)
		return append(tagged(groupTag(g), groupFields(g).pick(selected)), members...), err
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
	selected, err := c.selected(groupProperties.names())
	if err != nil {
		return err
	}
	expanded, err := c.expansions(expandMembers)
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
	members, err := c.expandedMembers(g.ID, expanded)
	if err != nil {
		return err
	}
	return c.replyGroup(http.StatusOK, g, append(groupFields(g).pick(selected), members...))
}

func (c *call) replyGroup(status int, g *catalog.DeviceGroup, shown fields) error {
	c.tag(groupTag(g))
	context := c.contextURL("groups") + "/$entity"
	return c.reply(status, append(fields{{"@odata.context", context}}, tagged(groupTag(g), shown)...))
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
	if err := c.mayChange(access.Change{Founds: true}); err != nil {
		return err
	}
	g, err := c.Catalog.CreateGroup(c.r.Context(), in)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", c.base()+c.version()+"groups/"+g.ID)
	return c.replyGroup(http.StatusCreated, g, groupFields(g))
}

func (c *call) deleteGroup() error {
	id, err := c.group()
	if err != nil {
		return err
	}
	if err := c.mayChange(access.Change{Group: id, Ends: true}); err != nil {
		return err
	}
	if err := c.Catalog.DeleteGroup(c.r.Context(), id, c.sameGroup); err != nil {
		return err
	}
	return c.noContent()
}
