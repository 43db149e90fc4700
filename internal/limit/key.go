package limit

import (
	"crypto/rsa"
	"fmt"
)

const (
	// KeyBits bounds the RSA keys of others: to check a signature takes a time that grows with
	// their square. It is what TLS takes, too.
	KeyBits = 8192

	// maxPrivateKey is some bytes more than an RSA key of KeyBits has in PKCS #8.
	maxPrivateKey = 8 << 10
)

// Key refuses a public key that takes too long to use. Keys of other kinds than RSA have a size of
// their own.
func Key(key any) error {
	if key, ok := key.(*rsa.PublicKey); ok && key.N.BitLen() > KeyBits {
		return fmt.Errorf("an RSA key of %d bits: at most %d are taken", key.N.BitLen(), KeyBits)
	}
	return nil
}

// PrivateKey refuses a private key in DER that takes too long to read.
func PrivateKey(der []byte) error {
	if len(der) > maxPrivateKey {
		return fmt.Errorf("it has %d bytes, more than an RSA key of %d bits has", len(der), KeyBits)
	}
	return nil
}
