package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const groupsAddress = "/console/groups"

// group is a group of devices as the API tells it.
type group struct {
	ID          string    `json:"id"`
	Name        string    `json:"displayName"`
	Description string    `json:"description"`
	Created     time.Time `json:"createdDateTime"`
}

// groupForm is the form for a new group. Groups never change their names.
var groupForm = form{Fields: []formField{nameField,
	{Name: "description", Label: "Description", Control: "text"}}}

// groupsPage lists groups, and makes new ones.
type groupsPage struct {
	Notice    string
	Search    string
	Rows      []groupRow
	Fitting   int // those that the search finds
	Form      form
	MayCreate bool
}

type groupRow struct {
	Address, Name, Description string
	Created                    moment
}

// groupsShown is how many groups are listed; a search finds the others.
const groupsShown = 200

// groupsPage lists the groups.
func (v *visit) groupsPage() error { return v.showGroups(http.StatusOK, groupForm) }

func (v *visit) showGroups(status int, f form) error {
	p := groupsPage{Notice: v.notice(), Search: searchOf(v.r.URL.Query().Get("q")), Form: f,
		MayCreate: v.may(access.CreateGroups)}
	found, fitting, err := v.findGroups(p.Search, groupsShown)
	if err != nil {
		return err
	}
	p.Fitting = fitting
	for _, g := range found {
		p.Rows = append(p.Rows, groupRow{groupAddress(g.ID), g.Name, g.Description,
			v.moment(g.Created)})
	}
	return v.renderStatus(status, "catalog_groups", "Groups", p)
}

func groupAddress(id string) string { return groupsAddress + "/" + url.PathEscape(id) }

func groupResource(id string) string { return "/beta/groups/" + url.PathEscape(id) }

// createGroup takes the form for a new group.
func (v *visit) createGroup() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	f := groupForm.with(v.r.PostForm)
	body := f.body()
	body["mailEnabled"], body["mailNickname"], body["securityEnabled"] = false, "devices", true
	var made group
	if err := v.post("/beta/groups", nil, body, &made); err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		f.refuse(refused.Message)
		return v.showGroups(refused.Status, f)
	}
	v.redirect(groupAddress(made.ID) + "?notice=created")
	return nil
}

// groupPage shows a group and its members.
type groupPage struct {
	Group                group
	Address              string
	Created              moment
	Notice               string
	Members              []groupMember
	First                bool   // the first page of members is shown
	Next                 string // address of the next; empty: there is none
	Search               string
	Found                []groupMember
	Searched, FoundAll   bool
	Message              string // why a change was refused; empty: it was not
	MayChange, MayDelete bool
}

type groupMember struct {
	ID       string `json:"id"`
	Name     string `json:"displayName"`
	Platform string `json:"operatingSystem"`
	Version  string `json:"operatingSystemVersion"`
	Serial   string `json:"-"`
}

// Title is the member's name.
func (m groupMember) Title() string {
	if m.Name != "" {
		return m.Name
	}
	return m.ID
}

const (
	membersPerPage = 100
	devicesFound   = 20
)

// groupPage shows one group.
func (v *visit) groupPage() error { return v.showGroup(http.StatusOK, "") }

func (v *visit) showGroup(status int, message string) error {
	id, query := v.r.PathValue("id"), v.r.URL.Query()
	p := groupPage{Notice: v.notice(), Message: message, First: query.Get("after") == "",
		MayChange: v.may(access.UpdateGroups),
		MayDelete: v.may(access.DeleteGroups)}
	if err := v.get(groupResource(id), nil, &p.Group); err != nil {
		return err
	}
	p.Address, p.Created = groupAddress(p.Group.ID), v.moment(p.Group.Created)
	options := url.Values{"$top": {strconv.Itoa(membersPerPage)}}
	if !p.First {
		options.Set("$skiptoken", query.Get("after"))
	}
	var list struct {
		Value []groupMember
		Next  string `json:"@odata.nextLink"`
	}
	if err := v.get(groupResource(id)+"/members", options, &list); err != nil {
		return err
	}
	p.Members = list.Value
	if token := skipToken(list.Next); token != "" {
		p.Next = p.Address + "?" + url.Values{"after": {token}}.Encode()
	}
	slices.SortStableFunc(p.Members,
		func(a, b groupMember) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	if p.Search = strings.TrimSpace(query.Get("q")); p.Search != "" && p.MayChange {
		if err := v.findDevices(&p); err != nil {
			return err
		}
	}
	return v.renderStatus(status, "catalog_group", p.Group.Name, p)
}

// findDevices looks for devices to put into the group.
func (v *visit) findDevices(p *groupPage) error {
	q := devicesQuery{Search: p.Search}
	options := q.options(v.config.Now())
	options.Set("$top", strconv.Itoa(devicesFound))
	options.Set("$select", "id,deviceName,operatingSystem,osVersion,serialNumber")
	options.Del("$count")
	var found struct {
		Value []managedDevice
		Next  string `json:"@odata.nextLink"`
	}
	err := v.get("/beta/deviceManagement/managedDevices", options, &found)
	if refused, ok := near(err); ok {
		p.Message = refused.Message
		return nil
	}
	p.Searched, p.FoundAll = true, found.Next == ""
	for _, d := range found.Value {
		p.Found = append(p.Found, groupMember{d.ID, d.Name, d.Platform, d.OSVersion, d.Serial})
	}
	return err
}

// addMember puts a device into a group.
func (v *visit) addMember() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	device := devicePath(v.r.PostForm.Get("device"))
	err := v.post(groupResource(v.r.PathValue("id"))+"/members/$ref", nil,
		map[string]string{"@odata.id": device}, nil)
	return v.memberChanged(err, "added")
}

// removeMember takes one out.
func (v *visit) removeMember() error {
	path := groupResource(v.r.PathValue("id")) + "/members/" +
		url.PathEscape(v.r.PathValue("device")) + "/$ref"
	return v.memberChanged(v.call(http.MethodDelete, path, nil, nil, nil, nil), "removed")
}

func (v *visit) memberChanged(err error, notice string) error {
	if refused, ok := near(err); ok {
		return v.showGroup(refused.Status, refused.Message)
	}
	if err == nil {
		v.redirect(groupAddress(v.r.PathValue("id")) + "?notice=" + notice)
	}
	return err
}

// deleteGroupPage asks before a group is deleted.
func (v *visit) deleteGroupPage() error {
	var g group
	if err := v.get(groupResource(v.r.PathValue("id")), nil, &g); err != nil {
		return err
	}
	return v.render("catalog_delete", "Delete "+g.Name, deletionPage{Name: g.Name, What: "group",
		Consequence: "What is assigned to it is not assigned to its devices any more, unless they have it by another assignment.",
		Trail:       []link{{groupsAddress, "Groups"}, {groupAddress(g.ID), g.Name}},
		Back:        groupAddress(g.ID), Action: groupAddress(g.ID) + "/delete"})
}

// deleteGroup deletes one.
func (v *visit) deleteGroup() error {
	if err := v.call(http.MethodDelete, groupResource(v.r.PathValue("id")), nil, nil, nil,
		nil); err != nil {
		return err
	}
	v.redirect(groupsAddress + "?notice=deletedGroup")
	return nil
}
