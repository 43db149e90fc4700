package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// In Graph an assignment of an app has settings (Microsoft Graph beta reference,
// iosVppAppAssignmentSettings and its like). Here one of them is a property of the app, because it
// is the same for all who have the app, and the others are taken when they say what happens anyway.

// removalProperty says whether an app goes when management of its device ends, both in the settings
// of an assignment and of the app itself.
const removalProperty = "uninstallOnDeviceRemoval"

// settingsTypes are the types of the settings of each type of app's assignments.
var settingsTypes = map[string]odata.TypeName{
	"iosStoreApp": "iosStoreAppAssignmentSettings",
	"iosVppApp":   "iosVppAppAssignmentSettings",
	"iosLobApp":   "iosLobAppAssignmentSettings",
	"macOSPkgApp": "macOsLobAppAssignmentSettings",
}

// anyway are the settings that cannot be chosen here, each with the value that it has anyway.
var anyway = map[string]any{
	"vpnConfigurationId": "", "useDeviceLicensing": true, "isRemovable": true,
	"preventManagedAppBackup": false, "preventAutoAppUpdate": false,
}

// assignmentSettings are those of one assignment.
type assignmentSettings struct {
	body     *odata.Object
	removal  *bool          // nil: it does not say
	typeName odata.TypeName // empty: it does not say
}

// readSettings reads the settings of an assignment; nil: it has none.
func readSettings(item *odata.Object) (*assignmentSettings, error) {
	const name = "settings"
	if item.Values[name] == nil {
		return nil, nil
	}
	body, err := item.RequiredObject(name)
	if err != nil {
		return nil, err
	}
	s := &assignmentSettings{body: body}
	odataType, err := body.ODataType()
	if err != nil {
		return nil, err
	}
	s.typeName = odata.TypeName(strings.TrimPrefix(odataType, odata.GraphNamespace))
	known := []string{removalProperty}
	for setting, value := range anyway {
		known = append(known, setting)
		if v := body.Values[setting]; v != nil && v != value {
			err = errors.Join(err, odata.BadRequest(body.At(setting),
				"Property '%s' can only be %s or null here: this server does nothing else.",
				body.At(setting), shownValue(value)))
		}
	}
	if err := errors.Join(body.Only(known...), err); err != nil {
		return nil, err
	}
	switch v := body.Values[removalProperty].(type) {
	case nil:
	case bool:
		s.removal = &v
	default:
		return nil, odata.BadRequest(body.At(removalProperty), "Property '%s' must be true or false.",
			body.At(removalProperty))
	}
	return s, nil
}

// shownValue is a value as a message has it.
func shownValue(v any) string {
	if v == "" {
		return "empty"
	}
	return fmt.Sprint(v)
}

// settle is the edit of an app that the settings of its assignments want; nil: none.
func settle(p *catalog.Payload, all []*assignmentSettings) (*catalog.Patch, error) {
	wanted := wantsRemoval(p)
	var first *assignmentSettings
	for _, s := range all {
		if s == nil {
			continue
		}
		of, ok := settingsTypes[p.ODataType]
		if s.typeName != "" && s.typeName != of {
			must := "be left out"
			if ok {
				must = "be '#" + odata.Qualified(of) + "'"
			}
			return nil, odata.BadRequest(s.body.At("@odata.type"),
				"Property '%s' must %s for an app of type %s.", s.body.At("@odata.type"), must,
				p.ODataType)
		}
		switch {
		case s.removal == nil:
		case first == nil:
			first, wanted = s, *s.removal
		case *s.removal != wanted:
			return nil, odata.BadRequest(s.body.At(removalProperty),
				"Property '%s' must be the same as '%s': here it is one property of the app.",
				s.body.At(removalProperty), first.body.At(removalProperty))
		}
	}
	if wanted == wantsRemoval(p) {
		return nil, nil
	}
	properties, err := json.Marshal(map[string]bool{removalProperty: wanted})
	return &catalog.Patch{Properties: properties}, err
}

// wantsRemoval reports whether an app goes when management of its device ends. It does unless its
// property says otherwise.
func wantsRemoval(p *catalog.Payload) bool {
	var given struct {
		Removal *bool `json:"uninstallOnDeviceRemoval"`
	}
	err := json.Unmarshal(p.Properties, &given)
	return err != nil || given.Removal == nil || *given.Removal
}

// settingsFields are the settings that assignments of an app have; nil: its type has none.
func settingsFields(c *call, p *catalog.Payload) any {
	of, ok := settingsTypes[p.ODataType]
	if !ok {
		return nil
	}
	f := odata.Fields{{removalProperty, wantsRemoval(p)}}
	for _, name := range settingsOf[of] {
		var value any
		if name == "useDeviceLicensing" {
			value = true
		}
		f = append(f, odata.Field{name, value})
	}
	return odata.Typed(of, c.ofVersion(of, f))
}

// settingsOf are the settings beside removalProperty that each type of settings has.
var settingsOf = map[odata.TypeName][]string{
	"iosStoreAppAssignmentSettings": {"vpnConfigurationId", "isRemovable",
		"preventManagedAppBackup"},
	"iosLobAppAssignmentSettings": {"vpnConfigurationId", "isRemovable", "preventManagedAppBackup"},
	"iosVppAppAssignmentSettings": {"vpnConfigurationId", "isRemovable", "preventManagedAppBackup",
		"useDeviceLicensing", "preventAutoAppUpdate"},
	"macOsLobAppAssignmentSettings": nil,
}

// settingsSchema are the types of settings.
func settingsSchema() []*odata.Type {
	const base = "mobileAppAssignmentSettings"
	types := []*odata.Type{{Name: base, Abstract: true}}
	for _, of := range []odata.TypeName{"iosLobAppAssignmentSettings",
		"iosStoreAppAssignmentSettings", "iosVppAppAssignmentSettings",
		"macOsLobAppAssignmentSettings"} {
		t := &odata.Type{Name: of, Base: base,
			Properties: odata.Properties{{removalProperty, odata.Boolean}}}
		for _, name := range settingsOf[of] {
			property := odata.Property{name, odata.Boolean}
			if name == "vpnConfigurationId" {
				property.Of = odata.String
			}
			t.Properties = append(t.Properties, property)
		}
		types = append(types, t)
	}
	return types
}
