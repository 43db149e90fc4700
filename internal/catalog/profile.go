package catalog

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/micromdm/plist"
)

// EnrollmentProfileIdentifier is the PayloadIdentifier of the server's own enrollment profile. What it holds has
// identifiers that begin with it. None of that can be a payload.
const EnrollmentProfileIdentifier = "com.github.syncpayloads.enrollment"

// MaxProfileSize is the most bytes that a profile may have.
const MaxProfileSize = 4 << 20

const maxIdentifier = 255 // bytes of a PayloadIdentifier, PayloadUUID or bundle id

// Profile is what a configuration profile (.mobileconfig) says of itself. See Apple Developer, "TopLevel" and
// "CommonPayloadKeys".
type Profile struct {
	Identifier        string // PayloadIdentifier
	UUID              string // PayloadUUID in lower case
	DisplayName       string
	Scope             string // PayloadScope: System or User; empty: not stated
	RemovalDisallowed bool
	PayloadTypes      []string // of each payload inside, in their order
	SubType           string
	Signed            bool

	dict map[string]any
}

// ParseProfile reads a configuration profile: an XML or binary property list, plain or PKCS#7-signed. The error is an
// *Invalid that says what is wrong and where.
func ParseProfile(b []byte) (*Profile, error) {
	p, err := parseProfile(b)
	if err != nil {
		return nil, &Invalid{Property: "payload", Reason: err.Error()}
	}
	return p, nil
}

func parseProfile(b []byte) (*Profile, error) {
	if len(b) > MaxProfileSize {
		return nil, fmt.Errorf("the profile has %d bytes; at most %d are possible", len(b), MaxProfileSize)
	}
	p := &Profile{}
	if p.Signed = len(b) > 0 && b[0] == 0x30; p.Signed { // an ASN.1 SEQUENCE
		content, err := signedContent(b)
		if err != nil {
			return nil, fmt.Errorf("the profile looks signed, but %w", err)
		}
		b = content
	}
	b = bytes.TrimSpace(bytes.TrimPrefix(b, utf8Mark))
	if !bytes.HasPrefix(b, []byte("<")) && !bytes.HasPrefix(b, binaryMagic) {
		return nil, fmt.Errorf("not a configuration profile: neither a property list (XML or binary) nor a signed one")
	}
	dict, err := DecodePropertyList(b)
	if err != nil {
		return nil, fmt.Errorf("the profile is not a valid property list: %w", err)
	}
	p.dict = dict
	return p, p.readTop()
}

// Inner is one payload inside a profile.
type Inner struct{ Type, Identifier, DisplayName string }

// Contents lists the payloads inside, in their order.
func (p *Profile) Contents() []Inner {
	var list []Inner
	for _, inner := range p.inside() {
		one := section{dict: inner}
		list = append(list, Inner{one.optional("PayloadType"), one.optional("PayloadIdentifier"), one.optional("PayloadDisplayName")})
	}
	return list
}

// inside are the dictionaries of PayloadContent, which readPayloads has checked.
func (p *Profile) inside() []map[string]any {
	list := p.dict["PayloadContent"].([]any)
	inside := make([]map[string]any, len(list))
	for i, v := range list {
		inside[i] = v.(map[string]any)
	}
	return inside
}

func (p *Profile) readTop() error {
	if _, ok := p.dict["EncryptedPayloadContent"]; ok {
		return fmt.Errorf("EncryptedPayloadContent: the profile is encrypted for one device; upload it unencrypted")
	}
	top := section{dict: p.dict}
	kind := top.text("PayloadType")
	if top.err == nil && kind != "Configuration" {
		return fmt.Errorf("PayloadType: is %.60q; a configuration profile has \"Configuration\"", kind)
	}
	p.Identifier, p.UUID = top.text("PayloadIdentifier"), strings.ToLower(top.text("PayloadUUID"))
	top.version()
	p.DisplayName, p.Scope = top.optional("PayloadDisplayName"), top.optional("PayloadScope")
	if top.err != nil {
		return top.err
	}
	if p.Scope != "" && p.Scope != "System" && p.Scope != "User" {
		return fmt.Errorf("PayloadScope: is %.60q; it can be \"System\" or \"User\"", p.Scope)
	}
	switch v := p.dict["PayloadRemovalDisallowed"].(type) {
	case nil:
	case bool:
		p.RemovalDisallowed = v
	default:
		return fmt.Errorf("PayloadRemovalDisallowed: is not a boolean")
	}
	if err := notEnrollment(p.Identifier); err != nil {
		return err
	}
	return p.readPayloads()
}

