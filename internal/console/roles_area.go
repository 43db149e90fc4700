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

// scopeTags reads all scope tags in the order of their numbers; none for who may read none.
func (v *visit) scopeTags() ([]scopeTag, error) {
	if !v.may(access.ReadRoles) {
		return nil, nil
	}
	return everything[scopeTag](v, scopeTagsPath, "id,displayName,description,isBuiltIn")
}

// areas have the names of groups of devices and of scope tags, as far as the visitor may read them.
type areas struct {
	groups map[string]string // names by id, of those that were asked for
	tags   []scopeTag
}

// areas reads the names of all scope tags, and of the groups to which the areas are limited.
func (v *visit) areas(all []area) (*areas, error) {
	var ids []string
	for _, one := range all {
		ids = append(ids, one.Groups...)
	}
	groups, err := v.groupNames(ids)
	if err != nil {
		return nil, err
	}
	tags, err := v.scopeTags()
	return &areas{groups, tags}, err
}

// area is the part of the fleet and the catalog in which a role holds. Nil is no limit.
type area struct {
	Groups, Tags []string
}

// words say where an area is.
func (a *areas) words(in area) string {
	where := "All devices"
	if len(in.Groups) > 0 {
		where = counted("Group", len(in.Groups)) + " " +
			strings.Join(named(in.Groups, a.groupName), ", ")
	}
	if len(in.Tags) > 0 {
		where += "; " + counted("scope tag", len(in.Tags)) + " " +
			strings.Join(named(in.Tags, a.tagName), ", ")
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
	if name := a.groups[id]; name != "" {
		return name
	}
	return id
}

func (a *areas) tagName(id string) string { return tagName(a.tags, id) }

// areaForm is the part of a form that chooses an area.
type areaForm struct {
	Limited bool // to groups; which ones are ticked is kept in either case
	Picker  groupPicker
	Tags    []areaChoice
}

type areaChoice struct {
	ID, Name string
	On       bool
}

// values are an area as its form sends it.
func (a area) values() url.Values {
	values := url.Values{"scope": {"all"}, "group": a.Groups, "tag": a.Tags}
	if a.Groups != nil {
		values.Set("scope", "groups")
	}
	return values
}

// areaForm is the form for an area, filled in as it was sent. page is the address of the page on
// which it stands.
func (v *visit) areaForm(sent url.Values, page string) (areaForm, error) {
	var chosen []groupChoice
	for _, id := range sent["group"] {
		chosen = append(chosen, groupChoice{ID: id, Name: id, Include: true})
	}
	f := areaForm{Limited: sent.Get("scope") == "groups"}
	var err error
	if f.Picker, err = v.groupPicker(chosen); err != nil {
		return f, err
	}
	f.Picker.Page = page
	if err := v.offer(&f.Picker, sent.Get("groups")); err != nil {
		return f, err
	}
	tags, err := v.scopeTags()
	f.Tags = tagChoices(tags, sent["tag"])
	return f, err
}

// tagChoices are all tags to choose from. What is chosen and cannot be read is offered by its id.
func tagChoices(tags []scopeTag, chosen []string) (choices []areaChoice) {
	for _, t := range tags {
		choices = append(choices, areaChoice{t.ID, t.Name, slices.Contains(chosen, t.ID)})
	}
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

// withLabels is what the API's refusal of a form says, with the form's own labels for properties.
func withLabels(message string, labels map[string]string) string {
	return propertyPattern.ReplaceAllStringFunc(message, func(found string) string {
		name, _, _ := strings.Cut(propertyPattern.FindStringSubmatch(found)[1], "[")
		if label := labels[name]; label != "" {
			return "‘" + label + "’"
		}
		return found
	})
}
