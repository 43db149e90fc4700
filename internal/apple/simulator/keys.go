package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
)

// identityKey is the private key of a device's identity.
type identityKey interface {
	crypto.Signer
	crypto.Decrypter
}

// KeyPool lends RSA keys to many devices, because generating one takes longer than all the rest of
// an enrollment, and makes them quick keys where their length allows. Devices that share a key also
// share the SCEP transaction id, which is the hash of the key.
type KeyPool struct {
	size int
	mu   sync.Mutex
	next int
	keys map[int][]*poolKey // by modulus length in bits
}

type poolKey struct {
	once sync.Once
	key  identityKey
	err  error
}

// NewKeyPool makes a pool of at most size keys of each length, generated when first needed.
func NewKeyPool(size int) *KeyPool {
	return &KeyPool{size: max(size, 1), keys: make(map[int][]*poolKey)}
}

func (p *KeyPool) key(bits int) (identityKey, error) {
	p.mu.Lock()
	slots := p.keys[bits]
	if slots == nil {
		slots = make([]*poolKey, p.size)
		for i := range slots {
			slots[i] = new(poolKey)
		}
		p.keys[bits] = slots
	}
	slot := slots[p.next%p.size]
	p.next++
	p.mu.Unlock()
	slot.once.Do(func() { slot.key, slot.err = pooledKey(bits) })
	return slot.key, slot.err
}

func pooledKey(bits int) (identityKey, error) {
	if bits%primeBits != 0 {
		return generateKey(bits)
	}
	return NewQuickKey(bits)
}

func generateKey(bits int) (identityKey, error) {
	if err := checkKeyLength(bits); err != nil {
		return nil, err
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

func checkKeyLength(bits int) error {
	if bits < 1024 || bits > 4096 {
		return fmt.Errorf("RSA key of %d bits: a device makes keys of 1024 to 4096 bits", bits)
	}
	return nil
}
