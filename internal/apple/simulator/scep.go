package simulator

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/smallstep/scep"
	"github.com/smallstep/scep/x509util"
)

// requestIdentity gets the certificate of the device's key from a SCEP server (RFC 8894):
// GetCACaps, GetCACert, then PKCSReq by POST.
func requestIdentity(ctx context.Context, web *http.Client, payload scepPayload,
	key identityKey) (*x509.Certificate, error) {
	capabilities, _, err := scepGet(ctx, web, payload, "GetCACaps")
	if err != nil {
		return nil, err
	}
	if !offersPOST(string(capabilities)) {
		return nil, fmt.Errorf("SCEP server %s offers no POSTPKIOperation, its GetCACaps: %q",
			payload.URL, capabilities)
	}
	authorities, err := getAuthorities(ctx, web, payload)
	if err != nil {
		return nil, err
	}
	csr, err := certificateRequest(payload, key)
	if err != nil {
		return nil, err
	}
	signer, err := selfSigned(csr.Subject, key)
	if err != nil {
		return nil, err
	}
	template := &scep.PKIMessage{MessageType: scep.PKCSReq, Recipients: authorities, SignerKey: key,
		SignerCert: signer}
	request, err := scep.NewCSRRequest(csr, template, recipients(authorities)...)
	if err != nil {
		return nil, fmt.Errorf("SCEP request: %w", err)
	}
	address, err := operationURL(payload, "PKIOperation")
	if err != nil {
		return nil, err
	}
	reply, _, err := exchange(ctx, web, http.MethodPost, address, "application/x-pki-message",
		request.Raw)
	if err != nil {
		return nil, fmt.Errorf("SCEP PKIOperation: %w", err)
	}
	return openReply(reply, request, authorities, signer, key)
}

func offersPOST(capabilities string) bool {
	for word := range strings.FieldsSeq(capabilities) {
		if strings.EqualFold(word, "POSTPKIOperation") || strings.EqualFold(word, "SCEPStandard") {
			return true
		}
	}
	return false
}

func scepGet(ctx context.Context, web *http.Client, payload scepPayload,
	operation string) ([]byte, string, error) {
	address, err := operationURL(payload, operation)
	if err != nil {
		return nil, "", err
	}
	body, header, err := exchange(ctx, web, http.MethodGet, address, "", nil)
	if err != nil {
		return nil, "", fmt.Errorf("SCEP %s: %w", operation, err)
	}
	return body, header.Get("Content-Type"), nil
}

func operationURL(payload scepPayload, operation string) (string, error) {
	address, err := url.Parse(payload.URL)
	if err != nil {
		return "", fmt.Errorf("SCEP URL: %w", err)
	}
	query := address.Query()
	query.Set("operation", operation)
	if operation != "PKIOperation" && payload.Name != "" {
		query.Set("message", payload.Name)
	}
	address.RawQuery = query.Encode()
	return address.String(), nil
}

// getAuthorities returns the CA's certificate, or the CA's and its registration authority's.
func getAuthorities(ctx context.Context, web *http.Client,
	payload scepPayload) (found []*x509.Certificate, err error) {
	defer recoverParser("GetCACert answer", &err)
	body, contentType, err := scepGet(ctx, web, payload, "GetCACert")
	if err != nil {
		return nil, err
	}
	if err := checkEnvelope(body); err != nil {
		return nil, fmt.Errorf("SCEP GetCACert: %w", err)
	}
	if strings.HasPrefix(contentType, "application/x-x509-ca-ra-cert") {
		found, err = scep.CACerts(body)
	} else {
		found, err = x509.ParseCertificates(body)
	}
	if err != nil {
		return nil, fmt.Errorf("SCEP GetCACert: %w", err)
	}
	if len(found) == 0 {
		return nil, errors.New("SCEP GetCACert: no certificate in the answer")
	}
	if len(payload.CAFingerprint) > 0 && !anyHasFingerprint(found, payload.CAFingerprint) {
		return nil, fmt.Errorf("SCEP GetCACert: no certificate has the profile's CAFingerprint %X",
			payload.CAFingerprint)
	}
	return found, nil
}

// anyHasFingerprint tells by the length which digest the profile uses: MD5 (Apple's documented
// one), SHA-1 or SHA-256.
func anyHasFingerprint(certificates []*x509.Certificate, want []byte) bool {
	for _, certificate := range certificates {
		md, sha, sha2 := md5.Sum(certificate.Raw), sha1.Sum(certificate.Raw),
			sha256.Sum256(certificate.Raw)
		if bytes.Equal(want, md[:]) || bytes.Equal(want, sha[:]) || bytes.Equal(want, sha2[:]) {
			return true
		}
	}
	return false
}

