package payload

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// maxElements is how many elements Graph lets a collection have.
const maxElements = 500

// Types of properties that are objects (Microsoft Graph beta reference).
var (
	appListItem = catalog.Type{Name: "appListItem", Parts: []catalog.Property{
		{Name: "name", Type: catalog.Text}, {Name: "publisher", Type: catalog.Text},
		{Name: "appStoreUrl", Type: catalog.Text}, {Name: "appId", Type: catalog.Text}}}
	keyValuePair = catalog.Type{Name: "keyValuePair", Parts: []catalog.Property{
		{Name: "name", Type: catalog.Text}, {Name: "value", Type: catalog.Text}}}
	delegatedScope = catalog.Type{Name: "androidDeviceOwnerDelegatedAppScopeType",
		Members: []string{"unspecified", "certificateInstall", "captureNetworkActivityLog",
			"captureSecurityLog", "unknownFutureValue"}}
)

// shapeTypes are the types of settings.txt beside bool, int and enumerations.
var shapeTypes = map[string]catalog.Type{
	"text":    catalog.Text,
	"texts":   catalog.ManyOf(catalog.Text),
	"package": catalog.Text,
	"emails":  catalog.ManyOf(catalog.Text),
	"message": {Name: "androidDeviceOwnerUserFacingMessage", Parts: []catalog.Property{
		{Name: "localizedMessages", Type: catalog.ManyOf(keyValuePair)},
		{Name: "defaultMessage", Type: catalog.Text}}},
	// Graph has a type for each of the two kinds, which derive from this one.
	"proxy": {Name: "androidDeviceOwnerGlobalProxy", Parts: []catalog.Property{
		{Name: "host", Type: catalog.Text}, {Name: "port", Type: catalog.Int32},
		{Name: "excludedHosts", Type: catalog.ManyOf(catalog.Text)},
		{Name: "proxyAutoConfigURL", Type: catalog.Text}}},
	"freezes": {Name: "androidDeviceOwnerSystemUpdateFreezePeriod", Many: true,
		Parts: []catalog.Property{
			{Name: "startMonth", Type: catalog.Int32}, {Name: "startDay", Type: catalog.Int32},
			{Name: "endMonth", Type: catalog.Int32}, {Name: "endDay", Type: catalog.Int32}}},
	"apps":  catalog.ManyOf(appListItem),
	"kiosk": catalog.ManyOf(appListItem),
	"scopes": {Name: "androidDeviceOwnerDelegatedScopeAppSetting", Many: true,
		Parts: []catalog.Property{{Name: "appDetail", Type: appListItem},
			{Name: "appScopes", Type: catalog.ManyOf(delegatedScope)}}},
}

// shapes make what Google takes of a property that is not empty.
var shapes = map[string]func(props catalog.Properties, name string) (any, error){
	"package": func(props catalog.Properties, name string) (any, error) {
		return readPackage(props, name)
	},
	"emails":  readEmails,
	"message": readMessage,
	"proxy":   readProxy,
	"freezes": readFreezes,
}

var packageForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$`)

// maxPackage is the most characters of a package name.
const maxPackage = 255

func isPackage(text string) bool { return len(text) <= maxPackage && packageForm.MatchString(text) }

func notPackage(where, text string) error {
	return &invalid.Input{Property: where, Reason: fmt.Sprintf(
		"%.60q is not a package name: give one such as com.example.app (letters, digits and underscores between dots; at most %d)", text, maxPackage)}
}

func readPackage(props catalog.Properties, name string) (string, error) {
	text, err := catalog.Read[string](props, name, "a string")
	if err == nil && !isPackage(text) {
		err = notPackage(name, text)
	}
	return text, err
}

var emailForm = regexp.MustCompile(`^[^\s@]{1,64}@[^\s@]{1,255}$`)

func readEmails(props catalog.Properties, name string) (any, error) {
	list, err := catalog.Read[[]string](props, name, "a collection of strings")
	if err == nil {
		err = atMost(name, len(list))
	}
	for i, email := range list {
		if err == nil && !emailForm.MatchString(email) {
			err = &invalid.Input{Property: fmt.Sprintf("%s[%d]", name, i),
				Reason: fmt.Sprintf("%.60q is not an address such as admin@example.com", email)}
		}
	}
	if err != nil {
		return nil, err
	}
	return union([]any{anyOf(list)}), nil
}

func atMost(name string, n int) error {
	if n > maxElements {
		return &invalid.Input{Property: name,
			Reason: fmt.Sprintf("has %d elements, more than %d", n, maxElements)}
	}
	return nil
}

// maxMessage is the most characters of a text that is shown to a device's user.
const maxMessage = 4096

var localeForm = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$`)

