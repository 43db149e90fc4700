package mdm

import (
	"crypto/sha256"
	"sync"
)

// recent remembers what was found out about certificates, by the SHA-256 of their DER form: at most
// twice limit of them, of which the half that was not asked for of late is forgotten first. Safe
// for concurrent use.
type recent[V any] struct {
	limit        int
	mu           sync.RWMutex
	newer, older map[[sha256.Size]byte]V
}

func (r *recent[V]) get(sum [sha256.Size]byte) (V, bool) {
	r.mu.RLock()
	v, ok := r.newer[sum]
	if ok {
		r.mu.RUnlock()
		return v, true
	}
	v, ok = r.older[sum]
	r.mu.RUnlock()
	if ok {
		r.put(sum, v)
	}
	return v, ok
}

func (r *recent[V]) put(sum [sha256.Size]byte, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.newer) >= r.limit {
		r.older, r.newer = r.newer, nil
	}
	if r.newer == nil {
		r.newer = make(map[[sha256.Size]byte]V)
	}
	r.newer[sum] = v
}
