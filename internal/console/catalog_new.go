package console

import (
	"net/http"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// newPage is the page on which something is added to the catalog.
type newPage struct {
	Collection *collection
	Types      []option // to choose from; none: it is chosen
	Type       string
	TypeName   string
	Upload     bool // it begins with a file
	Files      fileChoice
	Form       form
	Limited    bool // there are more apps than the form lists
}

// ofFile stands, among the types to choose from, for those that are made of a file.
const ofFile = "file"

// typesToAdd are what can be added to a collection: types, and ofFile where some are made of a
// file.
func (v *visit) typesToAdd(c *collection) []option {
	var types []option
	for _, f := range v.config.Forms.In(c.of) {
		switch {
		case !f.File && !fillable(f):
		case !f.File:
			types = append(types, option{f.Type, f.Title})
		case !slices.ContainsFunc(types, func(o option) bool { return o.Value == ofFile }):
			types = append(types, option{ofFile, "A file that holds it"})
		}
	}
	return types
}

// fillable reports whether a form has anything that a person can fill in here.
func fillable(f *catalog.Form) bool {
	return slices.ContainsFunc(f.Properties,
		func(p catalog.Property) bool { return p.Control != catalog.NoControl })
}

// newItem shows the form for something new: first of all which type it is, if there are several.
func (v *visit) newItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	query := v.r.URL.Query()
	types, wanted := v.typesToAdd(c), query.Get("type")
	if app := query.Get("app"); app != "" && wanted == "" {
		if types, err = v.typesForApp(types, app); err != nil {
			return err
		}
	}
	if wanted == "" && len(types) > 1 {
		return v.render("catalog_new", c.Adding(), newPage{Collection: c, Types: types})
	}
	if wanted == "" && len(types) == 1 {
		wanted = types[0].Value
	}
	if wanted == ofFile && c == policies {
		return v.askForFile(http.StatusOK, "")
	}
	p, err := v.newForm(c, wanted)
	if err != nil {
		return err
	}
	for i := range p.Form.Fields {
		if one := &p.Form.Fields[i]; one.of != nil && one.of.Control == catalog.AppPicker {
			one.Value = query.Get("app")
		}
	}
	return v.render("catalog_new", c.Adding(), *p)
}

// typesForApp are those of the types whose forms let an app of the catalog be picked; all, if none
// does.
func (v *visit) typesForApp(types []option, id string) ([]option, error) {
	all, err := v.items(apps)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(app catalogItem) bool { return app.ID == id })
	if i < 0 {
		return types, nil
	}
	kind := strings.TrimPrefix(all[i].ODataType, graphType)
	fit := slices.DeleteFunc(slices.Clone(types), func(o option) bool {
		f, _ := v.emptyForm(o.Value)
		return !slices.ContainsFunc(f.Fields, func(one formField) bool {
			return one.of != nil && one.of.Control == catalog.AppPicker &&
				slices.Contains(one.of.Apps, kind)
		})
	})
	if len(fit) == 0 {
		return types, nil
	}
	return fit, nil
}

// newForm is the page with the empty form for a type of a collection. Where there is but one, it
// need not be named.
func (v *visit) newForm(c *collection, odataType string) (*newPage, error) {
	types := v.typesToAdd(c)
	if odataType == "" && len(types) == 1 {
		odataType = types[0].Value
	}
	if odataType == ofFile || !slices.ContainsFunc(types,
		func(o option) bool { return o.Value == odataType }) {
		return nil, badRequest("There is no type of %s by the name of %q.", c.One(), odataType)
	}
	p := &newPage{Collection: c, Type: odataType, TypeName: v.formName(odataType)}
	p.Form, _ = v.emptyForm(odataType)
	for i := range p.Form.Fields {
		if one := &p.Form.Fields[i]; one.of != nil && one.of.Control == catalog.AppPicker {
			if err := v.offerApps(one); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// offerApps lets one of the catalog's apps be chosen.
func (v *visit) offerApps(f *formField) error {
	f.Options = []option{{"", "Choose an app"}}
	all, err := v.items(apps)
	for _, app := range all {
		if slices.Contains(f.of.Apps, strings.TrimPrefix(app.ODataType, graphType)) {
			f.Options = append(f.Options, option{app.ID, app.Name})
		}
	}
	return err
}

// createItem takes the form for something new.
func (v *visit) createItem() error {
	c, err := v.collection()
	if err != nil {
		return err
	}
	if c == policies && (isUpload(v.r) || !v.withoutFile(c)) {
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
	return v.renderStatus(refused.Status, "catalog_new", c.Adding(), *p)
}

// isUpload reports whether a form brings a file.
func isUpload(r *http.Request) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/form-data")
}

// withoutFile reports whether some types of a collection are not made of a file.
func (v *visit) withoutFile(c *collection) bool {
	return slices.ContainsFunc(v.typesToAdd(c), func(o option) bool { return o.Value != ofFile })
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
	err := v.post(c.api(), nil, body, &made)
	return made.ID, err
}
