package catalog

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// SettingsCatalogPolicy is Graph's type of a settings catalog policy.
const SettingsCatalogPolicy = "deviceManagementConfigurationPolicy"

// policyIdentifier begins the PayloadIdentifier of the profile of a policy; the policy's id follows.
const policyIdentifier = "com.github.syncpayloads.policy."

// policyPlatforms are the platforms of Graph's deviceManagementConfigurationPlatforms that are Apple's.
var policyPlatforms = map[fleet.Platform][]fleet.Platform{fleet.IOS: iosDevices, fleet.MacOS: macs}

// compile makes the profile of a settings catalog policy. If it is another than before it gets a PayloadUUID of its own,
// by which devices tell versions apart.
func (p *Payload) compile(props properties) error {
	platform, err := props.policyPlatform()
	if err != nil {
		return err
	}
	if p.Platforms != nil && !slices.Equal(p.Platforms, policyPlatforms[platform]) {
		return &Invalid{Property: "platforms", Reason: "never change: make a new policy for other platforms"}
	}
	if err := props.checkTechnologies(); err != nil {
		return err
	}
	list, err := readSettings(props[settingsProperty])
	if err != nil {
		return err
	}
	compiler := settingCompiler{platform: platform}
	if compiler.secrets, err = props.secrets(); err != nil {
		return err
	}
	payloads, err := compiler.payloads(list)
	if err != nil {
		return err
	}
	p.Identifier, p.SubType, p.Platforms = policyIdentifier+string(p.ID), KindSettingsCatalog, policyPlatforms[platform]
	version := p.Version
	if p.Content != nil {
		same, err := policyProfile(p, payloads)
		if err != nil || bytes.Equal(same, p.Content) {
			return err
		}
		version++
	}
	p.Revision = versionUUID(p.ID, version)
	p.Content, err = policyProfile(p, payloads)
	return err
}

// versionUUID is the PayloadUUID of a version that has none of its own.
func versionUUID(id action.PayloadID, version int64) string {
	return uuid.NewSHA1(versionSpace, []byte(string(id)+"/"+strconv.FormatInt(version, 10))).String()
}

func (p properties) policyPlatform() (fleet.Platform, error) {
	const name = "platforms"
	text, err := read[string](p, name, "a string")
	if err != nil {
		return "", err
	}
	platform, ok := settingPlatforms[text]
	if !ok {
		return "", &Invalid{Property: name, Reason: fmt.Sprintf("is %.60q; it can be \"iOS\" or \"macOS\"", text)}
	}
	return platform, nil
}

// checkTechnologies refuses what is not management by Apple's protocol. Nothing given is that.
func (p properties) checkTechnologies() error {
	const name = "technologies"
	text, err := read[string](p, name, "a string")
	if err != nil || text == "" {
		return err
	}
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "mdm" && word != "appleRemoteManagement" {
			return &Invalid{Property: name, Reason: fmt.Sprintf("has %.60q; it can be \"mdm,appleRemoteManagement\"", word)}
		}
	}
	return nil
}

// policyProfile is the profile with these payloads, as an XML property list: the same for the same input.
func policyProfile(p *Payload, payloads []settledPayload) ([]byte, error) {
	content, number := make([]any, len(payloads)), make(map[*Setting]int)
	for i, one := range payloads {
		number[one.of]++
		content[i] = one.inner(p.Identifier, number[one.of])
	}
	dict := map[string]any{"PayloadType": "Configuration", "PayloadVersion": 1, "PayloadIdentifier": p.Identifier, "PayloadUUID": p.Revision,
		"PayloadDisplayName": profileTitle(payloads), "PayloadContent": content}
	if p.Family() == fleet.MacOS {
		dict["PayloadScope"] = "System"
	}
	b, err := plist.MarshalIndent(dict, "\t")
	if err != nil {
		return nil, fmt.Errorf("writing the profile of policy %s: %w", p.ID, err)
	}
	if _, err := parseProfile(b); err != nil {
		return nil, &Invalid{Property: settingsProperty, Reason: "cannot be a profile: " + err.Error()}
	}
	return b, nil
}

// inner is a payload as the profile holds it, the nth of its type.
func (s *settledPayload) inner(profile string, n int) map[string]any {
	_, name, _ := strings.Cut(s.of.ID, "_")
	identifier := fmt.Sprintf("%s.%s.%d", profile, name, n)
	dict := map[string]any{"PayloadType": s.of.payloadType, "PayloadVersion": 1, "PayloadIdentifier": identifier,
		"PayloadUUID":        uuid.NewSHA1(versionSpace, []byte(identifier+"/"+ConfigurationRevision(s.keys))).String(),
		"PayloadDisplayName": s.of.Title}
	for key, value := range s.keys {
		dict[key] = value
	}
	return dict
}

// profileTitle is what a device shows of the profile. The policy's own name is not in it, so that a new name alone is no
// new version.
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