// recipients picks the registration authority's encryption certificate where the server sent
// several.
func recipients(authorities []*x509.Certificate) []scep.Option {
	if len(authorities) == 1 {
		return nil
	}
	return []scep.Option{scep.WithCertsSelector(scep.EnciphermentCertsSelector())}
}

func openReply(raw []byte, request *scep.PKIMessage, authorities []*x509.Certificate,
	signer *x509.Certificate,
	key identityKey) (issued *x509.Certificate, err error) {
	defer recoverParser("SCEP CertRep", &err)
	if err := checkEnvelope(raw); err != nil {
		return nil, fmt.Errorf("SCEP CertRep: %w", err)
	}
	reply, err := scep.ParsePKIMessage(raw, scep.WithCACerts(authorities))
	if err != nil {
		return nil, fmt.Errorf("SCEP CertRep: %w", err)
	}
	if reply.CertRepMessage == nil {
		return nil, fmt.Errorf("SCEP server answered with message type %s, want CertRep",
			string(reply.MessageType))
	}
	if reply.PKIStatus != scep.SUCCESS {
		return nil, fmt.Errorf("SCEP server refused the certificate: pkiStatus %s, failInfo %s",
			string(reply.PKIStatus), string(reply.FailInfo))
	}
	if reply.TransactionID != request.TransactionID ||
		!bytes.Equal(reply.RecipientNonce, request.SenderNonce) {
		return nil,
			errors.New("SCEP CertRep answers another request: transaction id or nonce differs")
	}
	if err := reply.DecryptPKIEnvelope(signer, key); err != nil {
		return nil, fmt.Errorf("SCEP CertRep: %w", err)
	}
	public, isRSA := reply.Certificate.PublicKey.(*rsa.PublicKey)
	if !isRSA || !public.Equal(key.Public()) {
		return nil, errors.New("SCEP CertRep holds a certificate of another key")
	}
	return reply.Certificate, nil
}

func certificateRequest(payload scepPayload, key identityKey) (*x509.CertificateRequest, error) {
	subject, err := subjectName(payload)
	if err != nil {
		return nil, err
	}
	der, err := x509util.CreateCertificateRequest(rand.Reader, &x509util.CertificateRequest{
		CertificateRequest: x509.CertificateRequest{Subject: subject,
			SignatureAlgorithm: x509.SHA256WithRSA},
		ChallengePassword: payload.Challenge,
	}, key)
	if err != nil {
		return nil, fmt.Errorf("certificate request: %w", err)
	}
	return x509.ParseCertificateRequest(der)
}

// attributeTypes are the short names that Apple allows in Subject; all others are dotted object
// ids.
var attributeTypes = map[string]asn1.ObjectIdentifier{
	"CN": {2, 5, 4, 3}, "C": {2, 5, 4, 6}, "L": {2, 5, 4, 7}, "ST": {2, 5, 4, 8},
	"O": {2, 5, 4, 10}, "OU": {2, 5, 4, 11},
}

func subjectName(payload scepPayload) (name pkix.Name, err error) {
	parts := payload.Subject
	if len(parts) == 0 {
		parts = []subjectPart{{"CN", payload.defaultCommonName}}
	}
	for _, part := range parts {
		id, known := attributeTypes[part.Type]
		if !known {
			if id, err = parseObjectID(part.Type); err != nil {
				return name, err
			}
		}
		name.ExtraNames = append(name.ExtraNames,
			pkix.AttributeTypeAndValue{Type: id, Value: part.Value})
	}
	return name, nil
}

func parseObjectID(dotted string) (id asn1.ObjectIdentifier, err error) {
	for number := range strings.SplitSeq(dotted, ".") {
		arc, err := strconv.Atoi(number)
		if err != nil || arc < 0 {
			return nil,
				fmt.Errorf("SCEP Subject: %q is neither C, L, ST, O, OU, CN nor an object id",
					dotted)
		}
		id = append(id, arc)
	}
	return id, nil
}

// selfSigned is the certificate with which a device signs its first request, before it has one of
// the CA (RFC 8894, section 2.3). It follows the system's clock and no other, as the signing time
// in the request does.
func selfSigned(subject pkix.Name, key identityKey) (*x509.Certificate, error) {
	serial, err := newSerialNumber()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: serial, Subject: subject,
		NotBefore: now.Add(-time.Hour),
		NotAfter:  now.Add(24 * time.Hour),
		KeyUsage:  x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}
