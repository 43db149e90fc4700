package amapi

import (
	"slices"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// sightBlocked is what the report shows of an app that is to be off the device.
func (v *evidence) sightBlocked(id action.PayloadID, e *payload.Entry) action.Sighting {
	gone := action.Sighting{Note: v.manifest.Remains(id)}
	for _, d := range v.report.NonComplianceDetails {
		if d != nil && d.NonComplianceReason == "APP_INSTALLED" && d.PackageName == e.Package {
			j := payload.Judge(d)
			return action.Sighting{Working: true, Code: j.Code, Detail: j.Words}
		}
	}
	if len(v.report.ApplicationReports) == 0 {
		v.remember(e.Package)
		return action.Sighting{Working: true, Detail: "the device reports no apps"}
	}
	app := v.apps[e.Package]
	switch {
	case app == nil:
		return v.sightUnlisted(e.Package, gone)
	case app.State == "REMOVED":
		return gone
	case app.ApplicationSource == "SYSTEM_APP_FACTORY_VERSION":
		gone.Note = joined(gone.Note,
			"the app is a part of the system: the device disables it and still lists it")
		return gone
	}
	return action.Sighting{Working: true, Detail: "the device still lists the app"}
}

// sightUnlisted is what it means that an app is not in the list: devices leave apps out of it that
// are about to be installed or removed, so one report proves nothing.
func (v *evidence) sightUnlisted(name string, gone action.Sighting) action.Sighting {
	version, number := v.applied.posting.Version, reportNumber(v.report)
	first, before := v.known[name]
	if before && v.offSince(name, first.Version) {
		v.absent[name] = first
		if number > first.Report {
			return gone
		}
	} else {
		v.absent[name] = Absence{Version: version, Report: number}
	}
	return action.Sighting{Working: true,
		Detail: "the device does not list the app any more; its next report will confirm it"}
}

// remember keeps what is known of an app of which this report says nothing.
func (v *evidence) remember(name string) {
	if first, known := v.known[name]; known {
		v.absent[name] = first
	}
}

// offSince reports whether an app was to be off in each version since one.
func (v *evidence) offSince(name string, version int64) bool {
	if version > v.applied.posting.Version {
		return false
	}
	for i := range v.applied.older {
		p := &v.applied.older[i]
		if p.Version < version {
			return true
		}
		for _, e := range p.Manifest.Entries {
			if e.Kind == payload.App && e.Package == name && e.Listing == payload.Wanted {
				return false
			}
		}
	}
	// All that is kept has it off; it can be older than that only if nothing was forgotten.
	return version == v.applied.posting.Version ||
		slices.ContainsFunc(v.applied.older, func(p Posting) bool { return p.Version == version })
}