func readMessage(props catalog.Properties, name string) (any, error) {
	type message struct {
		Default   string `json:"defaultMessage"`
		Localized []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"localizedMessages"`
	}
	m, err := catalog.Read[message](props, name, "an androidDeviceOwnerUserFacingMessage")
	if err == nil {
		err = atMost(name+".localizedMessages", len(m.Localized))
	}
	if err != nil || m.Default == "" && len(m.Localized) == 0 {
		return nil, err
	}
	if err := checkMessage(name+".defaultMessage", m.Default); err != nil {
		return nil, err
	}
	made := map[string]any{"defaultMessage": m.Default}
	byLocale := make(map[string]any)
	for i, l := range m.Localized {
		where := fmt.Sprintf("%s.localizedMessages[%d]", name, i)
		if !localeForm.MatchString(l.Name) || byLocale[l.Name] != nil {
			return nil, &invalid.Input{Property: where + ".name", Reason: fmt.Sprintf(
				"%.60q is not a language such as de or pt-BR, or is there twice", l.Name)}
		}
		if err := checkMessage(where+".value", l.Value); err != nil {
			return nil, err
		}
		byLocale[l.Name] = l.Value
	}
	if len(byLocale) > 0 {
		made["localizedMessages"] = byLocale
	}
	return made, nil
}

func checkMessage(where, text string) error {
	if n := utf8.RuneCountInString(text); n == 0 || n > maxMessage {
		return &invalid.Input{Property: where,
			Reason: fmt.Sprintf("must have 1 to %d characters; it has %d", maxMessage, n)}
	}
	return nil
}

func readProxy(props catalog.Properties, name string) (any, error) {
	type proxy struct {
		Host     string   `json:"host"`
		Port     int64    `json:"port"`
		Excluded []string `json:"excludedHosts"`
		Script   string   `json:"proxyAutoConfigURL"`
	}
	p, err := catalog.Read[proxy](props, name, "an androidDeviceOwnerGlobalProxy")
	if err != nil {
		return nil, err
	}
	switch {
	case p.Script != "" && p.Host != "":
		return nil, &invalid.Input{Property: name + ".host",
			Reason: "proxyAutoConfigURL is given too: give one of them"}
	case p.Script != "":
		if err := checkAddress(name+".proxyAutoConfigURL", p.Script); err != nil {
			return nil, err
		}
		return map[string]any{"pacUri": p.Script}, nil
	}
	if err := checkHost(name+".host", p.Host); err != nil {
		return nil, err
	}
	if err := checkPort(name+".port", p.Port); err != nil {
		return nil, err
	}
	made := map[string]any{"host": p.Host, "port": p.Port}
	if len(p.Excluded) > 0 {
		made["excludedHosts"] = anyOf(p.Excluded)
	}
	return made, checkHosts(name+".excludedHosts", p.Excluded)
}

func checkAddress(where, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || len(text) > 2048 {
		return &invalid.Input{Property: where, Reason: fmt.Sprintf(
			"%.60q is not an http or https address of at most 2048 characters", text)}
	}
	return nil
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,253}$`)

func checkHost(where, text string) error {
	if !hostForm.MatchString(text) {
		return &invalid.Input{Property: where, Reason: fmt.Sprintf(
			"%.60q is not a host such as proxy.example.com", text)}
	}
	return nil
}

var hostsForm = regexp.MustCompile(`^[A-Za-z0-9.*_:-]{1,253}$`)

// checkHosts checks hosts that may have wildcards.
func checkHosts(where string, list []string) error {
	for i, host := range list {
		if !hostsForm.MatchString(host) {
			return &invalid.Input{Property: fmt.Sprintf("%s[%d]", where, i), Reason: fmt.Sprintf(
				"%.60q is not a host such as *.example.com", host)}
		}
	}
	return atMost(where, len(list))
}

func checkPort(where string, port int64) error {
	if port < 1 || port > 65535 {
		return &invalid.Input{Property: where,
			Reason: fmt.Sprintf("%d is not a port: give 1 to 65535", port)}
	}
	return nil
}

// readFreezes reads freeze periods: at most 90 days each, and at least 60 days between two (Android
// Management API, FreezePeriod).
func readFreezes(props catalog.Properties, name string) (any, error) {
	type period struct {
		StartMonth, StartDay, EndMonth, EndDay int
	}
	list, err := catalog.Read[[]period](props, name,
		"a collection of androidDeviceOwnerSystemUpdateFreezePeriod")
	if err == nil {
		err = atMost(name, len(list))
	}
	if err != nil {
		return nil, err
	}
	// of a year; to is in the next one if the period goes over its end
	type days struct{ from, to int }
	var all []days
	made := make([]any, len(list))
	for i, p := range list {
		where := fmt.Sprintf("%s[%d]", name, i)
		from, ok := dayOfYear(p.StartMonth, p.StartDay)
		to, ok2 := dayOfYear(p.EndMonth, p.EndDay)
		if !ok || !ok2 {
			return nil, &invalid.Input{Property: where,
				Reason: "startMonth, startDay, endMonth and endDay must be days of every year"}
		}
		if to < from {
			to += 365
		}
		if to-from > 90 {
			return nil, &invalid.Input{Property: where, Reason: fmt.Sprintf(
				"is %d days long; Android allows 90", to-from)}
		}
		all = append(all, days{from, to})
		made[i] = map[string]any{
			"startDate": map[string]any{"month": p.StartMonth, "day": p.StartDay},
			"endDate":   map[string]any{"month": p.EndMonth, "day": p.EndDay}}
	}
	slices.SortFunc(all, func(a, b days) int { return a.from - b.from })
	for i, d := range all {
		next := all[(i+1)%len(all)].from
		if next <= d.from {
			next += 365
		}
		if gap := next - d.to - 1; gap < 60 {
			return nil, &invalid.Input{Property: name, Reason: fmt.Sprintf(
				"leave %d days between two periods; Android wants 60", max(gap, 0))}
		}
	}
	return made, nil
}

func dayOfYear(month, day int) (int, bool) {
	const commonYear = 2023
	t := time.Date(commonYear, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t.YearDay(), month >= 1 && month <= 12 && t.Day() == day &&
		t.Month() == time.Month(month)
}
