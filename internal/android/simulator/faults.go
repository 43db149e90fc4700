package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// Faults are a device's troubles. Each probability, 0 to 1, is tried for every report; 1 is always.
type Faults struct {
	// what is published of a report; devices.get and devices.list know it at once
	ReportDelay   time.Duration // until it is published
	LoseReports   float64       // it is never published
	RepeatReports float64       // it is published twice, as two messages
	SwapReports   float64       // it is published after the one that follows it
	BatchReports  int           // reports are published together, so many at a time; 0: each alone

	DailyReports bool // a report comes only when the last one is a day old
	// no report comes when nothing but the apps changed, until the last one is a day old
	NoLastReport bool

	AppTime    time.Duration // until an app is installed
	AppReports int           // reports that say of a new app that its installation is in progress
	AppLate    int           // reports that do not mention a new app at all
	// the first report in which an app is INSTALLED also says that its installation is in progress
	StaleProgress bool

	NoApplications bool     // reports have no applicationReports
	Omit           []string // fields of Device that reports do not have, such as "hardwareInfo"
	DeletedAs      string   // the last report's type: ENROLLMENT; empty: STATUS_REPORT
}

// Refusal is something of a policy that a device cannot apply, or not yet. It shows in reports
// while the device's policy has it, and the device lives without it.
type Refusal struct {
	// one of: a field of the policy, an app, a network
	Setting  string // such as "cameraAccess"
	Package  string
	WifiGUID string
	// the field within the setting, or within an app's policy: the path as in JavaScript, such as
	// "passwordPolicies[0].passwordMinimumLength"; empty: all of it
	FieldPath string

	Reason         string // NonComplianceReason; empty: APP_NOT_INSTALLED for an app, else PENDING
	InstallReason  string // InstallationFailureReason, of an app
	SpecificReason string // SpecificNonComplianceReason
	PasswordScope  string // of a specific reason that is about a password
	CurrentValue   any
}

// Refuse makes the device refuse something, from its next report on. What it has applied already is
// no longer there.
func (d *Device) Refuse(r Refusal) {
	if r.Reason == "" {
		r.Reason = "PENDING"
		if r.Package != "" {
			r.Reason = "APP_NOT_INSTALLED"
		}
	}
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.refusals = append(d.refusals, r)
	if a := d.apps[r.Package]; a != nil && !a.System && r.blocksInstall() {
		a.State = Installing
	}
}

// Allow ends all refusals: the device applies what it refused when it is next in touch.
func (d *Device) Allow() {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.refusals = nil
	if d.taken != nil {
		d.applyApps(d.policyDocument(), d.service.options.Now())
	}
	d.service.actLater(d)
}

// blocksInstall tells whether an app of which this is said is not installed.
func (r *Refusal) blocksInstall() bool {
	return r.Package != "" && r.FieldPath == "" && r.Reason != "APP_INSTALLED" &&
		r.Reason != "APP_NOT_UPDATED"
}

// blocked tells whether an app cannot be installed; mu is held.
func (d *Device) blocked(name string) bool {
	return slices.ContainsFunc(d.refusals,
		func(r Refusal) bool { return r.Package == name && r.blocksInstall() })
}

// refusalOf finds the refusal of a package for a reason; mu is held.
func (d *Device) refusalOf(name, reason string) *Refusal {
	for i := range d.refusals {
		if r := &d.refusals[i]; r.Package == name && r.Reason == reason {
			return r
		}
	}
	return nil
}

func (d *Device) refusalOfNetwork(guid string) *Refusal {
	for i := range d.refusals {
		if r := &d.refusals[i]; r.WifiGUID == guid && guid != "" {
			return r
		}
	}
	return nil
}

// path is where in the policy the refused setting is; empty for an app or a network.
func (r *Refusal) path() string {
	if r.Package != "" || r.WifiGUID != "" {
		return ""
	}
	return orDefault(r.FieldPath, r.Setting)
}

