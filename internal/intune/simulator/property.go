package simulator

import (
	"encoding/json"
	"strconv"
	"time"
)

// property is one of managedDevice. Its writer appends the value as JSON.
type property struct {
	name  string
	write func(b []byte, c *call, d *Device) []byte
}

// properties are those of managedDevice that are known, in the order in which they are sent. A list
// has nothing in deviceActionResults and hardwareInformation: only a device that is asked for by
// its id has.
var properties = []property{
	text("id", func(d *Device) string { return d.ID }),
	text("userId", func(d *Device) string { return d.user.id() }),
	text("deviceName", func(d *Device) string { return d.name }),
	text("managedDeviceName", func(d *Device) string { return d.managedName() }),
	text("managedDeviceOwnerType", (*Device).owner),
	text("ownerType", (*Device).owner),
	text("managementState", func(d *Device) string { return d.state }),
	moment("enrolledDateTime", func(d *Device) time.Time { return d.enrolled }),
	moment("lastSyncDateTime", func(d *Device) time.Time { return d.synced }),
	text("operatingSystem", func(d *Device) string { return d.kind.system }),
	text("deviceType", func(d *Device) string { return d.kind.deviceType }),
	text("complianceState", func(*Device) string { return "compliant" }),
	text("jailBroken", func(*Device) string { return "False" }),
	text("managementAgent", func(d *Device) string { return d.agent }),
	text("osVersion", func(d *Device) string { return d.kind.version }),
	fact("easActivated", func(*Device) bool { return false }),
	text("easDeviceId", func(*Device) string { return "" }),
	fact("aadRegistered", func(*Device) bool { return true }),
	fact("azureADRegistered", func(*Device) bool { return true }),
	text("deviceEnrollmentType", func(d *Device) string { return d.kind.enrollment }),
	text("emailAddress", func(d *Device) string { return d.user.upn() }),
	text("azureActiveDirectoryDeviceId", func(d *Device) string { return d.directory }),
	text("azureADDeviceId", func(d *Device) string { return d.directory }),
	text("deviceRegistrationState", func(*Device) string { return "registered" }),
	text("deviceCategoryDisplayName", func(*Device) string { return "Unknown" }),
	fact("isSupervised", func(d *Device) bool { return d.kind.platform == IOS }),
	fact("isEncrypted", func(*Device) bool { return true }),
	text("userPrincipalName", func(d *Device) string { return d.user.upn() }),
	text("userDisplayName", func(d *Device) string { return d.user.upn() }),
	text("model", func(d *Device) string { return d.kind.model }),
	text("manufacturer", func(d *Device) string { return d.kind.maker }),
	text("imei", func(*Device) string { return "" }),
	text("serialNumber", func(d *Device) string { return d.Serial }),
	text("phoneNumber", func(*Device) string { return "" }),
	text("partnerReportedThreatState", func(*Device) string { return "unknown" }),
	text("wiFiMacAddress", func(*Device) string { return "" }),
	{"roleScopeTagIds", writeTags},
	{"notes", writeNull},
	{"hardwareInformation", writeNull},
	{"deviceActionResults", writeActionResults},
}

var propertyOf = func() map[string]property {
	all := make(map[string]property)
	for _, p := range properties {
		all[p.name] = p
	}
	return all
}()

func (u *User) id() string {
	if u == nil {
		return ""
	}
	return u.ID
}

func (u *User) upn() string {
	if u == nil {
		return ""
	}
	return u.UPN
}

func (d *Device) owner() string {
	if d.personal {
		return "personal"
	}
	return "company"
}

// managedName is the name that Intune makes of user, system and time.
func (d *Device) managedName() string {
	return d.user.upn() + "_" + d.kind.system + "_" + d.enrolled.Format("1/2/2006_3:04 PM")
}

func text(name string, get func(*Device) string) property {
	return property{name, func(b []byte, _ *call, d *Device) []byte {
		return appendText(b, get(d))
	}}
}

func moment(name string, get func(*Device) time.Time) property {
	return property{name, func(b []byte, _ *call, d *Device) []byte {
		return append(get(d).UTC().AppendFormat(append(b, '"'),
			"2006-01-02T15:04:05.9999999Z"), '"')
	}}
}

func fact(name string, get func(*Device) bool) property {
	return property{name, func(b []byte, _ *call, d *Device) []byte {
		return strconv.AppendBool(b, get(d))
	}}
}

func writeNull(b []byte, _ *call, _ *Device) []byte { return append(b, "null"...) }

func writeTags(b []byte, _ *call, d *Device) []byte {
	b = append(b, '[')
	for i, tag := range d.tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, tag)
	}
	return append(b, ']')
}

func writeActionResults(b []byte, c *call, d *Device) []byte {
	if len(c.keys) == 0 {
		return append(b, "[]"...)
	}
	return appendJSON(b, d.actionResults(c.now))
}

// appendText appends a string as JSON. Most are plain, and need no look at each of their runes.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return appendJSON(b, text)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}

// appendDevice appends a device with the properties that were selected.
func appendDevice(b []byte, c *call, d *Device, selected []property) []byte {
	b = append(b, '{')
	return append(appendMembers(b, c, d, selected), '}')
}

func appendMembers(b []byte, c *call, d *Device, selected []property) []byte {
	for i, p := range selected {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, p.name), ':')
		b = p.write(b, c, d)
	}
	return b
}

// pick leaves of an object the members that $select names. False: one is not there.
func pick(object any, names []string) (json.RawMessage, string, bool) {
	all, _ := json.Marshal(object)
	if len(names) == 0 {
		return all, "", true
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(all, &members)
	left := make(map[string]json.RawMessage)
	for _, name := range names {
		value, ok := members[name]
		if !ok {
			return nil, name, false
		}
		left[name] = value
	}
	if kind, ok := members["@odata.type"]; ok {
		left["@odata.type"] = kind
	}
	text, _ := json.Marshal(left)
	return text, "", true
}
