package apple

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

type listedProfile struct {
	PayloadIdentifier string
	PayloadUUID       string
}

// profileSightings are the profiles on the device. A revision is a PayloadUUID in lower case: UUIDs are the same in
// either case, and devices do not keep a profile's own.
func profileSightings(list []listedProfile) []action.Sighting {
	seen := make([]action.Sighting, 0, len(list))
	for _, p := range list {
		seen = append(seen, action.Sighting{Identifier: p.PayloadIdentifier, Revision: strings.ToLower(p.PayloadUUID), Present: true})
	}
	return seen
}

type managedApp struct {
	Status string
}

// managedAppStates are the values of Status in ManagedApplicationList (Apple, "ManagedApplicationListResponse"), and
// what each proves. Apple reports UserInstalledApp, UserRejected, UpdateRejected, ManagementRejected and Failed once.
//
//	on the device and managed: Managed, PromptingForUpdate, PromptingForUpdateLogin, UpdateRejected
//	on its way (looked at again): Queued, Redeeming, Prompting, PromptingForLogin, ValidatingPurchase, Installing,
//	  PromptingForManagement, ValidatingUpdate, Updating, Unknown, and states that are not in this table
//	failed, worth another try: Failed, ManagedButUninstalled, UserInstalledApp
//	failed for good: NeedsRedemption, UserRejected, ManagementRejected
//
// Failed ones are not on the device as far as management goes, which is what a removal wants.
var managedAppStates = map[string]action.Sighting{
	"Managed":                 {Present: true},
	"PromptingForUpdate":      {Present: true, Detail: "installed; the device asks the user to allow an update"},
	"PromptingForUpdateLogin": {Present: true, Detail: "installed; the device asks for an App Store login for an update"},
	"UpdateRejected":          {Present: true, Detail: "installed; the user rejected an update"},

	"Queued":                 {Working: true, Detail: "queued on the device"},
	"Redeeming":              {Working: true, Detail: "the device is redeeming the app's code"},
	"Prompting":              {Working: true, Detail: "the device asks the user to allow the installation"},
	"PromptingForLogin":      {Working: true, Detail: "the device asks the user to log in to the App Store"},
	"ValidatingPurchase":     {Working: true, Detail: "the device is validating the purchase"},
	"Installing":             {Working: true, Detail: "installing"},
	"PromptingForManagement": {Working: true, Detail: "the device asks the user to let the app be managed"},
	"ValidatingUpdate":       {Present: true, Working: true, Detail: "the device is validating an update"},
	"Updating":               {Present: true, Working: true, Detail: "updating"},
	"Unknown":                {Working: true, Detail: "the device does not know the app's state"},

	"Failed":                {Failed: true, Retriable: true, Detail: "the device reports that the installation failed"},
	"ManagedButUninstalled": {Failed: true, Retriable: true, Detail: "the user removed the app"},
	"UserInstalledApp":      {Failed: true, Retriable: true, Detail: "the user installed the app first, so it is not managed"},
	"NeedsRedemption":       {Failed: true, Detail: "the app needs a redemption code, which this server does not have"},
	"UserRejected":          {Failed: true, Detail: "the user rejected the installation"},
	"ManagementRejected":    {Failed: true, Detail: "the user did not let the installed app be managed"},
}

func managedAppSightings(list map[string]managedApp) []action.Sighting {
	seen := make([]action.Sighting, 0, len(list))
	for _, id := range slices.Sorted(maps.Keys(list)) {
		g, ok := managedAppStates[list[id].Status]
		if !ok {
			g = action.Sighting{Working: true, Detail: "the device reports a state that is not known: " + list[id].Status}
		}
		g.Identifier = id
		if g.Failed {
			g.Detail = list[id].Status + ": " + g.Detail
			g.Code = action.CodeNoCode
		}
		seen = append(seen, g)
	}
	return seen
}

// installedApp is an entry of InstalledApplicationList (Apple, "InstalledApplicationListResponse"): at most one of its
// flags is set while a download is under way or broke off, none once the app is installed.
type installedApp struct {
	Identifier        string `plist:",omitempty"` // may be missing on macOS
	Installing        bool   `plist:",omitempty"`
	DownloadFailed    bool   `plist:",omitempty"`
	DownloadWaiting   bool   `plist:",omitempty"`
	DownloadPaused    bool   `plist:",omitempty"`
	DownloadCancelled bool   `plist:",omitempty"`
}

func (a *installedApp) sighting() action.Sighting {
	g := action.Sighting{Identifier: a.Identifier}
	switch {
	case a.DownloadFailed:
		g.Failed, g.Retriable, g.Code, g.Detail = true, true, action.CodeNoCode, "the download failed"
	case a.DownloadCancelled:
		g.Failed, g.Code, g.Detail = true, action.CodeNoCode, "the user canceled the download"
	case a.DownloadPaused:
		g.Working, g.Detail = true, "the user paused the download"
	case a.DownloadWaiting:
		g.Working, g.Detail = true, "waiting to download"
	case a.Installing:
		g.Working, g.Detail = true, "downloading"
	default:
		g.Present = true
	}
	return g
}

// installedAppSightings has one sighting an app: a Mac may hold several copies, of which an installed one counts
// most, one under way next.
func installedAppSightings(list []installedApp) []action.Sighting {
	seen := make([]action.Sighting, 0, len(list))
	for _, a := range list {
		if a.Identifier != "" {
			seen = append(seen, a.sighting())
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
	return slices.CompactFunc(seen, func(a, b action.Sighting) bool { return a.Identifier == b.Identifier })
}

type listedConfiguration struct {
	Identifier    string
	Configuration map[string]any `plist:",omitempty"`
}

// configurationSightings are the app configurations on the device: an app without one is listed with nothing.
func configurationSightings(list []listedConfiguration) []action.Sighting {
	seen := make([]action.Sighting, 0, len(list))
	for _, a := range list {
		if len(a.Configuration) > 0 {
			seen = append(seen, action.Sighting{Identifier: a.Identifier, Present: true,
				Revision: catalog.ConfigurationRevision(a.Configuration)})
		}
	}
	return seen
}
