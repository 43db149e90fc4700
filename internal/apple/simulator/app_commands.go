package simulator

import (
	"context"
	"maps"
	"slices"
)

// prepareRemoveApplication: Apple, "Remove Application". Only managed apps can be removed; one
// whose installation is still pending is no longer installed.
func prepareRemoveApplication(_ context.Context, _ *Device, f *fields, cmd *command) {
	cmd.identifier = f.mustText("Identifier")
	cmd.execute = func(d *Device, _ Effect) answer {
		if app := d.apps[cmd.identifier]; app == nil || !app.managed {
			return fail(d.mdmError(mdmAppNotManaged, "The app “%s” is not managed.",
				cmd.identifier))
		}
		delete(d.apps, cmd.identifier)
		delete(d.configurations, cmd.identifier)
		return acknowledge(nil)
	}
}

// prepareManagedApplicationList: Apple, "Managed Application List".
func prepareManagedApplicationList(_ context.Context, _ *Device, f *fields, cmd *command) {
	asked := f.texts("Identifiers")
	cmd.execute = func(d *Device, _ Effect) answer {
		now, list := d.fleet.clock.Now(), make(map[string]any)
		for _, bundleID := range d.chosenApps(asked) {
			app := d.apps[bundleID]
			if !app.managed {
				continue
			}
			seen := app.looked(now)
			if seen.State == AppUserRejected || seen.State == AppFailed {
				delete(d.apps, bundleID) // Apple: these are reported only once
			}
			_, configured := d.configurations[bundleID]
			list[bundleID] = map[string]any{"Status": string(seen.State),
				"ManagementFlags":  app.managementFlags,
				"HasConfiguration": configured, "HasFeedback": false, "IsValidated": true}
		}
		return acknowledge(map[string]any{"ManagedApplicationList": list})
	}
}

// prepareInstalledApplicationList: Apple, "Installed Application List".
func prepareInstalledApplicationList(_ context.Context, _ *Device, f *fields, cmd *command) {
	asked, managedOnly := f.texts("Identifiers"), f.flag("ManagedAppsOnly")
	cmd.execute = func(d *Device, _ Effect) answer {
		now, list := d.fleet.clock.Now(), []any{}
		for _, bundleID := range d.chosenApps(asked) {
			app := d.apps[bundleID]
			seen := app.looked(now)
			if managedOnly && !app.managed || !seen.Installed() && seen.State != AppInstalling {
				continue
			}
			item := map[string]any{"Identifier": bundleID, "Name": seen.Name,
				"Version":      seen.Version,
				"ShortVersion": seen.Version, "Installing": seen.State == AppInstalling}
			list = append(list, item)
		}
		return acknowledge(map[string]any{"InstalledApplicationList": list})
	}
}

// chosenApps are the apps that a list command is about: those asked for, or all.
func (d *Device) chosenApps(asked []string) []string {
	chosen := slices.Sorted(maps.Keys(d.apps))
	if len(asked) == 0 {
		return chosen
	}
	return slices.DeleteFunc(chosen,
		func(bundleID string) bool { return !slices.Contains(asked, bundleID) })
}

// setting is one item of a Settings command.
type setting struct {
	item, identifier string
	configuration    map[string]any // nil: remove it
}

// prepareSettings: Apple, "Settings". Every item has a status of its own; the command itself is
// acknowledged.
func prepareSettings(_ context.Context, _ *Device, f *fields, cmd *command) {
	var settings []setting
	field[[]any](f, "Settings", true)
	for _, item := range f.dicts("Settings") {
		one := setting{item: item.mustText("Item")}
		if one.item == "ApplicationConfiguration" {
			one.identifier, one.configuration = item.mustText("Identifier"),
				item.dict("Configuration")
		}
		if item.err != nil && f.err == nil {
			f.err = item.err
		}
		settings = append(settings, one)
	}
	if len(settings) > 0 {
		cmd.identifier = settings[0].identifier
	}
	cmd.execute = func(d *Device, _ Effect) answer {
		results := []any{}
		for _, one := range settings {
			results = append(results, d.applySetting(one))
		}
		return acknowledge(map[string]any{"Settings": results})
	}
}

func (d *Device) applySetting(one setting) map[string]any {
	result := map[string]any{"Item": one.item, "Status": acknowledged}
	if one.item != "ApplicationConfiguration" {
		result["Status"] = failed
		result["ErrorChain"] = errorChain([]ErrorLink{
			{"MCSettingsErrorDomain", settingsUnknownItem, "Unknown settings item: " + one.item}})
		return result
	}
	result["Identifier"] = one.identifier
	app := d.apps[one.identifier]
	switch {
	case d.kind != Mac && (app == nil || !app.managed): // a Mac takes one for any bundle id
		result["Status"] = failed
		result["ErrorChain"] = errorChain([]ErrorLink{
			d.mdmError(mdmAppNotManaged, "The app “%s” is not managed.", one.identifier)})
	case one.configuration == nil:
		delete(d.configurations, one.identifier)
	default:
		d.configure(one.identifier, one.configuration)
	}
	return result
}

func (d *Device) configure(bundleID string, configuration map[string]any) {
	if d.configurations == nil {
		d.configurations = make(map[string]map[string]any)
	}
	d.configurations[bundleID] = configuration
}

// prepareManagedApplicationConfiguration: Apple, "Managed Application Configuration".
func prepareManagedApplicationConfiguration(_ context.Context, _ *Device, f *fields, cmd *command) {
	field[[]any](f, "Identifiers", true)
	asked := f.texts("Identifiers")
	if len(asked) > 0 {
		cmd.identifier = asked[0]
	}
	cmd.execute = func(d *Device, _ Effect) answer {
		list := []any{}
		for _, bundleID := range asked {
			item := map[string]any{"Identifier": bundleID}
			if configuration, configured := d.configurations[bundleID]; configured {
				item["Configuration"] = configuration
			}
			if app := d.apps[bundleID]; d.kind == Mac || app != nil && app.managed {
				list = append(list, item)
			}
		}
		return acknowledge(map[string]any{"ApplicationConfigurations": list})
	}
}
