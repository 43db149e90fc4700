package payload_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// TestSettingIDs holds ids against those of real policies of Intune.
func TestSettingIDs(t *testing.T) {
	for _, tt := range []struct {
		id   string
		form catalog.SettingForm
		root string
	}{
		{"com.apple.applicationaccess_com.apple.applicationaccess", catalog.SettingGroupCollection,
			""},
		{"com.apple.applicationaccess_allowairprint", catalog.ChoiceSetting,
			"com.apple.applicationaccess_com.apple.applicationaccess"},
		{"com.apple.applicationaccess_allowappleintelligencereport", catalog.ChoiceSetting,
			"com.apple.applicationaccess_com.apple.applicationaccess"},
		{"com.apple.mobiledevice.passwordpolicy_maxinactivity", catalog.SimpleSetting,
			"com.apple.mobiledevice.passwordpolicy_com.apple.mobiledevice.passwordpolicy"},
		{"com.apple.mcx.filevault2_enable", catalog.ChoiceSetting,
			"com.apple.mcx.filevault2_com.apple.mcx.filevault2"},
		{"com.apple.mcx_dontallowfdedisable", catalog.ChoiceSetting,
			"com.apple.mcx_com.apple.mcx-fdefilevaultoptions"},
		{"com.apple.mcx_timeserver", catalog.SimpleSetting,
			"com.apple.mcx_com.apple.mcx-timeserver"},
		{"com.apple.mcx_com.apple.mcx-accounts", catalog.SettingGroupCollection, ""},
		{"com.apple.screensaver_loginwindowidletime", catalog.SimpleSetting,
			"com.apple.screensaver_com.apple.screensaver"},
		{"com.apple.system.logging_system_enable-private-data", catalog.ChoiceSetting,
			"com.apple.system.logging_com.apple.system.logging"},
		{"com.apple.system-extension-policy_allowedsystemextensions_generickey",
			catalog.SimpleSettingCollection,
			"com.apple.system-extension-policy_com.apple.system-extension-policy"},
		{"com.apple.system-extension-policy_allowedsystemextensions_generickey_keytobereplaced",
			catalog.SimpleSetting,
			"com.apple.system-extension-policy_com.apple.system-extension-policy"},
		{"com.apple.extensiblesso_extensiondata_generickey_integer", catalog.SimpleSetting,
			"com.apple.extensiblesso_com.apple.extensiblesso"},
		{"com.apple.extensiblesso_ignored_$typepicker", catalog.ChoiceSetting,
			"com.apple.extensiblesso_com.apple.extensiblesso"},
		{"com.apple.extensiblesso_platformsso_tokentousermapping_accountname",
			catalog.SimpleSetting, "com.apple.extensiblesso_com.apple.extensiblesso"},
		{"com.apple.extensiblesso_urls", catalog.SimpleSettingCollection,
			"com.apple.extensiblesso_com.apple.extensiblesso"},
		{"com.apple.tcc.configuration-profile-policy_services_systempolicyallfiles_item_staticcode",
			catalog.ChoiceSetting,
			"com.apple.tcc.configuration-profile-policy_com.apple.tcc.configuration-profile-policy"},
		{"com.apple.notificationsettings_notificationsettings_item_bundleidentifier",
			catalog.SimpleSetting,
			"com.apple.notificationsettings_com.apple.notificationsettings"},
		{"com.apple.systempreferences_disabledpreferencepanes", catalog.SimpleSettingCollection,
			"com.apple.systempreferences_com.apple.systempreferences"},
		{"com.apple.servicemanagement_rules_item_ruletype", catalog.ChoiceSetting,
			"com.apple.servicemanagement_com.apple.servicemanagement"},
		{"com.apple.security.firewall_enablelogging", catalog.ChoiceSetting,
			"com.apple.security.firewall_com.apple.security.firewall"},
		{"com.apple.loginwindow_adminhostinfo", catalog.SimpleSetting,
			"com.apple.loginwindow_com.apple.loginwindow"},
		{"loginwindow_disableloginitemssuppression", catalog.ChoiceSetting,
			"loginwindow_loginwindow"},
	} {
		s := payload.FindSetting(tt.id)
		if s == nil {
			t.Errorf("%s is not known", tt.id)
			continue
		}
		if tt.root == "" {
			tt.root = tt.id
		}
		if s.Form != tt.form || s.Root().ID != tt.root {
			t.Errorf("%s is of form %d in %s", tt.id, s.Form, s.Root().ID)
		}
	}
}

// TestOptions holds options against those of real policies of Intune, which name them by their
// place.
func TestOptions(t *testing.T) {
	for id, want := range map[string]any{
		"com.apple.mcx.filevault2_enable_0":                                    "On",
		"com.apple.applicationaccess_allowcamera_false":                        false,
		"com.apple.applicationaccess_allowcamera_true":                         true,
		"com.apple.extensiblesso_platformsso_authenticationmethod_1":           "UserSecureEnclaveKey",
		"com.apple.extensiblesso_type_1":                                       "Redirect",
		"com.apple.extensiblesso_screenlockedbehavior_0":                       "Cancel",
		"com.apple.servicemanagement_rules_item_ruletype_3":                    "LabelPrefix",
		"com.apple.notificationsettings_notificationsettings_item_alerttype_1": int64(1),
		"com.apple.webcontent-filter_filtergrade_1":                            "inspector",
		"com.apple.applicationaccess_safariacceptcookies_2":                    1.5,
	} {
		setting := payload.FindSetting(id[:strings.LastIndexByte(id, '_')])
		if setting == nil {
			t.Errorf("%s: there is no such setting", id)
			continue
		}
		i := slices.IndexFunc(setting.Options,
			func(o catalog.SettingOption) bool { return o.ID == id })
		if i < 0 || setting.Options[i].Value != want {
			t.Errorf("%s: options are %v, want %v", id, setting.Options, want)
		}
	}
}

