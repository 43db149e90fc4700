package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const roleAssignmentsPath = "/beta/deviceManagement/roleAssignments"

// roleAssignment gives a role to members, as the API tells it.
type roleAssignment struct {
	ID          string   `json:"id"`
	Name        string   `json:"displayName"`
	Description string   `json:"description"`
	Members     []string `json:"members"`
	ScopeType   string   `json:"scopeType"`
	Groups      []string `json:"resourceScopes"`
	Tags        []string `json:"roleScopeTagIds"`

	role *role // which it gives; nil: it was read by itself
}

const (
	scopeAllDevices = "allDevices"
	scopeGroups     = "resourceScope"
)

// area is where it holds.
func (a *roleAssignment) area() area {
	where := area{Tags: a.Tags}
	if a.ScopeType == scopeGroups {
		where.Groups = a.Groups
	}
	return where
}

// members are what role assignments can name, as far as the visitor may read it.
type members struct {
	*areas
	tokens map[string]string // names by id
}

func (v *visit) members(of []roleAssignment) (*members, error) {
	where := make([]area, len(of))
	for i := range of {
		where[i] = of[i].area()
	}
	known, err := v.areas(where)
	if err != nil {
		return nil, err
	}
	m := &members{areas: known, tokens: make(map[string]string)}
	if !v.may(access.ReadTokens) {
		return m, nil
	}
	list, err := v.tokenList()
	for _, t := range list {
		m.tokens[t.ID] = t.Name
	}
	return m, err
}

// member says who a member is.
func (m *members) member(name string) string {
	kind, id, _ := strings.Cut(name, ":")
	switch kind {
	case "token":
		if known := m.tokens[id]; known != "" {
			id = known
		}
		return "Token " + id
	case "user":
		return "User " + id
	case "app":
		return "Application " + id
	default:
		return "Group " + name
	}
}

// assignmentRow is a role assignment in a list.
type assignmentRow struct {
	ID, Name, Where string
	Members         []string
	RoleName        string
	Address         string
}

func assignmentAddress(role, id string) string {
	return roleAddress(role) + "/assignments/" + url.PathEscape(id)
}

// assignmentsOf are the assignments of a role.
func (v *visit) assignmentsOf(r *role) ([]roleAssignment, error) {
	list, err := everything[roleAssignment](v, rolePath(r.ID)+"/roleAssignments",
		"id,displayName,description,members,scopeType,resourceScopes,roleScopeTagIds")
	for i := range list {
		list[i].role = r
	}
	return list, err
}

func assignmentRows(list []roleAssignment, known *members) (rows []assignmentRow) {
	for i := range list {
		a := &list[i]
		rows = append(rows, assignmentRow{ID: a.ID, Name: a.Name, Where: known.words(a.area()),
			Members:  named(a.Members, known.member),
			RoleName: a.role.Name, Address: assignmentAddress(a.role.ID, a.ID)})
	}
	return rows
}

// assignmentForm gives a role to somebody, or changes to whom and where it is given.
type assignmentForm struct {
	Role              role
	ID                string // empty: a new one
	Name, Description string
	Members           string // one a line
	Area              areaForm
	Message           string // why it was refused; empty: it was not
	MayDelete         bool
}

// Action is where the form goes.
func (f assignmentForm) Action() string {
	if f.ID == "" {
		return roleAddress(f.Role.ID) + "/assignments"
	}
	return assignmentAddress(f.Role.ID, f.ID)
}

func (v *visit) newAssignment() error {
	return v.showAssignment(http.StatusOK, "", v.drafted(),
		"")
}

func (v *visit) editAssignment() error {
	a, err := v.roleAssignment()
	if err != nil {
		return err
	}
	values := v.drafted()
	if values == nil {
		values = a.area().values()
		values["name"], values["description"], values["members"] = []string{a.Name},
			[]string{a.Description}, []string{strings.Join(a.Members, "\n")}
	}
	return v.showAssignment(http.StatusOK, a.ID, values, "")
}

