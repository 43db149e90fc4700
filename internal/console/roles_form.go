package console

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// roleForm makes a role or changes one.
type roleForm struct {
	ID                string // empty: a new one
	Name, Description string
	Rights            []rightGroup
	Message           string // why it was refused; empty: it was not
}

// newRole shows the form for a new role, with the rights of another if the address names one.
func (v *visit) newRole() error {
	var copied role
	if id := v.r.URL.Query().Get("copy"); id != "" {
		from, err := v.role(id)
		if err != nil {
			return err
		}
		copied = *from
		copied.ID, copied.Name = "", "Copy of "+from.Name
	}
	return v.showRoleForm(http.StatusOK, &copied, copied.rights(), "")
}

func (v *visit) editRole() error {
	r, err := v.role(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if r.BuiltIn {
		return &refusal{http.StatusConflict,
			"This role is built in and never changes. Make a copy of it and change that."}
	}
	return v.showRoleForm(http.StatusOK, r, r.rights(), "")
}

func (v *visit) showRoleForm(status int, r *role, rights []string, message string) error {
	groups, err := v.rightGroups(rights)
	if err != nil {
		return err
	}
	title := "New role"
	if r.ID != "" {
		title = "Edit " + r.Name
	}
	return v.renderStatus(status, "role_form", title,
		roleForm{r.ID, r.Name, r.Description, groups, message})
}

var roleLabels = map[string]string{"displayName": "Name", "description": "Description",
	"rolePermissions": "Rights"}

// createRole takes the form for a new role.
func (v *visit) createRole() error { return v.saveRole(http.MethodPost, rolesPath, "") }

// updateRole takes the form for one that there is.
func (v *visit) updateRole() error {
	id := v.r.PathValue("id")
	return v.saveRole(http.MethodPatch, rolePath(id), id)
}

func (v *visit) saveRole(method, path, id string) error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := v.r.PostForm
	rights := form["right"]
	if rights == nil {
		rights = []string{}
	}
	body := map[string]any{"displayName": form.Get("name"),
		"description":     formText(form.Get("description")),
		"rolePermissions": []any{map[string]any{"resourceActions": []any{map[string]any{"allowedResourceActions": rights}}}}}
	var saved role
	err := v.call(method, path, nil, nil, body, &saved)
	if refused, shown := near(err); shown {
		return v.showRoleForm(refused.Status,
			&role{ID: id, Name: form.Get("name"), Description: form.Get("description")}, rights,
			withLabels(refused.Message, roleLabels))
	}
	if err != nil {
		return err
	}
	// Who may make roles need not be one who may see them.
	if !v.may(access.ReadRoles) {
		v.redirect("/console/")
		return nil
	}
	v.redirect(roleAddress(saved.ID) + "?notice=saved")
	return nil
}
