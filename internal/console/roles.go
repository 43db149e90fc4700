package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const rolesPath = "/beta/deviceManagement/roleDefinitions"

func rolePath(id string) string { return rolesPath + "/" + url.PathEscape(id) }

// role is a role as the API tells it.
type role struct {
	ID          string `json:"id"`
	Name        string `json:"displayName"`
	Description string `json:"description"`
	BuiltIn     bool   `json:"isBuiltIn"`
	Permissions []struct {
		Actions []struct {
			Allowed []string `json:"allowedResourceActions"`
		} `json:"resourceActions"`
	} `json:"rolePermissions"`
}

// rights are what the role allows.
func (r *role) rights() (all []string) {
	for _, p := range r.Permissions {
		for _, a := range p.Actions {
			all = append(all, a.Allowed...)
		}
	}
	return all
}

// roles reads all roles, the built-in ones first.
func (v *visit) roles() ([]role, error) {
	all, err := everything[role](v, rolesPath,
		"id,displayName,description,isBuiltIn,rolePermissions")
	slices.SortFunc(all, func(a, b role) int {
		if a.BuiltIn != b.BuiltIn {
			if a.BuiltIn {
				return -1
			}
			return 1
		}
		return byName(a.Name, b.Name, a.ID, b.ID)
	})
	return all, err
}

func (v *visit) role(id string) (*role, error) {
	var r role
	err := v.get(rolePath(id), nil, &r)
	return &r, err
}

// roleOptions are all roles to choose from.
func (v *visit) roleOptions() ([]option, error) {
	all, err := v.roles()
	options := make([]option, len(all))
	for i, r := range all {
		options[i] = option{r.ID, r.Name}
	}
	return options, err
}

// right is one thing that a role can allow, as the API tells it.
type right struct {
	ID          string `json:"id"` // Graph's resource action
	Resource    string `json:"resourceName"`
	Action      string `json:"actionName"`
	Description string `json:"description"`
}

// rightGroup is the rights on one kind of thing.
type rightGroup struct {
	Resource string
	Rights   []rightChoice
}

type rightChoice struct {
	right
	On bool
}

// rightGroups are all rights there are, by what they are about, with those that are chosen.
func (v *visit) rightGroups(chosen []string) ([]rightGroup, error) {
	all, err := everything[right](v, "/beta/deviceManagement/resourceOperations",
		"id,resourceName,actionName,description")
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all,
		func(a, b right) int { return strings.Compare(a.Resource, b.Resource) })
	var groups []rightGroup
	for _, one := range all {
		if len(groups) == 0 || groups[len(groups)-1].Resource != one.Resource {
			groups = append(groups, rightGroup{Resource: one.Resource})
		}
		last := &groups[len(groups)-1]
		last.Rights = append(last.Rights, rightChoice{one, slices.Contains(chosen, one.ID)})
	}
	return groups, nil
}

// Chosen are the group's rights that are chosen.
func (g rightGroup) Chosen() []rightChoice {
	return slices.DeleteFunc(slices.Clone(g.Rights), func(r rightChoice) bool { return !r.On })
}

// rolesPage is what the list of roles shows.
type rolesPage struct {
	Notice      string
	Roles       []roleRow
	Assignments []assignmentRow
	Tags        []scopeTag
	TagForm     scopeTagForm
	roleRights
}

// roleRights are what the visitor may do with roles.
type roleRights struct{ MayCreate, MayUpdate, MayDelete, MayAssign bool }

func (v *visit) roleRights() roleRights {
	return roleRights{v.may(access.CreateRoles), v.may(access.UpdateRoles),
		v.may(access.DeleteRoles), v.may(access.AssignRoles)}
}

type roleRow struct {
	role
	Assignments int
}

var roleNotices = map[string]string{
	"deleted":    "The role was deleted.",
	"saved":      "The role is saved. It holds at once.",
	"assigned":   "The assignment is saved. It holds at once.",
	"unassigned": "The assignment was deleted. Its members have lost the role.",
	"tagged":     "The scope tag is made. Devices, apps and policies can be given it now.",
	"untagged":   "The scope tag was deleted.",
}

func (v *visit) roleNotice() string { return roleNotices[v.r.URL.Query().Get("notice")] }

// rolesPage lists roles, who has them, and scope tags.
func (v *visit) rolesPage() error { return v.showRoles(http.StatusOK, scopeTagForm{}) }

func (v *visit) showRoles(status int, form scopeTagForm) error {
	list, err := v.roles()
	if err != nil {
		return err
	}
	p := rolesPage{Notice: v.roleNotice(), TagForm: form, roleRights: v.roleRights()}
	var assigned []roleAssignment
	for _, r := range list {
		of, err := v.assignmentsOf(&r)
		if err != nil {
			return err
		}
		p.Roles = append(p.Roles, roleRow{r, len(of)})
		assigned = append(assigned, of...)
	}
	known, err := v.members(assigned)
	if err != nil {
		return err
	}
	p.Tags, p.Assignments = known.tags, assignmentRows(assigned, known)
	slices.SortFunc(p.Assignments,
		func(a, b assignmentRow) int { return byName(a.Name, b.Name, a.ID, b.ID) })
	return v.renderStatus(status, "roles", "Roles", p)
}

// rolePage is what the page of one role shows.
type rolePage struct {
	role
	Notice      string
	Rights      []rightGroup // those of which it allows something
	Assignments []assignmentRow
	roleRights
}

func (v *visit) rolePage() error {
	r, err := v.role(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	p := rolePage{role: *r, Notice: v.roleNotice(), roleRights: v.roleRights()}
	if p.Rights, err = v.rightGroups(r.rights()); err != nil {
		return err
	}
	p.Rights = slices.DeleteFunc(p.Rights, func(g rightGroup) bool { return len(g.Chosen()) == 0 })
	assigned, err := v.assignmentsOf(r)
	if err != nil {
		return err
	}
	known, err := v.members(assigned)
	if err != nil {
		return err
	}
	p.Assignments = assignmentRows(assigned, known)
	return v.render("role", r.Name, p)
}

// roleDeletion is the page that asks whether something of the roles is to be deleted.
type roleDeletion struct {
	What, Name  string // what it is, and what it is called
	Consequence string
	Action      string // address to which the form goes
	ID          string // sent with the form; empty: the address says it
	Back        string
	Message     string // why it was refused; empty: it was not
}

// ask shows the question, or why the answer was refused.
func (v *visit) ask(d roleDeletion, refused *apiError) error {
	status := http.StatusOK
	if refused != nil {
		status, d.Message = refused.Status, refused.Message
	}
	return v.renderStatus(status, "roles_delete", "Delete "+d.Name, d)
}

func (v *visit) askToDeleteRole() error { return v.showDeleteRole(nil) }

func (v *visit) showDeleteRole(refused *apiError) error {
	r, err := v.role(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	address := roleAddress(r.ID)
	return v.ask(roleDeletion{What: "role", Name: r.Name, Action: address + "/delete",
		Back:        address,
		Consequence: "It cannot be brought back. A role that is assigned cannot be deleted: delete its assignments first."}, refused)
}

func roleAddress(id string) string { return "/console/roles/" + url.PathEscape(id) }

func (v *visit) deleteRole() error {
	err := v.delete(rolePath(v.r.PathValue("id")))
	if refused, shown := near(err); shown && refused.Status != http.StatusNotFound {
		return v.showDeleteRole(refused)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/roles?notice=deleted")
	return nil
}

// delete deletes a resource of the API.
func (v *visit) delete(path string) error {
	return v.call(http.MethodDelete, path, nil, nil, nil,
		nil)
}
