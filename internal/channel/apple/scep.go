package apple

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

	"github.com/smallstep/pkcs7"
	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const (
	maxSCEPMessage = 64 << 10 // bytes of one PKIOperation message
	minKeyBits     = 2048
	maxKeyBits     = 8192 // a larger key only costs the server time
)

// scepCapabilities are those of RFC 8894, section 3.5.2, that this CA has. Renewal is not among them: a device gets a
// new identity by enrolling again.
const scepCapabilities = "AES\nPOSTPKIOperation\nSCEPStandard\nSHA-256\nSHA-512\n"

// The library signs with SHA-1 and encrypts with DES unless told otherwise; RFC 8894 wants SHA-256 and AES.
func init() {
	pkcs7.ContentEncryptionAlgorithm = pkcs7.EncryptionAlgorithmAES128CBC
	if err := pkcs7.SetDefaultDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256); err != nil {
		panic(err)
	}
}

// serveSCEP is the SCEP server of the device CA (RFC 8894).
func (c *Channel) serveSCEP(w http.ResponseWriter, r *http.Request) {
	operation := r.URL.Query().Get("operation")
	switch {
	case operation == "GetCACaps" && r.Method != http.MethodPost:
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, scepCapabilities)
	case operation == "GetCACert" && r.Method != http.MethodPost:
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		_, _ = w.Write(c.ca.certificate.Raw)
	case operation == "PKIOperation":
		c.servePKIOperation(w, r)
	default:
		http.Error(w, "SCEP operation must be GetCACaps, GetCACert or PKIOperation", http.StatusBadRequest)
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
		c.Log.Info("SCEP message refused", "remote", r.RemoteAddr, "err", err)
		http.Error(w, "not a SCEP request that this server knows", http.StatusBadRequest)
		return
	}
	reply, err := c.enrollKey(r.Context(), request)
	var refused *scepRefusal
	switch {
	case errors.As(err, &refused):
		c.Log.Info("SCEP request refused", "remote", r.RemoteAddr, "transaction", request.TransactionID, "err", refused.reason)
		reply, err = request.Fail(c.ca.certificate, c.ca.key, refused.info)
	case err != nil:
		c.Log.Error("SCEP request failed; the device may repeat it", "err", err)
	}
	if err != nil {
		failRequest(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-pki-message")
	_, _ = w.Write(reply.Raw)
}

// readPKIMessage takes the message from the body, or from the query of a GET (RFC 8894, section 4.1).
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

// enrollKey gives the key of a certificate request its identity, if the request carries an unused challenge. The same
// key with the same challenge gets the same certificate again: devices repeat requests whose answer was lost.
func (c *Channel) enrollKey(ctx context.Context, request *scep.PKIMessage) (*scep.PKIMessage, error) {
	if request.MessageType != scep.PKCSReq {
		return nil, refuseRequest(scep.BadRequest, "message type %q: only PKCSReq is served", string(request.MessageType))
	}
	if err := decryptPKIMessage(request, c.ca); err != nil {
		return nil, refuseRequest(scep.BadMessageCheck, "its envelope cannot be opened: %v", err)
	}
	csr := request.CSRReqMessage.CSR
	if err := checkRequest(csr); err != nil {
		return nil, err
	}
	if err := checkSigner(request.Raw, csr); err != nil {
		return nil, err
	}
	issued, err := c.redeem(ctx, request.CSRReqMessage.ChallengePassword, csr)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(issued.DER)
	if err != nil {
		return nil, fmt.Errorf("stored certificate %s: %w", issued.Serial, err)
	}
	reply, err := request.Success(c.ca.certificate, c.ca.key, certificate)
	if err != nil {
		return nil, refuseRequest(scep.BadRequest, "the answer cannot be encrypted to the requester: %v", err)
	}
	return reply, nil
}

func checkRequest(csr *x509.CertificateRequest) error {
	key, ok := csr.PublicKey.(*rsa.PublicKey)
	if !ok {
		return refuseRequest(scep.BadAlg, "its key is %T: RSA is required", csr.PublicKey)
	}
	if bits := key.N.BitLen(); bits < minKeyBits || bits > maxKeyBits {
		return refuseRequest(scep.BadAlg, "its RSA key has %d bits: %d to %d are accepted", bits, minKeyBits, maxKeyBits)
	}
	if err := csr.CheckSignature(); err != nil {
		return refuseRequest(scep.BadMessageCheck, "the certificate request is not signed by its own key: %v", err)
	}
	return nil
}

// checkSigner checks that who sends the message is who asks for the certificate: it is signed with the key that is to be
// certified (RFC 8894, section 2.3). Apple's devices do so.
func checkSigner(message []byte, csr *x509.CertificateRequest) error {
	p7, err := pkcs7.Parse(message)
	if err != nil {
		return refuseRequest(scep.BadMessageCheck, "its signature cannot be read: %v", err)
	}
	signer, key := p7.GetOnlySigner(), csr.PublicKey.(*rsa.PublicKey)
	if signer == nil || !key.Equal(signer.PublicKey) {
		return refuseRequest(scep.BadMessageCheck, "it is not signed with the key of its certificate request alone")
	}
	return nil
}

func (c *Channel) redeem(ctx context.Context, challenge string, csr *x509.CertificateRequest) (*Certificate, error) {
	if challenge == "" {
		return nil, refuseRequest(scep.BadRequest, "no enrollment challenge")
	}
	id := fingerprint([]byte(challenge))
	stored, err := c.Store.Challenge(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, refuseRequest(scep.BadRequest, "unknown enrollment challenge")
	case err != nil:
		return nil, err
	case stored.UsedAt.IsZero() && !c.Now().Before(stored.Expires):
		return nil, refuseRequest(scep.BadTime, "the enrollment challenge expired at %s", stored.Expires)
	case !stored.UsedAt.IsZero():
		if stored.Certificate == nil || stored.Certificate.KeySHA256 != fingerprint(csr.RawSubjectPublicKeyInfo) {
			return nil, refuseRequest(scep.BadRequest, "%v", ErrChallengeUsed)
		}
		return stored.Certificate, nil
	}
	if err := c.held(ctx, stored); errors.Is(err, access.ErrMakerMayNot) {
		return nil, refuseRequest(scep.BadRequest, "%v", err)
	} else if err != nil {
		return nil, err
	}
	certificate, err := c.ca.issue(csr)
	if err != nil {
		return nil, refuseRequest(scep.BadRequest, "no certificate can be made for it: %v", err)
	}
	issued, err := c.Store.Redeem(ctx, id, c.Now().UTC(), *certificate)
	if errors.Is(err, ErrChallengeUsed) || errors.Is(err, ErrNotFound) {
		return nil, refuseRequest(scep.BadRequest, "%v", err)
	}
	return issued, err
}

// parsePKIMessage and decryptPKIMessage keep the server whole: the PKCS #7 library panics on some malformed messages,
// for example on padding longer than the text.
func parsePKIMessage(b []byte) (m *scep.PKIMessage, err error) {
	defer notPanic(&err)
	return scep.ParsePKIMessage(b)
}

func decryptPKIMessage(m *scep.PKIMessage, ca *authority) (err error) {
	defer notPanic(&err)
	return m.DecryptPKIEnvelope(ca.certificate, ca.key)
}

func notPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("malformed: %v", p)
	}
}
