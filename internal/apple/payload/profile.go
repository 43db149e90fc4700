package payload

import (
	"errors"
	"fmt"
	"strings"

	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// EnrollmentProfileIdentifier is the PayloadIdentifier of the server's own enrollment profile. What
// it holds has identifiers that begin with it. None of that can be a payload.
const EnrollmentProfileIdentifier = "com.github.syncpayloads.enrollment"

// MaxProfileSize is the most bytes that a profile may have.
const MaxProfileSize = 4 << 20

const maxIdentifier = 255 // bytes of a PayloadIdentifier, PayloadUUID or bundle id

// Profile is what a configuration profile (.mobileconfig) says of itself. See Apple Developer,
// "TopLevel" and "CommonPayloadKeys".
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
	list []byte // the property list
}

// ParseProfile reads a configuration profile: an XML or binary property list, plain or
// PKCS#7-signed. The error is an *Invalid that says what is wrong and where.
func ParseProfile(b []byte) (*Profile, error) {
	p, err := parseProfile(b)
	if err != nil {
		return nil, &invalid.Input{Property: "payload", Reason: err.Error()}
	}
	return p, nil
}

func parseProfile(b []byte) (*Profile, error) {
	if len(b) > MaxProfileSize {
		return nil, fmt.Errorf("the profile has %d bytes; at most %d are possible", len(b),
			MaxProfileSize)
	}
	p := &Profile{}
	if p.Signed = len(b) > 0 && b[0] == 0x30; p.Signed { // an ASN.1 SEQUENCE
		content, err := signedContent(b)
		if err != nil {
			return nil, fmt.Errorf("the profile looks signed, but %w", err)
		}
		b = content
	}
	dict, err := propertylist.Decode(b)
	if errors.Is(err, propertylist.ErrNoList) {
		return nil,
			errors.New("not a configuration profile: neither a property list (XML or binary) nor a signed one")
	}
	if err != nil {
		return nil, fmt.Errorf("the profile is not a valid property list: %w", err)
	}
	p.dict, p.list = dict, b
	return p, p.readTop()
}

// Contents lists the payloads inside, in their order.
func (p *Profile) Contents() []catalog.Part {
	var list []catalog.Part
	for _, inner := range p.inside() {
		one := section{dict: inner}
		list = append(list, catalog.Part{Type: one.optional("PayloadType"),
			Identifier:  one.optional("PayloadIdentifier"),
			DisplayName: one.optional("PayloadDisplayName")})
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
		return fmt.Errorf("EncryptedPayloadContent: the profile is encrypted for one device, and only that device can read it: " +
			"upload the profile as it was before it was encrypted; devices get it over an encrypted connection")
	}
	top := section{list: p.list, dict: p.dict}
	kind := top.text("PayloadType")
	if kind != "Configuration" {
		top.fail("PayloadType",
			fmt.Sprintf("is %.60q; a configuration profile has \"Configuration\"", kind))
	}
	p.Identifier, p.UUID = top.text("PayloadIdentifier"), strings.ToLower(top.text("PayloadUUID"))
	if top.version(); p.dict["PayloadVersion"] == nil {
		top.fail("PayloadVersion", "is missing")
	}
	p.DisplayName, p.Scope = top.optional("PayloadDisplayName"), top.scope()
	p.RemovalDisallowed = top.yes("PayloadRemovalDisallowed")
	if err := notEnrollment(p.Identifier); err != nil {
		top.fail("PayloadIdentifier", err.Error())
	}
	if top.err != nil {
		return top.err
	}
	return p.readPayloads(&top)
}

