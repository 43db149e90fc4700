package payload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
)

func TestRefusedSettings(t *testing.T) {
	const (
		access = "com.apple.applicationaccess"
		camera = access + "_allowcamera"
		pass   = "com.apple.mobiledevice.passwordpolicy"
		wifi   = "com.apple.wifi.managed"
		sso    = "com.apple.extensiblesso"
		child  = "settings[0].settingInstance.groupSettingCollectionValue[0].children[0]"
	)
	with := func(in dict, name string, v any) dict {
		in[name] = v
		return in
	}
	entry := func(key string) []any {
		return []any{text(sso+"_extensiondata_generickey_keytobereplaced", key),
			picked(sso, "0", text(sso+"_extensiondata_generickey_string", "x"))}
	}
	for _, tt := range []struct {
		name     string
		platform string
		settings any
		property string
		named    []string
	}{
		{"none", "iOS", []any{}, "settings", []string{"missing or empty"}},
		{"no collection", "iOS", "x", "settings", []string{"not a collection"}},
		{"no instance", "iOS", []any{dict{}}, "settings[0].settingInstance", []string{"missing"}},
		{"an unknown property", "iOS", []any{dict{"colour": 1}}, "settings", []string{"colour"}},
		{"two unknown settings", "iOS", settingsOf(payloadOf(access, choice("com.apple.x_a", "1"),
			choice(camera, "true")), text("com.apple.x_b", "x")),
			"settings", []string{"com.apple.x_a", "com.apple.x_b"}},
		{"an unknown setting inside of a choice", "iOS",
			settingsOf(choice(camera, "true", text("com.apple.x_c", "x"))), "settings",
			[]string{"com.apple.x_c"}},
		{"the wrong platform", "macOS", settingsOf(payloadOf(access,
			choice(access+"_allowuiappinstallation", "true"))), child,
			[]string{access + "_allowuiappinstallation", "macOS"}},
		{"a payload of the wrong platform", "macOS", settingsOf(payloadOf("com.apple.app.lock")),
			"settings[0].settingInstance", []string{"com.apple.app.lock"}},
		{"an option of another setting", "iOS",
			settingsOf(payloadOf(access, with(choice(camera, "true"), "choiceSettingValue",
				dict{"value": access + "_allowairdrop_true"}))),
			child + ".choiceSettingValue.value",
			[]string{camera, "allowairdrop_true", camera + "_false"}},
		{"an option that is not there", "iOS", settingsOf(payloadOf(access, choice(camera, "2"))),
			child + ".choiceSettingValue.value", []string{camera}},
		{"a setting below an option", "iOS", settingsOf(payloadOf(access,
			choice(camera, "true", choice(camera, "true")))),
			child + ".choiceSettingValue.children", []string{camera}},
		{"a simple value for a choice", "iOS",
			settingsOf(payloadOf(access, simple(camera, "String", "true"))), child,
			[]string{camera, "ChoiceSettingInstance"}},
		{"no type", "iOS", settingsOf(payloadOf(access,
			with(choice(camera, "true"), "@odata.type", ""))), child, []string{camera}},
		{"no value", "iOS", settingsOf(payloadOf(access,
			with(choice(camera, "true"), "choiceSettingValue", nil))), child,
			[]string{camera, "has no choiceSettingValue"}},
		{"two values", "iOS", settingsOf(payloadOf(access,
			with(choice(camera, "true"), "simpleSettingValue", value("String", "x")))), child,
			[]string{camera, "simpleSettingValue beside"}},
		{"text for an integer", "iOS", settingsOf(payloadOf(pass, text(pass+"_minlength", "8"))),
			child + ".simpleSettingValue", []string{pass + "_minlength", "Integer"}},
		{"a fraction for an integer", "iOS", settingsOf(payloadOf(pass,
			simple(pass+"_minlength", "Integer", 8.5))), child + ".simpleSettingValue",
			[]string{pass + "_minlength"}},
		{"too small", "iOS", settingsOf(payloadOf(pass,
			simple(pass+"_maxfailedattempts", "Integer", 1))), child + ".simpleSettingValue",
			[]string{"less than 2"}},
		{"too large", "iOS", settingsOf(payloadOf(pass,
			simple(pass+"_maxfailedattempts", "Integer", 12))), child + ".simpleSettingValue",
			[]string{"greater than 11"}},
		{"an integer for text", "iOS", settingsOf(payloadOf(wifi,
			simple(wifi+"_ssid_str", "Integer", 8))), child + ".simpleSettingValue",
			[]string{wifi + "_ssid_str"}},
		{"null for text", "iOS", settingsOf(payloadOf(wifi, text(wifi+"_ssid_str", ""),
			simple(wifi+"_domainname", "String", nil))),
			strings.Replace(child, "children[0]", "children[1]", 1) + ".simpleSettingValue",
			[]string{wifi + "_domainname"}},
		{"a control character", "iOS", settingsOf(payloadOf(wifi, text(wifi+"_ssid_str", "a\x01"))),
			child + ".simpleSettingValue", []string{"characters"}},
		{"a secret in the open", "iOS", settingsOf(payloadOf(wifi, text(wifi+"_password", "x"))),
			child + ".simpleSettingValue", []string{wifi + "_password", "Secret"}},
		{"a token that nobody gave", "iOS", settingsOf(payloadOf(wifi,
			with(simple(wifi+"_password", "Secret", "x"), "simpleSettingValue",
				dict{"@odata.type": graphType + "SecretSettingValue", "value": "x",
					"valueState": "encryptedValueToken"}))), child + ".simpleSettingValue.value",
			[]string{"not a token"}},
		{"a strange state of a secret", "iOS",
			settingsOf(payloadOf(wifi, with(simple(wifi+"_password", "Secret", "x"),
				"simpleSettingValue",
				dict{"@odata.type": graphType + "SecretSettingValue", "value": "x",
					"valueState": "invalid"}))), child + ".simpleSettingValue.valueState",
			[]string{"invalid"}},
		{"a control character in a secret", "iOS",
			settingsOf(payloadOf(wifi, simple(wifi+"_password", "Secret", "a\x01"))),
			child + ".simpleSettingValue",
			[]string{wifi + "_password", "characters"}},
		{"a secret that is not base64", "iOS",
			settingsOf(payloadOf("com.apple.vpn.managed", group("com.apple.vpn.managed_ikev2",
				[]any{simple("com.apple.vpn.managed_ikev2_ppk", "Secret", "!")}))),
			child + ".groupSettingCollectionValue[0].children[0].simpleSettingValue",
			[]string{"base64"}},
		{"a number for a secret", "iOS", settingsOf(payloadOf(wifi,
			simple(wifi+"_password", "Secret", 7))), child + ".simpleSettingValue.value", nil},
		{"not base64", "iOS", settingsOf(payloadOf("com.apple.security.root",
			text("com.apple.security.root_payloadcontent", "!"))),
			child + ".simpleSettingValue", []string{"base64"}},
		{"not a date", "macOS", settingsOf(payloadOf("com.apple.systempolicy.rule",
			text("com.apple.systempolicy.rule_expiration", "soon"))),
			child + ".simpleSettingValue", []string{"date"}},
		{"not a number", "macOS", settingsOf(payloadOf("com.apple.systempolicy.rule",
			text("com.apple.systempolicy.rule_priority", "NaN"))),
			child + ".simpleSettingValue", []string{"number"}},
		{"not a GUID", "iOS", settingsOf(payloadOf(wifi,
			text(wifi+"_payloadcertificateuuid", "x"))), child + ".simpleSettingValue",
			[]string{"GUID"}},
		{"a payload that is not there", "iOS",
			settingsOf(payloadOf(wifi, text(wifi+"_payloadcertificateuuid", sampleUUID))),
			child + ".simpleSettingValue",
			[]string{wifi + "_payloadcertificateuuid", sampleUUID}},
		{"one PayloadUUID twice", "iOS",
			settingsOf(group("com.apple.security.pem_com.apple.security.pem",
				[]any{text("com.apple.security.pem_payloaduuid", sampleUUID)},
				[]any{text("com.apple.security.pem_payloaduuid", sampleUUID)})),
			"settings", []string{sampleUUID}},
		{"a setting in another payload", "iOS",
			settingsOf(payloadOf(access, text(wifi+"_ssid_str", "x"))), child,
			[]string{wifi + "_ssid_str", wifi + "_" + wifi}},
		{"a payload in a payload", "iOS", settingsOf(payloadOf(access,
			payloadOf(access, choice(camera, "true")))), child, []string{"settings"}},
		{"a setting of a dictionary without it", "macOS",
			settingsOf(text(sso+"_platformsso_registrationtoken", "x")), "settings",
			[]string{sso + "_platformsso_registrationtoken"}},
		{"one twice", "iOS", settingsOf(payloadOf(access, choice(camera, "true"),
			choice(camera, "true"))),
			strings.Replace(child, "children[0]", "children[1]", 1), []string{camera, "twice"}},
		{"a payload twice", "iOS", settingsOf(payloadOf(access, choice(camera, "true")),
			payloadOf(access, choice(camera, "true"))),
			"settings[1].settingInstance", []string{"settings[0]"}},
		{"an empty payload", "iOS", settingsOf(payloadOf(access)), "settings",
			[]string{access, "nothing"}},
		{"no payload", "iOS", settingsOf(group(access + "_" + access)), "settings",
			[]string{"nothing"}},
		{"a dictionary twice", "iOS", settingsOf(payloadOf(wifi,
			group(wifi+"_eapclientconfiguration", []any{}, []any{}))),
			child + ".groupSettingCollectionValue",
			[]string{wifi + "_eapclientconfiguration", "only one"}},
		{"a key twice", "macOS", settingsOf(payloadOf(sso,
			group(sso+"_extensiondata", entry("a"), entry("a")))),
			child + ".groupSettingCollectionValue[1].children", []string{"twice"}},
		{"an empty key", "macOS", settingsOf(payloadOf(sso,
			group(sso+"_extensiondata", entry("")))),
			child + ".groupSettingCollectionValue[0].children", []string{"key"}},
		{"a key without a value", "macOS", settingsOf(payloadOf(sso,
			group(sso+"_extensiondata", entry("a")[:1]))),
			child + ".groupSettingCollectionValue[0].children", []string{"value"}},
		{"another value than picked", "macOS",
			settingsOf(payloadOf(sso, group(sso+"_extensiondata", []any{entry("a")[0],
				picked(sso, "1", text(sso+"_extensiondata_generickey_string", "x"))}))),
			child + ".groupSettingCollectionValue[0].children[1].choiceSettingValue.children",
			[]string{"generickey_integer"}},
	} {
		raw, err := json.Marshal(dict{"platforms": tt.platform, "settings": tt.settings})
		if err != nil {
			t.Fatal(err)
		}
		_, err = payload.CompilePolicy(policyID, raw)
		if err == nil {
			t.Errorf("%s: accepted", tt.name)
			continue
		}
		got := wantInvalid(t, err)
		if got.Property != tt.property {
			t.Errorf("%s: names %s, want %s: %v", tt.name, got.Property, tt.property, got)
		}
		for _, name := range tt.named {
			if !strings.Contains(got.Reason, name) {
				t.Errorf("%s: %q does not name %q", tt.name, got.Reason, name)
			}
		}
	}
}

