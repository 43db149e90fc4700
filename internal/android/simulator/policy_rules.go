package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// Limits of a policy (AMAPI, REST resource: enterprises.policies).
const (
	maxApplications       = 3000
	maxMinimumVersions    = 20
	maxComplianceRules    = 100
	maxConfigurationText  = 65535
	maxFreezeDays         = 90
	minDaysBetweenFreezes = 60
)

// checkPolicy refuses what Google's reference says that a policy cannot be, with the field's name.
func checkPolicy(p *androidmanagement.Policy, m message) *failure {
	for _, check := range []func(*androidmanagement.Policy) *failure{checkCounts, checkApplications,
		checkPasswords, checkEnforcement, checkKeys, checkNetworks, checkUpdates} {
		if refusal := check(p); refusal != nil {
			return refusal
		}
	}
	return checkConfigurationTexts("policy", m["applications"])
}

func tooMany(field string, count, limit int) *failure {
	if count <= limit {
		return nil
	}
	return badRequest(field, "Invalid value at '%s': there are %d, and at most %d are allowed.",
		field, count, limit)
}

func checkCounts(p *androidmanagement.Policy) *failure {
	versions, kiosks, extensions := 0, 0, 0
	for _, app := range p.Applications {
		if app.MinimumVersionCode != 0 {
			versions++
		}
		if app.InstallType == "KIOSK" {
			kiosks++
		}
		if app.ExtensionConfig != nil {
			extensions++
		}
	}
	for _, limit := range []struct {
		field        string
		count, limit int
	}{
		{"policy.applications", len(p.Applications), maxApplications},
		{"policy.applications.minimum_version_code", versions, maxMinimumVersions},
		{"policy.applications.install_type", kiosks, 1},
		{"policy.applications.extension_config", extensions, 1},
		{"policy.policy_enforcement_rules", len(p.PolicyEnforcementRules), maxComplianceRules},
		{"policy.compliance_rules", len(p.ComplianceRules), maxComplianceRules},
		{"policy.setup_actions", len(p.SetupActions), 1},
	} {
		if refusal := tooMany(limit.field, limit.count, limit.limit); refusal != nil {
			return refusal
		}
	}
	return nil
}

func checkApplications(p *androidmanagement.Policy) *failure {
	seen := make(map[string]bool)
	for i, app := range p.Applications {
		at := fmt.Sprintf("policy.applications[%d]", i)
		switch {
		case app.PackageName == "":
			return badRequest(at+".package_name",
				"Invalid value at '%s.package_name': it must be set.", at)
		case seen[app.PackageName]:
			return badRequest(at+".package_name", "Invalid value at '%s.package_name': the "+
				"package %q is there more than once.", at, app.PackageName)
		case app.MinimumVersionCode < 0:
			return badRequest(at+".minimum_version_code",
				"Invalid value at '%s.minimum_version_code': it must not be negative.", at)
		case app.InstallType == "CUSTOM" && (app.MinimumVersionCode != 0 ||
			len(app.AccessibleTrackIds) > 0 || app.AutoUpdateMode != "" ||
			len(app.InstallConstraint) > 0 || app.InstallPriority != 0):
			return badRequest(at+".install_type", "Invalid value at '%s.install_type': with "+
				"CUSTOM what concerns Google Play cannot be set.", at)
		}
		if refusal := tooMany(at+".install_constraint", len(app.InstallConstraint),
			1); refusal != nil {
			return refusal
		}
		seen[app.PackageName] = true
	}
	return nil
}

func checkPasswords(p *androidmanagement.Policy) *failure {
	scopes := make(map[string]bool)
	for i, password := range p.PasswordPolicies {
		at := fmt.Sprintf("policy.password_policies[%d]", i)
		switch {
		case password.UnifiedLockSettings != "" && password.PasswordScope != "SCOPE_PROFILE":
			return badRequest(at+".unified_lock_settings", "Invalid value at "+
				"'%s.unified_lock_settings': it can be set only if password_scope is "+
				"SCOPE_PROFILE.", at)
		case scopes[password.PasswordScope]:
			return badRequest(at+".password_scope", "Invalid value at '%s.password_scope': there "+
				"is another password policy of this scope.", at)
		}
		scopes[password.PasswordScope] = true
	}
	if scopes[""] && len(scopes) > 1 {
		return badRequest("policy.password_policies", "Invalid value at "+
			"'policy.password_policies': one without password_scope is for all, so there cannot "+
			"be others.")
	}
	return nil
}

