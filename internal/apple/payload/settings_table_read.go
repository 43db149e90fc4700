package payload

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

//go:embed settings.txt
var settingsText string

// readSettingTable reads the table: its head tells the form.
func readSettingTable(text string) (*settingTable, error) {
	var roots []*Setting
	var open []*Setting // the payload, and what the line before is inside of
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		depth := len(line) - len(strings.TrimLeft(line, "\t"))
		if depth > len(open) {
			return nil, fmt.Errorf("line %d: nothing holds it", i+1)
		}
		open = open[:depth]
		var s *Setting
		var err error
		if depth == 0 {
			s, err = readPayloadLine(line)
			roots = append(roots, s)
		} else {
			s, err = readKeyLine(open[depth-1], line[depth:])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		open = append(open, s)
	}
	return newSettingTable(roots), nil
}

// readPayloadLine reads "[com.apple.MCX -accounts] macOS Accounts".
func readPayloadLine(line string) (*Setting, error) {
	head, rest, ok := strings.Cut(strings.TrimPrefix(line, "["), "] ")
	names, title, titled := strings.Cut(rest, " ")
	if !ok || !titled {
		return nil, fmt.Errorf("%q is not [type] platforms title", line)
	}
	kind, suffix, _ := strings.Cut(head, " ")
	of := kind
	if suffix == preferencesMark {
		of, suffix = preferences, ""
	}
	s := &Setting{payloadType: kind, grouping: aPayload,
		Setting: catalog.Setting{ID: strings.ToLower(of + "_" + kind + suffix),
			Key: kind, Title: title, Form: catalog.SettingGroupCollection, Value: catalog.NoValue}}
	for name := range strings.SplitSeq(names, ",") {
		p, ok := settingPlatforms[name]
		if !ok {
			return nil, fmt.Errorf("platform %q", name)
		}
		s.Platforms = append(s.Platforms, p)
	}
	return s, nil
}

var settingPlatforms = map[string]fleet.Platform{"iOS": fleet.IOS, "macOS": fleet.MacOS}

// The domains of preferences that other makers' apps read are payloads of their own: the type is
// the domain. Their settings have ids of one kind, whatever the domain.
const (
	preferencesMark = "preferences"
	preferences     = "com.apple.ManagedClient.preferences"
)

// isPreferences reports whether the setting is a domain of preferences.
func (s *Setting) isPreferences() bool {
	return s.grouping == aPayload && strings.HasPrefix(s.ID, strings.ToLower(preferences)+"_")
}

// readKeyLine reads "maxInactivity: int 0..60 @iOS" inside of parent.
func readKeyLine(parent *Setting, line string) (*Setting, error) {
	key, kind, ok := strings.Cut(line, ": ")
	if !ok || parent.Form != catalog.SettingGroupCollection || parent.grouping == anyKeys {
		return nil, fmt.Errorf("%q is not a key: kind inside of what can hold one", line)
	}
	kind, id, named := strings.Cut(kind, " =")
	var path []string
	if parent.isPreferences() {
		path = strings.Split(key, "/")
		path, key = path[:len(path)-1], path[len(path)-1]
	}
	s := &Setting{Parent: parent, payloadType: parent.payloadType, path: path,
		Setting: catalog.Setting{ID: parent.childID(key), Key: key, Title: inWords(key),
			Platforms: parent.Platforms}}
	if named {
		s.ID = strings.ToLower(preferences) + "_" + id
	}
	if of, platform, limited := strings.Cut(kind, " @"); limited {
		kind = of
		if !slices.Contains(parent.Platforms, settingPlatforms[platform]) {
			return nil, fmt.Errorf("platform %q is not one of %q", platform, parent.Key)
		}
		s.Platforms = []fleet.Platform{settingPlatforms[platform]}
	}
	if parent.child(s.ID) != nil {
		return nil, fmt.Errorf("%q is there twice", s.ID)
	}
	parent.Children = append(parent.Children, s)
	word, rest, _ := strings.Cut(kind, " ")
	return s, s.setKind(word, rest)
}

// childID is the id of what a group holds: Intune names keys of elements of an array "item".
func (s *Setting) childID(key string) string {
	switch {
	case s.isPreferences():
		return strings.ToLower(preferences + "_" + key)
	case s.grouping == aPayload:
		return strings.ToLower(s.payloadType + "_" + key)
	case s.grouping == someDictionaries:
		key = "item_" + key
	}
	return s.ID + "_" + strings.ToLower(key)
}

