package simulator

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/syncpayloads/syncpayloads/internal/cms"
)

// Profile is an installed configuration profile. Its contents are shared between devices: read them
// only.
type Profile struct {
	Identifier, UUID                       string
	DisplayName, Description, Organization string
	Version                                int64
	RemovalDisallowed                      bool
	// certificates of a signed profile, DER, the signer's first
	Signers  [][]byte
	Payloads []Payload
}

// Payload is one payload of a profile. Content has all its keys, those named here too.
type Payload struct {
	Type, Identifier, UUID                 string
	DisplayName, Description, Organization string
	Version                                int64
	Content                                map[string]any
}

// profileError is why a device refuses a profile; Code is one of MCProfileErrorDomain.
type profileError struct {
	Code   int
	Reason string
}

func (e *profileError) Error() string { return "configuration profile: " + e.Reason }

// MCProfileErrorDomain, Mobile Device Management Protocol Reference, "Error Codes".
const (
	profileMalformed       = 1000
	profileFieldMissing    = 1002
	profileBadSignature    = 1004
	profileEmpty           = 1005
	profileRepeatedPayload = 1007
	profileBadValue        = 1010
)

// parseProfile reads a .mobileconfig: a property list, plain or as PKCS #7 signed data.
func parseProfile(raw []byte) (*Profile, error) {
	content, signers, err := unsign(raw)
	if err != nil {
		return nil, &profileError{profileBadSignature, err.Error()}
	}
	f, err := decodePlist(content)
	if err != nil {
		return nil, &profileError{profileMalformed, err.Error()}
	}
	profile := &Profile{Identifier: f.mustText("PayloadIdentifier"),
		UUID:        f.mustText("PayloadUUID"),
		DisplayName: f.text("PayloadDisplayName"), Description: f.text("PayloadDescription"),
		Organization: f.text("PayloadOrganization"), Version: f.number("PayloadVersion"),
		RemovalDisallowed: f.flag("PayloadRemovalDisallowed"), Signers: signers}
	kind := f.mustText("PayloadType")
	payloads := f.dicts("PayloadContent")
	if f.err != nil {
		return nil, &profileError{profileFieldMissing, f.err.Error()}
	}
	if kind != "Configuration" {
		return nil, &profileError{profileBadValue,
			fmt.Sprintf("PayloadType is %q, want Configuration", kind)}
	}
	seen := make(map[string]bool)
	for i, p := range payloads {
		payload := Payload{Type: p.mustText("PayloadType"),
			Identifier: p.mustText("PayloadIdentifier"),
			UUID:       p.mustText("PayloadUUID"), DisplayName: p.text("PayloadDisplayName"),
			Description: p.text("PayloadDescription"), Organization: p.text("PayloadOrganization"),
			Version: p.number("PayloadVersion"), Content: p.values}
		if p.err != nil {
			return nil, &profileError{profileFieldMissing,
				fmt.Sprintf("PayloadContent[%d]: %v", i, p.err)}
		}
		if seen[payload.UUID] {
			return nil, &profileError{profileRepeatedPayload,
				"PayloadUUID " + payload.UUID + " is there twice"}
		}
		seen[payload.UUID] = true
		profile.Payloads = append(profile.Payloads, payload)
	}
	return profile, nil
}

// unsign takes the content out of PKCS #7 signed data and checks the signature. Trust in the signer
// is not asked for: a device installs a profile of an unknown signer, too, and shows it as not
// verified.
func unsign(raw []byte) (content []byte, signers [][]byte, err error) {
	defer recoverParser("PKCS #7 envelope", &err)
	// no ASN.1 SEQUENCE, so a property list in one of its forms
	if len(raw) == 0 || raw[0] != 0x30 {
		return bytes.TrimLeft(raw, " \t\r\n"), nil, nil
	}
	if err := checkEnvelope(raw); err != nil {
		return nil, nil, err
	}
	signed, err := cms.Parse(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("neither a property list nor PKCS #7 signed data: %w", err)
	}
	if err := signed.Verify(); err != nil {
		return nil, nil, fmt.Errorf("signature: %w", err)
	}
	if signer := signed.GetOnlySigner(); signer != nil {
		signers = append(signers, signer.Raw)
	}
	for _, certificate := range signed.Certificates {
		if len(signers) == 0 || !bytes.Equal(certificate.Raw, signers[0]) {
			signers = append(signers, certificate.Raw)
		}
	}
	return signed.Content, signers, nil
}

// maxEnvelope bounds PKCS #7 data, in bytes.
const maxEnvelope = 2 << 20

func checkEnvelope(raw []byte) error {
	if len(raw) > maxEnvelope {
		return fmt.Errorf("PKCS #7 data of %d bytes, at most %d are read", len(raw), maxEnvelope)
	}
	return cms.Check(raw)
}

// profileCache lets devices that install the same bytes share one parsed profile, for as long as
// any of them has it.
type profileCache struct {
	mu     sync.Mutex
	parsed map[[sha256.Size]byte]weak.Pointer[Profile]
}

func (c *profileCache) parse(raw []byte) (*Profile, error) {
	key := sha256.Sum256(raw)
	c.mu.Lock()
	known := c.parsed[key].Value()
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	profile, err := parseProfile(raw)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed == nil {
		c.parsed = make(map[[sha256.Size]byte]weak.Pointer[Profile])
	}
	if known := c.parsed[key].Value(); known != nil {
		return known, nil
	}
	c.parsed[key] = weak.Make(profile)
	runtime.AddCleanup(profile, c.forget, key)
	return profile, nil
}

// forget drops the entry of a collected profile, unless the same bytes were parsed anew meanwhile.
func (c *profileCache) forget(key [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parsed[key].Value() == nil {
		delete(c.parsed, key)
	}
}