func checkEnforcement(p *androidmanagement.Policy) *failure {
	for i, rule := range p.PolicyEnforcementRules {
		if (rule.BlockAction == nil) != (rule.WipeAction == nil) {
			at := fmt.Sprintf("policy.policy_enforcement_rules[%d]", i)
			return badRequest(at, "Invalid value at '%s': block_action and wipe_action must both "+
				"be specified.", at)
		}
	}
	return nil
}

func checkKeys(p *androidmanagement.Policy) *failure {
	for i, app := range p.Applications {
		if len(p.ChoosePrivateKeyRules) > 0 &&
			slices.Contains(app.DelegatedScopes, "CERT_SELECTION") {
			return badRequest("policy.choose_private_key_rules", "Invalid value at "+
				"'policy.choose_private_key_rules': it must be empty, because applications[%d] "+
				"has the delegated scope CERT_SELECTION.", i)
		}
	}
	return nil
}

func checkUpdates(p *androidmanagement.Policy) *failure {
	u := p.SystemUpdate
	if u == nil {
		return nil
	}
	for field, minute := range map[string]int64{"start_minutes": u.StartMinutes,
		"end_minutes": u.EndMinutes} {
		if minute < 0 || minute > 1439 {
			at := "policy.system_update." + field
			return badRequest(at, "Invalid value at '%s': it must be 0 to 1439.", at)
		}
	}
	return checkFreezes(u.FreezePeriods)
}

// day is a date's number in a year without a leap day, and 0 if there is no such date.
func day(d *androidmanagement.Date) int {
	if d == nil || d.Year != 0 || d.Month == 0 || d.Day == 0 {
		return 0
	}
	date := time.Date(2001, time.Month(d.Month), int(d.Day), 0, 0, 0, 0, time.UTC)
	if int64(date.Month()) != d.Month || int64(date.Day()) != d.Day {
		return 0
	}
	return date.YearDay()
}

// checkFreezes: AMAPI, "FreezePeriod": at most 90 days, 60 days apart, every year.
func checkFreezes(periods []*androidmanagement.FreezePeriod) *failure {
	const field, year = "policy.system_update.freeze_periods", 365
	type period struct{ start, days int }
	var all []period
	for i, p := range periods {
		start, end := day(p.StartDate), day(p.EndDate)
		if start == 0 || end == 0 {
			return badRequest(field, "Invalid value at '%s[%d]': day and month must be a date, "+
				"without a year.", field, i)
		}
		days := (end-start+year)%year + 1
		if days > maxFreezeDays {
			return badRequest(field, "Invalid value at '%s[%d]': it has %d days, and at most %d "+
				"are allowed.", field, i, days, maxFreezeDays)
		}
		all = append(all, period{start, days})
	}
	slices.SortFunc(all, func(a, b period) int { return a.start - b.start })
	for i, p := range all {
		next := all[(i+1)%len(all)]
		gap := (next.start-p.start+year-1)%year + 1 - p.days
		if gap < minDaysBetweenFreezes {
			return badRequest(field, "Invalid value at '%s': the periods must be at least %d days "+
				"apart.", field, minDaysBetweenFreezes)
		}
	}
	return nil
}

// checkConfigurationTexts bounds the texts of managed configurations.
func checkConfigurationTexts(path string, value any) *failure {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range sortedKeys(value) {
			if refusal := checkConfigurationTexts(path+"."+name, value[name]); refusal != nil {
				return refusal
			}
		}
	case []any:
		for i, item := range value {
			refusal := checkConfigurationTexts(fmt.Sprintf("%s[%d]", path, i), item)
			if refusal != nil {
				return refusal
			}
		}
	case string:
		if len(value) > maxConfigurationText {
			return badRequest(path, "Invalid value at '%s': it has %d bytes, and at most %d are "+
				"allowed.", path, len(value), maxConfigurationText)
		}
	case json.Number, bool, nil:
	}
	return nil
}
