package console

import (
	"net/http"
	"slices"
	"strings"
)

// appTypes are the types of apps in the order in which they are offered.
var appTypes = []string{"iosStoreApp", "iosVppApp", "iosLobApp", "macOSPkgApp"}

// newPage is the page on which something is added to the catalog.
type newPage struct {
	Collection *collection
	Types      []option // to choose from; none: it is chosen
	Type       string
	TypeName   string
	Upload     bool // it begins with a file
	Form       form
	Limited    bool // there are more apps than the form lists
}

// newItem shows the form for something new: first of all which type it is, if there are several.
func (v *visit) newItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if c == policies {
		return v.askForFile(http.StatusOK, "")
	}
	query := v.r.URL.Query()
	if c == apps && query.Get("type") == "" {
		p := newPage{Collection: c}
		for _, t := range appTypes {
			p.Types = append(p.Types, option{t, formName(graphType + t)})
		}
		return v.render("catalog_new", "Add an app", p)
	}
	p, err := v.newForm(c, query.Get("type"))
	if err != nil {
		return err
	}
	for i := range p.Form.Fields {
		if p.Form.Fields[i].Name == targetedApps {
			p.Form.Fields[i].Value = query.Get("app")
		}
	}
	return v.render("catalog_new", "Add an "+c.One, *p)
}

// newForm is the page with the empty form for a type of a collection.
func (v *visit) newForm(c *collection, odataType string) (*newPage, error) {
	p := &newPage{Collection: c, Type: odataType}
	if c == appConfigurations {
		p.Type = "iosMobileAppConfiguration"
	} else if !slices.Contains(appTypes, odataType) {
		return nil, badRequest("There is no type of app by the name of %q.", odataType)
	}
	p.TypeName = formName(graphType + p.Type)
	p.Form, _ = formOf(p.Type)
	if c == appConfigurations {
		target, err := v.targetField()
		if err != nil {
			return nil, err
		}
		p.Form.Fields = slices.Insert(p.Form.Fields, 0, target)
	}
	return p, nil
}

// targetField chooses the app of an app configuration.
func (v *visit) targetField() (formField, error) {
	f := formField{Name: targetedApps, Label: "App", Control: "choice", Required: true, Hint: "It never changes.",
		Options: []option{{"", "Choose an app"}}}
	all, err := v.items(apps)
	for _, app := range all {
		if configurable(app.ODataType) {
			f.Options = append(f.Options, option{app.ID, app.Name})
		}
	}
	return f, err
}

// createItem takes the form for something new.
func (v *visit) createItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if c == policies {
		return v.upload()
	}
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	p, err := v.newForm(c, v.r.PostForm.Get("type"))
	if err != nil {
		return err
	}
	p.Form = p.Form.with(v.r.PostForm)
	id, err := v.create(c, p.Type, p.Form.body())
	if err == nil {
		v.redirect(c.item(id) + "?notice=created#assignments")
		return nil
	}
	refused, ok := near(err)
	if !ok {
		return err
	}
	p.Form.refuse(refused.Message)
	return v.renderStatus(refused.Status, "catalog_new", "Add an "+c.One, *p)
}

// create adds something to a collection, and returns its id. What is not filled in is left out.
func (v *visit) create(c *collection, odataType string, properties map[string]any) (string, error) {
	body := map[string]any{"@odata.type": graphType + strings.TrimPrefix(odataType, graphType)}
	for name, value := range properties {
		if value != nil {
			body[name] = value
		}
	}
	var made struct {
		ID string `json:"id"`
	}
	err := v.post(c.api, nil, body, &made)
	return made.ID, err
}
