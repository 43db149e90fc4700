package payload_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// settingDraw draws settings that are right, and what they are to become.
type settingDraw struct {
	*rapid.T
	platform fleet.Platform
}

// instance is a setting with a value, and the value as a property list has it.
func (d settingDraw) instance(s *payload.Setting) (in dict, want any) {
	in = dict{"settingDefinitionId": s.ID}
	switch s.Form {
	case catalog.ChoiceSetting:
		i := rapid.IntRange(0, len(s.Options)-1).Draw(d.T, "option")
		value := dict{"value": s.Options[i].ID}
		want = s.Options[i].Value
		if n, ok := want.(int64); ok && n >= 0 {
			want = uint64(n)
		}
		if len(s.Children) > 0 {
			var child dict
			child, want = d.instance(s.Children[i])
			value["children"] = []any{child}
		}
		in["@odata.type"], in["choiceSettingValue"] = graphType+"ChoiceSettingInstance", value
	case catalog.SimpleSetting:
		in["@odata.type"] = graphType + "SimpleSettingInstance"
		in["simpleSettingValue"], want = d.value(s)
	case catalog.SimpleSettingCollection:
		values, wanted := []any{}, []any{}
		for range rapid.IntRange(0, 3).Draw(d.T, "length") {
			v, w := d.value(s)
			values, wanted = append(values, v), append(wanted, w)
		}
		in["@odata.type"],
			in["simpleSettingCollectionValue"] = graphType+"SimpleSettingCollectionInstance", values
		want = wanted
	default:
		in["@odata.type"] = graphType + "GroupSettingCollectionInstance"
		in["groupSettingCollectionValue"], want = d.groups(s)
	}
	return in, want
}

// groups are the values of a group that is no payload. What it becomes shows in the ids of its
// children.
func (d settingDraw) groups(s *payload.Setting) (values []any, want any) {
	list, entries := []any{}, dict{}
	first := s.Children[0]
	anyKeys := slices.ContainsFunc(s.Children,
		func(c *payload.Setting) bool { return c.ID == s.ID+"_generickey_keytobereplaced" })
	switch {
	case anyKeys:
		for i := range rapid.IntRange(1, 3).Draw(d.T, "entries") {
			var children []any
			key := fmt.Sprint("key", i)
			for _, c := range s.Children {
				if c.ID == s.ID+"_generickey_keytobereplaced" {
					children = append(children, text(c.ID, key))
					continue
				}
				in, w := d.instance(c)
				children, entries[key] = append(children, in), w
			}
			values = append(values, dict{"children": children})
		}
		return values, entries
	case first.Key == "item" && len(s.Children) == 1 && first.ID == s.ID+"_item":
		for range rapid.IntRange(1, 2).Draw(d.T, "lists") {
			in, w := d.instance(first)
			values, list = append(values, dict{"children": []any{in}}), append(list, w)
		}
		return values, list
	case s.HoldsDictionaries():
		for range rapid.IntRange(1, 2).Draw(d.T, "dictionaries") {
			children, w := d.some(s, 0)
			values, list = append(values, dict{"children": children}), append(list, w)
		}
		return values, list
	default:
		children, w := d.some(s, 0)
		return []any{dict{"children": children}}, w
	}
}

// some draws some of the children of a setting, least at least.
func (d settingDraw) some(s *payload.Setting, least int) (children []any, want dict) {
	var possible []*payload.Setting
	for _, c := range s.Children {
		if slices.Contains(c.Platforms, d.platform) && c.Value != catalog.PayloadReference &&
			c.Value != catalog.UUIDValue && !c.Kept() {
			possible = append(possible, c)
		}
	}
	children, want = []any{}, dict{}
	if len(possible) == 0 {
		return children, want
	}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(possible)-1),
		min(least, len(possible)), min(4, len(possible)), rapid.ID[int]).Draw(d.T, "children") {
		in, w := d.instance(possible[i])
		children = append(children, in)
		at, path := want, possible[i].KeyPath()
		for _, key := range path[:len(path)-1] {
			if at[key] == nil {
				at[key] = dict{}
			}
			at = at[key].(dict)
		}
		at[possible[i].Key] = w
	}
	return children, want
}

