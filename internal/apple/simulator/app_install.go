package simulator

import (
	"context"
	"fmt"
	"net/http"
)

// install is what an install command asks for.
type install struct {
	App
	managed       bool
	flags         int64
	configuration map[string]any
}

// prepareInstallApplication: Apple, "Install Application".
func prepareInstallApplication(ctx context.Context, d *Device, f *fields, cmd *command) {
	wanted := d.readInstall(f)
	storeID, bundleID, manifestURL := f.number("iTunesStoreID"), f.text("Identifier"),
		f.text("ManifestURL")
	given := 0
	for _, key := range []string{"iTunesStoreID", "Identifier", "ManifestURL"} {
		if f.has(key) {
			given++
		}
	}
	if given != 1 && f.err == nil {
		f.err = fmt.Errorf("%d of iTunesStoreID, Identifier and ManifestURL are there, want one",
			given)
	}
	if f.err != nil {
		return
	}
	var refusal *answer
	switch {
	case storeID != 0:
		wanted.StoreID, wanted.Identifier = storeID, d.fleet.options.Apps[storeID]
		if wanted.Identifier == "" {
			refusal = d.reject("CouldNotVerifyAppID", mdmStoreIDNotValidated,
				"The iTunes Store ID of the application could not be validated: %d", storeID)
		}
	case bundleID != "":
		wanted.Identifier = bundleID
	default:
		refusal = d.readManifestFrom(ctx, manifestURL, &wanted)
	}
	cmd.install(wanted, refusal)
}

// prepareInstallEnterpriseApplication: Apple, "Install Enterprise Application", macOS only.
func prepareInstallEnterpriseApplication(ctx context.Context, d *Device, f *fields, cmd *command) {
	wanted := d.readInstall(f)
	manifest, manifestURL := f.dict("Manifest"), f.text("ManifestURL")
	if (manifest == nil) == (manifestURL == "") && f.err == nil {
		f.err = fmt.Errorf("exactly one of Manifest and ManifestURL is wanted")
	}
	if f.err != nil {
		return
	}
	var refusal *answer
	if manifest == nil {
		refusal = d.readManifestFrom(ctx, manifestURL, &wanted)
	} else if err := readManifest(&fields{values: manifest}, &wanted); err != nil {
		refusal = d.reject("NotSupported", mdmManifestNotValidated,
			"Could not validate app manifest: %v", err)
	}
	cmd.install(wanted, refusal)
}

// readInstall reads what both install commands have. A Mac manages an app only when told to; the
// others always do.
func (d *Device) readInstall(f *fields) install {
	return install{managed: f.flag("InstallAsManaged") || d.kind != Mac,
		flags:         f.number("ManagementFlags"),
		configuration: f.dict("Configuration")}
}

func (d *Device) reject(reason string, code int, format string, values ...any) *answer {
	refusal := fail(d.mdmError(code, format, values...))
	refusal.body = map[string]any{"RejectionReason": reason}
	return &refusal
}

func (d *Device) readManifestFrom(ctx context.Context, url string, wanted *install) *answer {
	raw, _, err := exchange(ctx, d.fleet.web, http.MethodGet, url, "", nil)
	if err == nil {
		var f *fields
		if f, err = decodePlist(raw); err == nil {
			err = readManifest(f, wanted)
		}
	}
	if err != nil {
		return d.reject("NotSupported", mdmManifestNotValidated,
			"Could not validate app manifest: %v", err)
	}
	return nil
}

// readManifest takes the app's identity from items[0].metadata (Apple, "Manifest URL").
func readManifest(f *fields, wanted *install) error {
	items := f.dicts("items")
	if f.err != nil {
		return f.err
	}
	if len(items) == 0 {
		return fmt.Errorf("manifest has no items")
	}
	metadata := &fields{values: items[0].dict("metadata"), err: items[0].err}
	wanted.Identifier = metadata.mustText("bundle-identifier")
	wanted.Version = metadata.text("bundle-version")
	wanted.Name = metadata.text("title")
	return metadata.err
}

func (cmd *command) install(wanted install, refusal *answer) {
	cmd.identifier, cmd.installsApp = wanted.Identifier, true
	cmd.execute = func(d *Device, outcome Effect) answer {
		if refusal != nil {
			return *refusal
		}
		return d.installApp(wanted, outcome)
	}
}

// installApp starts an installation, or updates an app that is there. The first state a server
// hears of is Queued: that the command was accepted says nothing of how it ends.
func (d *Device) installApp(wanted install, outcome Effect) answer {
	now := d.fleet.clock.Now()
	present := d.apps[wanted.Identifier]
	if present != nil && present.pending(now) {
		return *d.reject("AppAlreadyQueued", mdmAppAlreadyInstalled,
			"The app “%s” is already scheduled for management.",
			wanted.Identifier)
	}
	state := AppManaged
	if present == nil || !present.seen(now).Installed() {
		present = &app{managed: wanted.managed}
		present.start(now, &d.faults, outcome)
		state = AppQueued
	}
	present.App, present.managed, present.managementFlags = wanted.App, wanted.managed, wanted.flags
	// Apple: a reinstall without InstallAsManaged ends the management
	if state == AppManaged && !wanted.managed {
		present.outcome = AppUnmanaged
	} else if state == AppManaged {
		present.outcome = AppManaged
	}
	if d.apps == nil {
		d.apps = make(map[string]*app)
	}
	d.apps[wanted.Identifier] = present
	if wanted.configuration != nil {
		d.configure(wanted.Identifier, wanted.configuration)
	}
	return acknowledge(map[string]any{"Identifier": wanted.Identifier, "State": string(state)})
}
