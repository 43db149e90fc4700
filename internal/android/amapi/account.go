package amapi

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"regexp"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

// maxAccountKey is more than the longest key file has, in bytes.
const maxAccountKey = 16 << 10

// accountKey is the key of a service account, as Google Cloud gives it (Google Cloud, "Create and
// delete service account keys").
type accountKey struct {
	Type         string `json:"type"`
	Project      string `json:"project_id"`
	PrivateKeyID string `json:"private_key_id"`
	PrivateKey   string `json:"private_key"` // PEM, PKCS #8
	ClientEmail  string `json:"client_email"`
}

var (
	projectID    = regexp.MustCompile(`^[a-z0-9][a-z0-9.:-]{1,98}[a-z0-9]$`)
	accountEmail = regexp.MustCompile(`^[A-Za-z0-9._%+-]{1,100}@[A-Za-z0-9.-]{1,200}$`)
)

// readAccountKey reads a key file. The error is an *invalid.Input of serviceAccount.
func readAccountKey(text []byte) (*accountKey, error) {
	wrong := func(format string, args ...any) error {
		return &invalid.Input{Property: "serviceAccount", Reason: fmt.Sprintf(format, args...)}
	}
	if len(text) > maxAccountKey {
		return nil, wrong("is longer than a key file of Google Cloud")
	}
	k := new(accountKey)
	if err := json.Unmarshal(text, k); err != nil {
		return nil, wrong("is not the JSON key file of a service account, as Google Cloud gives it")
	}
	switch {
	case k.Type != "service_account":
		return nil, wrong("is not of a service account: its type is %.40q and must be \"service_account\"",
			k.Type)
	case !projectID.MatchString(k.Project):
		return nil, wrong("has no usable project_id")
	case !accountEmail.MatchString(k.ClientEmail):
		return nil, wrong("has no usable client_email")
	}
	block, _ := pem.Decode([]byte(k.PrivateKey))
	if block == nil {
		return nil, wrong("has no private_key in PEM")
	}
	if err := limit.PrivateKey(block.Bytes); err != nil {
		return nil, wrong("has a private_key that is not taken: %v", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, isRSA := key.(*rsa.PrivateKey); err != nil || !isRSA {
		return nil, wrong("has a private_key that is no RSA key")
	}
	return k, nil
}

// keyID tells keys apart without showing them.
func keyID(text []byte) string { return digest(text)[:16] }

// digest is the SHA-256 of a text, in hexadecimal.
func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