func (d settingDraw) value(s *payload.Setting) (v dict, want any) {
	kind := "String"
	switch s.Value {
	case catalog.IntegerValue:
		least, greatest := int64(-1<<62), int64(1<<62)
		if s.Least != nil {
			least = *s.Least
		}
		if s.Greatest != nil {
			greatest = *s.Greatest
		}
		n := rapid.Int64Range(least, greatest).Draw(d.T, "integer")
		if want = n; n >= 0 {
			want = uint64(n)
		}
		return value("Integer", n), want
	case catalog.RealValue:
		f := rapid.Float64Range(-1e6, 1e6).Draw(d.T, "real")
		return value("String", fmt.Sprint(f)), f
	case catalog.DateValue:
		at := time.Unix(rapid.Int64Range(0, 1<<33).Draw(d.T, "date"), 0).UTC()
		return value("String", at.Format(time.RFC3339)), at
	case catalog.DataValue, catalog.SecretDataValue:
		b := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(d.T, "data")
		if s.Value == catalog.SecretDataValue {
			kind = "Secret"
		}
		return value(kind, base64.StdEncoding.EncodeToString(b)), b
	case catalog.SecretValue:
		kind = "Secret"
	}
	// Letters, what XML escapes, spaces and lines.
	t := rapid.StringOfN(rapid.SampledFrom([]rune("aZ9 <>&\"'\t\n\rüß日😀\u2028")), 0, 12,
		-1).Draw(d.T, "text")
	return value(kind, t), t
}

// Any right settings make a profile that says just what they say, and the same one every time.
func TestRightSettingsCompile(t *testing.T) {
	var roots []*payload.Setting
	for _, s := range payload.Settings("", 1<<20) {
		if s.Parent == nil {
			roots = append(roots, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d := settingDraw{t, rapid.SampledFrom([]fleet.Platform{fleet.IOS, fleet.MacOS}).Draw(t,
			"platform")}
		var possible []*payload.Setting
		for _, s := range roots {
			if slices.Contains(s.Platforms, d.platform) {
				possible = append(possible, s)
			}
		}
		var instances []any
		want := map[string]dict{}
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(possible)-1), 1, 3,
			rapid.ID[int]).Draw(t, "payloads") {
			children, keys := d.some(possible[i], 1)
			instances = append(instances, group(possible[i].ID, children))
			want[possible[i].Key+" "+possible[i].Title] = keys
		}
		raw := propertiesOf(graphPlatform[d.platform], settingsOf(instances...))
		p, err := payload.CompilePolicy(policyID, raw)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		again, err := payload.CompilePolicy(policyID, raw)
		if err != nil || !bytes.Equal(p.Content, again.Content) {
			t.Fatalf("another profile: %v\n%s\n%s", err, p.Content, again.Content)
		}
		if profile, err := payload.ParseProfile(p.Content); err != nil ||
			profile.Identifier != p.Identifier || profile.UUID != p.Revision {
			t.Fatalf("not a profile: %v\n%s", err, p.Content)
		}
		decoded, err := propertylist.Decode(p.Content)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]dict{}
		for _, v := range decoded["PayloadContent"].([]any) {
			keys := v.(dict)
			name := fmt.Sprint(keys["PayloadType"], " ", keys["PayloadDisplayName"])
			for _, key := range []string{"PayloadType", "PayloadVersion", "PayloadIdentifier",
				"PayloadDisplayName", "PayloadUUID"} {
				delete(keys, key)
			}
			got[name] = keys
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %#v\nwant %#v\n%s", got, want, p.Content)
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"platforms":"iOS","settings":[]}`))
	f.Add([]byte(propertiesOf("iOS", settingsOf(payloadOf("com.apple.applicationaccess",
		choice("com.apple.applicationaccess_allowcamera", "false"))))))
	f.Add([]byte(propertiesOf("macOS", settingsOf(choice("com.apple.mcx.filevault2_enable", "0")))))
	f.Add([]byte(propertiesOf("iOS", settingsOf(payloadOf("com.apple.wifi.managed",
		text("com.apple.wifi.managed_ssid_str", "Campus"),
		simple("com.apple.wifi.managed_password", "Secret", "hunter2"))))))
	f.Add([]byte(propertiesOf("macOS", settingsOf(payloadOf("com.apple.extensiblesso",
		group("com.apple.extensiblesso_extensiondata", []any{
			text("com.apple.extensiblesso_extensiondata_generickey_keytobereplaced", "key"),
			picked("com.apple.extensiblesso", "1",
				simple("com.apple.extensiblesso_extensiondata_generickey_integer", "Integer",
					1))}))))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		defer cost.Input(t)()
		p, err := payload.CompilePolicy(policyID, json.RawMessage(raw))
		var refused *invalid.Input
		if err != nil {
			if !errors.As(err, &refused) || refused.Property == "" {
				t.Fatalf("not an *Invalid: %v", err)
			}
			return
		}
		if _, err := payload.ParseProfile(p.Content); err != nil {
			t.Fatalf("the profile is none: %v\n%s", err, p.Content)
		}
		if list, err := p.PolicySettings(); err != nil || len(list) == 0 {
			t.Fatalf("settings kept: %v, %v", list, err)
		}
	})
}
