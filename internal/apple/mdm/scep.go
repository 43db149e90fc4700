package mdm

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	maxSCEPMessage = 64 << 10 // bytes of one PKIOperation message
	minKeyBits     = 2048
	maxKeyBits     = limit.KeyBits
	minSignerBits  = 1024 // of the key that signs a request, and to which the answer is encrypted
)

// scepCapabilities are those of RFC 8894, section 3.5.2, that this CA has. Renewal is not among
// them, because an identity alone gets no other: whoever had stolen it could keep it for ever. With
// a challenge of its own a RenewalReq is served.
const scepCapabilities = "AES\nPOSTPKIOperation\nSCEPStandard\nSHA-256\nSHA-512\n"

// serveSCEP is the SCEP server of the device CA (RFC 8894).
func (c *Channel) serveSCEP(w http.ResponseWriter, r *http.Request) {
	operation := r.URL.Query().Get("operation")
	switch {
	case operation == "GetCACaps" && r.Method != http.MethodPost:
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, scepCapabilities)
	case operation == "GetCACert" && r.Method != http.MethodPost:
		w.Header().Set("Content-Type", "application/x-x509-ca-ra-cert")
		_, _ = w.Write(c.ca.chain)
	case operation == "PKIOperation":
		c.servePKIOperation(w, r)
	default:
		http.Error(w, "SCEP operation must be GetCACaps, GetCACert or PKIOperation",
			http.StatusBadRequest)
	}
}

func (c *Channel) servePKIOperation(w http.ResponseWriter, r *http.Request) {
	message, err := readPKIMessage(w, r)
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the SCEP message cannot be read", status)
		return
	}
	request, err := parsePKIMessage(message)
	if err != nil {
		// Without a transaction id there is nothing that a CertRep could answer.
		c.log.Info("SCEP message refused", "remote", r.RemoteAddr, "err", err)
		http.Error(w, "not a SCEP request that this server knows", http.StatusBadRequest)
		return
	}
	issued, err := c.enrollKey(r.Context(), request)
	reply, refused := []byte(nil), (*scepRefusal)(nil)
	switch {
	case err == nil:
		reply, err = request.succeed(c.ca.registrar, issued)
	case errors.As(err, &refused):
		c.log.Info("SCEP request refused", "remote", r.RemoteAddr, "transaction",
			request.transaction, "err", refused.reason)
		reply, err = request.fail(c.ca.registrar, refused.info)
	}
	if err != nil {
		c.log.Error("SCEP request failed; the device may repeat it", "err", err)
		failRequest(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-pki-message")
	_, _ = w.Write(reply)
}

// readPKIMessage takes the message from the body, or from the query of a GET (RFC 8894, section
// 4.1).
func readPKIMessage(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method == http.MethodPost {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, maxSCEPMessage))
	}
	text := r.URL.Query().Get("message")
	if len(text) > base64.StdEncoding.EncodedLen(maxSCEPMessage) {
		return nil, &http.MaxBytesError{Limit: maxSCEPMessage}
	}
	// Clients use either alphabet, and many leave "+" unescaped, which a query turns into a space.
	text = strings.NewReplacer(" ", "+", "-", "+", "_", "/", "\n", "", "\r", "").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// scepRefusal is a request that is answered with a CertRep of status FAILURE.
type scepRefusal struct {
	info   scep.FailInfo
	reason string
}

func (e *scepRefusal) Error() string { return e.reason }

func refuseRequest(info scep.FailInfo, format string, args ...any) error {
	return &scepRefusal{info: info, reason: fmt.Sprintf(format, args...)}
}