func TestRefusedProperties(t *testing.T) {
	settings := settingsOf(choice("com.apple.applicationaccess_allowcamera", "true"))
	for property, props := range map[string][]dict{
		"platforms": {{}, {"platforms": nil}, {"platforms": "ios"}, {"platforms": "windows10"},
			{"platforms": "iOS,macOS"}, {"platforms": 7}},
		"technologies": {{"platforms": "iOS", "technologies": "exchangeOnline"},
			{"platforms": "iOS", "technologies": "mdm,"},
			{"platforms": "iOS", "technologies": 7}},
	} {
		for _, p := range props {
			p["settings"] = settings
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			_, err = payload.CompilePolicy(policyID, raw)
			if got := wantInvalid(t, err); got.Property != property {
				t.Errorf("%v: got %v", p, got)
			}
		}
	}
}

func TestManyUnknownSettings(t *testing.T) {
	var list []any
	for i := range 600 {
		list = append(list, text(fmt.Sprint("com.apple.x_", i), "x"))
	}
	_, err := payload.CompilePolicy(policyID, propertiesOf("iOS", settingsOf(list...)))
	if got := wantInvalid(t, err); !strings.Contains(got.Reason, `"com.apple.x_499" and 100 more`) {
		t.Errorf("got %v", got)
	}
}

