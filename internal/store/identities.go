package store

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
)

// identitiesKept bounds the identities in memory, some two kilobytes each.
const identitiesKept = 4096

// identities keeps who the devices are that were heard from, because every message of a device asks
// for it. It is only for a process that nobody else changes identities beside. Any change forgets
// all of them: that is rare beside messages, and no device can be overlooked.
type identities struct {
	mu      sync.Mutex
	changes uint64
	kept    *simplelru.LRU[identityKey, identity]
}

func newIdentities() *identities {
	return &identities{kept: newLRU[identityKey, identity](identitiesKept)}
}

type identityKey struct{ enrollment, certificate string }

type identity struct {
	enrollment  mdm.Enrollment
	certificate mdm.Certificate
}

// get returns copies, nil if there are none, and how many changes there were: what is read from now
// on has them all.
func (c *identities) get(k identityKey) (e *mdm.Enrollment, cert *mdm.Certificate, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, ok := c.kept.Get(k); ok {
		e, cert = &i.enrollment, &i.certificate
	}
	return e, cert, c.changes
}

// put keeps copies of what was read when there were so many changes, unless there are more by now.
func (c *identities) put(k identityKey, e *mdm.Enrollment, cert *mdm.Certificate, changes uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if changes != c.changes {
		return
	}
	c.kept.Add(k, identity{*e, *cert})
}

func (c *identities) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	c.kept.Purge()
}
