package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// inspection is what the API finds in a profile.
type inspection struct {
	Identifier        string `json:"identifier"`
	Name              string `json:"displayName"`
	Scope             string `json:"scope"`
	RemovalDisallowed bool   `json:"removalDisallowed"`
	Signed            bool   `json:"signed"`
	SubType           string `json:"subType"`
	Payloads          []struct {
		Type       string `json:"type"`
		Identifier string `json:"identifier"`
		Name       string `json:"displayName"`
	} `json:"payloads"`
	// Types are those that it can become, the most likely first.
	Types    []string `json:"types"`
	Profile  string   `json:"profile"` // all of it, without secrets
	Warnings []struct {
		Certain bool   `json:"certain"`
		Message string `json:"message"`
	} `json:"warnings"`
}

// Kind is what the profile configures.
func (i *inspection) Kind() string { return itemType("deviceConfiguration", i.SubType) }

// inspect has the API look into a profile.
func (v *visit) inspect(file []byte) (*inspection, error) {
	var found inspection
	err := v.post("/api/profiles/inspect", nil, map[string][]byte{"payload": file}, &found)
	return &found, err
}

// lookInto has the API show what devices get of a policy; nil: it cannot.
func (v *visit) lookInto(i *catalogItem) (*inspection, error) {
	var found inspection
	err := v.get("/api/profiles/"+url.PathEscape(i.ID), nil, &found)
	if isMissing(err) || err == nil && len(found.Payloads) == 0 {
		return nil, nil
	}
	return &found, err
}

// itemPage is what the page of a policy, app or app configuration shows.
type itemPage struct {
	Collection *collection
	ID, Name   string
	Address    string
	Notice     string
	Facts      []fact
	App        *link // for which it is a configuration
	Settings   []setting
	Inspection *inspection // nil: it is no profile
	File       bool        // it was made of a file
	Files      fileChoice
	Edit       form
	Assigned   string // in a few words
	Editor     *editor
	Tags       *tagEditor
	FileNotice string // why a file was refused; empty: it was not
	Refusal    string // why something was refused whose form the visitor does not get

	MayUpdate, MayAssign, MayDelete, MayConfigure bool
}

type link struct{ Address, Text string }

// setting is one of an app configuration that was made from a list.
type setting struct {
	Key   string `json:"appConfigKey"`
	Value string `json:"appConfigKeyValue"`
}

// itemAnswer is what a form on an item's page came to, if it was refused.
type itemAnswer struct {
	status int
	edit   *form
	chosen []assignment // nil: those that there are
	// fingerprint of those from which the form was made; empty: those that there are
	seen          string
	assignMessage string
	tags          tagAnswer
	fileMessage   string
}

// catalogItem reads one with all that it has.
func (v *visit) catalogItem(c *collection, id string) (*catalogItem, error) {
	var i catalogItem
	err := v.get(c.resource(id), nil, &i)
	return &i, err
}

// catalogItemPage shows one.
func (v *visit) catalogItemPage() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	answer := itemAnswer{status: http.StatusOK}
	if draft := v.drafted(); draft != nil {
		answer.chosen, answer.seen = c.chosen(draft), draft.Get("seen")
	}
	return v.showItem(c, v.r.PathValue("id"), answer)
}

func (v *visit) showItem(c *collection, id string, answer itemAnswer) error {
	i, err := v.catalogItem(c, id)
	if err != nil {
		return err
	}
	empty, _ := v.emptyForm(i.ODataType)
	p := itemPage{Collection: c, ID: i.ID, File: len(i.File) > 0,
		Name: i.Name, Address: c.item(i.ID), Notice: v.notice(),
		Edit:       empty.of(i),
		Files:      v.filesOfPolicies(),
		FileNotice: answer.fileMessage, MayUpdate: v.may(c.update), MayAssign: v.may(c.assign),
		MayDelete:    v.may(c.remove),
		MayConfigure: c == apps && v.may(appConfigurations.create) && v.configurable(i.ODataType)}
	if answer.edit != nil {
		p.Edit = *answer.edit
	}
	switch {
	case !p.MayUpdate && p.Edit.Message+p.FileNotice != "":
		p.Refusal = p.Edit.Message + p.FileNotice
	case !p.MayAssign:
		p.Refusal = answer.assignMessage
	}
	if c == policies {
		if p.Inspection, err = v.lookInto(i); err != nil {
			return err
		}
	}
	if err := v.aboutApp(&p, i); err != nil {
		return err
	}
	p.Facts = v.itemFacts(i, p.Inspection, !p.MayUpdate)
	if err := v.aboutAssignments(&p, answer); err != nil {
		return err
	}
	if p.Tags, err = v.tagEditor(p.Address+"/tags", i.Tags, c.update, answer.tags); err != nil {
		return err
	}
	return v.renderStatus(answer.status, "catalog_item", p.Name, p)
}

