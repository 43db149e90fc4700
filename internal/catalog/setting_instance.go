package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// The types of Microsoft Graph's beta reference, deviceManagementConfiguration…, as far as they
// have a meaning here. References to templates and to what Graph tells of a setting are accepted
// and mean nothing.

// GivenSetting is one setting of a policy as an admin gives it.
type GivenSetting struct {
	Type        string           `json:"@odata.type"`
	ID          string           `json:"id"`
	Instance    *SettingInstance `json:"settingInstance"`
	Definitions json.RawMessage  `json:"settingDefinitions"`
}

// SettingInstance is a setting with its value.
type SettingInstance struct {
	Type       string          `json:"@odata.type"`
	Definition string          `json:"settingDefinitionId"`
	Template   json.RawMessage `json:"settingInstanceTemplateReference"`
	Audit      json.RawMessage `json:"auditRuleInformation"`
	Choice     *ChoiceGiven    `json:"choiceSettingValue"`
	Choices    []ChoiceGiven   `json:"choiceSettingCollectionValue"`
	Simple     *SimpleGiven    `json:"simpleSettingValue"`
	Simples    []SimpleGiven   `json:"simpleSettingCollectionValue"`
	Group      *GroupGiven     `json:"groupSettingValue"`
	Groups     []GroupGiven    `json:"groupSettingCollectionValue"`
}

// ChoiceGiven is the chosen option.
type ChoiceGiven struct {
	Type     string            `json:"@odata.type"`
	Template json.RawMessage   `json:"settingValueTemplateReference"`
	Value    string            `json:"value"`
	Children []SettingInstance `json:"children"`
}

// SimpleGiven is one value.
type SimpleGiven struct {
	Type     string          `json:"@odata.type"`
	Template json.RawMessage `json:"settingValueTemplateReference"`
	Value    json.RawMessage `json:"value"`
	State    string          `json:"valueState"`
}

// GroupGiven is what one element of a group holds.
type GroupGiven struct {
	Type     string            `json:"@odata.type"`
	Template json.RawMessage   `json:"settingValueTemplateReference"`
	Children []SettingInstance `json:"children"`
}

// SettingsProperty holds the settings of a policy.
const SettingsProperty = "settings"

const configuration = "#microsoft.graph.deviceManagementConfiguration"

// instanceTypes are Graph's types of the forms.
var instanceTypes = map[SettingForm]string{
	ChoiceSetting:           configuration + "ChoiceSettingInstance",
	SimpleSetting:           configuration + "SimpleSettingInstance",
	SimpleSettingCollection: configuration + "SimpleSettingCollectionInstance",
	SettingGroupCollection:  configuration + "GroupSettingCollectionInstance",
}

// Graph's types of simple values.
const (
	TextValueType    = configuration + "StringSettingValue"
	IntegerValueType = configuration + "IntegerSettingValue"
	SecretValueType  = configuration + "SecretSettingValue"
)

// ReadSettings reads the settings of a policy, and refuses those that a table does not know, naming
// them all. The error is an *invalid.Input.
func ReadSettings(raw json.RawMessage, known SettingTable) ([]GivenSetting, error) {
	var list []GivenSetting
	if len(raw) == 0 {
		raw = json.RawMessage("[]")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, &invalid.Input{Property: SettingsProperty,
			Reason: "is not a collection of deviceManagementConfigurationSetting: " + misfit(err)}
	}
	if len(list) == 0 {
		return nil, &invalid.Input{Property: SettingsProperty,
			Reason: "is missing or empty; the policy would configure nothing"}
	}
	unknown := unknownSettings{known: known, seen: make(map[string]bool)}
	for i, s := range list {
		if s.Instance == nil {
			return nil, &invalid.Input{Property: fmt.Sprintf("settings[%d].settingInstance", i),
				Reason: "is missing"}
		}
		s.Instance.walk(unknown.add)
	}
	return list, unknown.refusal()
}

// misfit says in JSON's words what of the settings is not of its type.
func misfit(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("%.200q cannot be a %s", wrong.Field, wrong.Value)
	}
	return fmt.Sprintf("%.300s", strings.TrimPrefix(err.Error(), "json: "))
}

// unknownSettings are the ids that no setting has, each once.
type unknownSettings struct {
	known SettingTable
	ids   []string
	seen  map[string]bool
}

// maxUnknown is how many unknown settings are named at most.
const maxUnknown = 500

func (u *unknownSettings) refusal() error {
	named, rest := u.ids, ""
	switch n := len(u.ids); {
	case n == 0:
		return nil
	case n > maxUnknown:
		named, rest = u.ids[:maxUnknown], fmt.Sprintf(" and %d more", n-maxUnknown)
	}
	return &invalid.Input{Property: SettingsProperty,
		Reason: "has settings that this server does not know: " + strings.Join(named, ", ") + rest +
			"; see deviceManagement/configurationSettings for those that it knows"}
}

func (u *unknownSettings) add(in *SettingInstance) {
	if u.known.Find(in.Definition) == nil && !u.seen[in.Definition] {
		u.seen[in.Definition] = true
		u.ids = append(u.ids, fmt.Sprintf("%.200q", in.Definition))
	}
}

// walk visits the instance and all inside of it.
func (in *SettingInstance) walk(visit func(*SettingInstance)) {
	visit(in)
	var inside [][]SettingInstance
	if in.Choice != nil {
		inside = append(inside, in.Choice.Children)
	}
	for _, v := range in.Choices {
		inside = append(inside, v.Children)
	}
	if in.Group != nil {
		inside = append(inside, in.Group.Children)
	}
	for _, v := range in.Groups {
		inside = append(inside, v.Children)
	}
	for _, list := range inside {
		for i := range list {
			list[i].walk(visit)
		}
	}
}

// Fits checks that the instance gives its value as the setting's form has it.
func (in *SettingInstance) Fits(s *Setting) error {
	if in.Type != instanceTypes[s.Form] {
		return fmt.Errorf("is a %.100q, and the setting needs a %q", in.Type, instanceTypes[s.Form])
	}
	given := map[string]bool{"choiceSettingValue": in.Choice != nil,
		"choiceSettingCollectionValue": in.Choices != nil,
		"simpleSettingValue":           in.Simple != nil,
		"simpleSettingCollectionValue": in.Simples != nil,
		"groupSettingValue":            in.Group != nil,
		"groupSettingCollectionValue":  in.Groups != nil}
	needed := map[SettingForm]string{ChoiceSetting: "choiceSettingValue",
		SimpleSetting:           "simpleSettingValue",
		SimpleSettingCollection: "simpleSettingCollectionValue",
		SettingGroupCollection:  "groupSettingCollectionValue"}[s.Form]
	if !given[needed] {
		return fmt.Errorf("has no %s", needed)
	}
	delete(given, needed)
	for _, name := range []string{"choiceSettingValue", "choiceSettingCollectionValue",
		"simpleSettingValue", "simpleSettingCollectionValue",
		"groupSettingValue", "groupSettingCollectionValue"} {
		if given[name] {
			return fmt.Errorf("has a %s beside its %s", name, needed)
		}
	}
	return nil
}
