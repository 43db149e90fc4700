// Package keylock has locks that are taken by a key, such as a device's name, without one to be made
// and forgotten for each. It is a leaf.
package keylock

import (
	"hash/maphash"
	"sync"
)

// buckets is how many keys can be locked at the same time: enough that two devices seldom wait for
// each other.
const buckets = 64

// Locks keep what is done about one key in order, within this process. Keys share buckets, so two
// keys may wait for each other: whoever holds a lock must not take another. The zero value is ready
// to use.
type Locks struct {
	once    sync.Once
	seed    maphash.Seed
	buckets [buckets]sync.Mutex
}

// Lock waits until nobody holds the key's lock, and returns what unlocks it:
//
//	defer locks.Lock(name)()
func (l *Locks) Lock(key string) (unlock func()) {
	m := l.bucket(key)
	m.Lock()
	return m.Unlock
}

func (l *Locks) bucket(key string) *sync.Mutex {
	l.once.Do(func() { l.seed = maphash.MakeSeed() })
	return &l.buckets[maphash.String(l.seed, key)%buckets]
}
