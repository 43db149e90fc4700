package catalog_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// reader is a compiler that takes files that begin with a letter.
type reader struct{ letter byte }

func (r reader) ReadFile(file []byte) (any, error) { return r.Inspect(file) }

func (r reader) Inspect(file []byte) (*catalog.Inspection, error) {
	if len(file) == 0 || file[0] != r.letter {
		return nil, &invalid.Input{Property: "payload",
			Reason: "does not begin with " + string(r.letter)}
	}
	return &catalog.Inspection{Types: []string{string(r.letter)}}, nil
}

func (r reader) Risks(file []byte, _ []*x509.Certificate) ([]catalog.Risk, error) {
	return []catalog.Risk{{Reason: string(file)}}, nil
}

func (reader) Compile(context.Context, *catalog.Form, *catalog.Draft,
	catalog.Lookup) (*catalog.Content, error) {
	return nil, errors.New("nothing is compiled here")
}

func form(change func(*catalog.Form), properties ...catalog.Property) *catalog.Form {
	f := &catalog.Form{Type: "a", Collection: catalog.Apps, Platforms: []fleet.Platform{"x"},
		Title: "A", Compiler: reader{'a'},
		Properties: properties}
	if change != nil {
		change(f)
	}
	return f
}

// What a server could not serve is refused when it starts, and the message says what it is.
func TestRefusedForms(t *testing.T) {
	value := json.RawMessage("1")
	compared := catalog.Property{Name: "n", Type: catalog.Text, Filter: true}
	other := form(func(f *catalog.Form) { f.Type = "b" },
		catalog.Property{Name: "n", Type: catalog.Boolean})
	elsewhere := form(func(f *catalog.Form) { f.Type, f.Collection = "b", catalog.Configurations },
		catalog.Property{Name: "n", Type: catalog.Boolean})
	for name, tt := range map[string]struct {
		forms []*catalog.Form
		want  string // empty: they are taken
	}{
		"one": {[]*catalog.Form{form(nil, compared)}, ""},
		"no type": {[]*catalog.Form{form(func(f *catalog.Form) { f.Type = "" })},
			"needs a type"},
		"no title": {[]*catalog.Form{form(func(f *catalog.Form) { f.Title = "" })},
			"needs a type"},
		"no platforms": {[]*catalog.Form{form(func(f *catalog.Form) { f.Platforms = nil })},
			"needs a type"},
		"no collection": {[]*catalog.Form{form(func(f *catalog.Form) {
			f.Collection = nil
		})}, "collections"},
		"a copied collection": {[]*catalog.Form{form(func(f *catalog.Form) {
			c := *catalog.Apps
			f.Collection = &c
		})}, "collections"},
		"no compiler": {[]*catalog.Form{form(func(f *catalog.Form) { f.Compiler = nil })},
			"compiler"},
		"a type twice": {[]*catalog.Form{form(nil), form(nil)}, "another form"},
		"a name twice": {[]*catalog.Form{form(nil, compared, compared)}, "twice"},
		"the collection's": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "publisher", Type: catalog.Text})}, "twice"},
		"a reserved name": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "displayName", Type: catalog.Text})}, "every payload"},
		"the secrets": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "secrets", Type: catalog.Text})}, "every payload"},
		"a name of SQL": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "x' OR 1", Type: catalog.Text})}, "letters and digits"},
		"a label alone": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.Text, Label: "N"})}, "needs a control"},
		"a control alone": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.Text, Control: catalog.Line})},
			"needs a control"},
		"a choice of nothing": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.Text, Label: "N", Control: catalog.Choice})},
			"options"},
		"options of a line": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.Text, Label: "N", Control: catalog.Line,
				Options: []catalog.Option{{Value: value}}})}, "options"},
		"a compared list": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.ManyOf(catalog.Text), Filter: true})},
			"single value"},
		"two types compared": {[]*catalog.Form{form(nil, compared), other}, "another type"},
		"the same, turned":   {[]*catalog.Form{other, form(nil, compared)}, "another type"},
		"two types not so": {[]*catalog.Form{form(nil,
			catalog.Property{Name: "n", Type: catalog.Text}), other}, ""},
		"two types, two lists": {[]*catalog.Form{form(nil, compared), elsewhere}, ""},
	} {
		forms, err := catalog.NewForms(tt.forms)
		if tt.want == "" {
			if err != nil || forms.Of("a") != tt.forms[slices.IndexFunc(tt.forms,
				func(f *catalog.Form) bool { return f.Type == "a" })] {
				t.Errorf("%s: %v", name, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// A file is shown to each platform that makes payloads of files, and to none that does not.
func TestInspectFile(t *testing.T) {
	ofFile := func(letter byte) *catalog.Form {
		return form(func(f *catalog.Form) {
			f.Type, f.Collection, f.Compiler, f.File = string(letter), catalog.Configurations,
				reader{letter}, true
		})
	}
	forms := catalog.MustForms([]*catalog.Form{form(func(f *catalog.Form) {
		f.Type, f.Compiler = "z", reader{'z'}
	})},
		[]*catalog.Form{ofFile('x')}, []*catalog.Form{ofFile('y')})
	for file, want := range map[string]string{"x": "x", "y1": "y"} {
		found, risks, err := forms.InspectFile([]byte(file), nil)
		if err != nil || found.Types[0] != want || risks[0].Reason != file {
			t.Errorf("%s: %+v, %v, %v", file, found, risks, err)
		}
	}
	for forms, want := range map[*catalog.Forms]string{forms: "does not begin with x",
		nil: "no policies of files"} {
		var invalid *invalid.Input
		if _, _, err := forms.InspectFile([]byte("z"), nil); !errors.As(err, &invalid) ||
			!strings.Contains(invalid.Reason, want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// A type that was refused on purpose has a reason, in its collection alone, and is no form.
func TestRefusedTypes(t *testing.T) {
	forms := catalog.MustForms([]*catalog.Form{form(nil),
		{Type: "b", Collection: catalog.Apps, Refused: "nobody can have it"}})
	if got := forms.Refused(catalog.Apps, "b"); got != "nobody can have it" || forms.Of("b") != nil ||
		len(forms.All()) != 1 {
		t.Errorf("refused because %q; %d forms", got, len(forms.All()))
	}
	for _, got := range []string{forms.Refused(catalog.Apps, "a"),
		forms.Refused(catalog.Configurations, "b"), (*catalog.Forms)(nil).Refused(catalog.Apps, "b")} {
		if got != "" {
			t.Errorf("refused because %q", got)
		}
	}
}
