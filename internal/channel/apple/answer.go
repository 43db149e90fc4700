package apple

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/micromdm/nanomdm/mdm"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// answer are the members that answers to this channel's commands have besides those of mdm.CommandResults.
type answer struct {
	ProfileList               *[]listedProfile
	ManagedApplicationList    *map[string]managedApp
	InstalledApplicationList  *[]installedApp
	ApplicationConfigurations *[]listedConfiguration
	QueryResponses            *map[string]any
	RejectionReason           string         // InstallApplication
	Settings                  settingResults // Settings
}

// settingResult is what became of one item of the Settings command.
type settingResult struct {
	Status     string
	ErrorChain []mdm.ErrorChain
}

// settingResults are one result an item. Apple documents a dictionary; devices send an array.
type settingResults []settingResult

// UnmarshalPlist implements plist.Unmarshaler.
func (r *settingResults) UnmarshalPlist(into func(any) error) error {
	if err := into((*[]settingResult)(r)); err == nil {
		return nil
	}
	*r = make(settingResults, 1)
	return into(&(*r)[0])
}

// decode turns a device's report into the engine's.
func decode(r *report) (engine.Report, error) {
	id, class, inventory := parseCommandUUID(r.CommandUUID)
	if id == "" {
		return engine.Report{}, refuse(http.StatusBadRequest, "answer without CommandUUID")
	}
	report := engine.Report{Task: id}
	if r.Status == "NotNow" {
		report.Outcome = action.Outcome{Verdict: action.NotNow}
		return report, nil
	}
	if r.unreadable != nil {
		report.Outcome = action.Outcome{Verdict: action.Retriable, Code: action.CodeNotVerified,
			Detail: fmt.Sprintf("the device's answer cannot be read: %v", r.unreadable)}
		return report, nil
	}
	switch r.Status {
	case "Acknowledged":
		report.Outcome = acknowledged(&r.answer)
	case "Error":
		report.Outcome = failed(r.ErrorChain, &r.answer)
	case "CommandFormatError":
		report.Outcome = failed(r.ErrorChain, &r.answer)
		report.Outcome.Verdict = action.Permanent
		report.Outcome.Detail = withCause("the device does not understand the command", report.Outcome.Detail)
	default:
		report.Outcome = action.Outcome{Verdict: action.Permanent, Code: action.CodeNotSupported,
			Detail: fmt.Sprintf("the device answered with a status that is not known: %q", r.Status)}
	}
	if inventory && report.Outcome.Verdict == action.Accepted {
		takeInventory(&report, class, &r.answer)
	}
	return report, nil
}

func withCause(what, cause string) string {
	if cause == "" {
		return what
	}
	return what + ": " + cause
}

// acknowledged looks into an acknowledged command for settings that failed: Settings reports each on its own.
func acknowledged(a *answer) action.Outcome {
	for _, s := range a.Settings {
		if s.Status != "" && s.Status != "Acknowledged" {
			return failed(s.ErrorChain, a)
		}
	}
	return action.Outcome{Verdict: action.Accepted}
}

// takeInventory puts into the report what was asked for. Without its list the answer proves nothing.
func takeInventory(report *engine.Report, class action.Class, a *answer) {
	var seen []action.Sighting
	missing := ""
	switch {
	case class == action.Facts && a.QueryResponses != nil:
		report.Facts = queriedFacts(*a.QueryResponses).facts()
	case class == action.Facts:
		missing = "QueryResponses"
	case class == action.Profiles && a.ProfileList != nil:
		seen = profileSightings(*a.ProfileList)
	case class == action.Profiles:
		missing = "ProfileList"
	case class == action.Apps && a.ManagedApplicationList != nil:
		seen = managedAppSightings(*a.ManagedApplicationList)
	case class == action.Apps && a.InstalledApplicationList != nil:
		seen = installedAppSightings(*a.InstalledApplicationList)
	case class == action.Apps:
		missing = "ManagedApplicationList or InstalledApplicationList"
	case a.ApplicationConfigurations != nil:
		seen = configurationSightings(*a.ApplicationConfigurations)
	default:
		missing = "ApplicationConfigurations"
	}
	if missing != "" {
		report.Outcome = action.Outcome{Verdict: action.Retriable, Code: action.CodeNotVerified,
			Detail: "the device acknowledged the inventory, but its answer has no " + missing}
		return
	}
	report.Outcome.Sightings = seen
}

// failed turns an error chain into an outcome: the code is the first one, the detail the whole chain.
func failed(chain []mdm.ErrorChain, a *answer) action.Outcome {
	if verdict, ok := rejections[a.RejectionReason]; ok && verdict == action.Accepted {
		return action.Outcome{Verdict: verdict, Detail: a.RejectionReason}
	}
	o := action.Outcome{Verdict: chainVerdict(chain), Code: action.CodeNoCode}
	if len(chain) > 0 {
		o.Code = int64(chain[0].ErrorCode)
	}
	var details []string
	for _, link := range chain {
		text := link.USEnglishDescription
		if text == "" {
			text = link.LocalizedDescription
		}
		details = append(details, strings.TrimSpace(fmt.Sprintf("%s %d: %s", link.ErrorDomain, link.ErrorCode, text)))
	}
	if a.RejectionReason != "" {
		details = append(details, "RejectionReason "+a.RejectionReason)
	}
	if o.Detail = sentences(details); o.Detail == "" {
		o.Detail = "the device gave no reason"
	}
	return o
}

// sentences joins what a device said: what ends as a sentence does needs no other mark behind it.
func sentences(parts []string) string {
	var text strings.Builder
	for i, part := range parts {
		text.WriteString(part)
		switch {
		case i == len(parts)-1:
		case strings.ContainsAny(part[max(0, len(part)-1):], ".!?"):
			text.WriteString(" ")
		default:
			text.WriteString("; ")
		}
	}
	return text.String()
}
