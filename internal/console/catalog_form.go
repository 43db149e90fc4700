package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// form is what somebody fills in to make or change a thing of the catalog.
type form struct {
	Fields  []formField
	Message string // why it was refused; empty: it was not
}

// formField is one property in a form.
type formField struct {
	Name     string // Graph's
	Label    string
	Hint     string
	Control  string // text, url, area, code, check or choice
	Required bool
	Fixed    bool // it is chosen when the thing is made, and never changes
	Options  []option
	Value    string // of a check: empty or "on"
	Invalid  bool   // the API refused it
}

type option struct{ Value, Text string }

// near is an error that is shown beside the form that led to it, where what was typed is kept. The others have the page
// of errors.
func near(err error) (*apiError, bool) {
	var answer *apiError
	if !errors.As(err, &answer) {
		return nil, false
	}
	switch answer.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge,
		http.StatusServiceUnavailable:
		return answer, true
	default:
		return nil, false
	}
}

var propertyPattern = regexp.MustCompile(`Property '([^']+)'`)

// refuse marks the field that the API's message is about, and says its name as the form does.
func (f *form) refuse(message string) {
	f.Message = propertyPattern.ReplaceAllStringFunc(message, func(found string) string {
		name := propertyPattern.FindStringSubmatch(found)[1]
		i := slices.IndexFunc(f.Fields, func(one formField) bool { return one.Name == name })
		if i < 0 {
			return found
		}
		f.Fields[i].Invalid = true
		return f.Fields[i].Label
	})
}

// with is the form with these fields filled in as they were sent.
func (f form) with(sent url.Values) form {
	f.Fields = slices.Clone(f.Fields)
	for i := range f.Fields {
		f.Fields[i].Value = strings.ReplaceAll(sent.Get(f.Fields[i].Name), "\r\n", "\n") // browsers send lines so
	}
	return f
}

// of is the form with what a thing has, without what is fixed.
func (f form) of(i *catalogItem) form {
	var fields []formField
	for _, one := range f.Fields {
		// An app configuration has either this or a list of settings.
		listed := one.Name == settingXML && !isSet(i.properties[settingXML])
		if !one.Fixed && !listed {
			one.Value = one.read(i.properties[one.Name])
			fields = append(fields, one)
		}
	}
	f.Fields = fields
	return f
}

