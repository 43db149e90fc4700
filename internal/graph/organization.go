package graph

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// What tools ask first: whose server this is, and who calls it.
var (
	organization = &resource{name: "organization", path: odata.BetaPath + organizationSet,
		odataType: "organization", object: "organization", noun: "organization",
		category: categoryOther, stable: true}
	signedIn = &resource{name: "signedIn", path: odata.BetaPath + "me", odataType: "user",
		object: "user", noun: "caller", category: categoryOther, stable: true}
	toGetSingle = &verb{name: "get", method: "GET"}
)

const organizationSet = "organization"

var (
	organizationShape = newShape("organization",
		odata.Properties{{"id", odata.String}, {"displayName", odata.String},
			{"verifiedDomains", odata.CollectionOf("verifiedDomain")}})
	userShape = newShape("user", odata.Properties{{"id", odata.String},
		{"displayName", odata.String}, {"userPrincipalName", odata.String},
		{"accountEnabled", odata.Boolean}})
)

func organizationRoutes() []route {
	return []route{
		organization.route(toList, nil, odata.ListOptions, (*call).listOrganizations),
		organization.route(toGet, nil, []string{odata.OptionSelect}, (*call).getOrganization),
		signedIn.route(toGetSingle, nil, []string{odata.OptionSelect}, (*call).signedInUser),
	}
}

// organizationFields shows the server as the only organization that it has. Its id is the tenantId
// of notifications, as in Graph.
func (c *call) organizationFields() odata.Fields {
	host := c.req.Base
	if u, err := url.Parse(c.req.Base); err == nil && u.Hostname() != "" {
		host = u.Hostname()
	}
	return odata.Fields{
		{"id", c.config.Tenant},
		{"displayName", host},
		{"verifiedDomains", []odata.Fields{{{"capabilities", ""}, {"isDefault", true},
			{"isInitial", true}, {"name", host}, {"type", "Managed"}}}},
	}
}

func (c *call) listOrganizations() error {
	selected, err := c.selected(organizationShape)
	if err != nil {
		return err
	}
	after, size, err := c.req.PageByID()
	if err != nil {
		return err
	}
	value := []odata.Fields{}
	if after == "" && size > 0 {
		value = append(value, c.shown(organizationShape, c.organizationFields(), selected))
	}
	return c.req.ReplyPage(odata.Page{Collection: organizationSet, Value: value})
}

func (c *call) getOrganization() error {
	selected, err := c.selected(organizationShape)
	if err != nil {
		return err
	}
	f := c.organizationFields()
	if lower(c.req.PathValue("id")) != f[0].Value {
		return odata.NotFound("There is no organization with this id.")
	}
	return c.req.ReplyEntity(http.StatusOK, organizationSet, "organization",
		c.shown(organizationShape, f, selected))
}

// signedInUser is GET /me: the person who calls. As in Graph, a token that no person holds has none.
func (c *call) signedInUser() error {
	selected, err := c.selected(userShape)
	if err != nil {
		return err
	}
	id, isPerson := strings.CutPrefix(c.caller.ID, "user:")
	if !isPerson {
		return odata.BadRequest("",
			"/me request is only valid with delegated authentication flow: no person holds this token. "+
				"GET /api/me tells what it may do.")
	}
	return c.req.ReplyEntity(http.StatusOK, "users", "user", c.shown(userShape,
		odata.Fields{{"id", id}, {"displayName", odata.TextOrNull(c.caller.Name)},
			{"userPrincipalName", odata.TextOrNull(c.caller.Name)}, {"accountEnabled", true}}, selected))
}
