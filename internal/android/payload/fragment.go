package payload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// Fragment is what one payload adds to the policy of a device. It is the Content of every form, as
// canonical JSON.
type Fragment struct {
	Kind Kind `json:"kind"`
	// Package is the app that the payload is, that it configures, or that makes its connections.
	Package string `json:"package,omitempty"`
	// GUID is by what Google knows a network or a certificate: the payload's id.
	GUID string `json:"guid,omitempty"`
	// Needs are certificates without which a network would not be taken: ids of payloads.
	Needs []action.PayloadID `json:"needs,omitempty"`
	// WebApp is the app that Google is to make of a website. Package is empty then, until Google has
	// made it: see Item.Made.
	WebApp *WebApp `json:"webApp,omitempty"`
	// Fields are the values that it sets, by the path of the field, as Google takes them.
	Fields map[string]any `json:"fields"`
}

// readFragment reads a stored content. Numbers stay as they were written.
func readFragment(content []byte) (f Fragment, err error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("stored content of an Android payload: %w", err)
	}
	return f, nil
}

// content is what a fragment makes of a payload that devices know by an identifier.
func (f Fragment) content(identifier, identifiedBy, subType string) *catalog.Content {
	installed := canonicalJSON(f)
	sum := sha256.Sum256(installed)
	return &catalog.Content{Identifier: identifier, IdentifiedBy: identifiedBy, SubType: subType,
		Revision:  hex.EncodeToString(sum[:16]),
		Platforms: []fleet.Platform{fleet.Android}, PlatformsBy: "@odata.type",
		Installed: installed}
}

// compiler is what the compilers of all forms have in common.
type compiler struct{}

// ReadFile implements catalog.Compiler; no form has a file.
func (compiler) ReadFile([]byte) (any, error) { return nil, nil }

// Inspect implements catalog.Compiler: each field of the policy is a setting.
func (compiler) Inspect(content []byte) (*catalog.Inspection, error) {
	f, err := readFragment(content)
	return &catalog.Inspection{Settings: len(f.Fields)}, err
}
