package simulator

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

const (
	mdmPayloadType  = "com.apple.mdm"
	scepPayloadType = "com.apple.security.scep"
)

// enrollmentProfile is what a device needs of a profile that enrolls it over SCEP.
type enrollmentProfile struct {
	profile *Profile
	mdm     mdmPayload
	scep    scepPayload
}

// mdmPayload is the payload com.apple.mdm (Apple, "MDM").
type mdmPayload struct {
	ServerURL, CheckInURL, Topic     string
	SignMessage, CheckOutWhenRemoved bool
}

// scepPayload is the payload com.apple.security.scep (Apple, "SCEP").
type scepPayload struct {
	URL, Name, Challenge string
	Subject              []subjectPart
	Bits                 int
	CAFingerprint        []byte
	defaultCommonName    string
}

type subjectPart struct{ Type, Value string }

func parseEnrollmentProfile(raw []byte) (*enrollmentProfile, error) {
	profile, err := parseProfile(raw)
	if err != nil {
		return nil, err
	}
	mdm, err := onePayload(profile, mdmPayloadType)
	if err != nil {
		return nil, err
	}
	f := &fields{values: mdm.Content}
	enrollment := &enrollmentProfile{profile: profile, mdm: mdmPayload{
		ServerURL: f.mustText("ServerURL"), CheckInURL: f.text("CheckInURL"),
		Topic:       f.mustText("Topic"),
		SignMessage: f.flag("SignMessage"), CheckOutWhenRemoved: f.flag("CheckOutWhenRemoved")}}
	identity := f.mustText("IdentityCertificateUUID")
	if f.err != nil {
		return nil, fmt.Errorf("payload %s: %w", mdmPayloadType, f.err)
	}
	// Apple: check-ins go to ServerURL when there is no CheckInURL
	if enrollment.mdm.CheckInURL == "" {
		enrollment.mdm.CheckInURL = enrollment.mdm.ServerURL
	}
	if !strings.HasPrefix(enrollment.mdm.Topic, "com.apple.mgmt.") {
		return nil, fmt.Errorf("payload %s: Topic %q does not begin with com.apple.mgmt",
			mdmPayloadType, enrollment.mdm.Topic)
	}
	if err := errors.Join(checkURL("ServerURL", enrollment.mdm.ServerURL),
		checkURL("CheckInURL", enrollment.mdm.CheckInURL)); err != nil {
		return nil, fmt.Errorf("payload %s: %w", mdmPayloadType, err)
	}
	enrollment.scep, err = parseSCEPPayload(profile, identity)
	return enrollment, err
}

func onePayload(profile *Profile, payloadType string) (found *Payload, err error) {
	for i := range profile.Payloads {
		if profile.Payloads[i].Type != payloadType {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("profile %s has more than one payload %s", profile.Identifier,
				payloadType)
		}
		found = &profile.Payloads[i]
	}
	if found == nil {
		return nil, fmt.Errorf("profile %s has no payload %s", profile.Identifier, payloadType)
	}
	return found, nil
}

// parseSCEPPayload reads the SCEP payload whose PayloadUUID the MDM payload names as the device's
// identity.
func parseSCEPPayload(profile *Profile, uuid string) (scepPayload, error) {
	var payload *Payload
	for i := range profile.Payloads {
		if profile.Payloads[i].UUID == uuid {
			payload = &profile.Payloads[i]
		}
	}
	if payload == nil || payload.Type != scepPayloadType {
		return scepPayload{},
			fmt.Errorf("profile %s: IdentityCertificateUUID %s is no payload %s of it",
				profile.Identifier, uuid, scepPayloadType)
	}
	outer := &fields{values: payload.Content}
	f := &fields{values: outer.dict("PayloadContent")}
	scep := scepPayload{URL: f.mustText("URL"), Name: f.text("Name"),
		Challenge: f.text("Challenge"), Bits: 1024,
		CAFingerprint: f.fingerprint(), Subject: f.subject(), defaultCommonName: payload.Identifier}
	if f.has("Keysize") {
		scep.Bits = int(f.number("Keysize"))
	}
	if keyType := f.text("Key Type"); keyType != "" && keyType != "RSA" && f.err == nil {
		f.err = fmt.Errorf("the value of Key Type is %q, want RSA", keyType)
	}
	if err := errors.Join(outer.err, f.err); err != nil {
		return scepPayload{}, fmt.Errorf("payload %s: %w", scepPayloadType, err)
	}
	if err := checkURL("URL", scep.URL); err != nil {
		return scepPayload{}, fmt.Errorf("payload %s: %w", scepPayloadType, err)
	}
	return scep, nil
}

// fingerprint reads CAFingerprint, which Apple documents as data and older servers send as
// hexadecimal text.
func (f *fields) fingerprint() []byte {
	text, isText := f.values["CAFingerprint"].(string)
	if !isText {
		return f.data("CAFingerprint")
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil && f.err == nil {
		f.err = fmt.Errorf("CAFingerprint: %w", err)
	}
	return sum
}

// subject reads Subject: an array of relative names, each an array of pairs of attribute type and
// value.
func (f *fields) subject() (parts []subjectPart) {
	for _, relative := range f.list("Subject") {
		pairs, _ := relative.([]any)
		for _, pair := range pairs {
			texts, _ := pair.([]any)
			if len(texts) != 2 {
				f.err = errors.Join(f.err,
					fmt.Errorf("the value of Subject has %v, want a pair of type and value", pair))
				continue
			}
			kind, isText := texts[0].(string)
			value, isTextToo := texts[1].(string)
			if !isText || !isTextToo {
				f.err = errors.Join(f.err,
					fmt.Errorf("the value of Subject has %v, want two strings", pair))
			}
			parts = append(parts, subjectPart{kind, value})
		}
	}
	return parts
}

func checkURL(name, text string) error {
	parsed, err := url.Parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" {
		return fmt.Errorf("%s is %q, want https://host/path", name, text)
	}
	return nil
}