func TestBadTables(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"\tkey: bool", "line 1: nothing holds it"},
		{"[a] iOS A\n\t\tkey: bool", "line 2: nothing holds it"},
		{"[a] iOS", "is not [type] platforms title"},
		{"[a] tvOS A", `platform "tvOS"`},
		{"[a] iOS A\n\tkey", "is not a key"},
		{"[a] iOS A\n\tkey: colour", `kind "colour"`},
		{"[a] iOS A\n\tkey: bool @macOS", `platform "macOS"`},
		{"[a] iOS A\n\tkey: bool\n\tKey: bool", `"a_key" is there twice`},
		{"[a] iOS A\n\tkey: bool\n\t\tin: bool", "inside of what can hold one"},
		{"[a] iOS A\n\tkey: any\n\t\tin: bool", "inside of what can hold one"},
		{"[a] iOS A\n\tkey: int 1", `range "1"`},
		{"[a] iOS A\n\tkey: int a..", `range "a.."`},
		{"[a] iOS A\n\tkey: intchoice 1 | x", `option "x"`},
		{"[a] iOS A\n\tkey: choice", `option ""`},
		{"[a] iOS A\n\tkey: map ints", `a map of "ints"`},
		{"[a] iOS A\n\tkey: string x", `"x" behind string`},
	} {
		if err := payload.ReadSettingTable(tt.text); err == nil ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}
