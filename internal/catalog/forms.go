package catalog

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Forms are all types of payloads that a server keeps. The nil Forms are none.
type Forms struct {
	list    []*Form
	byType  map[string]*Form
	refused []*Form
}

// propertyName is what a property may be called: it becomes a part of statements of the store.
var propertyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// NewForms puts the forms of platforms together. It refuses what could not be served: two forms of
// one type, a form without its collection or compiler, a property whose name cannot be one, and one
// that a list would compare but that is of different types in it.
func NewForms(platforms ...[]*Form) (*Forms, error) {
	f := &Forms{byType: make(map[string]*Form)}
	for _, form := range slices.Concat(platforms...) {
		if err := f.add(form); err != nil {
			return nil, fmt.Errorf("form %s: %w", form.Type, err)
		}
	}
	return f, nil
}

func (f *Forms) add(form *Form) error {
	if form.Refused != "" {
		f.refused = append(f.refused, form)
		return nil
	}
	switch {
	case form.Type == "" || form.Title == "" || len(form.Platforms) == 0:
		return errors.New("it needs a type, a title and platforms")
	case !slices.Contains(Collections(), form.Collection):
		return errors.New("it is in none of Graph's collections")
	case form.Compiler == nil:
		return errors.New("it has no compiler")
	case f.byType[form.Type] != nil:
		return errors.New("another form has its type")
	}
	seen := make(map[string]bool)
	for _, p := range slices.Concat(form.Collection.Properties, form.Properties) {
		if err := f.checkProperty(form.Collection, &p); err != nil {
			return fmt.Errorf("property %q: %w", p.Name, err)
		}
		if seen[p.Name] {
			return fmt.Errorf("property %q is there twice", p.Name)
		}
		seen[p.Name] = true
	}
	f.list, f.byType[form.Type] = append(f.list, form), form
	return nil
}

// reserved are the properties that a payload has besides those of its form.
var reserved = []string{"id", "displayName", "name", "description", "createdDateTime",
	"lastModifiedDateTime", "version",
	"roleScopeTagIds", "payload", "payloadFileName", secretsProperty}

func (f *Forms) checkProperty(c *Collection, p *Property) error {
	switch {
	case !propertyName.MatchString(p.Name):
		return errors.New("its name is not one of letters and digits")
	case slices.Contains(reserved, p.Name):
		return errors.New("every payload has it")
	case (p.Label == "") != (p.Control == NoControl):
		return errors.New("a label needs a control, and a control a label")
	case (p.Control == Choice) != (len(p.Options) > 0):
		return errors.New("a choice needs options, and nothing else has them")
	case p.Filter && (p.Type.Many || p.Type.Parts != nil):
		return errors.New("only a single value can be compared")
	}
	for _, form := range f.In(c) {
		if q := form.Property(p.Name); q != nil && (p.Filter || p.Shared || q.Filter || q.Shared) &&
			q.Type.Name != p.Type.Name {
			return fmt.Errorf("it is of another type in %s, and one list holds both", form.Type)
		}
	}
	return nil
}

// All lists the forms, in the order of their platforms.
func (f *Forms) All() []*Form {
	if f == nil {
		return nil
	}
	return f.list
}

// Of returns the form of a type; nil if there is none.
func (f *Forms) Of(odataType string) *Form {
	if f == nil {
		return nil
	}
	return f.byType[odataType]
}

// Refused says why nothing of a type can be made in a collection; empty: it is not a type that was
// refused on purpose.
func (f *Forms) Refused(c *Collection, odataType string) string {
	if f == nil {
		return ""
	}
	for _, form := range f.refused {
		if form.Type == odataType && form.Collection == c {
			return form.Refused
		}
	}
	return ""
}

// In lists the forms of a collection.
func (f *Forms) In(c *Collection) []*Form {
	return slices.DeleteFunc(slices.Clone(f.All()),
		func(form *Form) bool { return form.Collection != c })
}

// Property finds a property of the form, or of its collection; nil if it has none of that name.
func (f *Form) Property(name string) *Property {
	for _, list := range [][]Property{f.Collection.Properties, f.Properties} {
		if i := slices.IndexFunc(list, func(p Property) bool { return p.Name == name }); i >= 0 {
			return &list[i]
		}
	}
	return nil
}

// Risks tells by what taking a payload off may cut a device off, as Compiler has it.
func (f *Forms) Risks(p *Payload, server []*x509.Certificate) ([]Risk, error) {
	form := f.Of(p.ODataType)
	if form == nil {
		return nil, nil
	}
	risks, err := form.Compiler.Risks(p.Content, server)
	if err != nil {
		return nil, fmt.Errorf("payload %s: %w", p.ID, err)
	}
	return risks, nil
}

// SettingCount is how many settings a payload has (Graph's settingCount).
func (f *Forms) SettingCount(p *Payload) (int, error) {
	if p.Type == action.ConfigurationPolicy {
		settings, err := p.PolicySettings()
		return len(settings), err
	}
	form := f.Of(p.ODataType)
	if form == nil {
		return 0, nil
	}
	found, err := form.Compiler.Inspect(p.Content)
	if err != nil {
		return 0, err
	}
	return found.Settings, nil
}

// InspectFile tells what is in a file that may become a payload, and by what taking it off may cut
// a device off. Each platform that makes payloads of files is asked until one knows it. The error
// is the first one's *invalid.Input.
func (f *Forms) InspectFile(file []byte,
	server []*x509.Certificate) (found *Inspection, risks []Risk, err error) {
	var refused error
	var asked []Compiler
	for _, form := range f.All() {
		if !form.File || slices.Contains(asked, form.Compiler) {
			continue
		}
		asked = append(asked, form.Compiler)
		if found, err = form.Compiler.Inspect(file); err == nil {
			risks, err = form.Compiler.Risks(file, server)
			return found, risks, err
		}
		refused = cmp.Or(refused, err)
	}
	return nil, nil, cmp.Or(refused, error(&invalid.Input{Property: "payload",
		Reason: "this server makes no policies of files"}))
}

// MustForms is NewForms for forms that are part of the program: what is wrong with them panics.
func MustForms(platforms ...[]*Form) *Forms {
	f, err := NewForms(platforms...)
	if err != nil {
		panic("catalog: " + err.Error())
	}
	return f
}
