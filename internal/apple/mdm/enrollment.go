package mdm

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
)

// EnrollmentPayloadIdentifier is the PayloadIdentifier of the enrollment profile. Its inner
// payloads have it as prefix.
const EnrollmentPayloadIdentifier = payload.EnrollmentProfileIdentifier

const (
	maxLinkLife = 90 * 24 * time.Hour
	// allAccessRights is every right of the com.apple.mdm payload's AccessRights: a device does not
	// accept more later.
	allAccessRights = 8191
)

// IsEnrollmentIdentifier reports whether a profile of this identifier is, or would replace, the
// enrollment profile or a part of it.
func IsEnrollmentIdentifier(identifier string) bool {
	id := strings.ToLower(identifier)
	return id == EnrollmentPayloadIdentifier ||
		strings.HasPrefix(id, EnrollmentPayloadIdentifier+".")
}

// EnrollmentLink makes a link of the server's own, that enrolls any device that is not enrolled.
func (c *Channel) EnrollmentLink(ctx context.Context,
	ttl time.Duration) (link string, expires time.Time, err error) {
	return c.EnrollmentLinkOn(ctx, ttl, access.EnrollmentTerms{})
}

// EnrollmentLinkOn makes a link that enrolls one device, once, until it expires after ttl (at most
// 90 days). Whoever has the link can enroll a device with it, as far as its terms go.
func (c *Channel) EnrollmentLinkOn(ctx context.Context, ttl time.Duration,
	terms access.EnrollmentTerms) (link string, expires time.Time, err error) {
	if ttl <= 0 || ttl > maxLinkLife {
		return "", time.Time{},
			fmt.Errorf("an enrollment link cannot live %s: choose a time up to %s", ttl,
				maxLinkLife)
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", time.Time{}, err
	}
	code := base64.RawURLEncoding.EncodeToString(secret)
	expires = c.now().Add(ttl).UTC().Truncate(time.Second)
	challenge := Challenge{SHA256: fingerprint([]byte(code)), Expires: expires, Terms: terms}
	noteLink(ctx, challenge)
	if err := c.store.AddChallenge(ctx, challenge); err != nil {
		return "", time.Time{}, fmt.Errorf("storing the enrollment challenge: %w", err)
	}
	return c.config.URL + "/enroll/" + code, expires, nil
}

