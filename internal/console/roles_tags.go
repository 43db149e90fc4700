package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const scopeTagsPath = "/beta/deviceManagement/roleScopeTags"

// scopeTagForm makes a scope tag.
type scopeTagForm struct {
	Name, Description string
	Message           string // why it was refused; empty: it was not
}

// formText is a text of several lines as browsers do not send it: they end lines with two
// characters.
func formText(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (v *visit) createScopeTag() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := scopeTagForm{Name: v.r.PostForm.Get("name"),
		Description: v.r.PostForm.Get("description")}
	err := v.post(scopeTagsPath, nil, map[string]string{"displayName": form.Name,
		"description": form.Description}, nil)
	if refused, shown := near(err); shown && v.may(access.CreateRoles) {
		form.Message = withLabels(refused.Message, roleLabels)
		return v.showRoles(refused.Status, form)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/roles?notice=tagged#tags")
	return nil
}

const deleteTagAddress = "/console/roles/scope-tags/delete"

func (v *visit) askToDeleteScopeTag() error {
	return v.showDeleteScopeTag(v.r.URL.Query().Get("id"), nil)
}

func (v *visit) showDeleteScopeTag(id string, refused *apiError) error {
	var tag scopeTag
	if err := v.get(scopeTagsPath+"/"+url.PathEscape(id), nil, &tag); err != nil {
		return err
	}
	return v.ask(roleDeletion{What: "scope tag", Name: tag.Name, ID: tag.ID,
		Action: deleteTagAddress, Back: "/console/roles#tags",
		Consequence: "A scope tag that something carries, or to which a role is limited, cannot be deleted."}, refused)
}

func (v *visit) deleteScopeTag() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := v.r.PostForm.Get("id")
	err := v.delete(scopeTagsPath + "/" + url.PathEscape(id))
	if refused, shown := near(err); shown && refused.Status != http.StatusNotFound {
		return v.showDeleteScopeTag(id, refused)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/roles?notice=untagged#tags")
	return nil
}
