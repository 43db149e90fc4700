package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// secretsProperty is where a policy keeps its secrets, by the tokens that stand for them in its
// settings. It is never given back.
const secretsProperty = "secrets"

// Graph's states of a secret value (deviceManagementConfigurationSecretSettingValueState).
const (
	secretPlain  = "notEncrypted"
	secretHidden = "encryptedValueToken"
)

// hideSecrets puts a token in the place of each secret in the settings of props, and keeps the
// secrets apart. known are those of the policy so far: what was read with its tokens can be sent
// back.
func (c *Catalog) hideSecrets(form *Form, props Properties,
	known map[string]string) (Properties, error) {
	if form.Settings == nil || !props.Has(SettingsProperty) {
		return props, nil
	}
	d := json.NewDecoder(bytes.NewReader(props[SettingsProperty]))
	d.UseNumber()
	var settings any
	if err := d.Decode(&settings); err != nil {
		return nil, &invalid.Input{Property: SettingsProperty, Reason: "is not JSON"}
	}
	h := &secretHider{known: known, newID: c.newID, secrets: make(map[string]string)}
	if err := h.hide(settings, SettingsProperty); err != nil {
		return nil, err
	}
	props = maps.Clone(props)
	for name, value := range map[string]any{SettingsProperty: settings,
		secretsProperty: h.secrets} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		props[name] = text
	}
	return props, nil
}

// secretHider hides the secrets of one policy.
type secretHider struct {
	known   map[string]string
	newID   func() string
	secrets map[string]string
}

func (h *secretHider) hide(v any, where string) error {
	switch v := v.(type) {
	case []any:
		for i := range v {
			if err := h.hide(v[i], fmt.Sprintf("%s[%d]", where, i)); err != nil {
				return err
			}
		}
	case map[string]any:
		if v["@odata.type"] == SecretValueType {
			return h.hideOne(v, where)
		}
		for name := range v {
			if err := h.hide(v[name], where+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *secretHider) hideOne(v map[string]any, where string) error {
	value, ok := v["value"].(string)
	if !ok {
		return &invalid.Input{Property: where + ".value", Reason: "must be a string"}
	}
	state, _ := v["valueState"].(string)
	switch {
	case strings.EqualFold(state, secretHidden):
		secret, ok := h.known[value]
		if !ok {
			return &invalid.Input{Property: where + ".value",
				Reason: "is not a token of a secret in this policy; give the secret itself, with valueState " + secretPlain}
		}
		h.secrets[value] = secret
	case state == "" || strings.EqualFold(state, secretPlain):
		token := h.newID()
		h.secrets[token] = value
		v["value"], v["valueState"] = token, secretHidden
	default:
		return &invalid.Input{Property: where + ".valueState",
			Reason: fmt.Sprintf("%.60q is neither %s nor %s", state, secretPlain, secretHidden)}
	}
	return nil
}

// Secrets are those that the properties of a policy keep, by the tokens that stand for them in its
// settings.
func (p Properties) Secrets() (map[string]string, error) {
	return Read[map[string]string](p, secretsProperty, "an object of strings")
}

// hideNewSecrets is hideSecrets for an edit of what has some already.
func (c *Catalog) hideNewSecrets(form *Form, stored, changes Properties) (Properties, error) {
	if form.Settings == nil {
		return changes, nil
	}
	known, err := stored.Secrets()
	if err != nil {
		return nil, fmt.Errorf("stored properties: %w", err)
	}
	return c.hideSecrets(form, changes, known)
}

// ShownProperties are the properties without the secrets of a policy, for who tells versions of a
// payload apart in sight of others: a secret that changed has another token.
func (p *Payload) ShownProperties() json.RawMessage {
	props, err := ParseProperties(p.Properties)
	if p.Type != action.ConfigurationPolicy || err != nil {
		return p.Properties
	}
	delete(props, secretsProperty)
	text, _ := json.Marshal(props) // they were JSON
	return text
}
