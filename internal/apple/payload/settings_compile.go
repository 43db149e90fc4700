package payload

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// settingCompiler makes payloads of the settings of one policy.
type settingCompiler struct {
	platform   fleet.Platform
	secrets    map[string]string // by the token that stands for each
	references []payloadReference
}

// payloadReference is a place that names another payload of the policy.
type payloadReference struct{ where, id, uuid string }

// settledPayload is a payload and its keys.
type settledPayload struct {
	of   *Setting
	keys map[string]any
}

// fault is an *Invalid that names the place and the setting.
func fault(where, id, format string, args ...any) error {
	return &invalid.Input{Property: where, Reason: fmt.Sprintf("%q: ", id) +
		fmt.Sprintf(format, args...)}
}

// payloads makes the payloads of the settings, ordered by their type. A setting that stands by
// itself, without the group of its payload, as policies made from templates have them, joins the
// others of its type that do.
func (c *settingCompiler) payloads(list []catalog.GivenSetting) ([]settledPayload, error) {
	var all []settledPayload
	seen := make(map[string]int)
	alone := make(map[*Setting]map[string]any)
	for i, setting := range list {
		where, in := fmt.Sprintf("settings[%d].settingInstance", i), setting.Instance
		if first, twice := seen[in.Definition]; twice {
			return nil, fault(where, in.Definition, "is also settings[%d]; put its values into one",
				first)
		}
		seen[in.Definition] = i
		s := FindSetting(in.Definition)
		root := s.Root()
		if s != root {
			value, err := c.childValue(root, in, where)
			if err != nil {
				return nil, err
			}
			if alone[root] == nil {
				alone[root] = make(map[string]any)
				all = append(all, settledPayload{root, alone[root]})
			}
			if err := s.place(alone[root], value); err != nil {
				return nil, fault(where, s.ID, "%v", err)
			}
			continue
		}
		if err := c.check(s, in, where); err != nil {
			return nil, err
		}
		for j, group := range in.Groups {
			keys, err := c.dictionary(s, group.Children,
				fmt.Sprintf("%s.groupSettingCollectionValue[%d].children", where, j))
			if err != nil {
				return nil, err
			}
			all = append(all, settledPayload{s, keys})
		}
	}
	if len(all) == 0 {
		return nil, &invalid.Input{Property: catalog.SettingsProperty,
			Reason: "have no values; the policy would configure nothing"}
	}
	for _, p := range all {
		if len(p.keys) == 0 {
			return nil, fault(catalog.SettingsProperty, p.of.ID,
				"has no settings in it; the payload would configure nothing")
		}
	}
	slices.SortStableFunc(all,
		func(a, b settledPayload) int { return cmp.Compare(a.of.ID, b.of.ID) })
	return all, c.checkReferences(all)
}

// checkReferences checks that what names another payload names one of the policy.
func (c *settingCompiler) checkReferences(all []settledPayload) error {
	uuids := make(map[any]bool)
	for _, p := range all {
		uuids[p.keys["PayloadUUID"]] = true
	}
	for _, r := range c.references {
		if !uuids[r.uuid] {
			return fault(r.where, r.id,
				"%s is not the PayloadUUID of a payload in this policy; set that payload's …_payloaduuid to it", r.uuid)
		}
	}
	return nil
}

// dictionary makes a dictionary of the children of a group's value.
func (c *settingCompiler) dictionary(of *Setting, list []catalog.SettingInstance,
	where string) (map[string]any, error) {
	dict := make(map[string]any, len(list))
	for i := range list {
		at := fmt.Sprintf("%s[%d]", where, i)
		value, err := c.childValue(of, &list[i], at)
		if err != nil {
			return nil, err
		}
		if err := of.child(list[i].Definition).place(dict, value); err != nil {
			return nil, fault(at, list[i].Definition, "%v", err)
		}
	}
	return dict, nil
}

// place puts the value of the setting into the dictionary of what holds it.
func (s *Setting) place(in map[string]any, value any) error {
	if s.kept {
		return nil
	}
	for _, key := range s.path {
		inner, ok := in[key].(map[string]any)
		if !ok {
			inner = make(map[string]any)
			in[key] = inner
		}
		in = inner
	}
	if _, twice := in[s.Key]; twice {
		return errors.New("is there twice")
	}
	in[s.Key] = value
	return nil
}

