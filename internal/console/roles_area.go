package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// scopeTag is a scope tag as the API tells it.
type scopeTag struct {
	ID          string `json:"id"`
	Name        string `json:"displayName"`
	Description string `json:"description"`
	BuiltIn     bool   `json:"isBuiltIn"`
}

// areas are the groups of devices and the scope tags to which roles can be limited, as far as the visitor may read them.
type areas struct {
	groups []group
	tags   []scopeTag
}

func (v *visit) areas() (*areas, error) {
	groups, err := v.groups()
	if err != nil {
		return nil, err
	}
	tags, err := v.scopeTags()
	return &areas{groups, tags}, err
}

// scopeTags reads all scope tags in the order of their numbers; none for who may read none.
func (v *visit) scopeTags() ([]scopeTag, error) {
	if !v.may(access.ReadRoles) {
		return nil, nil
	}
	return everything[scopeTag](v, "/beta/deviceManagement/roleScopeTags", "id,displayName,description,isBuiltIn")
}

// area is the part of the fleet and the catalog in which a role holds. Nil is no limit.
type area struct {
	Groups, Tags []string
}

// words say where an area is.
func (a *areas) words(in area) string {
	where := "All devices"
	if len(in.Groups) > 0 {
		where = counted("Group", len(in.Groups)) + " " + strings.Join(named(in.Groups, a.groupName), ", ")
	}
	if len(in.Tags) > 0 {
		where += "; " + counted("scope tag", len(in.Tags)) + " " + strings.Join(named(in.Tags, a.tagName), ", ")
	}
	return where
}

// counted is a noun in its number, without it.
func counted(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func named(ids []string, name func(string) string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = name(id)
	}
	return names
}

func (a *areas) groupName(id string) string {
	if i := slices.IndexFunc(a.groups, func(g group) bool { return g.ID == id }); i >= 0 {
		return a.groups[i].Name
	}
	return id
}

func (a *areas) tagName(id string) string {
	if i := slices.IndexFunc(a.tags, func(t scopeTag) bool { return t.ID == id }); i >= 0 {
		return a.tags[i].Name
	}
	return id
}

// areaForm is the part of a form that chooses an area.
type areaForm struct {
	Limited      bool // to groups; which ones are ticked is kept in either case
	Groups, Tags []areaChoice
}

type areaChoice struct {
	ID, Name string
	On       bool
}

// form is the form for an area. What is chosen and cannot be read is offered by its id.
func (a *areas) form(chosen area) areaForm {
	f := areaForm{Limited: chosen.Groups != nil}
	for _, g := range a.groups {
		f.Groups = append(f.Groups, areaChoice{g.ID, g.Name, slices.Contains(chosen.Groups, g.ID)})
	}
	for _, t := range a.tags {
		f.Tags = append(f.Tags, areaChoice{t.ID, t.Name, slices.Contains(chosen.Tags, t.ID)})
	}
	f.Groups, f.Tags = withUnread(f.Groups, chosen.Groups), withUnread(f.Tags, chosen.Tags)
	return f
}

func withUnread(choices []areaChoice, chosen []string) []areaChoice {
	for _, id := range chosen {
		if !slices.ContainsFunc(choices, func(c areaChoice) bool { return c.ID == id }) {
			choices = append(choices, areaChoice{id, id, true})
		}
	}
	return choices
}

const noGroupTicked = "Tick at least one group of devices, or choose all devices."

// readArea reads what a form chose; false: it limits to groups and names none.
func readArea(form url.Values) (chosen area, ok bool) {
	chosen.Tags = form["tag"]
	if form.Get("scope") != "groups" {
		return chosen, true
	}
	chosen.Groups = form["group"]
	return chosen, len(chosen.Groups) > 0
}

// again is the form with what was sent in it.
func (a *areas) again(form url.Values) areaForm {
	f := a.form(area{form["group"], form["tag"]})
	f.Limited = form.Get("scope") == "groups"
	return f
}

// told is what the API's refusal of a form says, with the form's own labels for properties.
func told(message string, labels map[string]string) string {
	return propertyPattern.ReplaceAllStringFunc(message, func(found string) string {
		name, _, _ := strings.Cut(propertyPattern.FindStringSubmatch(found)[1], "[")
		if label := labels[name]; label != "" {
			return "‘" + label + "’"
		}
		return found
	})
}
