// Package keypair is a certificate with its private key as the database keeps it. Whoever needs one
// says by which name.
package keypair

// KeyPair is a certificate with its private key, both PEM. The key is PKCS #8.
type KeyPair struct {
	CertificatePEM []byte
	KeyPEM         []byte
}
