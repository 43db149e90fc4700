package apple

import (
	"crypto/sha256"
	"sync"
)

// verifiedLimit bounds the memory that verified takes: each of its two maps is at most so long, about 5 MB.
const verifiedLimit = 1 << 16

// verified remembers which certificates the CA's signature was checked on: that costs more than all other checks of a
// message together, and its answer never changes. The oldest half is forgotten when there are too many.
type verified struct {
	mu            sync.RWMutex
	recent, older map[[sha256.Size]byte]struct{} // by the SHA-256 of the DER form
}

func (v *verified) has(sum [sha256.Size]byte) bool {
	v.mu.RLock()
	_, recent := v.recent[sum]
	_, older := v.older[sum]
	v.mu.RUnlock()
	if older && !recent {
		v.add(sum)
	}
	return recent || older
}

func (v *verified) add(sum [sha256.Size]byte) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.recent) >= verifiedLimit {
		v.older, v.recent = v.recent, nil
	}
	if v.recent == nil {
		v.recent = make(map[[sha256.Size]byte]struct{})
	}
	v.recent[sum] = struct{}{}
}