func (v *visit) aboutAssignments(p *itemPage, answer itemAnswer) error {
	current, err := v.assignments(p.Collection, p.ID)
	if err != nil {
		return err
	}
	p.Assigned = assignedTo(current)
	shown := current
	if answer.chosen != nil {
		shown = answer.chosen
	}
	if p.Editor, err = v.editor(shown); err != nil {
		return err
	}
	p.Editor.Seen, p.Editor.Message = fingerprint(current), answer.assignMessage
	if answer.seen != "" {
		p.Editor.Seen = answer.seen
	}
	if !p.MayAssign {
		return nil
	}
	p.Editor.Picker.Page = p.Address + "#assignments"
	return v.offer(&p.Editor.Picker, v.r.FormValue("groups"))
}

// configurable reports whether an app can have app configurations.
func (c *console) configurable(odataType string) bool {
	return slices.ContainsFunc(c.config.Forms.In(catalog.AppConfigurations),
		func(f *catalog.Form) bool {
			return slices.ContainsFunc(f.Properties, func(p catalog.Property) bool {
				return slices.Contains(p.Apps, strings.TrimPrefix(odataType, graphType))
			})
		})
}

// aboutApp tells of an app configuration what it sets and for which app.
func (v *visit) aboutApp(p *itemPage, i *catalogItem) error {
	if len(i.Targets) == 0 {
		return nil
	}
	app, err := v.catalogItem(apps, i.Targets[0])
	switch {
	case err == nil:
		p.App = &link{apps.item(app.ID), app.Name}
	case isMissing(err):
		p.App = &link{"", "deleted"}
	default:
		return err
	}
	if raw := i.properties["settings"]; len(raw) > 0 {
		return json.Unmarshal(raw, &p.Settings)
	}
	return nil
}

func isMissing(err error) bool {
	refused, ok := near(err)
	return ok && refused.Status == http.StatusNotFound
}

// itemFacts are what does not stand in the form: what never changes, and all of it for who may
// change nothing.
func (v *visit) itemFacts(i *catalogItem, found *inspection, whole bool) []fact {
	created, modified := v.moment(i.Created), v.moment(i.Modified)
	facts := []fact{{Name: "Type", Value: v.formName(i.ODataType)}}
	if found != nil {
		facts = append(facts, fact{Name: "Kind", Value: found.Kind()},
			fact{Name: "File", Value: i.FileName})
	}
	if i.Version > 0 {
		facts = append(facts, fact{Name: "Version", Value: v.version(i)})
	}
	empty, _ := v.emptyForm(i.ODataType)
	for _, one := range empty.Fields {
		if one.of != nil && one.of.Control == catalog.AppPicker {
			continue // the app has a fact of its own, with its name
		}
		if one.fixed() || whole && one.Name != nameField.Name {
			facts = append(facts, fact{Name: one.Label, Value: one.valueOf(i)})
		}
	}
	facts = append(facts, fact{Name: "Created", Moment: &created},
		fact{Name: "Last changed", Moment: &modified})
	known := facts[:0]
	for _, f := range facts {
		if f.Moment != nil || f.Value != "" {
			known = append(known, f)
		}
	}
	return known
}

// valueOf is a property's value in words.
func (f formField) valueOf(i *catalogItem) string {
	value := f.read(i.properties[f.Name])
	switch f.Control {
	case "check":
		return map[string]string{"on": "Yes", "": "No"}[value]
	case "choice":
		for _, o := range f.Options {
			if o.Value == value {
				return o.Text
			}
		}
	}
	return value
}

// editItem takes the form with an item's properties.
func (v *visit) editItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := v.r.PathValue("id")
	i, err := v.catalogItem(c, id)
	if err != nil {
		return err
	}
	empty, ok := v.emptyForm(i.ODataType)
	if !ok {
		return badRequest("This console cannot change a thing of type %s.", i.ODataType)
	}
	sent := empty.of(i).with(v.r.PostForm)
	if err := v.call(http.MethodPatch, c.resource(id), nil, nil, sent.body(), nil); err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		sent.refuse(refused.Message)
		return v.showItem(c, id, itemAnswer{status: refused.Status, edit: &sent})
	}
	v.redirect(c.item(id) + "?notice=saved")
	return nil
}