// roleAssignment is the one that the request's path names.
func (v *visit) roleAssignment() (*roleAssignment, error) {
	var a roleAssignment
	err := v.get(v.roleAssignmentPath(), nil, &a)
	return &a, err
}

func (v *visit) roleAssignmentPath() string {
	return roleAssignmentsPath + "/" + url.PathEscape(v.r.PathValue("assignment"))
}

// showAssignment shows the form, filled in with values as it sends them. id is empty for a new
// assignment.
func (v *visit) showAssignment(status int, id string, values url.Values, message string) error {
	r, err := v.role(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	f := assignmentForm{Role: *r, ID: id, Name: values.Get("name"),
		Description: values.Get("description"), Members: values.Get("members"),
		Message: message, MayDelete: id != ""}
	title, page := "Assign "+r.Name, roleAddress(r.ID)+"/assignments/new"
	if id != "" {
		title, page = "Assignment "+f.Name, assignmentAddress(r.ID, id)
	}
	if f.Area, err = v.areaForm(values, page+"#devices"); err != nil {
		return err
	}
	return v.renderStatus(status, "role_assignment", title, f)
}

var assignmentLabels = map[string]string{"displayName": "Name", "description": "Description",
	"members":        "Members",
	"resourceScopes": "Groups of devices", "roleScopeTagIds": "Scope tags"}

// createAssignment takes the form for a new assignment.
func (v *visit) createAssignment() error {
	return v.saveAssignment(http.MethodPost, roleAssignmentsPath, map[string]any{
		"roleDefinition@odata.bind": "roleDefinitions('" + v.r.PathValue("id") + "')"})
}

// updateAssignment takes the form for one that there is.
func (v *visit) updateAssignment() error {
	return v.saveAssignment(http.MethodPatch, v.roleAssignmentPath(), map[string]any{})
}

func (v *visit) saveAssignment(method, path string, body map[string]any) error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := v.r.PostForm
	chosen, ok := readArea(form)
	if !ok {
		return v.assignmentRefused(http.StatusBadRequest, noGroupTicked)
	}
	body["displayName"], body["description"], body["members"] = form.Get("name"),
		formText(form.Get("description")), lines(form.Get("members"))
	body["scopeType"], body["resourceScopes"], body["roleScopeTagIds"] = scopeAllDevices,
		[]string{}, []string{}
	if chosen.Groups != nil {
		body["scopeType"], body["resourceScopes"] = scopeGroups, chosen.Groups
	}
	if chosen.Tags != nil {
		body["roleScopeTagIds"] = chosen.Tags
	}
	err := v.call(method, path, nil, nil, body, nil)
	if refused, shown := near(err); shown {
		return v.assignmentRefused(refused.Status, withLabels(refused.Message, assignmentLabels))
	}
	if err != nil {
		return err
	}
	v.redirect(roleAddress(v.r.PathValue("id")) + "?notice=assigned#assignments")
	return nil
}

// lines are the lines of a text that are not empty.
func lines(text string) []string {
	list := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

func (v *visit) assignmentRefused(status int, message string) error {
	return v.showAssignment(status, v.r.PathValue("assignment"), v.r.PostForm, message)
}

func (v *visit) askToDeleteAssignment() error { return v.showDeleteAssignment(nil) }

func (v *visit) showDeleteAssignment(refused *apiError) error {
	a, err := v.roleAssignment()
	if err != nil {
		return err
	}
	address := assignmentAddress(v.r.PathValue("id"), a.ID)
	return v.ask(roleDeletion{What: "assignment", Name: a.Name, Action: address + "/delete",
		Back:        address,
		Consequence: "Its members lose the role at once, unless another assignment gives it to them."}, refused)
}

func (v *visit) deleteAssignment() error {
	err := v.delete(v.roleAssignmentPath())
	if refused, shown := near(err); shown && refused.Status != http.StatusNotFound {
		return v.showDeleteAssignment(refused)
	}
	if err != nil {
		return err
	}
	v.redirect(roleAddress(v.r.PathValue("id")) + "?notice=unassigned#assignments")
	return nil
}
