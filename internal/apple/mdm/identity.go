package mdm

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	mdmhttp "github.com/micromdm/nanomdm/http/mdm"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/service"
)

const maxEnrollID = 128

// mdmHandler serves check-ins and commands. Who the device is comes from its TLS client
// certificate, from the Mdm-Signature header, or from a proxy's header; of several, the later in
// this order counts. No answer is ever 401: a device may take that as the order to leave
// management.
func (c *Channel) mdmHandler() http.Handler {
	logger := wireLog{c.log}
	verified := mdmhttp.CertVerifyMiddleware(c.messageHandler(), verifier{c.ca}, logger)
	unread := func(header string, _ []byte) (*x509.Certificate,
		error) {
		return c.ca.signerOf(header)
	}
	return withRemote(readMessage(c.extractIdentity(verified, c.ca.verifySignature),
		c.extractIdentity(c.tooLongHandler(), unread)))
}

// extractIdentity puts a sender's certificate into the context for next; verify checks a signature
// of the body.
func (c *Channel) extractIdentity(next http.Handler,
	verify mdmhttp.MdmSignatureVerifierFunc) http.Handler {
	logger := wireLog{c.log}
	if c.config.CertificateHeader != "" {
		next = mdmhttp.CertExtractPEMHeaderMiddleware(next, c.config.CertificateHeader, logger)
	}
	next = mdmhttp.CertExtractMdmSignatureMiddleware(next, verify, mdmhttp.SigLogWithLogger(logger))
	return mdmhttp.CertExtractTLSMiddleware(next, logger)
}

type verifier struct{ ca *authority }

func (v verifier) Verify(_ context.Context, certificate *x509.Certificate) error {
	if certificate == nil {
		return errors.New("the device showed no identity: neither client certificate nor Mdm-Signature")
	}
	return v.ca.verify(certificate)
}

// sender is the device that sent a message, as far as it has proved.
type sender struct {
	id          string // of the enrollment
	user        bool   // a User Enrollment
	userChannel bool
	certificate string // SHA-256
}

// identify tells who claims to send a message. Whether the certificate is that device's is up to
// admit.
func identify(r *mdm.Request, e *mdm.Enrollment) (sender, error) {
	resolved := e.Resolved()
	if resolved == nil || r.Certificate == nil {
		return sender{}, refuse(http.StatusBadRequest, "the message names no device")
	}
	s := sender{id: resolved.DeviceChannelID, userChannel: resolved.IsUserChannel,
		certificate: fingerprint(r.Certificate.Raw),
		user: resolved.Type == mdm.UserEnrollmentDevice ||
			resolved.Type == mdm.UserEnrollment}
	if len(s.id) > maxEnrollID || strings.ContainsFunc(s.id,
		func(r rune) bool { return r <= ' ' || r > '~' }) {
		return sender{}, refuse(http.StatusBadRequest,
			"the device's id is longer than %d or not plain ASCII", maxEnrollID)
	}
	return s, nil
}

// admit checks that the certificate is the one pinned to the enrollment.
func (s sender) admit(e *Enrollment, certificate *Certificate) error {
	switch {
	case certificate == nil:
		return refuse(http.StatusForbidden,
			"certificate %s was not issued to a device of this server", s.certificate)
	case certificate.Enrollment != "" && certificate.Enrollment != s.id:
		return refuse(http.StatusForbidden, "certificate %s belongs to device %s, not to %s",
			certificate.Serial, certificate.Enrollment, s.id)
	case !certificate.Revoked.IsZero():
		return refuse(http.StatusForbidden, "certificate %s of device %s was revoked at %s",
			certificate.Serial, s.id, certificate.Revoked)
	case e == nil || e.Stage == 0 || e.Certificate == "":
		return refuse(http.StatusForbidden, "device %s is not enrolled: it must authenticate first",
			s.id)
	case e.Certificate != s.certificate:
		return refuse(http.StatusForbidden,
			"certificate %s of device %s is not the one it last enrolled with",
			certificate.Serial, s.id)
	}
	return nil
}

// known returns the sender and its enrollment if the device may be given commands.
func (c *Channel) known(r *mdm.Request, claimed *mdm.Enrollment) (sender, *Enrollment, error) {
	s, err := identify(r, claimed)
	if err != nil {
		return s, nil, err
	}
	e, certificate, err := c.store.Identity(r.Context(), s.id, s.certificate)
	if err != nil {
		return s, nil, err
	}
	if adopted, err := c.adopt(r, s, e, certificate); err != nil {
		return s, nil, err
	} else if adopted {
		if e, certificate, err = c.store.Identity(r.Context(), s.id, s.certificate); err != nil {
			return s, nil, err
		}
	}
	if err := s.admit(e, certificate); err != nil {
		return s, nil, err
	}
	if e.Stage != Enrolled && e.Stage != Reachable {
		return s, nil, refuse(http.StatusForbidden, "device %s has not finished Authenticate", s.id)
	}
	return s, e, nil
}

func refuse(status int, format string, args ...any) error {
	return service.NewHTTPStatusError(status, fmt.Errorf(format, args...))
}
