package payload

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// The properties of a managed app configuration.
const (
	targetedApps   = "targetedMobileApps"
	settingXML     = "encodedSettingXml"
	listedSettings = "settings"
)

// AppConfiguration is the Content of a managed app configuration: what Settings /
// ApplicationConfiguration sets.
type AppConfiguration struct {
	BundleID      string
	Configuration propertylist.Dictionary
}

// readConfiguration reads the configuration out of the properties of an iosMobileAppConfiguration:
// either encodedSettingXml (base64 of a property list's dictionary) or settings
// (appConfigurationSettingItem). The error is an *Invalid.
func readConfiguration(p catalog.Properties) (propertylist.Dictionary, error) {
	encoded, listed := p.Has(settingXML), p.Has(listedSettings)
	switch {
	case encoded && listed:
		return nil, &invalid.Input{Property: listedSettings,
			Reason: "encodedSettingXml is given too: give one of them"}
	case encoded:
		return readEncodedSettings(p)
	case listed:
		return readListedSettings(p)
	default:
		return nil, &invalid.Input{Property: listedSettings,
			Reason: "is missing: give settings or encodedSettingXml"}
	}
}

func readEncodedSettings(p catalog.Properties) (propertylist.Dictionary, error) {
	const name = settingXML
	text, err := catalog.Read[string](p, name, "a string")
	if err != nil {
		return nil, err
	}
	b, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, &invalid.Input{Property: name, Reason: err.Error()}
	}
	dict, err := propertylist.Decode(b)
	if err != nil {
		return nil, &invalid.Input{Property: name, Reason: "is not a property list: " + err.Error()}
	}
	if len(dict) == 0 {
		return nil, &invalid.Input{Property: name,
			Reason: "is empty; the configuration would set nothing"}
	}
	return dict, nil
}

type settingItem struct {
	Key   string `json:"appConfigKey"`
	Type  string `json:"appConfigKeyType"`
	Value string `json:"appConfigKeyValue"`
}

func readListedSettings(p catalog.Properties) (propertylist.Dictionary, error) {
	const name = listedSettings
	items, err := catalog.Read[[]settingItem](p, name,
		"a collection of appConfigurationSettingItem")
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, &invalid.Input{Property: name,
			Reason: "is empty; the configuration would set nothing"}
	}
	dict := make(propertylist.Dictionary, len(items))
	for i, item := range items {
		where := fmt.Sprintf("settings[%d]", i)
		if item.Key == "" {
			return nil, &invalid.Input{Property: where + ".appConfigKey", Reason: "is missing"}
		}
		if _, twice := dict[item.Key]; twice {
			return nil, &invalid.Input{Property: where + ".appConfigKey",
				Reason: fmt.Sprintf("%.60q is there twice", item.Key)}
		}
		if dict[item.Key], err = item.value(where); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

func (s settingItem) value(where string) (v any, err error) {
	switch s.Type {
	case "stringType":
		return s.Value, nil
	case "integerType":
		v, err = strconv.ParseInt(s.Value, 10, 64)
	case "realType":
		var f float64
		f, err = strconv.ParseFloat(s.Value, 64)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			err = strconv.ErrRange
		}
		v = f
	case "booleanType":
		v = strings.EqualFold(s.Value, "true")
		if v == false && !strings.EqualFold(s.Value, "false") {
			err = strconv.ErrSyntax
		}
	case "tokenType":
		return nil, &invalid.Input{Property: where + ".appConfigKeyType",
			Reason: "tokenType needs values of a device's user, whom no device here has: give the value as stringType"}
	default:
		return nil, &invalid.Input{Property: where + ".appConfigKeyType",
			Reason: fmt.Sprintf("%.60q is not stringType, integerType, realType or booleanType",
				s.Type)}
	}
	if err != nil {
		return nil, &invalid.Input{Property: where + ".appConfigKeyValue",
			Reason: fmt.Sprintf("%.60q is not a value of %s", s.Value, s.Type)}
	}
	return v, nil
}

// readTargetedApp is the id of the one app that the configuration is for. Devices keep one
// configuration an app, and report on it by app, so a configuration for several would be several
// payloads.
func readTargetedApp(p catalog.Properties) (string, error) {
	const name = targetedApps
	ids, err := catalog.Read[[]string](p, name, "a collection of app ids")
	if err != nil {
		return "", err
	}
	if len(ids) != 1 {
		return "", &invalid.Input{Property: name,
			Reason: fmt.Sprintf("names %d apps; give exactly one, and make a configuration for each app", len(ids))}
	}
	id, ok := catalog.ParseGUID(ids[0])
	if !ok {
		return "", &invalid.Input{Property: name,
			Reason: fmt.Sprintf("%.60q is not an app's id", ids[0])}
	}
	return id, nil
}