// TestTable checks what must hold of every setting of the table.
func TestTable(t *testing.T) {
	reserved := []string{"PayloadType", "PayloadVersion", "PayloadIdentifier", "PayloadDisplayName"}
	all := payload.Settings("", 1<<20)
	if len(all) < 1500 {
		t.Errorf("there are only %d settings", len(all))
	}
	for i, s := range all {
		if i > 0 && all[i-1].ID >= s.ID {
			t.Errorf("%s is not behind %s", s.ID, all[i-1].ID)
		}
		if s.ID != strings.ToLower(s.ID) || s.Title == "" || len(s.Platforms) == 0 {
			t.Errorf("%+v", s)
		}
		if s.Parent != nil && (slices.Contains(reserved, s.Key) ||
			s.Key == "PayloadUUID" && s.Value != catalog.UUIDValue) {
			t.Errorf("%s: the server sets %s itself", s.ID, s.Key)
		}
		if (s.Form == catalog.ChoiceSetting) != (len(s.Options) > 0) ||
			(s.Form == catalog.SettingGroupCollection) != (len(s.Children) > 0) &&
				s.Form != catalog.ChoiceSetting {
			t.Errorf("%s has %d options and %d children", s.ID, len(s.Options), len(s.Children))
		}
		ids := make(map[string]bool)
		for _, o := range s.Options {
			if ids[o.ID] {
				t.Errorf("option %s is there twice", o.ID)
			}
			ids[o.ID] = true
		}
		for _, p := range s.Platforms {
			if s.Parent != nil && !slices.Contains(s.Parent.Platforms, p) {
				t.Errorf("%s is for %s, and what holds it is not", s.ID, p)
			}
		}
	}
}

// TestSettingsPage pages through all settings.
func TestSettingsPage(t *testing.T) {
	var got []string
	for after := ""; ; {
		page := payload.Settings(after, 100)
		if len(page) == 0 {
			break
		}
		for _, s := range page {
			got = append(got, s.ID)
		}
		after = got[len(got)-1]
	}
	if want := len(payload.Settings("", 1<<20)); len(got) != want || !slices.IsSorted(got) {
		t.Errorf("%d settings on the pages, want %d", len(got), want)
	}
	if payload.Settings("zzz", 10) != nil && len(payload.Settings("zzz", 10)) != 0 ||
		len(payload.Settings("", 0)) != 0 {
		t.Error("settings behind the last one, or none wanted")
	}
}

// sampleSetting is an instance of a setting with a value that it can have, in the shape of Graph;
// nil if it has nothing for the platform.
func sampleSetting(s *payload.Setting, platform fleet.Platform) dict {
	if !slices.Contains(s.Platforms, platform) {
		return nil
	}
	in := dict{"settingDefinitionId": s.ID}
	switch s.Form {
	case catalog.ChoiceSetting:
		value := dict{"value": s.Options[0].ID, "children": []any{}}
		if len(s.Children) > 0 {
			value["children"] = []any{sampleSetting(s.Children[0], platform)}
		}
		in["@odata.type"], in["choiceSettingValue"] = graphType+"ChoiceSettingInstance", value
	case catalog.SimpleSetting:
		in["@odata.type"], in["simpleSettingValue"] = graphType+"SimpleSettingInstance",
			sampleValue(s)
	case catalog.SimpleSettingCollection:
		in["@odata.type"],
			in["simpleSettingCollectionValue"] = graphType+"SimpleSettingCollectionInstance",
			[]any{sampleValue(s)}
	case catalog.SettingGroupCollection:
		var children []any
		for _, child := range s.Children {
			if c := sampleSetting(child, platform); c != nil {
				children = append(children, c)
			}
		}
		in["@odata.type"],
			in["groupSettingCollectionValue"] = graphType+"GroupSettingCollectionInstance",
			[]any{dict{"children": children}}
	}
	return in
}

const graphType = "#microsoft.graph.deviceManagementConfiguration"

const sampleUUID = "0b8ccbe0-5c39-4f0a-9c3c-000000000009"

func sampleValue(s *payload.Setting) dict {
	kind, value := "String", any("text")
	switch s.Value {
	case catalog.IntegerValue:
		n := int64(7)
		if s.Least != nil {
			n = max(n, *s.Least)
		}
		if s.Greatest != nil {
			n = min(n, *s.Greatest)
		}
		kind, value = "Integer", n
	case catalog.RealValue:
		value = "1.5"
	case catalog.DataValue:
		value = "aGVsbG8="
	case catalog.DateValue:
		value = "2026-01-02T03:04:05Z"
	case catalog.SecretValue:
		kind = "Secret"
	case catalog.SecretDataValue:
		kind, value = "Secret", "aGVsbG8="
	case catalog.UUIDValue, catalog.PayloadReference:
		value = sampleUUID
	}
	return dict{"@odata.type": graphType + kind + "SettingValue", "value": value}
}

// settingsOf is the settings property of a policy with these instances.
func settingsOf(instances ...any) []any {
	list := make([]any, len(instances))
	for i, in := range instances {
		list[i] = dict{"settingInstance": in}
	}
	return list
}

func propertiesOf(platform string, settings []any) json.RawMessage {
	text, err := json.Marshal(dict{"platforms": platform,
		"technologies": "mdm,appleRemoteManagement", "settings": settings})
	if err != nil {
		panic(err)
	}
	return text
}
