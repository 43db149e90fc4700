package payload_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

const policyID action.PayloadID = "11111111-2222-4333-8444-555555555555"

// The instances of the tests, as Graph has them.

func choice(id, option string, children ...any) dict {
	return dict{"@odata.type": graphType + "ChoiceSettingInstance", "settingDefinitionId": id,
		"settingInstanceTemplateReference": nil,
		"choiceSettingValue": dict{"value": id + "_" + option, "children": children,
			"settingValueTemplateReference": nil}}
}

func value(kind string, v any) dict {
	return dict{"@odata.type": graphType + kind + "SettingValue", "value": v,
		"settingValueTemplateReference": nil}
}

func simple(id, kind string, v any) dict {
	return dict{"@odata.type": graphType + "SimpleSettingInstance", "settingDefinitionId": id,
		"simpleSettingValue": value(kind, v)}
}

func text(id, v string) dict { return simple(id, "String", v) }

func texts(id string, list ...string) dict {
	values := make([]any, len(list))
	for i, v := range list {
		values[i] = value("String", v)
	}
	return dict{"@odata.type": graphType + "SimpleSettingCollectionInstance",
		"settingDefinitionId": id, "simpleSettingCollectionValue": values}
}

// group has a value for each list of children.
func group(id string, values ...[]any) dict {
	list := make([]any, len(values))
	for i, children := range values {
		list[i] = dict{"children": children, "settingValueTemplateReference": nil}
	}
	return dict{"@odata.type": graphType + "GroupSettingCollectionInstance",
		"settingDefinitionId": id, "groupSettingCollectionValue": list}
}

// payloadOf is the group of a payload with these settings.
func payloadOf(kind string, children ...any) dict { return group(kind+"_"+kind, children) }

// compiled is the profile that settings make, decoded.
func compiled(t *testing.T, platform string, instances ...any) dict {
	t.Helper()
	p, err := payload.CompilePolicy(policyID, propertiesOf(platform, settingsOf(instances...)))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := propertylist.Decode(p.Content)
	if err != nil {
		t.Fatal(err)
	}
	return profile
}

// keysOf are the payloads of a profile, without what the server adds to each.
func keysOf(t *testing.T, profile dict) []dict {
	t.Helper()
	var list []dict
	for _, inner := range profile["PayloadContent"].([]any) {
		keys := inner.(dict)
		for _, key := range []string{"PayloadVersion", "PayloadIdentifier", "PayloadDisplayName"} {
			if keys[key] == nil {
				t.Errorf("no %s in %v", key, keys)
			}
			delete(keys, key)
		}
		if keys["PayloadUUID"] != sampleUUID {
			delete(keys, "PayloadUUID")
		}
		list = append(list, keys)
	}
	return list
}

