package mdm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// inventoryMember is the member of an answer that has an inventory of a class.
var inventoryMember = map[action.Class]string{action.Facts: "QueryResponses",
	action.Profiles:          "ProfileList",
	action.Apps:              "ManagedApplicationList",
	action.AppConfigurations: "ApplicationConfigurations"}

// takeInventory puts into the report what was asked for. Without its list, or with a list of which
// something may be missing, the answer proves nothing.
func takeInventory(report *engine.Report, class action.Class, members tolerant.Dict) {
	name := inventoryMember[class]
	if class == action.Apps && members[name] == nil {
		name = "InstalledApplicationList"
	}
	var odd int
	switch list := members[name].(type) {
	case tolerant.Dict:
		switch name {
		case "QueryResponses":
			report.Facts = readFacts(list).facts()
			return
		case "ManagedApplicationList":
			report.Outcome.Sightings, odd = managedAppSightings(list)
		default:
			report.Outcome = withoutList(name, "it is a dictionary")
			return
		}
	case tolerant.List:
		switch name {
		case "ProfileList":
			report.Outcome.Sightings, odd = profileSightings(list)
		case "InstalledApplicationList":
			report.Outcome.Sightings, odd = installedAppSightings(list)
			// a Mac lists an app when it is there (Apple, "Install Enterprise Application")
			report.Outcome.Unlisted = true
		case "ApplicationConfigurations":
			report.Outcome.Sightings, odd = configurationSightings(list)
		default:
			report.Outcome = withoutList(name, "it is an array")
			return
		}
	case nil:
		if class == action.Apps {
			name = "ManagedApplicationList or InstalledApplicationList"
		}
		report.Outcome = unreadable("the device acknowledged the inventory, but its answer has no " + name)
		return
	case tolerant.Cut:
		report.Outcome = withoutList(name, list.Why)
		return
	case tolerant.Odd:
		report.Outcome = withoutList(name, list.Why)
		return
	default:
		report.Outcome = withoutList(name, "it is of another kind")
		return
	}
	switch odd {
	case 0:
	case 1:
		report.Outcome.Detail = "1 entry of the device's list could not be read"
	default:
		report.Outcome.Detail = fmt.Sprintf("%d entries of the device's list could not be read",
			odd)
	}
}

// managedApps is the first of a Mac's two lists. Macs answer ManagedApplicationList since macOS 11
// (Apple, "Managed Application List"); from one that does not, the second list alone has to do.
func managedApps(o action.Outcome, members tolerant.Dict) action.Outcome {
	if o.Verdict == action.NotNow || o.Verdict == action.Retriable {
		return o
	}
	const name = "ManagedApplicationList"
	list, isDict := members[name].(tolerant.Dict)
	switch {
	case o.Verdict != action.Accepted || members[name] == nil:
		return action.Outcome{Verdict: action.Accepted, List: action.NothingKnown}
	case !isDict:
		return withoutList(name, "it is no whole dictionary")
	}
	o.List = action.Managed
	o.Sightings, _ = managedAppSightings(list)
	return o
}

func withoutList(name, why string) action.Outcome {
	return unreadable("the device acknowledged the inventory, but its " + name +
		" cannot be read: " + why)
}

// profileSightings are the profiles on the device, and how many entries do not say which profile
// they are. A revision is a PayloadUUID in lower case: UUIDs are the same in either case, and
// devices do not keep a profile's own.
func profileSightings(list tolerant.List) (seen []action.Sighting, odd int) {
	seen = make([]action.Sighting, 0, len(list))
	for _, one := range list {
		d, _ := tolerant.Part(one).(tolerant.Dict)
		if id := text(d, "PayloadIdentifier"); id != "" {
			seen = append(seen, action.Sighting{Identifier: id,
				Revision: strings.ToLower(text(d, "PayloadUUID")), Present: true})
		} else {
			odd++
		}
	}
	return seen, odd
}

// managedAppStates are the values of Status in ManagedApplicationList (Apple,
// "ManagedApplicationListResponse"), and what each proves. Apple reports UserInstalledApp,
// UserRejected, UpdateRejected, ManagementRejected and Failed once.
//
//	on the device and managed: Managed, PromptingForUpdate, PromptingForUpdateLogin, UpdateRejected
//	on its way (looked at again): Queued, Redeeming, Prompting, PromptingForLogin, ValidatingPurchase, Installing,
//	  PromptingForManagement, ValidatingUpdate, Updating, Unknown, and states that are not in this table
//	failed, worth another try: Failed, ManagedButUninstalled, UserInstalledApp
//	failed for good: NeedsRedemption, UserRejected, ManagementRejected
//
// Failed ones are not on the device as far as management goes, which is what a removal wants.
var managedAppStates = map[string]action.Sighting{
	"Managed": {Present: true},
	"PromptingForUpdate": {Present: true,
		Detail: "installed; the device asks the user to allow an update"},
	"PromptingForUpdateLogin": {Present: true,
		Detail: "installed; the device asks for an App Store login for an update"},
	"UpdateRejected": {Present: true, Detail: "installed; the user rejected an update"},

	"Queued":    {Working: true, Detail: "queued on the device"},
	"Redeeming": {Working: true, Detail: "the device is redeeming the app's code"},
	"Prompting": {Working: true,
		Detail: "the device asks the user to allow the installation"},
	"PromptingForLogin": {Working: true,
		Detail: "the device asks the user to log in to the App Store"},
	"ValidatingPurchase": {Working: true, Detail: "the device is validating the purchase"},
	"Installing":         {Working: true, Detail: "installing"},
	"PromptingForManagement": {Working: true,
		Detail: "the device asks the user to let the app be managed"},
	"ValidatingUpdate": {Present: true, Working: true,
		Detail: "the device is validating an update"},
	"Updating": {Present: true, Working: true, Detail: "updating"},
	"Unknown":  {Working: true, Detail: "the device does not know the app's state"},

	"Failed": {Failed: true, Retriable: true,
		Detail: "the device reports that the installation failed"},
	"ManagedButUninstalled": {Failed: true, Retriable: true, Detail: "the user removed the app"},
	"UserInstalledApp": {Failed: true, Retriable: true,
		Detail: "the user installed the app first, so it is not managed"},
	"NeedsRedemption": {Failed: true,
		Detail: "the app needs a redemption code, which this server does not have"},
	"UserRejected": {Failed: true, Detail: "the user rejected the installation"},
	"ManagementRejected": {Failed: true,
		Detail: "the user did not let the installed app be managed"},
}

