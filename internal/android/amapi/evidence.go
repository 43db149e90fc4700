package amapi

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// mostDetails bounds what is looked at of the non-compliance details of one report.
const mostDetails = 2000

// evidence is what a report proves of the payloads in the version that the device applied. That it
// applied the version is the strongest word there is on settings, networks and certificates: Google
// has no inventory of them. Apps are in a list of their own, which can be late, empty, or miss
// some.
type evidence struct {
	applied  *applied
	manifest *payload.Manifest
	report   *androidmanagement.Device
	apps     map[string]*androidmanagement.ApplicationReport
	findings map[action.PayloadID][]finding
	known    map[string]Absence // apps that earlier reports did not list

	outcomes  map[action.PayloadID]action.Outcome
	sightings map[action.PayloadID]action.Sighting
	absent    map[string]Absence // what is to be remembered of known
}

// finding is a non-compliance detail that concerns a payload.
type finding struct {
	payload.Judgement
	fields []string // of the payload's
}

func newEvidence(a *applied, r *androidmanagement.Device, known map[string]Absence) *evidence {
	return &evidence{applied: a, manifest: a.posting.Manifest, report: r, known: known,
		apps:      make(map[string]*androidmanagement.ApplicationReport, len(r.ApplicationReports)),
		findings:  make(map[action.PayloadID][]finding),
		outcomes:  make(map[action.PayloadID]action.Outcome),
		sightings: make(map[action.PayloadID]action.Sighting),
		absent:    make(map[string]Absence)}
}

// idle are the states in which a device does not act on its policy, in people's words.
var idle = map[string]string{
	"LOST":                          "the device is in lost mode, and applies nothing before that ends",
	"DISABLED":                      "the device is disabled, and applies nothing meanwhile",
	"PROVISIONING":                  "the device is still being set up",
	"PREPARING_FOR_MIGRATION":       "the device is about to move to another management system",
	"DEACTIVATED_BY_DEVICE_FINANCE": "the device is locked by who financed it",
}

// judge finds what the report proves of every payload.
func (v *evidence) judge() {
	if state := v.report.AppliedState; state != "" && state != "ACTIVE" {
		words, known := idle[state]
		if !known {
			words = "the device is in state " + state
		}
		for id := range v.manifest.Entries {
			v.outcomes[id] = action.Outcome{Verdict: action.Waiting, Detail: words}
		}
		v.absent = v.known
		return
	}
	for _, app := range v.report.ApplicationReports {
		if app != nil && app.PackageName != "" {
			v.apps[app.PackageName] = app
		}
	}
	v.find()
	for id, e := range v.manifest.Entries {
		g := v.sight(id, &e)
		g.Identifier, g.Revision = e.Identifier, e.Revision
		v.sightings[id] = g
	}
}

// find attributes the non-compliance details to payloads.
func (v *evidence) find() {
	details := v.report.NonComplianceDetails
	for _, d := range details[:min(len(details), mostDetails)] {
		if d == nil {
			continue
		}
		path, guid := payload.ScopedPath(d), payload.WiFiGUID(d)
		f := finding{Judgement: payload.Judge(d)}
		for _, id := range v.manifest.Owners(d.SettingName, path, d.PackageName, guid) {
			f.fields = v.manifest.Concerned(id, d.SettingName, path, d.PackageName, guid)
			v.findings[id] = append(v.findings[id], f)
		}
	}
}

// sight is what the report shows of a payload.
func (v *evidence) sight(id action.PayloadID, e *payload.Entry) action.Sighting {
	switch e.Listing {
	case payload.LeftOut:
		v.outcomes[id] = leftOut(e)
		return action.Sighting{}
	case payload.Coming:
		v.outcomes[id] = coming(e)
		return action.Sighting{}
	case payload.Wanted:
		return v.sightWanted(id, e)
	}
	if e.Kind == payload.App && e.Package != "" && len(e.KeptBy) == 0 {
		return v.sightBlocked(id, e)
	}
	return action.Sighting{Note: v.manifest.Remains(id)}
}