func (p *Profile) readPayloads(top *section) error {
	list, ok := p.dict["PayloadContent"].([]any)
	switch {
	case p.dict["PayloadContent"] == nil:
		top.fail("PayloadContent", "is missing")
	case !ok:
		top.fail("PayloadContent", "is not an array of payloads")
	case len(list) == 0:
		top.fail("PayloadContent", "is empty; the profile would configure nothing")
	}
	identifiers, uuids := make(map[string]int), make(map[string]int)
	for i, v := range list {
		inner := section{list: p.list, path: fmt.Sprintf("PayloadContent[%d]", i)}
		if inner.dict, ok = v.(map[string]any); !ok {
			top.fail(inner.path, "is not a dictionary")
			break
		}
		inner.kind = inner.text("PayloadType")
		identifier, uuid := inner.text("PayloadIdentifier"),
			strings.ToLower(inner.text("PayloadUUID"))
		inner.version()
		if strings.EqualFold(inner.kind, "com.apple.mdm") {
			inner.fail("PayloadType", "an MDM enrollment can never be a payload")
		}
		if err := notEnrollment(identifier); err != nil {
			inner.fail("PayloadIdentifier", err.Error())
		}
		// Devices refuse both (MCProfileErrorDomain 1007 and 1008, "Non-unique UUIDs", "Non-unique
		// payload identifiers").
		if j, twice := identifiers[identifier]; twice {
			inner.fail("PayloadIdentifier", fmt.Sprintf("%.60q is also that of PayloadContent[%d]",
				identifier, j))
		}
		if j, twice := uuids[uuid]; twice {
			inner.fail("PayloadUUID", fmt.Sprintf("%.60q is also that of PayloadContent[%d]", uuid,
				j))
		}
		if inner.err != nil {
			return inner.err
		}
		identifiers[identifier], uuids[uuid] = i, i
		p.PayloadTypes = append(p.PayloadTypes, inner.kind)
	}
	p.SubType = Kind(p.PayloadTypes)
	return top.err
}

func notEnrollment(identifier string) error {
	id := strings.ToLower(identifier)
	if id == EnrollmentProfileIdentifier || strings.HasPrefix(id, EnrollmentProfileIdentifier+".") {
		return fmt.Errorf("%.60q belongs to this server's enrollment profile and can never be a payload", identifier)
	}
	return nil
}

// section is one dictionary of a profile while it is read. err is the first thing found wrong.
type section struct {
	list []byte // the property list that it is in
	path string // empty: the root
	kind string // PayloadType, once it is known
	dict map[string]any
	err  error
}

// fail notes what is wrong with a key, or without it, and where that is.
func (s *section) fail(key, reason string) {
	if s.err != nil {
		return
	}
	_, there := s.dict[key]
	if s.path != "" {
		key = s.path + "." + key
	}
	look := key
	if !there && s.path != "" {
		look = s.path
	}
	var where []string
	if s.kind != "" {
		where = append(where, fmt.Sprintf("in %.60s", propertylist.Printable(s.kind)))
	}
	if line := propertylist.Line(s.list, look); line != "" {
		where = append(where, line)
	}
	s.err = fmt.Errorf("%s: %s", key, reason)
	if len(where) > 0 {
		s.err = fmt.Errorf("%w (%s)", s.err, strings.Join(where, ", "))
	}
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

// version checks PayloadVersion where it is given. Devices take a real number, and a payload inside
// without one.
func (s *section) version() {
	switch s.dict["PayloadVersion"].(type) {
	case nil, uint64, int64, float64:
	default:
		s.fail("PayloadVersion", "is not a number")
	}
}

// scope is PayloadScope, in Apple's writing whatever the letter case.
func (s *section) scope() string {
	const key = "PayloadScope"
	scope := s.optional(key)
	for _, known := range []string{"System", "User"} {
		if strings.EqualFold(scope, known) {
			return known
		}
	}
	if scope != "" {
		s.fail(key, fmt.Sprintf("is %.60q; it can be \"System\" or \"User\"", scope))
	}
	return ""
}

// yes reads a boolean; as for a device a number is one.
func (s *section) yes(key string) bool {
	switch v := s.dict[key].(type) {
	case nil:
		return false
	case bool:
		return v
	case uint64:
		return v != 0
	case int64:
		return v != 0
	default:
		s.fail(key, "is not a boolean")
		return false
	}
}

// WithUUID returns the same profile, as an XML property list, with another PayloadUUID at the top.
// A signed profile is an *Invalid: its signature would break.
func (p *Profile) WithUUID(uuid string) ([]byte, error) {
	if p.Signed {
		return nil, &invalid.Input{Property: "payload", Reason: fmt.Sprintf(
			"an earlier version, or another configuration of this PayloadIdentifier, has the PayloadUUID %s already, and a signed profile "+
				"cannot be changed here: give it a new PayloadUUID and sign it again", p.UUID)}
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
