package payload

import (
	"context"
	"crypto/x509"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// profiles compiles the forms that are a configuration profile.
type profiles struct{}

// deploymentChannel is the property of a Mac's profile that says whether it is for the device or
// for its users.
const deploymentChannel = "deploymentChannel"

// ReadFile implements catalog.Compiler.
func (profiles) ReadFile(file []byte) (any, error) { return ParseProfile(file) }

// Inspect implements catalog.Compiler. Only on Macs does a profile have a scope (Apple,
// "TopLevel").
func (profiles) Inspect(content []byte) (*catalog.Inspection, error) {
	p, err := ParseProfile(content)
	if err != nil {
		return nil, err
	}
	found := &catalog.Inspection{Parts: p.Contents(),
		Types: []string{IOSCustomConfiguration, MacOSCustomConfiguration},
		Facts: []catalog.Fact{
			{Name: "identifier", Value: p.Identifier},
			{Name: "uuid", Value: p.UUID},
			{Name: "displayName", Value: nullIfEmpty(p.DisplayName)},
			{Name: "scope", Value: nullIfEmpty(p.Scope)},
			{Name: "removalDisallowed", Value: p.RemovalDisallowed},
			{Name: "signed", Value: p.Signed},
			{Name: "subType", Value: p.SubType},
		}}
	found.Settings = len(found.Parts)
	if p.Scope != "" {
		found.Types = []string{MacOSCustomConfiguration, IOSCustomConfiguration}
	}
	return found, nil
}

func nullIfEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Risks implements catalog.Compiler.
func (profiles) Risks(content []byte, server []*x509.Certificate) ([]catalog.Risk, error) {
	p, err := ParseProfile(content)
	if err != nil {
		return nil, err
	}
	return p.risks(server), nil
}

// Compile implements catalog.Compiler.
func (profiles) Compile(ctx context.Context, form *catalog.Form, d *catalog.Draft,
	look catalog.Lookup) (*catalog.Content, error) {
	if err := checkChannel(form, d); err != nil {
		return nil, err
	}
	c := &catalog.Content{IdentifiedBy: "payload", PlatformsBy: "@odata.type",
		Platforms: form.Platforms}
	if d.Old != nil && d.File == nil {
		c.Identifier, c.Revision, c.SubType = d.Old.Identifier, d.Old.Revision, d.Old.SubType
		c.Installed, c.Uploaded = d.Old.Content, d.Old.Original
		return c, nil
	}
	profile, ok := d.Read.(*Profile)
	if !ok {
		return nil, fmt.Errorf("the draft of %s has a file that was not read", d.ID)
	}
	if d.Old != nil && profile.Identifier != d.Old.Identifier {
		return nil, &invalid.Input{Property: "payload", Reason: fmt.Sprintf(
			"PayloadIdentifier is %q, and this configuration's is %q: devices would keep both; make a new configuration for another identifier",
			profile.Identifier, d.Old.Identifier)}
	}
	c.Identifier, c.Revision, c.SubType, c.Installed = profile.Identifier, profile.UUID,
		profile.SubType, d.File
	// Devices tell profiles of one identifier, and their versions, apart by PayloadUUID, so a
	// version whose UUID another one had gets a UUID of its own.
	used, err := look.RevisionUsed(ctx, c, c.Revision)
	if err != nil || !used {
		return c, err
	}
	c.Revision, c.Uploaded = versionUUID(d.ID, d.Version), d.File
	c.Installed, err = profile.WithUUID(c.Revision)
	return c, err
}

// checkChannel refuses what no channel could deliver.
func checkChannel(form *catalog.Form, d *catalog.Draft) error {
	if len(d.Changed) == 0 {
		return nil
	}
	channel, err := catalog.Read[string](d.Properties, deploymentChannel, "a string")
	switch {
	case err != nil || channel == "":
		return err
	case form.Property(deploymentChannel) == nil:
		return &invalid.Input{Property: deploymentChannel,
			Reason: "is a property of " + MacOSCustomConfiguration + " only"}
	case channel != "deviceChannel":
		return &invalid.Input{Property: deploymentChannel,
			Reason: fmt.Sprintf("is %.60q; this server delivers over \"deviceChannel\" only",
				channel)}
	}
	return nil
}

// versionSpace is the UUIDv5 namespace (RFC 9562) of the versions of a configuration.
var versionSpace = uuid.MustParse("0d3d8b0b-5c43-4b42-9d16-6d1f0c6a0f5e")

// versionUUID is the PayloadUUID of a version that has none of its own.
func versionUUID(id action.PayloadID, version int64) string {
	return uuid.NewSHA1(versionSpace, []byte(string(id)+"/"+strconv.FormatInt(version,
		10))).String()
}
