package payload

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// technologies are Graph's words for how Apple's devices are managed.
const technologies = "mdm,appleRemoteManagement"

// policyIdentifier begins the PayloadIdentifier of the profile of a policy; the policy's id
// follows.
const policyIdentifier = "com.github.syncpayloads.policy."

// platformsOf are the devices that a member of Graph's deviceManagementConfigurationPlatforms
// means, as far as Apple's.
var platformsOf = map[fleet.Platform][]fleet.Platform{fleet.IOS: iosDevices, fleet.MacOS: macs}

// policies compiles the form of settings catalog policies.
type policies struct{}

// ReadFile implements catalog.Compiler; policies have no file.
func (policies) ReadFile([]byte) (any, error) { return nil, nil }

// Inspect implements catalog.Compiler.
func (policies) Inspect(content []byte) (*catalog.Inspection, error) {
	return profiles{}.Inspect(content)
}

// Risks implements catalog.Compiler.
func (policies) Risks(content []byte, server []*x509.Certificate) ([]catalog.Risk, error) {
	return profiles{}.Risks(content, server)
}

// Compile implements catalog.Compiler: it makes a profile. If it is another than before it gets a
// PayloadUUID of its own, by which devices tell versions apart.
func (policies) Compile(_ context.Context, form *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	platform, err := readPlatform(d.Properties)
	if err != nil {
		return nil, err
	}
	c := &catalog.Content{Identifier: policyIdentifier + string(d.ID),
		IdentifiedBy: catalog.PlatformsProperty, SubType: KindSettingsCatalog,
		Platforms: platformsOf[platform], PlatformsBy: catalog.PlatformsProperty}
	if d.Old != nil && !slices.Equal(d.Old.Platforms, c.Platforms) {
		return nil, &invalid.Input{Property: catalog.PlatformsProperty,
			Reason: "never change: make a new policy for other platforms"}
	}
	if err := form.CheckTechnologies(d.Properties); err != nil {
		return nil, err
	}
	if !d.Properties.Has(catalog.TechnologiesProperty) {
		d.Properties[catalog.TechnologiesProperty] = json.RawMessage(`"` + technologies + `"`)
	}
	list, err := catalog.ReadSettings(d.Properties[catalog.SettingsProperty], knownSettings{})
	if err != nil {
		return nil, err
	}
	compiler := settingCompiler{platform: platform}
	if compiler.secrets, err = d.Properties.Secrets(); err != nil {
		return nil, err
	}
	payloads, err := compiler.payloads(list)
	if err != nil {
		return nil, err
	}
	return compiledProfile(c, d, payloads, catalog.SettingsProperty)
}

// compiledProfile makes a profile of payloads the content of a draft. Only if it is another one
// than before does it get a new PayloadUUID, by which devices tell versions apart. If it cannot be
// a profile, the error names the property.
func compiledProfile(c *catalog.Content, d *catalog.Draft, payloads []settledPayload,
	property string) (_ *catalog.Content, err error) {
	if d.Old != nil {
		c.Revision = d.Old.Revision
		if c.Installed, err = writeProfile(c, payloads, property); err != nil ||
			bytes.Equal(c.Installed, d.Old.Content) {
			return c, err
		}
	}
	c.Revision = versionUUID(d.ID, d.Version)
	c.Installed, err = writeProfile(c, payloads, property)
	return c, err
}

func readPlatform(p catalog.Properties) (fleet.Platform, error) {
	const name = catalog.PlatformsProperty
	text, err := catalog.Read[string](p, name, "a string")
	if err != nil {
		return "", err
	}
	platform, ok := settingPlatforms[text]
	if !ok {
		return "", &invalid.Input{Property: name,
			Reason: fmt.Sprintf("is %.60q; it can be \"iOS\" or \"macOS\"", text)}
	}
	return platform, nil
}

// writeProfile is the profile with these payloads, as an XML property list: the same for the same
// input.
func writeProfile(c *catalog.Content, payloads []settledPayload, property string) ([]byte, error) {
	content, number := make([]any, len(payloads)), make(map[*Setting]int)
	for i, one := range payloads {
		number[one.of]++
		content[i] = one.inner(c.Identifier, number[one.of])
	}
	dict := map[string]any{"PayloadType": "Configuration", "PayloadVersion": 1,
		"PayloadIdentifier": c.Identifier, "PayloadUUID": c.Revision,
		"PayloadDisplayName": profileTitle(payloads), "PayloadContent": content}
	if slices.Contains(c.Platforms, fleet.MacOS) {
		dict["PayloadScope"] = "System"
	}
	b, err := plist.MarshalIndent(dict, "\t")
	if err != nil {
		return nil, fmt.Errorf("writing the profile %s: %w", c.Identifier, err)
	}
	if _, err := parseProfile(b); err != nil {
		return nil, &invalid.Input{Property: property,
			Reason: "cannot be a profile: " + err.Error()}
	}
	return b, nil
}

// inner is a payload as the profile holds it, the nth of its type.
func (s *settledPayload) inner(profile string, n int) map[string]any {
	_, name, _ := strings.Cut(s.of.ID, "_")
	identifier := fmt.Sprintf("%s.%s.%d", profile, name, n)
	dict := map[string]any{"PayloadType": s.of.payloadType, "PayloadVersion": 1,
		"PayloadIdentifier": identifier,
		"PayloadUUID": uuid.NewSHA1(versionSpace,
			[]byte(identifier+"/"+ConfigurationRevision(s.keys))).String(),
		"PayloadDisplayName": s.of.Title}
	for key, value := range s.keys {
		dict[key] = value
	}
	return dict
}

// profileTitle is what a device shows of the profile. The policy's own name is not in it, so that a
// new name alone is no new version.
func profileTitle(payloads []settledPayload) string {
	const most = 3
	var titles []string
	for _, p := range payloads {
		if !slices.Contains(titles, p.of.Title) {
			titles = append(titles, p.of.Title)
		}
	}
	if len(titles) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(titles[:most], ", "), len(titles)-most)
	}
	return strings.Join(titles, ", ")
}
