package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/bits"
)

const (
	primeBits      = 64
	publicExponent = 65537
)

// QuickKey is an RSA key whose modulus is the product of many 64-bit primes instead of two long
// ones. What a server sees of it, and what it costs to check its signatures, is that of any RSA
// key; but by the Chinese remainder theorem (RFC 8017, section 3.2) a signature is a few powers
// modulo 64-bit numbers, some thirty times cheaper than with two primes. With ordinary keys, a
// process that signs for thousands of devices takes more of the processor than the server it puts
// to the test. It is for simulated devices only: a modulus of short primes can be factored, so the
// key is not secret.
type QuickKey struct {
	private *rsa.PrivateKey
	factors []factor
}

// factor is one prime with what the Chinese remainder theorem and Montgomery's multiplication need
// of it.
type factor struct {
	prime, exponent uint64   // of the private key, modulo prime-1
	inverse         uint64   // of rest, modulo prime
	rest            *big.Int // the modulus divided by prime
	negated         uint64   // -1/prime modulo 2^64
	one, square     uint64   // 2^64 and 2^128 modulo prime
}

// NewQuickKey makes a key of 1024 to 4096 bits, a multiple of 64.
func NewQuickKey(length int) (*QuickKey, error) {
	if err := checkKeyLength(length); err != nil {
		return nil, err
	}
	if length%primeBits != 0 {
		return nil, fmt.Errorf("quick RSA key of %d bits: want a multiple of %d", length, primeBits)
	}
	k := &QuickKey{private: &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(1),
		E: publicExponent}},
		factors: make([]factor, length/primeBits)}
	totient, one := big.NewInt(1), big.NewInt(1)
	for i := range k.factors {
		p, err := k.newPrime()
		if err != nil {
			return nil, err
		}
		k.factors[i].prime = p.Uint64()
		k.private.Primes = append(k.private.Primes, p)
		k.private.N.Mul(k.private.N, p)
		totient.Mul(totient, new(big.Int).Sub(p, one))
	}
	k.private.D = new(big.Int).ModInverse(big.NewInt(publicExponent), totient)
	for i := range k.factors {
		k.factors[i].prepare(k.private)
	}
	return k, k.private.Validate()
}

// newPrime makes a new prime just under 2^64, so that the product of all has its full length.
func (k *QuickKey) newPrime() (*big.Int, error) {
	var random [8]byte
	for {
		if _, err := rand.Read(random[:]); err != nil {
			return nil, err
		}
		p := new(big.Int).SetUint64(binary.BigEndian.Uint64(random[:]) | 0xfe00000000000001)
		divides := new(big.Int).Mod(k.private.N, p).Sign() == 0
		// certain for numbers under 2^64
		if p.ProbablyPrime(0) && !divides && (p.Uint64()-1)%publicExponent != 0 {
			return p, nil
		}
	}
}

func (f *factor) prepare(of *rsa.PrivateKey) {
	p := new(big.Int).SetUint64(f.prime)
	f.exponent = new(big.Int).Mod(of.D, new(big.Int).Sub(p, big.NewInt(1))).Uint64()
	f.rest = new(big.Int).Div(of.N, p)
	f.inverse = new(big.Int).ModInverse(f.rest, p).Uint64()
	inverse := f.prime // right in its lowest three bits; each step doubles them
	for range 5 {
		inverse *= 2 - f.prime*inverse
	}
	f.negated = -inverse
	f.one = -f.prime // 2^64 - prime, as the prime is over 2^63
	high, low := bits.Mul64(f.one, f.one)
	_, f.square = bits.Div64(high, low, f.prime)
}

// Public implements crypto.Signer and crypto.Decrypter.
func (k *QuickKey) Public() crypto.PublicKey { return &k.private.PublicKey }

// Sign implements crypto.Signer. PKCS #1 v1.5 with SHA-256 is quick; everything else is done as
// with any key.
func (k *QuickKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if _, pss := opts.(*rsa.PSSOptions); pss || opts.HashFunc() != crypto.SHA256 ||
		len(digest) != sha256.Size {
		return k.private.Sign(random, digest, opts)
	}
	signature := make([]byte, k.private.Size())
	k.SignSHA256([sha256.Size]byte(digest), signature)
	return signature, nil
}

// sha256Prefix is the DigestInfo of SHA-256 (RFC 8017, section 9.2).
var sha256Prefix = []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
	0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}

// SignSHA256 writes the PKCS #1 v1.5 signature of a SHA-256 digest into signature, which is as long
// as the modulus.
func (k *QuickKey) SignSHA256(digest [sha256.Size]byte, signature []byte) {
	signature[0], signature[1] = 0, 1
	end := len(signature) - len(sha256Prefix) - len(digest)
	for i := 2; i < end-1; i++ {
		signature[i] = 0xff
	}
	signature[end-1] = 0
	copy(signature[end:], sha256Prefix)
	copy(signature[end+len(sha256Prefix):], digest[:])
	k.power(signature)
}

// Decrypt implements crypto.Decrypter.
func (k *QuickKey) Decrypt(random io.Reader, message []byte,
	opts crypto.DecrypterOpts) ([]byte, error) {
	return k.private.Decrypt(random, message, opts)
}

// power replaces a number by its power with the private exponent.
func (k *QuickKey) power(number []byte) {
	sum, term := new(big.Int), new(big.Int)
	for i, share := range k.shares(number) {
		sum.Add(sum, term.Mul(term.SetUint64(share), k.factors[i].rest))
	}
	sum.Mod(sum, k.private.N).FillBytes(number)
}

// shares returns each prime's share of the power. It takes the primes side by side, because their
// chains of multiplications do not depend on each other, and the processor can work on several at
// once.
func (k *QuickKey) shares(number []byte) []uint64 {
	work := make([]uint64, 3*len(k.factors))
	n := len(k.factors)
	// base: what to multiply by at a 0 and a 1 of the exponent
	shares, base := work[:n], [2][]uint64{work[n : 2*n], work[2*n:]}
	for at := 0; at < len(number); at += 8 {
		word := binary.BigEndian.Uint64(number[at:])
		for i := range k.factors {
			_, base[1][i] = bits.Div64(base[1][i], word, k.factors[i].prime)
		}
	}
	for i := range k.factors {
		f := &k.factors[i]
		base[1][i] = f.times(base[1][i], f.square)
		base[0][i], shares[i] = f.one, f.one
	}
	for bit := primeBits - 1; bit >= 0; bit-- {
		for i := range k.factors {
			f := &k.factors[i]
			shares[i] = f.times(f.times(shares[i], shares[i]), base[f.exponent>>bit&1][i])
		}
	}
	// the inverse is no Montgomery number: this takes the powers out of that form, too
	for i := range k.factors {
		shares[i] = k.factors[i].times(shares[i], k.factors[i].inverse)
	}
	return shares
}

// times is Montgomery's product a*b/2^64 modulo the prime (Menezes, van Oorschot and Vanstone,
// Handbook of Applied Cryptography, algorithm 14.36).
func (f *factor) times(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	more, less := bits.Mul64(low*f.negated, f.prime)
	_, carry := bits.Add64(low, less, 0)
	product, over := bits.Add64(high, more, carry)
	if over != 0 || product >= f.prime {
		product -= f.prime
	}
	return product
}
