package simulator

import "time"

// AppState is the Status of an app in ManagedApplicationList (Apple, "Managed Application List").
type AppState string

const (
	AppQueued       AppState = "Queued"
	AppPrompting    AppState = "Prompting"
	AppInstalling   AppState = "Installing"
	AppManaged      AppState = "Managed"
	AppUserRejected AppState = "UserRejected" // reported once, then forgotten
	AppFailed       AppState = "Failed"       // reported once, then forgotten
	// installed without being managed; in InstalledApplicationList only
	AppUnmanaged AppState = "Unmanaged"
)

// App is an app in a device's app store.
type App struct {
	Identifier    string // bundle id
	Name, Version string
	StoreID       int64 // 0 for one from a manifest
	State         AppState
}

// Installed tells whether the app is on the device, managed or not.
func (a App) Installed() bool { return a.State == AppManaged || a.State == AppUnmanaged }

// app is an app on its way through installation. Until both looks and readyAt are reached it is
// pending.
type app struct {
	App
	managed          bool
	managementFlags  int64
	outcome          AppState // what State becomes when no longer pending
	looks, needLooks int
	queuedUntil      time.Time
	readyAt          time.Time
}

// removeWithMDM is the management flag that takes the app away with the enrollment profile (Apple,
// "Install Application").
const removeWithMDM = 1

func (a *app) start(now time.Time, faults *Faults, outcome Effect) {
	a.looks, a.needLooks = 0, faults.AppLooks
	a.queuedUntil, a.readyAt = now.Add(faults.AppTime/2), now.Add(faults.AppTime)
	a.outcome = AppUnmanaged
	if a.managed {
		a.outcome = AppManaged
	}
	switch outcome {
	case UserReject:
		a.outcome = AppUserRejected
	case FailInstall:
		a.outcome = AppFailed
	}
}

func (a *app) pending(now time.Time) bool { return a.looks < a.needLooks || now.Before(a.readyAt) }

func (a *app) state(now time.Time) AppState {
	switch {
	case !a.pending(now):
		return a.outcome
	case a.looks*2 < a.needLooks || now.Before(a.queuedUntil):
		return AppQueued
	case a.outcome == AppUserRejected:
		return AppPrompting
	}
	return AppInstalling
}

// seen is the app as it is at a time.
func (a *app) seen(now time.Time) App {
	seen := a.App
	seen.State = a.state(now)
	return seen
}

// looked is the app as a command's answer lists it.
func (a *app) looked(now time.Time) App {
	seen := a.seen(now)
	a.looks++
	return seen
}

// keepWithoutMDM tells whether the app stays when the enrollment profile goes, as an unmanaged one.
func (a *app) keepWithoutMDM(now time.Time) bool {
	if !a.seen(now).Installed() || a.managed && a.managementFlags&removeWithMDM != 0 {
		return false
	}
	a.managed, a.outcome = false, AppUnmanaged
	return true
}
