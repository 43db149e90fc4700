package simulator

import (
	"context"
	"errors"
	"slices"
)

// prepareInstallProfile: Apple, "Install Profile".
func prepareInstallProfile(_ context.Context, d *Device, f *fields, cmd *command) {
	raw := field[[]byte](f, "Payload", true)
	if f.err != nil {
		return
	}
	profile, err := d.fleet.profiles.parse(raw)
	if err == nil {
		cmd.identifier = profile.Identifier
	}
	cmd.execute = func(d *Device, _ Effect) answer {
		if err != nil {
			return refuseProfile(err)
		}
		return d.installProfile(profile)
	}
}

func refuseProfile(err error) answer {
	code := profileMalformed
	var refused *profileError
	if errors.As(err, &refused) {
		code = refused.Code
	}
	return fail(ErrorLink{"MCInstallationErrorDomain", installationCannotParse,
		"The profile could not be installed."},
		ErrorLink{"MCProfileErrorDomain", code, err.Error()})
}

func (d *Device) installProfile(profile *Profile) answer {
	if len(profile.Payloads) == 0 && d.kind != Mac { // Macs accept a profile without payloads
		return refuseProfile(&profileError{profileEmpty, "the profile has no payloads"})
	}
	if d.enrollment != nil && profile.Identifier == d.enrollment.profileID {
		return fail(d.mdmError(mdmReplacementMismatch,
			"The enrollment profile cannot be replaced by this profile."))
	}
	if slices.ContainsFunc(profile.Payloads,
		func(p Payload) bool { return p.Type == mdmPayloadType }) {
		return fail(d.mdmError(mdmMultipleInstances,
			"The device is already enrolled in device management."))
	}
	position := d.profileIndex(profile.Identifier)
	if position < 0 {
		d.profiles = append(d.profiles, installedProfile{profile, false})
	} else {
		d.profiles[position] = installedProfile{profile, false}
	}
	return acknowledge(nil)
}

func (d *Device) profileIndex(identifier string) int {
	return slices.IndexFunc(d.profiles,
		func(p installedProfile) bool { return p.Identifier == identifier })
}

// prepareRemoveProfile: Apple, "Remove Profile". Removing the enrollment profile ends the
// enrollment.
func prepareRemoveProfile(_ context.Context, _ *Device, f *fields, cmd *command) {
	cmd.identifier = f.mustText("Identifier")
	cmd.execute = func(d *Device, _ Effect) answer {
		position := d.profileIndex(cmd.identifier)
		switch {
		case position < 0 && d.kind == Mac:
			return fail(ErrorLink{"MDMClientError", macProfileNotFound,
				"Profile with identifier '" + cmd.identifier + "' not found."})
		case position < 0:
			return fail(d.mdmError(mdmProfileNotInstalled, "The profile “%s” is not installed.",
				cmd.identifier))
		case d.profiles[position].fromEnrollment:
			return answer{unenroll: true}
		}
		d.profiles = slices.Delete(d.profiles, position, position+1)
		return acknowledge(nil)
	}
}

// prepareProfileList: Apple, "Profile List". The enrollment profile counts as managed.
func prepareProfileList(_ context.Context, _ *Device, f *fields, cmd *command) {
	f.flag("ManagedOnly") // every profile of this device is a managed one
	cmd.execute = func(d *Device, _ Effect) answer {
		list := make([]any, 0, len(d.profiles))
		for _, installed := range d.profiles {
			item := installed.describe()
			// Apple: absent on macOS and on supervised devices
			if d.kind != Mac && !d.facts.Supervised {
				item["IsManaged"] = true
			}
			list = append(list, item)
		}
		return acknowledge(map[string]any{"ProfileList": list})
	}
}

func (p *Profile) describe() map[string]any {
	payloads := make([]any, 0, len(p.Payloads))
	for i := range p.Payloads {
		payload := &p.Payloads[i]
		item := map[string]any{"PayloadType": payload.Type, "PayloadVersion": payload.Version,
			"PayloadIdentifier": payload.Identifier, "PayloadUUID": payload.UUID}
		describe(item, payload.DisplayName, payload.Description, payload.Organization)
		payloads = append(payloads, item)
	}
	item := map[string]any{"PayloadIdentifier": p.Identifier, "PayloadUUID": p.UUID,
		"PayloadVersion":           p.Version,
		"PayloadRemovalDisallowed": p.RemovalDisallowed, "HasRemovalPasscode": false,
		"IsEncrypted":    false,
		"PayloadContent": payloads}
	describe(item, p.DisplayName, p.Description, p.Organization)
	if len(p.Signers) > 0 {
		item["SignerCertificates"] = p.Signers
	}
	return item
}

func describe(item map[string]any, displayName, description, organization string) {
	for key, text := range map[string]string{"PayloadDisplayName": displayName,
		"PayloadDescription":  description,
		"PayloadOrganization": organization} {
		if text != "" {
			item[key] = text
		}
	}
}
