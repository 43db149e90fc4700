package apple

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/micromdm/nanomdm/cryptoutil"
	mdmhttp "github.com/micromdm/nanomdm/http/mdm"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/service"
)

const (
	maxCheckin   = 256 << 10 // bytes of a check-in message; TokenUpdate with an UnlockToken is a few thousand
	maxReport    = 8 << 20   // bytes of an answer to a command; the inventory of a full device is about 1 MB
	maxDepth     = 64        // of dictionaries and arrays in each other; the parser is recursive
	checkinType  = "application/x-apple-aspen-mdm-checkin"
	maxEnrollID  = 128
	maxSignature = 64 << 10
)

// mdmHandler serves check-ins and commands. Who the device is comes from its TLS client certificate, from the
// Mdm-Signature header, or from a proxy's header; of several, the later in this order counts. No answer is ever 401:
// a device may take that as the order to leave management.
func (c *Channel) mdmHandler() http.Handler {
	logger := wireLog{c.Log}
	var h http.Handler = mdmhttp.CheckinAndCommandHandler(c, logger)
	h = mdmhttp.CertVerifyMiddleware(h, verifier{c.ca}, logger)
	if c.CertificateHeader != "" {
		h = mdmhttp.CertExtractPEMHeaderMiddleware(h, c.CertificateHeader, logger)
	}
	h = mdmhttp.CertExtractMdmSignatureMiddleware(h, mdmhttp.MdmSignatureVerifierFunc(verifySignature),
		mdmhttp.SigLogWithLogger(logger))
	h = mdmhttp.CertExtractTLSMiddleware(h, logger)
	return c.readMessage(h)
}

type verifier struct{ ca *authority }

func (v verifier) Verify(_ context.Context, certificate *x509.Certificate) error {
	if certificate == nil {
		return errors.New("the device showed no identity: neither client certificate nor Mdm-Signature")
	}
	return v.ca.verify(certificate)
}

func verifySignature(header string, body []byte) (certificate *x509.Certificate, err error) {
	defer notPanic(&err)
	if len(header) > maxSignature {
		return nil, errors.New("Mdm-Signature is too long")
	}
	return cryptoutil.VerifyMdmSignature(header, body)
}

// readMessage reads the bounded body and refuses what the plist parser or nanomdm would choke on, so that garbage is
// the sender's fault (4xx) and never the server's (5xx). The parser's errors quote values, which may be secrets: they
// are not logged.
func (c *Channel) readMessage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		checkin, limit := strings.HasPrefix(r.Header.Get("Content-Type"), checkinType), int64(maxReport)
		if checkin {
			limit = maxCheckin
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			http.Error(w, fmt.Sprintf("message longer than %d bytes", limit), http.StatusRequestEntityTooLarge)
			return
		}
		if err == nil {
			err = checkMessage(body, checkin)
		}
		if err != nil {
			c.Log.Info("device message refused: not an MDM message", "remote", r.RemoteAddr, "bytes", len(body), "check-in", checkin)
			http.Error(w, "not an MDM message", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func checkMessage(body []byte, checkin bool) (err error) {
	defer notPanic(&err)
	if bytes.HasPrefix(body, []byte("bplist")) {
		return errors.New("binary property list: devices send XML")
	}
	if err := checkDepth(body); err != nil {
		return err
	}
	if !checkin {
		_, err := mdm.DecodeCommandResults(body)
		return err
	}
	message, err := mdm.DecodeCheckin(body)
	if err != nil {
		return err
	}
	if token, ok := message.(*mdm.GetToken); ok {
		return token.Validate()
	}
	return nil
}

// checkDepth bounds how deep elements nest, before the recursive parser sees them. In doubt it counts too many levels,
// never too few.
func checkDepth(body []byte) error {
	depth := 0
	for rest := body; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			return nil
		}
		rest = rest[i+1:]
		switch {
		case bytes.HasPrefix(rest, []byte("!--")):
			_, rest, _ = bytes.Cut(rest, []byte("-->"))
		case bytes.HasPrefix(rest, []byte("![CDATA[")):
			_, rest, _ = bytes.Cut(rest, []byte("]]>"))
		case bytes.HasPrefix(rest, []byte("!")), bytes.HasPrefix(rest, []byte("?")):
		case bytes.HasPrefix(rest, []byte("/")):
			depth = max(0, depth-1)
		default:
			tag, _, _ := bytes.Cut(rest, []byte(">"))
			if bytes.HasSuffix(tag, []byte("/")) && !bytes.ContainsAny(tag, `"'`) {
				continue
			}
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
		}
	}
}

// sender is the device that sent a message, as far as it has proved.
type sender struct {
	id          string // of the enrollment
	user        bool   // a User Enrollment
	userChannel bool
	certificate string // SHA-256
}

// identify tells who claims to send a message. Whether the certificate is that device's is up to admit.
func identify(r *mdm.Request, e *mdm.Enrollment) (sender, error) {
	resolved := e.Resolved()
	if resolved == nil || r.Certificate == nil {
		return sender{}, refuse(http.StatusBadRequest, "the message names no device")
	}
	s := sender{id: resolved.DeviceChannelID, userChannel: resolved.IsUserChannel, certificate: fingerprint(r.Certificate.Raw),
		user: resolved.Type == mdm.UserEnrollmentDevice || resolved.Type == mdm.UserEnrollment}
	if len(s.id) > maxEnrollID || strings.ContainsFunc(s.id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return sender{}, refuse(http.StatusBadRequest, "the device's id is longer than %d or not plain ASCII", maxEnrollID)
	}
	return s, nil
}

// admit checks that the certificate is the one pinned to the enrollment.
func (s sender) admit(e *Enrollment, certificate *Certificate) error {
	switch {
	case certificate == nil:
		return refuse(http.StatusForbidden, "certificate %s was not issued to a device of this server", s.certificate)
	case certificate.Enrollment != "" && certificate.Enrollment != s.id:
		return refuse(http.StatusForbidden, "certificate %s belongs to device %s, not to %s",
			certificate.Serial, certificate.Enrollment, s.id)
	case !certificate.Revoked.IsZero():
		return refuse(http.StatusForbidden, "certificate %s of device %s was revoked at %s",
			certificate.Serial, s.id, certificate.Revoked)
	case e == nil || e.Stage == 0 || e.Certificate == "":
		return refuse(http.StatusForbidden, "device %s is not enrolled: it must authenticate first", s.id)
	case e.Certificate != s.certificate:
		return refuse(http.StatusForbidden, "certificate %s of device %s is not the one it last enrolled with",
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
	e, certificate, err := c.Store.Identity(r.Context(), s.id, s.certificate)
	if err != nil {
		return s, nil, err
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