func isSet(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// read is a property's value as the control has it.
func (f formField) read(raw json.RawMessage) string {
	switch {
	case f.Name == deviceTypes:
		return deviceChoiceOf(raw)
	case f.Name == settingXML:
		var text []byte
		_ = json.Unmarshal(raw, &text) // the API's own base64
		return string(text)
	case f.Control == "check":
		on := true // as the server has it where nothing is said
		if len(raw) > 0 {
			_ = json.Unmarshal(raw, &on) // null leaves it
		}
		if on {
			return "on"
		}
		return ""
	}
	var text string
	_ = json.Unmarshal(raw, &text) // null is empty
	return text
}

// deviceChoiceOf is an iosDeviceType as a choice.
func deviceChoiceOf(raw json.RawMessage) string {
	var t struct {
		IPad   bool `json:"iPad"`
		IPhone bool `json:"iPhoneAndIPod"`
	}
	_ = json.Unmarshal(raw, &t) // null is neither
	switch {
	case t.IPad && t.IPhone:
		return iPhoneAndIPad
	case t.IPhone:
		return onlyIPhone
	case t.IPad:
		return onlyIPad
	default:
		return ""
	}
}

// body is what the form says, as properties of the API.
func (f form) body() map[string]any {
	body := map[string]any{}
	for _, one := range f.Fields {
		body[one.Name] = one.property()
	}
	return body
}

const (
	settingXML    = "encodedSettingXml"
	targetedApps  = "targetedMobileApps"
	deviceTypes   = "applicableDeviceType"
	onlyIPhone    = "iPhone"
	onlyIPad      = "iPad"
	iPhoneAndIPad = "both"
)

func (f formField) property() any {
	switch {
	case f.Control == "check":
		return f.Value != ""
	case f.Value == "" && f.Name != "displayName":
		return nil
	case f.Name == settingXML:
		return []byte(f.Value)
	case f.Name == targetedApps:
		return []string{f.Value}
	case f.Name == deviceTypes:
		return map[string]bool{"iPad": f.Value != onlyIPhone, "iPhoneAndIPod": f.Value != onlyIPad}
	default:
		return f.Value
	}
}

// The fields of more than one form.
var (
	nameField        = formField{Name: "displayName", Label: "Name", Control: "text", Required: true}
	descriptionField = formField{Name: "description", Label: "Description", Control: "area"}
	publisherField   = formField{Name: "publisher", Label: "Publisher", Control: "text"}
	bundleField      = formField{Name: "bundleId", Label: "Bundle id", Control: "text", Required: true, Fixed: true,
		Hint: "Such as com.example.app. It never changes."}
	storeField = formField{Name: "appStoreUrl", Label: "App Store address", Control: "url", Required: true,
		Hint: "Such as https://apps.apple.com/us/app/name/id361309726: copy it with Share in the App Store."}
	devicesField = formField{Name: deviceTypes, Label: "Devices", Control: "choice", Fixed: true,
		Options: []option{{"", "iPhone, iPad and Apple TV"}, {iPhoneAndIPad, "iPhone and iPad"}, {onlyIPhone, "iPhone"}, {onlyIPad, "iPad"}}}
	manifestField = formField{Name: "manifestUrl", Label: "Manifest address", Control: "url", Required: true,
		Hint: "Where devices find the manifest of the app, over https."}
	configurationField = formField{Name: "managedConfiguration", Label: "Configuration at installation", Control: "code",
		Hint: "What the app is given with its installation: a property list, in XML, that holds a dictionary. It may be empty."}
	removalField = formField{Name: "uninstallOnDeviceRemoval", Label: "Remove the app when the device leaves management",
		Control: "check", Value: "on"}
	settingField = formField{Name: settingXML, Label: "Settings", Control: "code", Required: true,
		Hint: "A property list, in XML, that holds a dictionary with the keys that the app's maker documents."}
)

func versionField(name string) formField {
	return formField{Name: name, Label: "Version", Hint: "That which the manifest installs, such as 1.4.2.", Control: "text", Required: true}
}

var storeFields = []formField{nameField, descriptionField, publisherField, bundleField, storeField, devicesField, configurationField,
	removalField}

// itemForms are the forms by Graph's type, without '#microsoft.graph.'.
var itemForms = map[string][]formField{
	"iosCustomConfiguration":   {nameField, descriptionField},
	"macOSCustomConfiguration": {nameField, descriptionField},
	"iosStoreApp":              storeFields,
	"iosVppApp":                storeFields,
	"iosLobApp": {nameField, descriptionField, publisherField, bundleField, versionField("versionNumber"), manifestField,
		ownDevices(), configurationField, removalField},
	"macOSPkgApp": {nameField, descriptionField, publisherField, packageBundle(), versionField("primaryBundleVersion"), manifestField,
		configurationField, removalField},
	"iosMobileAppConfiguration": {nameField, descriptionField, settingField},
}

// ownDevices are the choices for an app that is not from the App Store: Apple TV is none.
func ownDevices() formField {
	f := devicesField
	f.Options = f.Options[1:]
	return f
}

func packageBundle() formField {
	f := bundleField
	f.Name = "primaryBundleId"
	return f
}

const graphType = "#microsoft.graph."

// formOf is the empty form for a type; false if there is none.
func formOf(odataType string) (form, bool) {
	fields, ok := itemForms[strings.TrimPrefix(odataType, graphType)]
	return form{Fields: slices.Clone(fields)}, ok
}
