package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

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
	UUIDValue        // the PayloadUUID of the payload that has it
	PayloadReference // the PayloadUUID of another payload of the policy
	integerOfOption  // of a choice
	realOfOption     // of a choice
	noValue          // of a group: it has none
)

// grouping is what a group's values become.
type grouping uint8

const (
	aPayload         grouping = iota // each a payload of the profile
	aDictionary                      // the one that there may be: a dictionary
	someDictionaries                 // an array of dictionaries
	someLists                        // an array of arrays
	anyKeys                          // the keys of a dictionary, each with its value
)

// Setting is one setting that a settings catalog policy may have: a key of a payload, or a payload itself.
type Setting struct {
	ID        string // Graph's settingDefinitionId
	Key       string // Apple's name of it
	Title     string // of a payload; of a key, its name in words
	Form      SettingForm
	Value     SettingValue     // of a simple setting, or of an element of a collection
	Options   []SettingOption  // of a choice
	Least     *int64           // of an integer
	Greatest  *int64           // of an integer
	Platforms []fleet.Platform // MacOS, and IOS for iOS and iPadOS
	Parent    *Setting
	Children  []*Setting // of a group; of a choice that has them, that of each option

	payloadType string
	grouping    grouping
}

// SettingOption is a value of a choice.
type SettingOption struct {
	ID    string
	Value any // bool, string, int64 or float64
}

// Root is the setting of the payload that s is part of.
func (s *Setting) Root() *Setting {
	for s.Parent != nil {
		s = s.Parent
	}
	return s
}

// Settings lists the settings that a policy may have, by ascending id from behind after, at most limit.
func Settings(after string, limit int) []*Setting {
	all := settings().sorted
	from, found := slices.BinarySearchFunc(all, after, func(s *Setting, id string) int { return strings.Compare(s.ID, id) })
	if found {
		from++
	}
	return all[from:min(len(all), from+max(limit, 0))]
}

// FindSetting returns the setting with this id; nil if there is none.
func FindSetting(id string) *Setting { return settings().byID[id] }

// settingTable is all settings that there are.
type settingTable struct {
	byID   map[string]*Setting
	sorted []*Setting // by id
}

// settings is the table of settings.txt.
var settings = sync.OnceValue(func() *settingTable {
	t, err := readSettingTable(settingsText)
	if err != nil {
		panic("catalog: settings.txt: " + err.Error())
	}
	return t
})

func newSettingTable(roots []*Setting) *settingTable {
	t := &settingTable{byID: make(map[string]*Setting)}
	var add func(list []*Setting)
	add = func(list []*Setting) {
		for _, s := range list {
			if t.byID[s.ID] == nil { // those who pick a type are alike within a payload type
				t.byID[s.ID] = s
				t.sorted = append(t.sorted, s)
			}
			add(s.Children)
		}
	}
	add(roots)
	slices.SortFunc(t.sorted, func(a, b *Setting) int { return cmp.Compare(a.ID, b.ID) })
	return t
}

// child returns the child with an id; nil if there is none.
func (s *Setting) child(id string) *Setting {
	if i := slices.IndexFunc(s.Children, func(c *Setting) bool { return c.ID == id }); i >= 0 {
		return s.Children[i]
	}
	return nil
}

// IsSecret reports whether the value is never given back.
func (s *Setting) IsSecret() bool { return s.Value == SecretValue || s.Value == SecretDataValue }

// PolicySettings is the settings of a settings catalog policy, as the policy keeps them: secrets are tokens.
func (p *Payload) PolicySettings() ([]PolicySetting, error) {
	props, err := parseProperties(p.Properties)
	if err != nil {
		return nil, fmt.Errorf("stored properties of %s: %w", p.ID, err)
	}
	var list []PolicySetting
	if err := json.Unmarshal(props[settingsProperty], &list); err != nil {
		return nil, fmt.Errorf("stored settings of %s: %w", p.ID, err)
	}
	return list, nil
}

// PolicySetting is one setting of a policy, with what is inside of it.
type PolicySetting struct {
	Instance json.RawMessage `json:"settingInstance"` // Graph's deviceManagementConfigurationSettingInstance
}

// Definitions lists the settings that are in the instance, each once.
func (s *PolicySetting) Definitions() ([]*Setting, error) {
	var in settingInstance
	if err := json.Unmarshal(s.Instance, &in); err != nil {
		return nil, fmt.Errorf("stored setting: %w", err)
	}
	var list []*Setting
	in.walk(func(in *settingInstance) {
		if s := FindSetting(in.Definition); s != nil && !slices.Contains(list, s) {
			list = append(list, s)
		}
	})
	return list, nil
}
