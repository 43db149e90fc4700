package catalog

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// SettingForm is how the value of a setting is given.
type SettingForm uint8

const (
	ChoiceSetting SettingForm = iota
	SimpleSetting
	SimpleSettingCollection
	SettingGroupCollection
)

// SettingValue is what a simple setting holds.
type SettingValue uint8

const (
	TextValue SettingValue = iota
	IntegerValue
	RealValue        // given as text
	DataValue        // given in base64
	DateValue        // given as RFC 3339 has it
	SecretValue      // a text
	SecretDataValue  // given in base64
	UUIDValue        // a GUID by which others in the policy name what has it
	PayloadReference // such a GUID of something else in the policy
	IntegerOption    // of a choice: its options are integers
	RealOption       // of a choice: its options are numbers
	NoValue          // of a group: it has none
)

// Setting is Graph's description of one setting that a settings catalog policy may have
// (deviceManagementConfigurationSettingDefinition).
type Setting struct {
	ID        string // Graph's settingDefinitionId
	Key       string // the platform's name of it
	Title     string // its name in words
	Form      SettingForm
	Value     SettingValue    // of a simple setting, or of an element of a collection
	Options   []SettingOption // of a choice
	Least     *int64          // of an integer
	Greatest  *int64          // of an integer
	Platforms []fleet.Platform
	// Technologies are Graph's words for how devices that take it are managed.
	Technologies string
	RootID       string   // of the outermost setting that it is part of; its own if it is that
	CategoryID   string   // a GUID
	Category     string   // the name of the category
	HelpText     string   // what it is, for people
	Keywords     []string // by which people look for it
	ChildIDs     []string // of a group
}

// SettingOption is a value of a choice.
type SettingOption struct {
	ID    string
	Value any // bool, string, int64 or float64
}

// IsSecret reports whether the value is never given back.
func (s *Setting) IsSecret() bool { return s.Value == SecretValue || s.Value == SecretDataValue }

// SettingTable is the settings that a platform knows.
type SettingTable interface {
	// Find returns the setting with this id; nil if there is none.
	Find(id string) *Setting
	// After lists settings by ascending id, after that one, at most limit.
	After(id string, limit int) []*Setting
}

// FindSetting returns the setting with this id of any platform; nil if there is none.
func (f *Forms) FindSetting(id string) *Setting {
	for _, form := range f.All() {
		if form.Settings == nil {
			continue
		}
		if s := form.Settings.Find(id); s != nil {
			return s
		}
	}
	return nil
}

// Settings lists the settings that a policy may have, by ascending id.
func (f *Forms) Settings() []*Setting {
	var all []*Setting
	for _, form := range f.All() {
		if form.Settings != nil {
			all = append(all, form.Settings.After("", math.MaxInt32)...)
		}
	}
	slices.SortFunc(all, func(a, b *Setting) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// PolicySettings is the settings of a settings catalog policy, as the policy keeps them: secrets
// are tokens. Those of a policy that another system keeps are not known.
func (p *Payload) PolicySettings() ([]PolicySetting, error) {
	if p.MirroredFrom != "" {
		return nil, nil
	}
	props, err := p.properties()
	if err != nil {
		return nil, err
	}
	var list []PolicySetting
	if err := json.Unmarshal(props[SettingsProperty], &list); err != nil {
		return nil, fmt.Errorf("stored settings of %s: %w", p.ID, err)
	}
	return list, nil
}

// SettingCount is how many settings a policy of the settings catalog has; 0 for all else.
func (p *Payload) SettingCount() int {
	list, err := p.PolicySettings()
	if err != nil {
		return 0
	}
	return len(list)
}

// PolicySetting is one setting of a policy, with what is inside of it.
type PolicySetting struct {
	// Graph's deviceManagementConfigurationSettingInstance
	Instance json.RawMessage `json:"settingInstance"`
}

// Definitions lists the settings that are in the instance and known, each once.
func (s *PolicySetting) Definitions(find func(id string) *Setting) ([]*Setting, error) {
	var in SettingInstance
	if err := json.Unmarshal(s.Instance, &in); err != nil {
		return nil, fmt.Errorf("stored setting: %w", err)
	}
	var list []*Setting
	in.walk(func(in *SettingInstance) {
		if s := find(in.Definition); s != nil && !slices.Contains(list, s) {
			list = append(list, s)
		}
	})
	return list, nil
}