// serveEnrollmentProfile serves the profile as often as it is asked for, until a device has used
// its challenge: browsers and the system's installer each fetch it.
func (c *Channel) serveEnrollmentProfile(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	code := r.PathValue("code")
	challenge, err := c.store.Challenge(r.Context(), fingerprint([]byte(code)))
	switch {
	case errors.Is(err, ErrNotFound):
		refuseLink(w, http.StatusNotFound, "This enrollment link does not exist.")
		return
	case err == nil && !challenge.UsedAt.IsZero():
		refuseLink(w, http.StatusGone, "This enrollment link has been used.")
		return
	case err == nil && !c.now().Before(challenge.Expires):
		refuseLink(w, http.StatusGone, "This enrollment link has expired.")
		return
	}
	if err == nil {
		if err = c.checkMaker(r.Context(), challenge); errors.Is(err, access.ErrMakerMayNot) {
			refuseLink(w, http.StatusGone, "This enrollment link is not valid any more.")
			return
		}
	}
	var profile []byte
	if err == nil {
		profile, err = c.enrollmentProfile(r.Context(), code)
	}
	if err != nil {
		c.log.Error("the enrollment profile cannot be made", "err", err)
		failRequest(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-apple-aspen-config")
	w.Header().Set("Content-Disposition", `attachment; filename="enroll.mobileconfig"`)
	_, _ = w.Write(profile)
}

var linkPage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Enrollment</title><h1>{{.}}</h1><p>Ask your administrator for a new link.</p></html>
`))

func refuseLink(w http.ResponseWriter, status int, what string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = linkPage.Execute(w, what)
}

// profile is a configuration profile (Apple, "TopLevel" and "CommonPayloadKeys").
type profile struct {
	PayloadType         string
	PayloadVersion      int
	PayloadIdentifier   string
	PayloadUUID         string
	PayloadDisplayName  string
	PayloadDescription  string
	PayloadOrganization string
	PayloadScope        string
	PayloadContent      []any
}

type payloadHead struct {
	PayloadType        string
	PayloadVersion     int
	PayloadIdentifier  string
	PayloadUUID        string
	PayloadDisplayName string
}

type scepPayload struct {
	payloadHead
	PayloadContent scepSettings
}

type scepSettings struct {
	URL       string
	Name      string
	Subject   [][][]string
	Challenge string
	Keysize   int
	KeyType   string `plist:"Key Type"`
	KeyUsage  int    `plist:"Key Usage"`
}

type rootPayload struct {
	payloadHead
	PayloadContent []byte
}

type mdmPayload struct {
	payloadHead
	IdentityCertificateUUID string
	Topic                   string
	ServerURL               string
	CheckInURL              string
	AccessRights            int
	CheckOutWhenRemoved     bool
	SignMessage             bool
}

// enrollmentProfile makes the profile of a link, the same each time.
func (c *Channel) enrollmentProfile(ctx context.Context, code string) ([]byte, error) {
	topic, err := c.topic(ctx)
	if err != nil {
		return nil, err
	}
	head := func(kind, part, name string) payloadHead {
		return payloadHead{PayloadType: kind, PayloadVersion: 1,
			PayloadIdentifier: EnrollmentPayloadIdentifier + "." + part,
			PayloadUUID:       payloadUUID(code, part), PayloadDisplayName: name}
	}
	var content []any
	for i, der := range certificatesIn(c.config.RootCAPEM) {
		content = append(content, rootPayload{head("com.apple.security.root",
			fmt.Sprintf("root%d", i+1), c.config.Organization+" CA"), der})
	}
	content = append(content, scepPayload{head("com.apple.security.scep", "identity",
		"Device identity"), scepSettings{
		// sign and encrypt
		URL: c.config.URL + "/scep", Name: c.config.Organization, Challenge: code, Keysize: 2048,
		KeyType: "RSA", KeyUsage: 5,
		Subject: [][][]string{{{"O", c.config.Organization}},
			{{"CN", "MDM " + payloadUUID(code, "name")}}}}})
	content = append(content, mdmPayload{payloadHead: head("com.apple.mdm", "mdm",
		"Device management"),
		IdentityCertificateUUID: payloadUUID(code, "identity"), Topic: topic,
		ServerURL: c.config.URL + "/mdm", CheckInURL: c.config.URL + "/mdm",
		AccessRights: allAccessRights, CheckOutWhenRemoved: true, SignMessage: true})
	b, err := plist.MarshalIndent(profile{PayloadType: "Configuration", PayloadVersion: 1,
		PayloadIdentifier: EnrollmentPayloadIdentifier, PayloadUUID: payloadUUID(code, "profile"),
		PayloadDisplayName: c.config.Organization + " device management",
		PayloadDescription: "Lets " + c.config.Organization +
			" install and remove settings and apps on this device.",
		PayloadOrganization: c.config.Organization, PayloadScope: "System",
		PayloadContent: content}, "\t")
	if err != nil || c.config.Signer == nil {
		return b, err
	}
	return c.sign(b)
}

func payloadUUID(code, part string) string {
	return strings.ToUpper(uuid.NewSHA1(uuid.NameSpaceURL,
		[]byte(EnrollmentPayloadIdentifier+"/"+code+"/"+part)).String())
}

// topic is what devices listen to for pushes. One that enrolls under a placeholder can never be
// woken.
func (c *Channel) topic(ctx context.Context) (string, error) {
	p, err := c.PushCertificate(ctx)
	if errors.Is(err, ErrNoPushCertificate) {
		c.log.Warn("enrolling a device without a push certificate: it cannot be woken, and must enroll again once there is one",
			"topic", c.config.PlaceholderTopic)
		return c.config.PlaceholderTopic, nil
	}
	if err != nil {
		return "", err
	}
	return p.Topic, nil
}

func certificatesIn(chain []byte) (ders [][]byte) {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			ders = append(ders, bytes.Clone(block.Bytes))
		}
	}
	return ders
}

func (c *Channel) sign(b []byte) ([]byte, error) {
	signer, err := c.config.Signer()
	if err != nil {
		return nil, fmt.Errorf("what signs the enrollment profile: %w", err)
	}
	leaf, parents, err := signerChain(signer)
	if err != nil {
		return nil, fmt.Errorf("signing the enrollment profile: %w", err)
	}
	sd, err := pkcs7.NewSignedData(b)
	if err != nil {
		return nil, err
	}
	if err := sd.AddSigner(leaf, signer.PrivateKey, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("signing the enrollment profile: %w", err)
	}
	for _, parent := range parents {
		sd.AddCertificate(parent)
	}
	return sd.Finish()
}
