package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// tagEditor shows the scope tags of a device or of something in the catalog, and is the form that
// changes them.
type tagEditor struct {
	Action  string
	Names   []string    // of those that it has
	Choices []tagChoice // none: the visitor cannot change them
	Why     string      // what the visitor cannot change, and why; empty: they can
	Seen    string      // those from which the form was made
	Message string      // why a change was refused; empty: it was not
}

type tagChoice struct {
	areaChoice
	Fixed bool // the visitor may neither give it nor take it
}

// tagAnswer is what the form with scope tags came to, if it was refused.
type tagAnswer struct {
	sent    []string
	message string
}

const (
	tagsSaved     = "The scope tags are saved. Who sees this has changed with them at once."
	tagsForeign   = "Your roles do not let you change them here."
	tagsNameless  = "Your roles do not let you read which scope tags there are, so you cannot change them here."
	tagsPartly    = "Your roles let you give and take only the scope tags to which they are limited."
	tagsElsewhere = "The scope tags are saved. With them your roles do not let you see it any more."
	tagsChanged   = "Somebody else changed the scope tags while you did, so nothing was saved. Your choice is ticked below; it replaces theirs, if you save it again."
)

// tagEditor makes it for something that has these tags, and that may be changed with a right.
func (v *visit) tagEditor(action string, has []string, right access.Right,
	answer tagAnswer) (*tagEditor, error) {
	tags, err := v.scopeTags()
	if err != nil {
		return nil, err
	}
	e := &tagEditor{Action: action, Seen: seenTags(has), Message: answer.message,
		Names: named(has, func(id string) string { return tagName(tags, id) })}
	scope := v.caller.Scope(right)
	switch {
	case !scope.Reaches(has):
		e.Why = tagsForeign
		return e, nil
	case tags == nil:
		e.Why = tagsNameless
		return e, nil
	}
	chosen := has
	if answer.message != "" {
		chosen = answer.sent
	}
	for _, choice := range tagChoices(tags, chosen) {
		one := tagChoice{choice, !mayToggle(scope, has, choice.ID)}
		if one.Fixed {
			one.On, e.Why = slices.Contains(has, one.ID), tagsPartly
		}
		e.Choices = append(e.Choices, one)
	}
	return e, nil
}

// mayToggle reports whether a scope tag may be given to, or taken from, what has these tags. What
// is in the way of the one role assignment is not the other's to allow.
func mayToggle(scope fleet.Scope, has []string, tag string) bool {
	return slices.ContainsFunc(scope, func(a fleet.Area) bool {
		return a.Payload(has) && (a.Tags == nil || slices.Contains(a.Tags, tag))
	})
}

// tagName is a scope tag's name, or its id if the visitor may not read it.
func tagName(tags []scopeTag, id string) string {
	if i := slices.IndexFunc(tags, func(t scopeTag) bool { return t.ID == id }); i >= 0 {
		return tags[i].Name
	}
	return id
}

// seenTags tells whether tags changed while somebody had them in a form.
func seenTags(tags []string) string { return strings.Join(slices.Sorted(slices.Values(tags)), " ") }

// saveTags takes the form for what the API has at a path. refused shows the page again.
func (v *visit) saveTags(path, page string, refused func(int, tagAnswer) error) error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	var current struct {
		Tags []string `json:"roleScopeTagIds"`
	}
	only := url.Values{"$select": {"id,roleScopeTagIds"}}
	if err := v.get(path, only, &current); err != nil {
		return err
	}
	sent := append([]string{}, v.r.PostForm["tag"]...)
	if v.r.PostForm.Get("seen") != seenTags(current.Tags) {
		return refused(http.StatusConflict, tagAnswer{sent, tagsChanged})
	}
	err := v.call(http.MethodPatch, path, nil, nil, map[string]any{"roleScopeTagIds": sent}, nil)
	if answer, shown := near(err); shown && answer.Status != http.StatusNotFound {
		return refused(answer.Status, tagAnswer{sent, withLabels(answer.Message, assignmentLabels)})
	}
	// Without the tags that it had, it may be beyond what the visitor sees.
	if missing := v.get(path, only, nil); isMissing(missing) {
		return &refusal{http.StatusNotFound, tagsElsewhere}
	}
	if err != nil {
		return err
	}
	v.redirect(page + "?notice=tagged#tags")
	return nil
}

// tagDevice takes the form with a device's scope tags.
func (v *visit) tagDevice() error {
	id := v.r.PathValue("id")
	return v.saveTags(devicePath(id), deviceAddress(id), v.showDevice)
}

// tagItem takes the form with the scope tags of something in the catalog.
func (v *visit) tagItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	id := v.r.PathValue("id")
	return v.saveTags(c.resource(id), c.item(id), func(status int, answer tagAnswer) error {
		return v.showItem(c, id, itemAnswer{status: status, tags: answer})
	})
}