// enrollKey gives the key of a certificate request its identity, if the request carries an unused
// challenge. The same key with the same challenge gets the same certificate again: devices repeat
// requests whose answer was lost.
//
// Who signs the message is not asked. The challenge is the permission, and the certificate request,
// which holds it, is signed with the key that is to be certified. Whoever wraps such a request
// anew, with a signature of their own, gets a certificate for a key that they do not have, and its
// owner gets the same one.
func (c *Channel) enrollKey(ctx context.Context, m *pkiMessage) (*x509.Certificate, error) {
	switch m.kind {
	case scep.PKCSReq, scep.RenewalReq:
	case scep.CertPoll:
		return nil, refuseRequest(scep.BadCertID, "%s: no request is ever left pending here",
			m.kind)
	default:
		return nil, refuseRequest(scep.BadRequest,
			"message type %q: only PKCSReq and RenewalReq are served", string(m.kind))
	}
	if bits, ok := rsaBits(m.signer.PublicKey); !ok || bits < minSignerBits {
		return nil, refuseRequest(scep.BadAlg,
			"its signer has no RSA key of %d bits or more to encrypt the answer to", minSignerBits)
	}
	csr, challenge, err := m.open(c.ca.registrar)
	if err != nil {
		return nil, refuseRequest(scep.BadMessageCheck, "its envelope cannot be opened: %v", err)
	}
	if err := checkRequest(csr); err != nil {
		return nil, err
	}
	enrollment, err := c.renews(ctx, m)
	if err != nil {
		return nil, err
	}
	issued, err := c.redeem(ctx, challenge, csr, enrollment)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(issued.DER)
	if err != nil {
		return nil, fmt.Errorf("stored certificate %s: %w", issued.Serial, err)
	}
	return certificate, nil
}

func rsaBits(key any) (bits int, ok bool) {
	public, ok := key.(*rsa.PublicKey)
	if ok {
		bits = public.N.BitLen()
	}
	return bits, ok
}

func checkRequest(csr *x509.CertificateRequest) error {
	bits, ok := rsaBits(csr.PublicKey)
	if !ok {
		return refuseRequest(scep.BadAlg, "its key is %s: RSA is required", csr.PublicKeyAlgorithm)
	}
	if bits < minKeyBits || bits > maxKeyBits {
		return refuseRequest(scep.BadAlg, "its RSA key has %d bits: %d to %d are accepted", bits,
			minKeyBits, maxKeyBits)
	}
	if err := csr.CheckSignature(); err != nil {
		return refuseRequest(scep.BadMessageCheck,
			"the certificate request is not signed by its own key: %v", err)
	}
	return nil
}

// redeem exchanges a challenge for an identity: of the enrollment that renews its own, or of
// whoever uses it first.
func (c *Channel) redeem(ctx context.Context, challenge string, csr *x509.CertificateRequest,
	enrollment string) (*Certificate, error) {
	if challenge == "" {
		return nil, refuseRequest(scep.BadRequest, "no enrollment challenge")
	}
	id := fingerprint([]byte(challenge))
	stored, err := c.store.Challenge(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, refuseRequest(scep.BadRequest, "unknown enrollment challenge")
	case err != nil:
		return nil, err
	case stored.UsedAt.IsZero() && !c.now().Before(stored.Expires):
		return nil, refuseRequest(scep.BadTime, "the enrollment challenge expired at %s",
			stored.Expires)
	case !stored.UsedAt.IsZero():
		if stored.Certificate == nil ||
			stored.Certificate.KeySHA256 != fingerprint(csr.RawSubjectPublicKeyInfo) {
			return nil, refuseRequest(scep.BadRequest, "%v", ErrChallengeUsed)
		}
		return stored.Certificate, nil
	}
	if err := c.checkMaker(ctx, stored); errors.Is(err, access.ErrMakerMayNot) {
		return nil, refuseRequest(scep.BadRequest, "%v", err)
	} else if err != nil {
		return nil, err
	}
	certificate, err := c.ca.issue(csr)
	if err != nil {
		return nil, refuseRequest(scep.BadRequest, "no certificate can be made for it: %v", err)
	}
	certificate.Enrollment = enrollment
	issued, err := c.store.Redeem(ctx, id, c.now().UTC(), *certificate)
	if errors.Is(err, ErrChallengeUsed) || errors.Is(err, ErrNotFound) {
		return nil, refuseRequest(scep.BadRequest, "%v", err)
	}
	return issued, err
}
