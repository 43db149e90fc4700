package payload

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/api/androidmanagement/v1"
)

// Verdict is what a non-compliance detail means for a payload that it concerns.
type Verdict uint8

const (
	// Working: the device is still at it, and nobody must do anything.
	Working Verdict = iota
	// UserMust: as Working, and it goes on when the device's user has acted.
	UserMust
	// Permanent: it will not get better by itself.
	Permanent
	// PartlyPermanent: as Permanent if it concerns all fields of a payload. Of a part of them: this
	// device cannot do that part, and the payload counts as applied.
	PartlyPermanent
)

// Judgement is what a non-compliance detail means.
type Judgement struct {
	// Code is a number of the table of codes: 1000 and the index of nonComplianceReason among its
	// values, or 2000 and that of installationFailureReason, or 3000 and that of
	// specificNonComplianceReason, whichever says most.
	Code    int64
	Verdict Verdict
	// Words are for the detail of a result: what the device said, about what. They name Google's
	// value, by which Explain knows the code again.
	Words string
}

// Detail is what a device says of one setting that it does not comply with.
type Detail = androidmanagement.NonComplianceDetail

// Judge says what a non-compliance detail means. Any part of it may be missing, and values may be
// unknown: those are taken for work that goes on, since they are newer than this program.
func Judge(d *Detail) Judgement {
	code, row, said := mostSpecific(d)
	words := "the device says " + said
	if said != row.value {
		words += " (" + row.value + ")"
	}
	for _, of := range []struct{ what, text string }{
		{"setting", d.SettingName}, {"field", d.FieldPath}, {"app", d.PackageName},
		{"current value", currentValue(d)}, {"of", scopeOf(d)},
	} {
		if of.text != "" && (of.what != "field" || of.text != d.SettingName) {
			words += fmt.Sprintf(", %s %s", of.what, shortened(of.text, maxValue))
		}
	}
	if row.verdict == UserMust {
		words += ": " + row.advice
	}
	return Judgement{Code: code, Verdict: row.verdict, Words: words}
}

// mostSpecific finds the row of what says most in a detail, and what the device said there.
func mostSpecific(d *Detail) (code int64, row codeRow, said string) {
	for i, given := range []string{d.NonComplianceReason, d.InstallationFailureReason,
		d.SpecificNonComplianceReason} {
		t := codeTables[i]
		at := slices.IndexFunc(t.rows, func(r codeRow) bool { return r.value == given })
		switch {
		case i == 0: // there always is one
			at = max(at, 0)
		case at <= 0: // none, unspecified or unknown: the others say more
			continue
		}
		code, row, said = t.first+int64(at), t.rows[at], given
	}
	if said == "" {
		said = row.value
	}
	return code, row, shortened(plainName(said), maxValue)
}

// plainName is a value as it may stand in a text: Google's have letters and underscores alone.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '?'
	}, text)
}

// maxValue is the most characters of a value that go into a detail.
const maxValue = 100

func currentValue(d *Detail) string {
	switch v := d.CurrentValue.(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return string(canonicalJSON(v))
	}
}

// scopeOf is the part of the device that a detail is about, in words.
func scopeOf(d *Detail) string {
	c := d.SpecificNonComplianceContext
	switch {
	case c == nil:
		return ""
	case c.PasswordPoliciesContext != nil:
		return scopeWords[c.PasswordPoliciesContext.PasswordPolicyScope]
	case c.DefaultApplicationContext != nil:
		return scopeWords[c.DefaultApplicationContext.DefaultApplicationScope]
	default:
		return ""
	}
}

var scopeWords = map[string]string{
	"SCOPE_DEVICE": "the device", "SCOPE_PROFILE": "the work profile",
	"SCOPE_FULLY_MANAGED": "the device", "SCOPE_WORK_PROFILE": "the work profile",
	"SCOPE_PERSONAL_PROFILE": "the personal profile",
}

// WiFiGUID is the GUID of the network that a detail is about; empty: it is about none.
func WiFiGUID(d *Detail) string {
	if c := d.SpecificNonComplianceContext; c != nil && c.OncWifiContext != nil {
		return c.OncWifiContext.WifiGuid
	}
	return ""
}

// ScopedPath is the field that a detail is about, as Manifest.Owners takes it: a detail on
// passwords that has no path tells the scope beside it.
func ScopedPath(d *Detail) string {
	c := d.SpecificNonComplianceContext
	if d.FieldPath == "" && d.SettingName == "passwordPolicies" && c != nil &&
		c.PasswordPoliciesContext != nil {
		return "passwordPolicies[" + c.PasswordPoliciesContext.PasswordPolicyScope + "]"
	}
	return d.FieldPath
}