func TestCompiledKinds(t *testing.T) {
	const (
		access = "com.apple.applicationaccess"
		pass   = "com.apple.mobiledevice.passwordpolicy"
		wifi   = "com.apple.wifi.managed"
		scep   = "com.apple.security.scep"
		sso    = "com.apple.extensiblesso"
		system = "com.apple.system-extension-policy"
		home   = "com.apple.homescreenlayout"
		notify = "com.apple.notificationsettings"
	)
	for _, tt := range []struct {
		name, platform string
		settings       []any
		want           []dict
	}{
		{"booleans, a list of strings and a real number", "iOS",
			[]any{payloadOf(access, choice(access+"_allowcamera", "false"),
				choice(access+"_allowairdrop", "true"),
				texts(access+"_blockedappbundleids", "com.example.a", "com.example.b"),
				choice(access+"_safariacceptcookies", "2"))},
			[]dict{{"PayloadType": access, "allowCamera": false, "allowAirDrop": true,
				"blockedAppBundleIDs": []any{"com.example.a", "com.example.b"},
				"safariAcceptCookies": 1.5}}},
		{"integers and a dictionary with any keys", "macOS",
			[]any{payloadOf(pass, simple(pass+"_maxinactivity", "Integer", 60),
				choice(pass+"_forcepin", "true"),
				group(pass+"_customregex", []any{text(pass+"_customregex_passwordcontentregex",
					"^.{8,}$"),
					group(pass+"_customregex_passwordcontentdescription", []any{
						text(pass+"_customregex_passwordcontentdescription_generickey_keytobereplaced",
							"en"),
						text(pass+"_customregex_passwordcontentdescription_generickey",
							"Eight characters")})}))},
			[]dict{{"PayloadType": pass, "maxInactivity": uint64(60), "forcePIN": true,
				"customRegex": dict{"passwordContentRegex": "^.{8,}$",
					"passwordContentDescription": dict{"en": "Eight characters"}}}}},
		{"secrets, choices and references", "iOS", []any{
			payloadOf(wifi, text(wifi+"_ssid_str", "Campus"), choice(wifi+"_encryptiontype", "3"),
				simple(wifi+"_password", "Secret", "hunter2"),
				text(wifi+"_payloadcertificateuuid", strings.ToUpper(sampleUUID)),
				group(wifi+"_eapclientconfiguration", []any{
					dict{"@odata.type": graphType + "SimpleSettingCollectionInstance",
						"settingDefinitionId": wifi + "_eapclientconfiguration_accepteaptypes",
						"simpleSettingCollectionValue": []any{value("Integer", 13),
							value("Integer", 25)}}})),
			payloadOf(scep, text(scep+"_payloaduuid", sampleUUID),
				group(scep+"_payloadcontent",
					[]any{text(scep+"_payloadcontent_url", "https://ca.example"),
						choice(scep+"_payloadcontent_keysize", "1"),
						group(scep+"_payloadcontent_subject",
							[]any{group(scep+"_payloadcontent_subject_item",
								[]any{texts(scep+"_payloadcontent_subject_item_item", "O",
									"Example")})})}))},
			[]dict{
				{"PayloadType": scep, "PayloadUUID": sampleUUID,
					"PayloadContent": dict{"URL": "https://ca.example", "Keysize": uint64(2048),
						"Subject": []any{[]any{[]any{"O", "Example"}}}}},
				{"PayloadType": wifi, "SSID_STR": "Campus", "EncryptionType": "WPA3",
					"Password": "hunter2", "PayloadCertificateUUID": sampleUUID,
					"EAPClientConfiguration": dict{"AcceptEAPTypes": []any{uint64(13),
						uint64(25)}}},
			}},
		{"a dictionary with any keys and values", "macOS",
			[]any{payloadOf(sso, group(sso+"_extensiondata",
				[]any{text(sso+"_extensiondata_generickey_keytobereplaced", "AppPrefixAllowList"),
					picked(sso, "0",
						text(sso+"_extensiondata_generickey_string", "com.example."))},
				[]any{text(sso+"_extensiondata_generickey_keytobereplaced", "prompt"),
					picked(sso, "1",
						simple(sso+"_extensiondata_generickey_integer", "Integer", 1))},
				[]any{text(sso+"_extensiondata_generickey_keytobereplaced", "on"), picked(sso, "2",
					choice(sso+"_extensiondata_generickey_boolean", "true"))}))},
			[]dict{{"PayloadType": sso, "ExtensionData": dict{"AppPrefixAllowList": "com.example.",
				"prompt": uint64(1), "on": true}}}},
		{"a dictionary of lists", "macOS", []any{payloadOf(system,
			group(system+"_allowedsystemextensions",
				[]any{texts(system+"_allowedsystemextensions_generickey", "com.example.a",
					"com.example.b"),
					text(system+"_allowedsystemextensions_generickey_keytobereplaced",
						"ABCDE12345")}))},
			[]dict{{"PayloadType": system,
				"AllowedSystemExtensions": dict{"ABCDE12345": []any{"com.example.a",
					"com.example.b"}}}}},
		{"lists of dictionaries in lists", "iOS", []any{payloadOf(home, group(home+"_pages",
			[]any{group(home+"_pages_item", []any{choice(home+"_pages_item_item_type", "0"),
				text(home+"_pages_item_item_bundleid", "com.example.a")})},
			[]any{group(home+"_pages_item", []any{text(home+"_pages_item_item_bundleid",
				"com.example.b")})}))},
			[]dict{{"PayloadType": home, "Pages": []any{[]any{dict{"Type": "Application",
				"BundleID": "com.example.a"}}, []any{dict{"BundleID": "com.example.b"}}}}}},
		{"payloads of one type, and their order", "iOS", []any{
			group(wifi+"_"+wifi, []any{text(wifi+"_ssid_str", "Two")},
				[]any{text(wifi+"_ssid_str", "One")}),
			payloadOf(notify, group(notify+"_notificationsettings",
				[]any{text(notify+"_notificationsettings_item_bundleidentifier", "com.example.a"),
					choice(notify+"_notificationsettings_item_alerttype", "2")}))},
			[]dict{{"PayloadType": notify,
				"NotificationSettings": []any{dict{"BundleIdentifier": "com.example.a",
					"AlertType": uint64(2)}}},
				{"PayloadType": wifi, "SSID_STR": "Two"},
				{"PayloadType": wifi, "SSID_STR": "One"}}},
		{"settings without their group", "macOS",
			[]any{choice("com.apple.mcx.filevault2_enable", "0"),
				choice("com.apple.mcx.filevault2_defer", "true"),
				choice("com.apple.mcx_dontallowfdedisable", "true")},
			[]dict{{"PayloadType": "com.apple.MCX.FileVault2", "Enable": "On", "Defer": true},
				{"PayloadType": "com.apple.MCX", "dontAllowFDEDisable": true}}},
		{"a date, data and a real number given as text", "macOS", []any{
			payloadOf("com.apple.systempolicy.rule",
				text("com.apple.systempolicy.rule_expiration", "2026-01-02T05:04:05+02:00"),
				text("com.apple.systempolicy.rule_priority", "0.5")),
			payloadOf("com.apple.security.root",
				text("com.apple.security.root_payloadcontent", "aGVs\r\nbG8="))},
			[]dict{{"PayloadType": "com.apple.security.root", "PayloadContent": []byte("hello")},
				{"PayloadType": "com.apple.systempolicy.rule",
					"Expiration": time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "Priority": 0.5}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := keysOf(t, compiled(t, tt.platform, tt.settings...)); !reflect.DeepEqual(got,
				tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
		})
	}
}

// picked is a value of a dictionary with any values.
func picked(payload, option string, child any) dict {
	in := choice(payload+"_ignored_$typepicker", option, child)
	in["choiceSettingValue"].(dict)["value"] = payload + "_ignored_" + option
	return in
}

func TestProfileOfAPolicy(t *testing.T) {
	const access, pass = "com.apple.applicationaccess", "com.apple.mobiledevice.passwordpolicy"
	camera, pin := payloadOf(access, choice(access+"_allowcamera", "false")),
		payloadOf(pass, choice(pass+"_forcepin", "true"))
	mac, phone := compiled(t, "macOS", camera, pin), compiled(t, "iOS", pin, camera)
	if mac["PayloadScope"] != "System" || phone["PayloadScope"] != nil {
		t.Errorf("scopes: %v, %v", mac["PayloadScope"], phone["PayloadScope"])
	}
	if phone["PayloadIdentifier"] != "com.github.syncpayloads.policy."+string(policyID) ||
		phone["PayloadDisplayName"] != "Restrictions, Passcode" {
		t.Errorf("top: %v", phone)
	}
	if got := keysOf(t, phone); got[0]["PayloadType"] != access || got[1]["PayloadType"] != pass {
		t.Errorf("the order of settings decides that of payloads: %v", got)
	}
	p, err := payload.CompilePolicy(policyID, propertiesOf("iOS", settingsOf(camera)))
	if err != nil {
		t.Fatal(err)
	}
	if p.SubType != "settingsCatalog" || !reflect.DeepEqual(p.Platforms,
		[]fleet.Platform{fleet.IOS, fleet.IPadOS}) || p.Revision == "" {
		t.Errorf("got %+v", p)
	}
}

func TestSampleOfEverySetting(t *testing.T) {
	reference := payloadOf("com.apple.security.pkcs1",
		text("com.apple.security.pkcs1_payloaduuid", sampleUUID))
	for _, s := range payload.Settings("", 1<<20) {
		if s.Parent != nil {
			continue
		}
		for _, platform := range s.Platforms {
			in := sampleSetting(s, platform)
			settings := settingsOf(in)
			if s.ID != "com.apple.security.pkcs1_com.apple.security.pkcs1" && !identifies(in) {
				settings = settingsOf(in, reference)
			}
			p, err := payload.CompilePolicy(policyID,
				propertiesOf(graphPlatform[platform], settings))
			if err != nil {
				t.Errorf("%s: %v", s.ID, err)
				continue
			}
			profile, err := payload.ParseProfile(p.Content)
			if err != nil || len(profile.PayloadTypes) != len(settings) {
				t.Errorf("%s: %v, %v", s.ID, err, profile)
			}
		}
	}
}

var graphPlatform = map[fleet.Platform]string{fleet.IOS: "iOS", fleet.MacOS: "macOS"}

// identifies reports whether the payload has the sample's PayloadUUID.
func identifies(in dict) bool {
	for _, child := range in["groupSettingCollectionValue"].([]any)[0].(dict)["children"].([]any) {
		if strings.HasSuffix(child.(dict)["settingDefinitionId"].(string), "_payloaduuid") {
			return true
		}
	}
	return false
}

// TestEverySettingAlone compiles each setting of a payload with nothing beside it.
func TestEverySettingAlone(t *testing.T) {
	reference := payloadOf("com.apple.security.pkcs1",
		text("com.apple.security.pkcs1_payloaduuid", sampleUUID))
	for _, s := range payload.Settings("", 1<<20) {
		if s.Parent == nil || s.Parent.Parent != nil || s.Key == "PayloadUUID" || s.Kept() {
			continue
		}
		for _, platform := range s.Platforms {
			settings := settingsOf(group(s.Root().ID, []any{sampleSetting(s, platform)}))
			if !strings.HasPrefix(s.ID, "com.apple.security.pkcs1_") {
				settings = append(settings, settingsOf(reference)...)
			}
			p, err := payload.CompilePolicy(policyID,
				propertiesOf(graphPlatform[platform], settings))
			if err != nil {
				t.Errorf("%s: %v", s.ID, err)
				continue
			}
			if !strings.Contains(string(p.Content), "<key>"+s.Key+"</key>") {
				t.Errorf("%s: no %s in %s", s.ID, s.Key, p.Content)
			}
		}
	}
}

func wantInvalid(t *testing.T, err error) *invalid.Input {
	t.Helper()
	var i *invalid.Input
	if !errors.As(err, &i) {
		t.Fatalf("got %v, want an *Invalid", err)
	}
	return i
}