// childValue is the value of an instance that must be of a child of the setting.
func (c *settingCompiler) childValue(of *Setting, in *catalog.SettingInstance,
	where string) (any, error) {
	s := of.child(in.Definition)
	if s == nil {
		return nil, fault(where, in.Definition, "belongs inside of %q",
			FindSetting(in.Definition).parentID())
	}
	if err := c.check(s, in, where); err != nil {
		return nil, err
	}
	switch s.Form {
	case catalog.ChoiceSetting:
		return c.choice(s, in.Choice, where+".choiceSettingValue")
	case catalog.SimpleSetting:
		return c.simple(s, in.Simple, where+".simpleSettingValue")
	case catalog.SimpleSettingCollection:
		list := make([]any, len(in.Simples))
		for i := range in.Simples {
			value, err := c.simple(s, &in.Simples[i],
				fmt.Sprintf("%s.simpleSettingCollectionValue[%d]", where, i))
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	default:
		return c.group(s, in.Groups, where+".groupSettingCollectionValue")
	}
}

func (s *Setting) parentID() string {
	if s.Parent == nil {
		return catalog.SettingsProperty
	}
	return s.Parent.ID
}

// check checks form and platform.
func (c *settingCompiler) check(s *Setting, in *catalog.SettingInstance, where string) error {
	if !slices.Contains(s.Platforms, c.platform) {
		return fault(where, s.ID, "is not a setting of %s", platformName(c.platform))
	}
	if err := in.Fits(&s.Setting); err != nil {
		return fault(where, s.ID, "%v", err)
	}
	return nil
}

func (c *settingCompiler) choice(s *Setting, v *catalog.ChoiceGiven, where string) (any, error) {
	i := slices.IndexFunc(s.Options, func(o catalog.SettingOption) bool { return o.ID == v.Value })
	if i < 0 {
		return nil, fault(where+".value", s.ID, "%.200q is none of its options: %s", v.Value,
			s.optionIDs())
	}
	if len(s.Children) == 0 {
		if len(v.Children) > 0 {
			return nil, fault(where+".children", s.ID, "has no settings below it")
		}
		return s.Options[i].Value, nil
	}
	of := s.Children[i]
	if len(v.Children) != 1 || v.Children[0].Definition != of.ID {
		return nil, fault(where+".children", s.ID, "with %q it needs just %q", v.Value, of.ID)
	}
	return c.childValue(s, &v.Children[0], where+".children[0]")
}

// optionIDs is for messages.
func (s *Setting) optionIDs() string {
	var text string
	for i, o := range s.Options {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s (%v)", o.ID, o.Value)
	}
	return text
}

// group makes what the grouping makes of the values of a group.
func (c *settingCompiler) group(s *Setting, values []catalog.GroupGiven,
	where string) (any, error) {
	if s.grouping == aDictionary && len(values) != 1 {
		return nil, fault(where, s.ID, "has %d values, and can have only one", len(values))
	}
	list, entries := make([]any, 0, len(values)), make(map[string]any)
	for i := range values {
		at := fmt.Sprintf("%s[%d].children", where, i)
		dict, err := c.dictionary(s, values[i].Children, at)
		if err != nil {
			return nil, err
		}
		switch s.grouping {
		case aDictionary:
			return dict, nil
		case someDictionaries:
			list = append(list, dict)
		case someLists:
			if len(dict) != 1 {
				return nil, fault(at, s.ID, "needs its one child")
			}
			list = append(list, dict[s.Children[0].Key])
		default:
			if err := addEntry(entries, dict); err != nil {
				return nil, fault(at, s.ID, "%v", err)
			}
		}
	}
	if s.grouping == anyKeys {
		return entries, nil
	}
	return list, nil
}

// addEntry adds a key and its value to a dictionary with any keys.
func addEntry(entries, entry map[string]any) error {
	key, _ := entry[entryKey].(string)
	value, ok := entry[entryValue]
	if key == "" || !ok {
		return fmt.Errorf("needs a key, which must not be empty, and a value")
	}
	if _, twice := entries[key]; twice {
		return fmt.Errorf("the key %.200q is there twice", key)
	}
	entries[key] = value
	return nil
}