// settingKinds are the kinds of the table that are a form, and one or more values.
var settingKinds = map[string]struct {
	form     catalog.SettingForm
	value    catalog.SettingValue
	grouping grouping
}{
	"string":     {form: catalog.SimpleSetting},
	"real":       {form: catalog.SimpleSetting, value: catalog.RealValue},
	"int":        {form: catalog.SimpleSetting, value: catalog.IntegerValue},
	"data":       {form: catalog.SimpleSetting, value: catalog.DataValue},
	"date":       {form: catalog.SimpleSetting, value: catalog.DateValue},
	"secret":     {form: catalog.SimpleSetting, value: catalog.SecretValue},
	"secretdata": {form: catalog.SimpleSetting, value: catalog.SecretDataValue},
	"uuid":       {form: catalog.SimpleSetting, value: catalog.UUIDValue},
	"ref":        {form: catalog.SimpleSetting, value: catalog.PayloadReference},
	"strings":    {form: catalog.SimpleSettingCollection},
	"ints":       {form: catalog.SimpleSettingCollection, value: catalog.IntegerValue},
	"datas":      {form: catalog.SimpleSettingCollection, value: catalog.DataValue},
	"refs":       {form: catalog.SimpleSettingCollection, value: catalog.PayloadReference},
	"bool":       {form: catalog.ChoiceSetting},
	"choice":     {form: catalog.ChoiceSetting},
	"intchoice":  {form: catalog.ChoiceSetting, value: catalog.IntegerOption},
	"realchoice": {form: catalog.ChoiceSetting, value: catalog.RealOption},
	"dict":       {catalog.SettingGroupCollection, catalog.NoValue, aDictionary},
	"dicts":      {catalog.SettingGroupCollection, catalog.NoValue, someDictionaries},
	"lists":      {catalog.SettingGroupCollection, catalog.NoValue, someLists},
	"map":        {catalog.SettingGroupCollection, catalog.NoValue, anyKeys},
	"any":        {catalog.SettingGroupCollection, catalog.NoValue, anyKeys},
}

func (s *Setting) setKind(word, rest string) error {
	kind, ok := settingKinds[word]
	if !ok && word != "kept" {
		return fmt.Errorf("kind %q", word)
	}
	s.Form, s.Value, s.grouping = kind.form, kind.value, kind.grouping
	switch {
	case word == "kept":
		s.kept = true
		return s.setKind("intchoice", rest)
	case word == "map":
		return s.addEntry(rest)
	case word == "any":
		s.addAnyEntry()
	case word == "bool":
		s.Options = []catalog.SettingOption{{ID: s.ID + "_true", Value: true},
			{ID: s.ID + "_false", Value: false}}
	case s.Form == catalog.ChoiceSetting:
		return s.addOptions(rest)
	case word == "int" && rest != "":
		return s.setRange(rest)
	case rest != "":
		return fmt.Errorf("%q behind %s", rest, word)
	}
	return nil
}

// addOptions reads "WEP | WPA | None". The id of an option is its number; one of which nobody knows
// what it is, is "-".
func (s *Setting) addOptions(list string) (err error) {
	for i, text := range strings.Split(list, " | ") {
		if text == "-" {
			continue
		}
		o := catalog.SettingOption{ID: fmt.Sprintf("%s_%d", s.ID, i), Value: text}
		switch s.Value {
		case catalog.IntegerOption:
			o.Value, err = strconv.ParseInt(text, 10, 64)
		case catalog.RealOption:
			o.Value, err = strconv.ParseFloat(text, 64)
		}
		if err != nil || text == "" {
			return fmt.Errorf("option %q", text)
		}
		s.Options = append(s.Options, o)
	}
	return nil
}

// setRange reads "0..730"; either end may be missing.
func (s *Setting) setRange(text string) error {
	least, greatest, ok := strings.Cut(text, "..")
	for _, end := range []struct {
		text string
		to   **int64
	}{{least, &s.Least}, {greatest, &s.Greatest}} {
		if end.text == "" {
			continue
		}
		n, err := strconv.ParseInt(end.text, 10, 64)
		ok = ok && err == nil
		*end.to = &n
	}
	if !ok {
		return fmt.Errorf("range %q", text)
	}
	return nil
}

// The keys by which an entry of a dictionary with any keys is read.
const (
	entryKey   = "key"
	entryValue = "value"
)

// addEntry adds what Intune has for a key that is not known, and its value.
func (s *Setting) addEntry(kind string) error {
	value := s.addPart("_generickey", entryValue)
	s.addPart("_generickey_keytobereplaced", entryKey).Form = catalog.SimpleSetting
	if kind != "string" && kind != "strings" {
		return fmt.Errorf("a map of %q", kind)
	}
	return value.setKind(kind, "")
}

// addAnyEntry adds what Intune has for a key that is not known, and for a value whose type is
// picked.
func (s *Setting) addAnyEntry() {
	s.addPart("_generickey_keytobereplaced", entryKey).Form = catalog.SimpleSetting
	picker := s.addPart("", entryValue)
	ignored := strings.ToLower(s.payloadType) + "_ignored_"
	picker.ID, picker.Form = ignored+"$typepicker", catalog.ChoiceSetting
	for i, of := range []string{"string", "integer", "boolean"} {
		picker.Options = append(picker.Options,
			catalog.SettingOption{ID: fmt.Sprint(ignored, i), Value: of})
		value := &Setting{Parent: picker, payloadType: s.payloadType,
			Setting: catalog.Setting{ID: s.ID + "_generickey_" + of, Key: of, Title: inWords(of),
				Platforms: s.Platforms}}
		picker.Children = append(picker.Children, value)
		_ = value.setKind([]string{"string", "int", "bool"}[i], "") // known kinds
	}
}

func (s *Setting) addPart(suffix, key string) *Setting {
	part := &Setting{Parent: s, payloadType: s.payloadType,
		Setting: catalog.Setting{ID: s.ID + suffix, Key: key, Title: inWords(key),
			Platforms: s.Platforms}}
	s.Children = append(s.Children, part)
	return part
}

// inWords is a key for people: "Allow Camera" of allowCamera.
func inWords(key string) string {
	var b strings.Builder
	var before rune
	for i, r := range key {
		switch {
		case i == 0:
			r = unicode.ToUpper(r)
		case r == '_' || r == '.' || r == '-':
			r = ' '
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}
