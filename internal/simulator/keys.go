package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"sync"
)

// KeyPool lends RSA keys to many devices, because generating one takes longer than all the rest of an enrollment.
// Devices that share a key also share the SCEP transaction id, which is the hash of the key.
type KeyPool struct {
	size int
	mu   sync.Mutex
	next int
	keys map[int][]*poolKey // by modulus length in bits
}

type poolKey struct {
	once sync.Once
	key  *rsa.PrivateKey
	err  error
}

// NewKeyPool makes a pool of at most size keys of each length, generated when first needed.
func NewKeyPool(size int) *KeyPool {
	return &KeyPool{size: max(size, 1), keys: make(map[int][]*poolKey)}
}

func (p *KeyPool) key(bits int) (*rsa.PrivateKey, error) {
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
	slot.once.Do(func() { slot.key, slot.err = generateKey(bits) })
	return slot.key, slot.err
}

func generateKey(bits int) (*rsa.PrivateKey, error) {
	if bits < 1024 || bits > 4096 {
		return nil, fmt.Errorf("RSA key of %d bits: a device makes keys of 1024 to 4096 bits", bits)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}
