package madeup

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// kettleSettings are what a settings catalog policy for kettles can have.
type kettleSettings struct{}

var settings = []*catalog.Setting{{
	ID: "kettle_whistle", Key: "whistle", Title: "Whistle", Form: catalog.ChoiceSetting,
	Options: []catalog.SettingOption{{ID: "kettle_whistle_low", Value: "low"},
		{ID: "kettle_whistle_high", Value: "high"}},
	Platforms: []fleet.Platform{KettleOS}, Technologies: "linuxMdm", RootID: "kettle_whistle",
	CategoryID: "6d2d4ae4-6a1c-4d43-8a52-1f1f1c6f0f10", Category: "Sounds",
	HelpText: "How a kettle says that it boils.", Keywords: []string{"noise"},
}}

// Find implements catalog.SettingTable.
func (kettleSettings) Find(id string) *catalog.Setting {
	i := slices.IndexFunc(settings, func(s *catalog.Setting) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return settings[i]
}

// After implements catalog.SettingTable.
func (kettleSettings) After(id string, limit int) []*catalog.Setting {
	return slices.DeleteFunc(slices.Clone(settings),
		func(s *catalog.Setting) bool { return s.ID <= id || limit == 0 })
}

// policies compiles settings catalog policies for kettles.
type policies struct{ compiler }

// Compile implements catalog.Compiler.
func (policies) Compile(_ context.Context, form *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	if err := form.CheckTechnologies(d.Properties); err != nil {
		return nil, err
	}
	list, err := catalog.ReadSettings(d.Properties[catalog.SettingsProperty], kettleSettings{})
	if err != nil {
		return nil, err
	}
	rules := make(map[string]any)
	for _, given := range list {
		s := kettleSettings{}.Find(given.Instance.Definition)
		if err := given.Instance.Fits(s); err != nil {
			return nil, &invalid.Input{Property: catalog.SettingsProperty, Reason: err.Error()}
		}
		i := slices.IndexFunc(s.Options, func(o catalog.SettingOption) bool {
			return o.ID == given.Instance.Choice.Value
		})
		if i < 0 {
			return nil, &invalid.Input{Property: catalog.SettingsProperty,
				Reason: "no kettle has the option " + given.Instance.Choice.Value}
		}
		rules[s.Key] = s.Options[i].Value
	}
	c := &catalog.Content{Identifier: string(d.ID), IdentifiedBy: "id", SubType: "settingsCatalog",
		Platforms: form.Platforms, PlatformsBy: catalog.PlatformsProperty}
	c.Installed, err = json.Marshal(rules)
	return c, err
}

// Risks implements catalog.Compiler: no whistle cuts a kettle off.
func (policies) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) { return nil, nil }
