package mdm

import (
	"encoding/json"
	"fmt"

	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// command is a command plist: the names below Command are Apple's ("Commands and Queries", Device
// Management).
type command struct {
	CommandUUID string
	Command     any
}

type simpleCommand struct {
	RequestType string
	Payload     []byte `plist:",omitempty"` // InstallProfile
	Identifier  string `plist:",omitempty"` // RemoveProfile, RemoveApplication
	// ManagedApplicationList, ManagedApplicationConfiguration
	Identifiers []string `plist:",omitempty"`
	ManagedOnly bool     `plist:",omitempty"` // ProfileList
	Queries     []string `plist:",omitempty"` // DeviceInformation
}

type installedApplicationList struct {
	RequestType     string
	Identifiers     []string `plist:",omitempty"`
	ManagedAppsOnly bool
}

// installApplication is InstallApplication, and InstallEnterpriseApplication, whose names are among
// the same.
type installApplication struct {
	RequestType           string
	ITunesStoreID         int64           `plist:"iTunesStoreID,omitempty"`
	ManifestURL           string          `plist:",omitempty"`
	Options               *installOptions `plist:",omitempty"`
	ManagementFlags       int             `plist:",omitempty"`
	Configuration         map[string]any  `plist:",omitempty"`
	ChangeManagementState string
	InstallAsManaged      bool `plist:",omitempty"`
}

type installOptions struct {
	PurchaseMethod int
}

const (
	// PurchaseMethod: an assigned (volume purchased) license, no Apple Account needed
	deviceLicense        = 1
	removeWithEnrollment = 1 // ManagementFlags
)

type settings struct {
	RequestType string
	Settings    []applicationConfiguration
}

type applicationConfiguration struct {
	Item          string
	Identifier    string
	Configuration map[string]any `plist:",omitempty"`
}

// settled is a task whose outcome is known without asking the device.
type settled struct{ outcome action.Outcome }

func (e *settled) Error() string { return e.outcome.Detail }

func impossible(format string, args ...any) error {
	return &settled{action.Outcome{Verdict: action.Permanent, Code: action.CodeNotSupported,
		Detail: fmt.Sprintf(format, args...)}}
}

// encode turns a task into a command plist. The error is *settled, or a fault of the server.
func encode(t *engine.Task, platform fleet.Platform) ([]byte, error) {
	var body any
	var err error
	switch {
	case t.Kind == action.LeaveManagement:
		// what was installed over it goes with it (Apple, "Removing profiles")
		body = simpleCommand{RequestType: "RemoveProfile", Identifier: EnrollmentPayloadIdentifier}
	case t.Kind == action.TakeInventory && len(t.Identifiers) == 0 &&
		(t.Class == action.Apps || t.Class == action.AppConfigurations):
		err = &settled{action.Outcome{Verdict: action.Accepted,
			Detail: "there is nothing to look for"}}
	case t.Kind == action.TakeInventory:
		body = inventoryCommand(t, platform)
	case IsEnrollmentIdentifier(t.Payload.Identifier):
		err = impossible("the enrollment profile and its identity can be neither removed nor replaced by a payload")
	case t.Kind == action.Install && t.Content == nil:
		err = impossible("there is nothing to install: the payload has no content")
	case t.Payload.Type == action.Application:
		body, err = applicationCommand(t, platform)
	case t.Payload.Type == action.AppConfiguration:
		body, err = configurationCommand(t)
	case t.Kind == action.Install:
		body = simpleCommand{RequestType: "InstallProfile", Payload: t.Content.Content}
	default:
		body = simpleCommand{RequestType: "RemoveProfile", Identifier: t.Payload.Identifier}
	}
	if err != nil {
		return nil, err
	}
	return plist.Marshal(command{CommandUUID: commandUUID(&t.Task, platform), Command: body})
}

func inventoryCommand(t *engine.Task, platform fleet.Platform) any {
	switch t.Class {
	case action.Profiles:
		return simpleCommand{RequestType: "ProfileList", ManagedOnly: true}
	case action.Apps:
		if platform == fleet.MacOS && t.Second {
			return installedApplicationList{RequestType: "InstalledApplicationList",
				Identifiers: t.Identifiers}
		}
		return simpleCommand{RequestType: "ManagedApplicationList", Identifiers: t.Identifiers}
	case action.AppConfigurations:
		return simpleCommand{RequestType: "ManagedApplicationConfiguration",
			Identifiers: t.Identifiers}
	default:
		return simpleCommand{RequestType: "DeviceInformation", Queries: factQueries}
	}
}

func applicationCommand(t *engine.Task, platform fleet.Platform) (any, error) {
	if t.Kind != action.Install {
		return simpleCommand{RequestType: "RemoveApplication", Identifier: t.Payload.Identifier},
			nil
	}
	var app payload.AppSettings
	if err := json.Unmarshal(t.Content.Content, &app); err != nil {
		return nil, impossible("the app's settings cannot be read: %v", err)
	}
	install := installApplication{RequestType: "InstallApplication",
		ChangeManagementState: "Managed",
		Configuration:         app.Configuration,
		InstallAsManaged:      platform == fleet.MacOS}
	if app.RemoveWithMDM {
		install.ManagementFlags = removeWithEnrollment
	}
	switch {
	case app.ManifestURL != "":
		install.ManifestURL = app.ManifestURL
		if platform == fleet.MacOS {
			install.RequestType = "InstallEnterpriseApplication"
		}
	case app.StoreID != 0:
		install.ITunesStoreID = app.StoreID
		if app.DeviceLicensed {
			install.Options = &installOptions{PurchaseMethod: deviceLicense}
		}
	default:
		return nil, impossible("the app has neither a store id nor a manifest to install it from")
	}
	return install, nil
}

func configurationCommand(t *engine.Task) (any, error) {
	item := applicationConfiguration{Item: "ApplicationConfiguration",
		Identifier: t.Payload.Identifier}
	if t.Kind == action.Install {
		var app payload.AppConfiguration
		if err := json.Unmarshal(t.Content.Content, &app); err != nil {
			return nil, impossible("the app configuration cannot be read: %v", err)
		}
		if item.Configuration = app.Configuration; len(item.Configuration) == 0 {
			return nil,
				impossible("the app configuration is empty: a device takes that as an order to remove it")
		}
	}
	return settings{RequestType: "Settings", Settings: []applicationConfiguration{item}}, nil
}
