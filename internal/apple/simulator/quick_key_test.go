package simulator_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

func TestQuickKeyIsAnRSAKey(t *testing.T) {
	for _, length := range []int{1024, 2048, 3072} {
		key, err := simulator.NewQuickKey(length)
		if err != nil {
			t.Fatal(err)
		}
		public := key.Public().(*rsa.PublicKey)
		if public.N.BitLen() != length || public.E != 65537 {
			t.Errorf("modulus of %d bits, exponent %d; want %d, 65537", public.N.BitLen(), public.E,
				length)
		}
		for n := range 20 {
			digest := sha256.Sum256([]byte{byte(n)})
			signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
			if err == nil {
				err = rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature)
			}
			if err != nil {
				t.Fatalf("%d bits, signature %d: %v", length, n, err)
			}
		}
		secret := []byte("session key")
		sealed, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public, secret, nil)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := key.Decrypt(rand.Reader, sealed,
			&rsa.OAEPOptions{Hash: crypto.SHA256}); err != nil || !bytes.Equal(opened, secret) {
			t.Errorf("decrypted %q, %v", opened, err)
		}
	}
	if _, err := simulator.NewQuickKey(2000); err == nil {
		t.Error("a key of 2000 bits was made: that is no multiple of 64")
	}
}
