package payload_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

func openCatalog(t *testing.T) *catalog.Catalog {
	t.Helper()
	st, err := store.Open(t.Context(), storetest.Location(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return catalog.New(st, catalog.MustForms(payload.Forms()), time.Now, uuid.NewString)
}

func createPolicy(t *testing.T, c *catalog.Catalog, platform string,
	instances ...any) *catalog.Payload {
	t.Helper()
	p, err := c.Create(t.Context(), catalog.Input{ODataType: payload.SettingsCatalogPolicy,
		DisplayName: "policy",
		Properties:  propertiesOf(platform, settingsOf(instances...))})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func editPolicy(t *testing.T, c *catalog.Catalog, p *catalog.Payload,
	patch catalog.Patch) *catalog.Payload {
	t.Helper()
	edited, err := c.Update(t.Context(), p.ID, patch)
	if err != nil {
		t.Fatal(err)
	}
	return edited
}

func TestVersionsOfAPolicy(t *testing.T) {
	c := openCatalog(t)
	camera := func(option string) any {
		return payloadOf("com.apple.applicationaccess",
			choice("com.apple.applicationaccess_allowcamera", option))
	}
	settings := func(instances ...any) catalog.Patch {
		return catalog.Patch{Properties: propertiesOf("iOS", settingsOf(instances...))}
	}
	p := createPolicy(t, c, "iOS", camera("false"))
	revisions := map[string]bool{p.Revision: true}
	name, pin := "another name", payloadOf("com.apple.mobiledevice.passwordpolicy",
		choice("com.apple.mobiledevice.passwordpolicy_forcepin", "true"))
	for _, tt := range []struct {
		what    string
		patch   catalog.Patch
		version int64
	}{
		{"a new name", catalog.Patch{DisplayName: &name}, 1},
		{"the same settings", settings(camera("false")), 1},
		{"another value", settings(camera("true")), 2},
		{"one more payload", settings(camera("true"), pin), 3},
		{"another order", settings(pin, camera("true")), 3},
		{"the first settings again", settings(camera("false")), 4},
	} {
		before := p
		if p = editPolicy(t, c, p, tt.patch); p.Version != tt.version {
			t.Fatalf("%s: version %d, want %d", tt.what, p.Version, tt.version)
		}
		if changed := p.Version != before.Version; changed == revisions[p.Revision] ||
			p.Identifier != before.Identifier {
			t.Errorf("%s: revision %s, identifier %s", tt.what, p.Revision, p.Identifier)
		}
		revisions[p.Revision] = true
		if profile, err := payload.ParseProfile(p.Content); err != nil ||
			profile.UUID != p.Revision || profile.Identifier != p.Identifier {
			t.Errorf("%s: %v, %v", tt.what, err, profile)
		}
	}
	_, err := c.Update(t.Context(), p.ID, catalog.Patch{Properties: propertiesOf("macOS",
		settingsOf(camera("true")))})
	if got := wantInvalid(t, err); got.Property != "platforms" {
		t.Errorf("another platform: %v", got)
	}
	if again, err := c.Get(t.Context(), p.ID); err != nil || again.Version != p.Version {
		t.Errorf("a refused edit: %v, %v", again, err)
	}
}

// A secret is kept apart from what is given back, and the token in its place can be sent again.
func TestSecretsOfAPolicy(t *testing.T) {
	const secret, other = "hunter2", "correct horse"
	c := openCatalog(t)
	network := func(password any) any {
		return payloadOf("com.apple.wifi.managed",
			text("com.apple.wifi.managed_ssid_str", "Campus"),
			dict{"@odata.type": graphType + "SimpleSettingInstance",
				"settingDefinitionId": "com.apple.wifi.managed_password",
				"simpleSettingValue":  password})
	}
	given := func(state, v string) dict {
		return dict{"@odata.type": graphType + "SecretSettingValue", "value": v,
			"valueState": state}
	}
	p := createPolicy(t, c, "iOS", network(given("notEncrypted", secret)))
	token := shownSecret(t, p)
	if !strings.Contains(string(p.Content), "<string>"+secret+"</string>") ||
		strings.Contains(string(p.Content), token) {
		t.Errorf("the profile does not have the secret: %s", p.Content)
	}
	if shown := string(p.ShownProperties()); strings.Contains(shown, secret) ||
		!strings.Contains(shown, token) {
		t.Errorf("shown are %s", shown)
	}
	edit := func(v dict) catalog.Patch {
		return catalog.Patch{Properties: propertiesOf("iOS", settingsOf(network(v)))}
	}
	if same := editPolicy(t, c, p, edit(given("encryptedValueToken", token))); same.Version != 1 ||
		shownSecret(t, same) != token {
		t.Errorf("sent back: version %d, token %s, was %s", same.Version, shownSecret(t, same),
			token)
	}
	if same := editPolicy(t, c, p, edit(given("notEncrypted", secret))); same.Version != 1 {
		t.Errorf("the same secret again: version %d", same.Version)
	}
	changed := editPolicy(t, c, p, edit(given("notEncrypted", other)))
	if changed.Version != 2 || !strings.Contains(string(changed.Content), other) ||
		strings.Contains(string(changed.Content), secret) {
		t.Errorf("another secret: version %d: %s", changed.Version, changed.Content)
	}
	if strings.Contains(string(changed.Properties), secret) {
		t.Errorf("the old secret is kept: %s", changed.Properties)
	}
	_, err := c.Update(t.Context(), p.ID, edit(given("encryptedValueToken", token)))
	if got := wantInvalid(t, err); !strings.Contains(got.Reason, "not a token") {
		t.Errorf("a token of a secret that is gone: %v", got)
	}
	_, err = c.Create(t.Context(), catalog.Input{ODataType: payload.SettingsCatalogPolicy,
		DisplayName: "thief",
		Properties: propertiesOf("iOS", settingsOf(network(given("encryptedValueToken",
			shownSecret(t, changed)))))})
	if got := wantInvalid(t, err); !strings.Contains(got.Reason, "not a token") {
		t.Errorf("a token of another policy's secret: %v", got)
	}
}

// shownSecret is what the only secret of a policy is shown as.
func shownSecret(t *testing.T, p *catalog.Payload) string {
	t.Helper()
	list, err := p.PolicySettings()
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Groups []struct {
			Children []struct {
				Simple struct{ Value, ValueState string } `json:"simpleSettingValue"`
			} `json:"children"`
		} `json:"groupSettingCollectionValue"`
	}
	if err := json.Unmarshal(list[0].Instance, &in); err != nil {
		t.Fatal(err)
	}
	v := in.Groups[0].Children[1].Simple
	if v.ValueState != "encryptedValueToken" ||
		strings.Contains(string(list[0].Instance), "hunter2") ||
		strings.Contains(string(list[0].Instance), "horse") {
		t.Errorf("shown is %s", list[0].Instance)
	}
	return v.Value
}

func TestNotesOfAPolicyHoldNoSecrets(t *testing.T) {
	const secret = "hunter2"
	c := openCatalog(t)
	d := &audit.Draft{Entry: audit.Entry{ID: "policy", Activity: "create"}}
	_, err := c.Create(audit.With(t.Context(), d),
		catalog.Input{ODataType: payload.SettingsCatalogPolicy, DisplayName: "Campus network",
			Properties: propertiesOf("iOS", settingsOf(payloadOf("com.apple.wifi.managed",
				simple("com.apple.wifi.managed_password", "Secret", secret))))})
	if err != nil {
		t.Fatal(err)
	}
	if text := noted(t, d); strings.Contains(text, secret) ||
		!strings.Contains(text, "Campus network") {
		t.Errorf("noted is %s", text)
	}
}

// What is in a policy's settings is found again, each setting once.
func TestDefinitionsOfAPolicy(t *testing.T) {
	c := openCatalog(t)
	p := createPolicy(t, c, "iOS", group("com.apple.wifi.managed_com.apple.wifi.managed",
		[]any{text("com.apple.wifi.managed_ssid_str", "One")},
		[]any{text("com.apple.wifi.managed_ssid_str", "Two"),
			choice("com.apple.wifi.managed_autojoin", "true")}))
	list, err := p.PolicySettings()
	if err != nil {
		t.Fatal(err)
	}
	found, err := list[0].Definitions(catalog.MustForms(payload.Forms()).FindSetting)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range found {
		ids = append(ids, strings.TrimPrefix(s.ID, "com.apple.wifi.managed_"))
	}
	if got := strings.Join(ids, " "); got != "com.apple.wifi.managed ssid_str autojoin" {
		t.Errorf("got %s", got)
	}
}

func TestTitleOfManyPayloads(t *testing.T) {
	var instances []any
	for _, kind := range []string{"com.apple.dock", "com.apple.finder",
		"com.apple.security.firewall", "com.apple.softwareupdate", "loginwindow"} {
		s := payload.FindSetting(kind + "_" + kind)
		for _, child := range s.Children {
			if child.Form == catalog.ChoiceSetting && child.Options[0].Value == true {
				instances = append(instances, payloadOf(kind, choice(child.ID, "true")))
				break
			}
		}
	}
	if title := compiled(t, "macOS",
		instances...)["PayloadDisplayName"]; title != "Dock, Finder, Firewall and 2 more" {
		t.Errorf("got %v", title)
	}
}

// noted is what the audit record keeps of a call.
func noted(t *testing.T, d *audit.Draft) string {
	t.Helper()
	text, err := json.Marshal(d.Complete().Objects)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
