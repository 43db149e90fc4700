package simulator

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/api/androidmanagement/v1"
)

// AppState is how far an app is.
type AppState string

const (
	Installing AppState = "installing"
	Installed  AppState = "installed"
)

// App is an app on a device, or on its way to it.
type App struct {
	Package  string
	Version  int64
	State    AppState
	System   bool // came with the device; one that is blocked is disabled, and not listed
	ByPolicy bool // the policy brought it, not the user
}

type app struct {
	App
	readyAt    time.Time // of one that is installing
	looks      int       // reports since the policy wanted it
	disabled   bool      // a system app that is blocked
	unreported bool      // it came after the last report
}

// maxRemoved bounds the removed packages that a device remembers.
const maxRemoved = 100

// Apps returns the apps by package, those that are installing among them.
func (d *Device) Apps() []App {
	return locked(d, func() []App {
		d.settleApps(d.service.options.Now())
		var list []App
		for _, name := range slices.Sorted(maps.Keys(d.apps)) {
			if a := d.apps[name]; !a.disabled {
				list = append(list, a.App)
			}
		}
		return list
	})
}

// Has tells whether an app is installed.
func (d *Device) Has(name string) bool {
	return slices.ContainsFunc(d.Apps(),
		func(a App) bool { return a.Package == name && a.State == Installed })
}

// appPolicy is the policy for an app; nil: it is not listed.
func appPolicy(p *androidmanagement.Policy, name string) *androidmanagement.ApplicationPolicy {
	i := slices.IndexFunc(p.Applications,
		func(a *androidmanagement.ApplicationPolicy) bool { return a.PackageName == name })
	if i < 0 {
		return nil
	}
	return p.Applications[i]
}

// pushes tells whether an install type brings the app by itself.
func pushes(installType string) bool { return installType == "PREINSTALLED" || keeps(installType) }

// keeps tells whether an install type also keeps the user from removing it.
func keeps(installType string) bool {
	return slices.Contains([]string{"FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "KIOSK"}, installType)
}

// applyApps makes the apps those of a policy that was taken anew; mu is held.
func (d *Device) applyApps(p *androidmanagement.Policy, now time.Time) {
	for _, asked := range p.Applications {
		d.applyApp(p, asked, now)
	}
	if p.PlayStoreMode == "BLACKLIST" {
		return
	}
	// AMAPI, PlayStoreMode WHITELIST: "any app not in the policy will be automatically
	// uninstalled".
	for name, a := range d.apps {
		if !a.System && appPolicy(p, name) == nil {
			d.uninstall(p, name)
		}
	}
}

func (d *Device) applyApp(p *androidmanagement.Policy, asked *androidmanagement.ApplicationPolicy,
	now time.Time) {
	present := d.apps[asked.PackageName]
	switch {
	case asked.InstallType == "BLOCKED":
		d.uninstall(p, asked.PackageName)
	case present != nil && present.disabled:
		present.disabled, present.unreported = false, true
	case present != nil:
		if asked.MinimumVersionCode > present.Version &&
			d.refusalOf(asked.PackageName, "APP_NOT_UPDATED") == nil {
			present.Version = asked.MinimumVersionCode
		}
	case pushes(asked.InstallType) && !(asked.InstallType == "PREINSTALLED" &&
		slices.Contains(d.removed, asked.PackageName)):
		d.apps[asked.PackageName] = &app{unreported: true,
			readyAt: now.Add(d.faults.AppTime), App: App{Package: asked.PackageName,
				Version: max(1, asked.MinimumVersionCode), State: Installing, ByPolicy: true}}
	}
}

// uninstall takes an app off, unless the policy forbids that (AMAPI, uninstallAppsDisabled: "even
// those removed using applications").
func (d *Device) uninstall(p *androidmanagement.Policy, name string) {
	a := d.apps[name]
	switch {
	case a == nil || p.UninstallAppsDisabled && a.State == Installed ||
		d.refusalOf(name, "APP_INSTALLED") != nil:
		return
	case a.System:
		a.disabled = true
	default:
		delete(d.apps, name)
	}
	if a.State == Installed {
		d.removed = append(slices.DeleteFunc(d.removed,
			func(r string) bool { return r == name }), name)
		d.removed = d.removed[max(0, len(d.removed)-maxRemoved):]
	}
}

// settleApps installs what had its time; mu is held.
func (d *Device) settleApps(now time.Time) {
	for name, a := range d.apps {
		if a.State == Installing && a.looks >= d.faults.AppReports && !now.Before(a.readyAt) &&
			!d.blocked(name) {
			a.State = Installed
			d.removed = slices.DeleteFunc(d.removed, func(r string) bool { return r == name })
		}
	}
}

// InstallByUser installs an app from Google Play, as far as the policy shows it there.
func (d *Device) InstallByUser(name string) error {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	p := d.policyDocument()
	asked := appPolicy(p, name)
	switch {
	case d.gone:
		return ErrNotEnrolled
	case p.InstallAppsDisabled, asked == nil && p.PlayStoreMode != "BLACKLIST",
		asked != nil && asked.InstallType == "BLOCKED":
		return ErrNotAllowed
	}
	d.apps[name] = &app{App: App{Package: name, Version: 1, State: Installed}, unreported: true}
	d.removed = slices.DeleteFunc(d.removed, func(r string) bool { return r == name })
	return nil
}

// UninstallByUser removes an app, as far as the policy lets the user.
func (d *Device) UninstallByUser(name string) error {
	d.service.mu.Lock()
	defer d.service.mu.Unlock()
	p := d.policyDocument()
	asked := appPolicy(p, name)
	switch a := d.apps[name]; {
	case d.gone:
		return ErrNotEnrolled
	case a == nil || a.System || p.UninstallAppsDisabled,
		asked != nil && keeps(asked.InstallType):
		return ErrNotAllowed
	}
	d.uninstall(p, name)
	return nil
}