func (p *Profile) readPayloads() error {
	content, ok := p.dict["PayloadContent"]
	if !ok {
		return fmt.Errorf("PayloadContent: is missing")
	}
	list, ok := content.([]any)
	if !ok {
		return fmt.Errorf("PayloadContent: is not an array of payloads")
	}
	if len(list) == 0 {
		return fmt.Errorf("PayloadContent: is empty; the profile would configure nothing")
	}
	identifiers, uuids := make(map[string]int), make(map[string]int)
	for i, v := range list {
		inner := section{path: fmt.Sprintf("PayloadContent[%d]", i)}
		if inner.dict, ok = v.(map[string]any); !ok {
			return fmt.Errorf("%s: is not a dictionary", inner.path)
		}
		kind := inner.text("PayloadType")
		inner.path += " (" + kind + ")"
		identifier, uuid := inner.text("PayloadIdentifier"), strings.ToLower(inner.text("PayloadUUID"))
		inner.version()
		if inner.err != nil {
			return inner.err
		}
		if strings.EqualFold(kind, "com.apple.mdm") {
			return fmt.Errorf("%s: an MDM enrollment can never be a payload", inner.path)
		}
		if err := notEnrollment(identifier); err != nil {
			return fmt.Errorf("%s: %w", inner.path, err)
		}
		if j, twice := identifiers[identifier]; twice {
			return fmt.Errorf("%s: PayloadIdentifier %q is also that of PayloadContent[%d]", inner.path, identifier, j)
		}
		if j, twice := uuids[uuid]; twice {
			return fmt.Errorf("%s: PayloadUUID %q is also that of PayloadContent[%d]", inner.path, uuid, j)
		}
		identifiers[identifier], uuids[uuid] = i, i
		p.PayloadTypes = append(p.PayloadTypes, kind)
	}
	p.SubType = Kind(p.PayloadTypes)
	return nil
}

func notEnrollment(identifier string) error {
	id := strings.ToLower(identifier)
	if id == EnrollmentProfileIdentifier || strings.HasPrefix(id, EnrollmentProfileIdentifier+".") {
		return fmt.Errorf("PayloadIdentifier: %q belongs to this server's enrollment profile and can never be a payload", identifier)
	}
	return nil
}

// section is one dictionary of a profile while it is read. err is the first thing found wrong.
type section struct {
	path string
	dict map[string]any
	err  error
}

func (s *section) fail(key, reason string) {
	if s.err != nil {
		return
	}
	if s.path != "" {
		key = s.path + ": " + key
	}
	s.err = fmt.Errorf("%s: %s", key, reason)
}

func (s *section) text(key string) string {
	if _, ok := s.dict[key]; !ok {
		s.fail(key, "is missing")
		return ""
	}
	v := s.optional(key)
	switch {
	case strings.TrimSpace(v) == "":
		s.fail(key, "is empty")
	case len(v) > maxIdentifier:
		s.fail(key, fmt.Sprintf("is longer than %d bytes", maxIdentifier))
	}
	return v
}

func (s *section) optional(key string) string {
	v, ok := s.dict[key].(string)
	if !ok && s.dict[key] != nil {
		s.fail(key, "is not a string")
	}
	return v
}

func (s *section) version() {
	switch s.dict["PayloadVersion"].(type) {
	case nil:
		s.fail("PayloadVersion", "is missing")
	case uint64, int64:
	default:
		s.fail("PayloadVersion", "is not an integer")
	}
}

// WithUUID returns the same profile, as an XML property list, with another PayloadUUID at the top. A signed profile
// is an *Invalid: its signature would break.
func (p *Profile) WithUUID(uuid string) ([]byte, error) {
	if p.Signed {
		return nil, &Invalid{Property: "payload", Reason: fmt.Sprintf(
			"an earlier version has the PayloadUUID %s already, and a signed profile cannot be changed here: "+
				"give it a new PayloadUUID and sign it again", p.UUID)}
	}
	dict := make(map[string]any, len(p.dict))
	for k, v := range p.dict {
		dict[k] = v
	}
	dict["PayloadUUID"] = uuid
	b, err := plist.Marshal(dict)
	if err != nil {
		return nil, fmt.Errorf("writing profile %s: %w", p.Identifier, err)
	}
	return b, nil
}
