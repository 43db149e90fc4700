package simulator

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// reportsEvery is how often a device reports of itself at least.
const reportsEvery = 24 * time.Hour

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// SetAppliedState makes the device say that it is in a state, whatever it was told, such as LOST or
// DEACTIVATED_BY_DEVICE_FINANCE. An empty one ends that.
func (d *Device) SetAppliedState(state string) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	d.forced = state
}

// SetKeyedStates makes an app report keyed app states, as its feedback.
func (d *Device) SetKeyedStates(name string, states ...*androidmanagement.KeyedAppState) {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	if d.keyed == nil {
		d.keyed = make(map[string][]*androidmanagement.KeyedAppState)
	}
	d.keyed[name] = states
}

// Report makes the device report without asking for its policy.
func (d *Device) Report() error {
	s := d.service
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.advance(now)
	switch {
	case d.gone || d.enterprise == nil:
		return ErrNotEnrolled
	case d.offline:
		return ErrOffline
	}
	d.settleApps(now)
	s.report(d, now)
	return nil
}

// report tells the service how the device is, and has it notify; mu is held.
func (s *Service) report(d *Device, now time.Time) {
	last, _ := time.Parse(time.RFC3339Nano, d.reported.LastStatusReportTime)
	daily := now.Sub(last) >= reportsEvery
	if !daily && (d.faults.DailyReports || d.faults.NoLastReport && d.taken != nil &&
		d.reported.AppliedPolicyName == d.taken.name &&
		d.reported.AppliedPolicyVersion == d.taken.version) {
		return
	}
	d.reported = d.compose(now)
	d.counted()
	if s.happens(d.faults.LoseReports) {
		return
	}
	raw := encode(d.answer())
	if s.happens(d.faults.SwapReports) || len(d.held)+1 < d.faults.BatchReports {
		d.held = append(d.held, raw)
		return
	}
	swapped := d.faults.BatchReports == 0
	if swapped {
		s.publishReport(d, raw, now)
	}
	for _, held := range d.held {
		s.publishReport(d, held, now)
	}
	if d.held = nil; !swapped {
		s.publishReport(d, raw, now)
	}
}

func (s *Service) publishReport(d *Device, raw []byte, now time.Time) {
	at := now.Add(d.faults.ReportDelay)
	s.notify(d.enterprise, "STATUS_REPORT", raw, at)
	if s.happens(d.faults.RepeatReports) {
		s.notify(d.enterprise, "STATUS_REPORT", raw, at)
	}
}

// counted notes that a report was made; mu is held.
func (d *Device) counted() {
	for _, a := range d.apps {
		a.looks++
		if a.State == Installed && a.looks > d.faults.AppLate {
			a.unreported = false
		}
	}
}

// compose is the report that the device makes now; mu is held.
func (d *Device) compose(now time.Time) *androidmanagement.Device {
	p := d.policyDocument()
	report := &androidmanagement.Device{
		Ownership: "COMPANY_OWNED", ManagementMode: "DEVICE_OWNER", AppliedState: d.appliedState(),
		ApiLevel: d.options.APILevel, LastStatusReportTime: stamp(now),
		HardwareInfo: &androidmanagement.HardwareInfo{Brand: d.options.Brand,
			Manufacturer: d.options.Brand, Model: d.options.Model, Hardware: "simulated",
			SerialNumber: d.serial}}
	if !d.options.mode.fullyManaged() {
		report.ManagementMode = "PROFILE_OWNER"
	}
	if d.options.mode == PersonalOwned {
		report.Ownership = "PERSONALLY_OWNED"
		report.HardwareInfo.SerialNumber = ""
		report.HardwareInfo.EnterpriseSpecificId = "ESID-" + d.serial
	}
	if d.taken != nil {
		report.AppliedPolicyName, report.AppliedPolicyVersion = d.taken.name, d.taken.version
		report.LastPolicySyncTime = stamp(d.takenAt)
		report.NonComplianceDetails = d.details(p)
		report.PolicyCompliant = len(report.NonComplianceDetails) == 0
	}
	d.composeFacts(report, p.StatusReportingSettings)
	omit(report, d.faults.Omit)
	return report
}

