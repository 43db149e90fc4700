package payload

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// maxCertificate is the most bytes of a certificate.
const maxCertificate = 64 << 10

// certificates compiles androidDeviceOwnerTrustedRootCertificate: an authority of the Open Network
// Configuration format (ONC), whose GUID is the payload's id.
type certificates struct{ compiler }

// Compile implements catalog.Compiler. It reads trustedRootCertificate, DER or PEM.
func (certificates) Compile(_ context.Context, _ *catalog.Form, d *catalog.Draft,
	_ catalog.Lookup) (*catalog.Content, error) {
	text, err := catalog.Read[string](d.Properties, trustedRoot, "a string")
	if err != nil {
		return nil, err
	}
	der, err := readCertificate(text)
	if err != nil {
		return nil, &invalid.Input{Property: trustedRoot, Reason: err.Error()}
	}
	f := Fragment{Kind: Certificate, GUID: string(d.ID)}
	f.Fields = map[string]any{certificatePath(f.GUID): map[string]any{"Type": "Authority",
		"X509": base64.StdEncoding.EncodeToString(der)}}
	return f.content(string(d.ID), "id", subTypeCertificate), nil
}

// readCertificate reads base64 of one certificate.
func readCertificate(text string) ([]byte, error) {
	if text == "" {
		return nil, fmt.Errorf("is missing: give the certificate in base64")
	}
	if len(text) > 2*maxCertificate {
		return nil, fmt.Errorf("has more than %d bytes", maxCertificate)
	}
	content, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(content); block != nil {
		content = block.Bytes
	}
	if _, err := x509.ParseCertificate(content); err != nil || len(content) > maxCertificate {
		return nil, fmt.Errorf("does not hold an X.509 certificate: give a .cer, .crt or .pem file in base64")
	}
	return content, nil
}

// Risks implements catalog.Compiler.
func (certificates) Risks([]byte, []*x509.Certificate) ([]catalog.Risk, error) {
	return []catalog.Risk{{Reason: "it carries a certificate by which the device may trust a network: enterprise Wi-Fi networks that need it go with it"}}, nil
}
