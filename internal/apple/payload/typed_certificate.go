package payload

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

// certificate is an X.509 certificate in DER, of base64 of DER or PEM.
func certificate(text string) (any, error) {
	content, err := catalog.DecodeBase64(text)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(content); block != nil {
		if next, _ := pem.Decode(rest); next != nil {
			return nil, errors.New("has several certificates; make a configuration of each")
		}
		content = block.Bytes
	}
	if _, err := x509.ParseCertificate(content); err != nil {
		return nil, errors.New("is not a certificate: give the base64 of a .cer or .pem file")
	}
	return content, nil
}

// subjectNames are the attributes of names that Apple's Subject may have (RFC 4519).
var subjectNames = []string{"CN", "O", "OU", "C", "L", "ST", "E", "DC", "SERIALNUMBER"}

// subject is a distinguished name as Apple's SCEP payload has it: an array for each relative name,
// which holds pairs. "\" makes a comma part of a value (RFC 4514).
func subject(text string) (any, error) {
	var name []any
	for _, one := range splitName(text) {
		key, value, ok := strings.Cut(one, "=")
		key = strings.ToUpper(strings.TrimSpace(key))
		if value = strings.TrimSpace(value); !ok || value == "" ||
			!slices.Contains(subjectNames, key) {
			return nil, fmt.Errorf(
				"%.60q is not a part of a name such as CN=Kiosk,O=Example; it can have %s",
				one, strings.Join(subjectNames, ", "))
		}
		name = append(name, []any{[]any{key, value}})
	}
	return name, nil
}

func splitName(text string) []string {
	var parts []string
	var part strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			part.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	return append(parts, part.String())
}