func managedAppSightings(list tolerant.Dict) (seen []action.Sighting, odd int) {
	seen = make([]action.Sighting, 0, len(list))
	for _, id := range slices.Sorted(maps.Keys(list)) {
		d, _ := tolerant.Part(list[id]).(tolerant.Dict)
		status := text(d, "Status")
		g, ok := managedAppStates[status]
		switch {
		case status == "":
			odd++
			g = action.Sighting{Working: true,
				Detail: "the device reports a state that cannot be read"}
		case !ok:
			g = action.Sighting{Working: true,
				Detail: fmt.Sprintf("the device reports a state that is not known: %.100s", status)}
		}
		g.Identifier = id
		if g.Failed {
			g.Detail = status + ": " + g.Detail
			g.Code = action.CodeNoCode
		}
		seen = append(seen, g)
	}
	return seen, odd
}

// installedAppMembers are those of an entry of InstalledApplicationList (Apple,
// "InstalledApplicationListResponse"): at most one of the flags is set while a download is under
// way or broke off, none once the app is installed. Identifier may be missing on macOS.
var installedAppMembers = tolerant.Wanted{"Identifier": nil, "Installing": nil,
	"DownloadFailed": nil, "DownloadWaiting": nil,
	"DownloadPaused": nil, "DownloadCancelled": nil}

func installedAppSighting(d tolerant.Dict) action.Sighting {
	is := func(name string) bool { return yes(d[name]) }
	g := action.Sighting{Identifier: text(d, "Identifier")}
	switch {
	case is("DownloadFailed"):
		g.Failed, g.Retriable, g.Code, g.Detail = true, true, action.CodeNoCode,
			"the download failed"
	case is("DownloadCancelled"):
		g.Failed, g.Code, g.Detail = true, action.CodeNoCode, "the user canceled the download"
	case is("DownloadPaused"):
		g.Working, g.Detail = true, "the user paused the download"
	case is("DownloadWaiting"):
		g.Working, g.Detail = true, "waiting to download"
	case is("Installing"):
		g.Working, g.Detail = true, "downloading"
	default:
		g.Present = true
	}
	return g
}

// yes reads a flag in whichever form it was sent.
func yes(v any) bool {
	flag, isFlag := v.(bool)
	return flag || !isFlag && (wholeNumber(v) != 0 || v == "true" || v == "YES")
}

// installedAppSightings has one sighting an app: a Mac may hold several copies, of which an
// installed one counts most, one under way next.
func installedAppSightings(list tolerant.List) (seen []action.Sighting, odd int) {
	seen = make([]action.Sighting, 0, len(list))
	for _, one := range list {
		d, isDict := tolerant.Part(one).(tolerant.Dict)
		if g := installedAppSighting(d); g.Identifier != "" {
			seen = append(seen, g)
		} else if !isDict || d["Identifier"] != nil {
			odd++
		}
	}
	rank := func(g action.Sighting) int {
		switch {
		case g.Present:
			return 0
		case g.Working:
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(seen, func(a, b action.Sighting) int {
		return cmp.Or(cmp.Compare(a.Identifier, b.Identifier), cmp.Compare(rank(a), rank(b)))
	})
	return slices.CompactFunc(seen,
		func(a, b action.Sighting) bool { return a.Identifier == b.Identifier }), odd
}

// unreadableRevision is that of a configuration that cannot be read: no version has it.
const unreadableRevision = "unreadable"

// configurationSightings are the app configurations on the device: an app without one is listed
// with nothing.
func configurationSightings(list tolerant.List) (seen []action.Sighting, odd int) {
	seen = make([]action.Sighting, 0, len(list))
	for _, one := range list {
		d, _ := tolerant.Part(one).(tolerant.Dict)
		id, value := text(d, "Identifier"), d["Configuration"]
		configuration, isDict := value.(tolerant.Dict)
		switch {
		case id == "":
			odd++
		case value == nil || isDict && len(configuration) == 0:
		case !isDict || !tolerant.IsWhole(configuration):
			seen = append(seen, action.Sighting{Identifier: id, Present: true,
				Revision: unreadableRevision})
		default:
			seen = append(seen, action.Sighting{Identifier: id, Present: true,
				Revision: payload.ConfigurationRevision(configuration)})
		}
	}
	return seen, odd
}