// drop takes what is refused out of a policy, and tells whether it was there.
func (r *Refusal) drop(m message) bool {
	path := r.path()
	if path == "" {
		return false
	}
	var at any = m
	steps := strings.FieldsFunc(path, func(c rune) bool { return c == '.' || c == '[' || c == ']' })
	for i, step := range steps {
		switch inner := at.(type) {
		case map[string]any:
			value, found := inner[step]
			if !found {
				return false
			}
			if i == len(steps)-1 {
				delete(inner, step)
			}
			at = value
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index < 0 || index >= len(inner) {
				return false
			}
			at = inner[index]
		default:
			return false
		}
	}
	return true
}

// detail is how a report says it.
func (r *Refusal) detail(fieldPath string) *androidmanagement.NonComplianceDetail {
	made := &androidmanagement.NonComplianceDetail{SettingName: r.Setting,
		FieldPath: orDefault(r.FieldPath, fieldPath), PackageName: r.Package,
		NonComplianceReason:         r.Reason,
		InstallationFailureReason:   r.InstallReason,
		SpecificNonComplianceReason: r.SpecificReason, CurrentValue: r.CurrentValue}
	switch {
	case r.Package != "":
		made.SettingName = "applications"
	case r.WifiGUID != "":
		made.SettingName = "openNetworkConfiguration"
		made.SpecificNonComplianceContext = &androidmanagement.SpecificNonComplianceContext{
			OncWifiContext: &androidmanagement.OncWifiContext{WifiGuid: r.WifiGUID}}
	case r.PasswordScope != "":
		made.SpecificNonComplianceContext = &androidmanagement.SpecificNonComplianceContext{
			PasswordPoliciesContext: &androidmanagement.PasswordPoliciesContext{
				PasswordPolicyScope: r.PasswordScope}}
	}
	return made
}

// details is everything in which the device is not as its policy wants it; mu is held.
func (d *Device) details(p *androidmanagement.Policy) []*androidmanagement.NonComplianceDetail {
	var list []*androidmanagement.NonComplianceDetail
	var networks []string
	read, _ := readONC(p)
	for _, n := range read.NetworkConfigurations {
		networks = append(networks, n.GUID)
	}
	for _, certificate := range read.Certificates {
		networks = append(networks, certificate.GUID)
	}
	for i := range d.refusals {
		r := &d.refusals[i]
		index := slices.IndexFunc(p.Applications,
			func(a *androidmanagement.ApplicationPolicy) bool { return a.PackageName == r.Package })
		switch {
		case r.Package != "" && index >= 0:
			list = append(list, r.detail(fmt.Sprintf("applications[%d]", index)))
		case r.WifiGUID != "" && slices.Contains(networks, r.WifiGUID),
			r.path() != "" && d.taken != nil && r.drop(d.taken.message()):
			list = append(list, r.detail(""))
		}
	}
	_, wrong := d.networks(p)
	return append(append(list, wrong...), d.appDetails(p)...)
}

// appDetails is what is not yet as wanted of the apps that nothing refuses.
func (d *Device) appDetails(p *androidmanagement.Policy) []*androidmanagement.NonComplianceDetail {
	var list []*androidmanagement.NonComplianceDetail
	for i, asked := range p.Applications {
		a := d.apps[asked.PackageName]
		if a == nil || d.blocked(asked.PackageName) || a.unreported && a.looks < d.faults.AppLate {
			continue
		}
		r := Refusal{Package: asked.PackageName}
		switch {
		case asked.InstallType == "BLOCKED" && !a.disabled && a.State == Installed &&
			d.refusalOf(asked.PackageName, "APP_INSTALLED") == nil:
			r.Reason = "APP_INSTALLED"
		case a.State == Installing,
			a.State == Installed && a.unreported && d.faults.StaleProgress && !a.System:
			r.Reason, r.InstallReason = "APP_NOT_INSTALLED", "IN_PROGRESS"
		default:
			continue
		}
		list = append(list, r.detail(fmt.Sprintf("applications[%d]", i)))
	}
	return list
}