// composeFacts adds what the policy wants reported; before there is one, what set-up sends.
func (d *Device) composeFacts(report *androidmanagement.Device,
	wanted *androidmanagement.StatusReportingSettings) {
	if d.taken == nil {
		wanted = &androidmanagement.StatusReportingSettings{SoftwareInfoEnabled: true,
			MemoryInfoEnabled: true}
	}
	if wanted == nil {
		return
	}
	if wanted.SoftwareInfoEnabled {
		report.SoftwareInfo = &androidmanagement.SoftwareInfo{
			AndroidVersion:     d.options.AndroidVersion,
			AndroidBuildNumber: "SIM." + d.options.AndroidVersion, SecurityPatchLevel: "2030-01-01",
			AndroidDevicePolicyVersionName: "130.0.0", PrimaryLanguageCode: "en-US"}
	}
	if wanted.MemoryInfoEnabled {
		report.MemoryInfo = &androidmanagement.MemoryInfo{TotalRam: 8 << 30,
			TotalInternalStorage: 128 << 30}
	}
	if wanted.DeviceSettingsEnabled {
		report.DeviceSettings = &androidmanagement.DeviceSettings{IsDeviceSecure: true,
			IsEncrypted: true, EncryptionStatus: "ACTIVE_PER_USER", VerifyAppsEnabled: true}
	}
	if wanted.NetworkInfoEnabled {
		report.NetworkInfo = &androidmanagement.NetworkInfo{WifiMacAddress: macAddress(d.name)}
	}
	if wanted.ApplicationReportsEnabled && !d.faults.NoApplications {
		removed := wanted.ApplicationReportingSettings
		report.ApplicationReports = d.applicationReports(removed != nil &&
			removed.IncludeRemovedApps)
	}
}

// macAddress is a locally administered one.
func macAddress(name string) string {
	digits := name[len(name)-10:]
	return "02:" + strings.Join([]string{digits[:2], digits[2:4], digits[4:6], digits[6:8],
		digits[8:]}, ":")
}

func (d *Device) applicationReports(removed bool) []*androidmanagement.ApplicationReport {
	var list []*androidmanagement.ApplicationReport
	for _, name := range slices.Sorted(maps.Keys(d.apps)) {
		a := d.apps[name]
		if a.State != Installed || a.disabled || a.unreported && a.looks < d.faults.AppLate {
			continue
		}
		report := &androidmanagement.ApplicationReport{PackageName: name, State: "INSTALLED",
			DisplayName: name, VersionCode: a.Version, InstallerPackageName: "com.android.vending",
			ApplicationSource: "INSTALLED_FROM_PLAY_STORE"}
		if a.System {
			report.ApplicationSource = "SYSTEM_APP_FACTORY_VERSION"
			report.InstallerPackageName = ""
		}
		report.KeyedAppStates = d.keyed[name]
		list = append(list, report)
	}
	if !removed {
		return list
	}
	for _, name := range d.removed {
		if a := d.apps[name]; a == nil || a.disabled {
			list = append(list, &androidmanagement.ApplicationReport{PackageName: name,
				State: "REMOVED", DisplayName: name})
		}
	}
	return list
}

func (d *Device) appliedState() string {
	switch {
	case d.forced != "":
		return d.forced
	case d.taken == nil:
		return "PROVISIONING"
	case d.lost:
		return "LOST"
	}
	return orDefault(d.active, "ACTIVE")
}

// omit takes fields out of a report.
func omit(report *androidmanagement.Device, names []string) {
	value := reflect.ValueOf(report).Elem()
	for i := range value.NumField() {
		name, _, _ := strings.Cut(value.Type().Field(i).Tag.Get("json"), ",")
		if slices.Contains(names, name) {
			value.Field(i).SetZero()
		}
	}
}

// answer is the device as the service shows it; mu is held.
func (d *Device) answer() *androidmanagement.Device {
	shown := *d.reported
	shown.Name, shown.PolicyName, shown.State = d.name, d.policyName, d.state
	shown.PreviousDeviceNames = d.previous
	if d.disabled != nil {
		shown.DisabledReason = convert[androidmanagement.UserFacingMessage](d.disabled)
	}
	shown.EnrollmentTime = stamp(d.enrolledAt)
	shown.EnrollmentTokenName, shown.EnrollmentTokenData = d.tokenName, d.tokenData
	omit(&shown, d.faults.Omit)
	return &shown
}
