package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The types of Microsoft Graph's beta reference, deviceManagementConfiguration…, as far as settings of Apple devices have
// them. References to templates and to what Graph tells of a setting are accepted and mean nothing here.

type policySetting struct {
	Type        string           `json:"@odata.type"`
	ID          string           `json:"id"`
	Instance    *settingInstance `json:"settingInstance"`
	Definitions json.RawMessage  `json:"settingDefinitions"`
}

type settingInstance struct {
	Type       string          `json:"@odata.type"`
	Definition string          `json:"settingDefinitionId"`
	Template   json.RawMessage `json:"settingInstanceTemplateReference"`
	Audit      json.RawMessage `json:"auditRuleInformation"`
	Choice     *choiceValue    `json:"choiceSettingValue"`
	Choices    []choiceValue   `json:"choiceSettingCollectionValue"`
	Simple     *simpleValue    `json:"simpleSettingValue"`
	Simples    []simpleValue   `json:"simpleSettingCollectionValue"`
	Group      *groupValue     `json:"groupSettingValue"`
	Groups     []groupValue    `json:"groupSettingCollectionValue"`
}

type choiceValue struct {
	Type     string            `json:"@odata.type"`
	Template json.RawMessage   `json:"settingValueTemplateReference"`
	Value    string            `json:"value"`
	Children []settingInstance `json:"children"`
}

type simpleValue struct {
	Type     string          `json:"@odata.type"`
	Template json.RawMessage `json:"settingValueTemplateReference"`
	Value    json.RawMessage `json:"value"`
	State    string          `json:"valueState"`
}

type groupValue struct {
	Type     string            `json:"@odata.type"`
	Template json.RawMessage   `json:"settingValueTemplateReference"`
	Children []settingInstance `json:"children"`
}

const (
	settingsProperty = "settings"
	configuration    = "#microsoft.graph.deviceManagementConfiguration"
)

// instanceTypes are Graph's types of the forms.
var instanceTypes = map[SettingForm]string{
	ChoiceSetting:           configuration + "ChoiceSettingInstance",
	SimpleSetting:           configuration + "SimpleSettingInstance",
	SimpleSettingCollection: configuration + "SimpleSettingCollectionInstance",
	SettingGroupCollection:  configuration + "GroupSettingCollectionInstance",
}

// Graph's types of simple values.
const (
	textValueType    = configuration + "StringSettingValue"
	integerValueType = configuration + "IntegerSettingValue"
	secretValueType  = configuration + "SecretSettingValue"
)

// readSettings reads the settings of a policy, and refuses those that this server does not know, naming them all.
func readSettings(raw json.RawMessage) ([]policySetting, error) {
	var list []policySetting
	if len(raw) == 0 {
		raw = json.RawMessage("[]")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, &Invalid{Property: settingsProperty, Reason: "is not a collection of deviceManagementConfigurationSetting: " + misfit(err)}
	}
	if len(list) == 0 {
		return nil, &Invalid{Property: settingsProperty, Reason: "is missing or empty; the policy would configure nothing"}
	}
	unknown := unknownSettings{seen: make(map[string]bool)}
	for i, s := range list {
		if s.Instance == nil {
			return nil, &Invalid{Property: fmt.Sprintf("settings[%d].settingInstance", i), Reason: "is missing"}
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
	ids  []string
	seen map[string]bool
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
	return &Invalid{Property: settingsProperty, Reason: "has settings that this server does not know: " + strings.Join(named, ", ") + rest +
		"; see deviceManagement/configurationSettings for those that it knows"}
}

func (u *unknownSettings) add(in *settingInstance) {
	if FindSetting(in.Definition) == nil && !u.seen[in.Definition] {
		u.seen[in.Definition] = true
		u.ids = append(u.ids, fmt.Sprintf("%.200q", in.Definition))
	}
}

// walk visits the instance and all inside of it.
func (in *settingInstance) walk(visit func(*settingInstance)) {
	visit(in)
	var inside [][]settingInstance
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

// fits checks that the instance gives its value as the setting's form has it.
func (in *settingInstance) fits(s *Setting) error {
	if in.Type != instanceTypes[s.Form] {
		return fmt.Errorf("is a %.100q, and the setting needs a %q", in.Type, instanceTypes[s.Form])
	}
	given := map[string]bool{"choiceSettingValue": in.Choice != nil, "choiceSettingCollectionValue": in.Choices != nil,
		"simpleSettingValue": in.Simple != nil, "simpleSettingCollectionValue": in.Simples != nil,
		"groupSettingValue": in.Group != nil, "groupSettingCollectionValue": in.Groups != nil}
	needed := map[SettingForm]string{ChoiceSetting: "choiceSettingValue", SimpleSetting: "simpleSettingValue",
		SimpleSettingCollection: "simpleSettingCollectionValue", SettingGroupCollection: "groupSettingCollectionValue"}[s.Form]
	if !given[needed] {
		return fmt.Errorf("has no %s", needed)
	}
	delete(given, needed)
	for _, name := range []string{"choiceSettingValue", "choiceSettingCollectionValue", "simpleSettingValue", "simpleSettingCollectionValue",
		"groupSettingValue", "groupSettingCollectionValue"} {
		if given[name] {
			return fmt.Errorf("has a %s beside its %s", name, needed)
		}
	}
	return nil
}
