package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// The properties of a settings catalog policy by which its form is found.
const (
	PlatformsProperty    = "platforms"
	TechnologiesProperty = "technologies"
)

// PolicyProperties are those that every settings catalog policy has.
func PolicyProperties() []Property {
	const prefix = "deviceManagementConfiguration"
	return []Property{
		{Name: PlatformsProperty, Type: Type{Name: prefix + "Platforms"}, Filter: true,
			Required: true},
		{Name: TechnologiesProperty, Type: Type{Name: prefix + "Technologies"}, Filter: true},
		{Name: SettingsProperty, Type: Type{Name: prefix + "Setting", Many: true},
			Required: true},
	}
}

// OfPayload returns the form of a payload; nil if there is none, as for one that another system
// keeps. Policies of all settings catalogs are of one type, and of the form that is for their
// platforms.
func (f *Forms) OfPayload(p *Payload) *Form {
	if p.MirroredFrom != "" {
		return nil
	}
	forms := f.ofType(p.ODataType)
	for _, form := range forms {
		if len(forms) == 1 || len(p.Platforms) > 0 &&
			slices.Contains(form.Platforms, p.Platforms[0]) {
			return form
		}
	}
	return nil
}

func (f *Forms) ofType(odataType string) []*Form {
	return slices.DeleteFunc(slices.Clone(f.All()),
		func(form *Form) bool { return form.Type != odataType })
}

// hidden reports whether nothing tells a new form from another one of its type.
func (f *Forms) hidden(form *Form) bool {
	return slices.ContainsFunc(f.ofType(form.Type), func(other *Form) bool {
		return other.Settings == nil || form.Settings == nil ||
			slices.ContainsFunc(form.PolicyPlatforms, func(word string) bool {
				return slices.Contains(other.PolicyPlatforms, word)
			}) || slices.ContainsFunc(form.Platforms, func(p fleet.Platform) bool {
			return slices.Contains(other.Platforms, p)
		})
	})
}

// forNew returns the form of a payload that is to be made. The error is an *invalid.Input.
func (f *Forms) forNew(odataType string, props Properties) (*Form, error) {
	forms := f.ofType(odataType)
	switch {
	case len(forms) == 0:
		return nil, &invalid.Input{Property: "@odata.type",
			Reason: fmt.Sprintf("%.60q is not a type that this server keeps", odataType)}
	case forms[0].Settings == nil:
		return forms[0], nil
	}
	wanted, err := Read[string](props, PlatformsProperty, "a string")
	if err != nil {
		return nil, err
	}
	var known []string
	for _, form := range forms {
		for _, word := range form.PolicyPlatforms {
			if word == wanted {
				return form, nil
			}
			known = append(known, fmt.Sprintf("%q", word))
		}
	}
	last := len(known) - 1
	choice := known[last]
	if last > 0 {
		choice = strings.Join(known[:last], ", ") + " or " + choice
	}
	return nil, &invalid.Input{Property: PlatformsProperty,
		Reason: fmt.Sprintf("is %.60q; it can be %s", wanted, choice)}
}

// checkOwn refuses properties of other settings catalogs: all policies are of one type, which has
// the properties of each.
func (form *Form) checkOwn(props Properties) error {
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if form.Settings != nil && props.Has(name) && form.Property(name) == nil {
			return &invalid.Input{Property: name, Reason: fmt.Sprintf(
				"is not a property of policies for %s",
				strings.Join(form.PolicyPlatforms, " or "))}
		}
	}
	return nil
}

// CheckTechnologies refuses words for how devices are managed that are not the form's. None is all
// of them. The error is an *invalid.Input.
func (form *Form) CheckTechnologies(props Properties) error {
	text, err := Read[string](props, TechnologiesProperty, "a string")
	if err != nil || text == "" {
		return err
	}
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); !slices.Contains(form.PolicyTechnologies, word) {
			return &invalid.Input{Property: TechnologiesProperty,
				Reason: fmt.Sprintf("has %.60q; it can be %q", word,
					strings.Join(form.PolicyTechnologies, ","))}
		}
	}
	return nil
}
