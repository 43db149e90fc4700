package madeup

import (
	"context"
	"crypto/x509"
	"encoding/json"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Forms implements platform.Platform.
func (Platform) Forms() []*catalog.Form {
	return []*catalog.Form{
		{
			Type: "kettleConfiguration", Collection: catalog.Configurations,
			Platforms: []fleet.Platform{KettleOS},
			Title:     "Settings of a kettle", Compiler: compiler{},
			Properties: []catalog.Property{
				{Name: "brew", Type: catalog.Type{Name: "kettleBrew",
					Members: []string{"water", "tea", "coffee"}}, Filter: true,
					Label: "Brew", Control: catalog.Choice, Required: true,
					Options: []catalog.Option{
						{Key: "water", Value: json.RawMessage(`"water"`), Text: "Water"},
						{Key: "tea", Value: json.RawMessage(`"tea"`), Text: "Tea"},
					}},
				{Name: "degrees", Type: catalog.Int32, Label: "Temperature",
					Hint: "In degrees Celsius.", Control: catalog.Line},
				{Name: "network", Type: catalog.Type{Name: "kettleNetwork",
					Parts: []catalog.Property{{Name: "name", Type: catalog.Text},
						{Name: "key", Type: catalog.Text}}}, Private: true},
			},
		},
		{
			Type: "kettleApp", Collection: catalog.Apps, Platforms: []fleet.Platform{KettleOS},
			Title:   "App for kettles",
			Version: "kettleVersion", Compiler: compiler{},
			Properties: []catalog.Property{
				{Name: "kettleIdentifier", Type: catalog.Text, Filter: true, Label: "Identifier",
					Control: catalog.Line, Required: true, Fixed: true},
				{Name: "kettleVersion", Type: catalog.Text, Label: "Version",
					Control: catalog.Line},
				{Name: "quiet", Type: catalog.Boolean, Label: "Boils quietly",
					Control: catalog.Check, On: true},
			},
		},
		{
			Type: "deviceManagementConfigurationPolicy", Collection: catalog.SettingPolicies,
			Platforms: []fleet.Platform{KettleOS}, Title: "Settings catalog policy for kettles",
			Properties: append(catalog.PolicyProperties(),
				catalog.Property{Name: "boiler", Type: catalog.Text, Filter: true}),
			Settings: kettleSettings{}, Compiler: policies{},
			PolicyPlatforms: []string{"linux"}, PolicyTechnologies: []string{"linuxMdm"},
		},
	}
}

// compiler makes what a kettle takes out of the properties themselves.
type compiler struct{}

// ReadFile implements catalog.Compiler; no form has a file.
func (compiler) ReadFile([]byte) (any, error) { return nil, nil }

// Compile implements catalog.Compiler.
func (compiler) Compile(_ context.Context, form *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	c := &catalog.Content{Identifier: string(d.ID), IdentifiedBy: "id", Platforms: form.Platforms,
		PlatformsBy: "@odata.type", SubType: "custom"}
	if form.Collection == catalog.Apps {
		id, err := catalog.Read[string](d.Properties, "kettleIdentifier", "a string")
		if err == nil && id == "" {
			err = &invalid.Input{Property: "kettleIdentifier",
				Reason: "is missing: every app for kettles has one"}
		}
		if err != nil {
			return nil, err
		}
		c.Identifier, c.IdentifiedBy, c.SubType = id, "kettleIdentifier", "application"
	}
	degrees, err := catalog.Read[int64](d.Properties, "degrees", "an integer")
	if err == nil && degrees > 100 {
		err = &invalid.Input{Property: "degrees", Reason: "is more than water can have"}
	}
	if err != nil {
		return nil, err
	}
	c.Installed, err = json.Marshal(d.Properties)
	return c, err
}

// Inspect implements catalog.Compiler.
func (compiler) Inspect(content []byte) (*catalog.Inspection, error) {
	var props catalog.Properties
	err := json.Unmarshal(content, &props)
	return &catalog.Inspection{Settings: len(props)}, err
}

// Risks implements catalog.Compiler: a kettle without its network is a kettle alone.
func (compiler) Risks(content []byte, _ []*x509.Certificate) ([]catalog.Risk, error) {
	var props catalog.Properties
	if err := json.Unmarshal(content, &props); err != nil || !props.Has("network") {
		return nil, err
	}
	return []catalog.Risk{{Reason: "it carries the network by which the kettle reaches the server"}}, nil
}