func (v *evidence) sightWanted(id action.PayloadID, e *payload.Entry) action.Sighting {
	present := action.Sighting{Present: true, Note: strings.Join(e.Notes, "; ")}
	needs := "" // the app without which it is nothing
	switch e.Kind {
	case payload.App:
		return v.sightApp(id, e, present)
	case payload.Configuration:
		needs = e.Package
		if words := v.stateErrors(e.Package); words != "" {
			present.Note = joined(present.Note, words)
		}
	case payload.VPN:
		needs = e.Package
	}
	if worst := v.worst(id, e); worst != nil {
		return v.weigh(id, worst, present)
	}
	if needs != "" && !v.installed(needs) {
		return action.Sighting{Working: true,
			Detail: fmt.Sprintf("the device does not list the app %s yet", needs)}
	}
	return v.partly(id, present)
}

// sightApp is what the report shows of an app that is wanted. That it is installed counts for more
// than what is said to be under way: no later report may come.
func (v *evidence) sightApp(id action.PayloadID, e *payload.Entry,
	present action.Sighting) action.Sighting {
	if v.installed(e.Package) {
		for _, f := range v.findings[id] {
			if f.Code == codeNotUpdated || f.Code == codeIncompatible {
				return v.weigh(id, &f, present)
			}
		}
		return present
	}
	if worst := v.worst(id, e); worst != nil {
		return v.weigh(id, worst, present)
	}
	return action.Sighting{Working: true, Detail: "the device does not list the app yet"}
}

// The codes of an app that is installed, and not as it should be (package payload).
const (
	codeIncompatible = 1009
	codeNotUpdated   = 1010
)

func (v *evidence) installed(name string) bool {
	app := v.apps[name]
	return app != nil && app.State == "INSTALLED"
}

// worst is the finding that decides about a payload; nil: there is none, or it concerns a part of
// the payload that this device cannot do.
func (v *evidence) worst(id action.PayloadID, e *payload.Entry) *finding {
	var worst *finding
	weight := func(f *finding) int {
		return slices.Index([]payload.Verdict{payload.Working, payload.UserMust,
			payload.Permanent}, f.Verdict)
	}
	fields := make(map[string]bool)
	for _, f := range v.findings[id] {
		if f.Verdict == payload.PartlyPermanent {
			for _, field := range f.fields {
				fields[field] = true
			}
			if len(fields) < len(e.Fields) {
				continue
			}
			f.Verdict = payload.Permanent // of all of it
		}
		if worst == nil || weight(&f) > weight(worst) {
			worst = &f
		}
	}
	return worst
}

// weigh is what a payload with a finding is.
func (v *evidence) weigh(id action.PayloadID, f *finding,
	present action.Sighting) action.Sighting {
	switch f.Verdict {
	case payload.Working, payload.UserMust:
		return action.Sighting{Working: true, Code: f.Code, Detail: f.Words}
	case payload.PartlyPermanent:
		return v.partly(id, present)
	default:
		v.outcomes[id] = permanent(f.Code, f.Words)
		return action.Sighting{}
	}
}

// partly adds what this device cannot do of a payload that it has.
func (v *evidence) partly(id action.PayloadID, present action.Sighting) action.Sighting {
	for _, f := range v.findings[id] {
		if f.Verdict == payload.PartlyPermanent && !strings.Contains(present.Note, f.Words) {
			present.Note = joined(present.Note, f.Words)
		}
	}
	return present
}

// mostStates bounds what is told of the errors that an app reports.
const mostStates = 3

// stateErrors are the errors that an app reports of its configuration.
func (v *evidence) stateErrors(name string) string {
	app := v.apps[name]
	if app == nil {
		return ""
	}
	var words []string
	for _, s := range app.KeyedAppStates {
		if s != nil && s.Severity == "ERROR" && len(words) < mostStates {
			words = append(words, fmt.Sprintf("the app reports an error of %s: %s", s.Key,
				s.Message))
		}
	}
	return strings.Join(words, "; ")
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "; " + b
}
