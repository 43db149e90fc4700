package store

import (
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// ledgersKept bounds the ledgers in memory, some tens of kilobytes each.
const ledgersKept = 4096

// ledgers keeps the ledgers that this process wrote last, because a device that is being worked on
// makes many steps, and reading one costs more than the step. A step takes a ledger out, so that
// nobody else has it, and puts it back when it is committed. That it is still the newest is not
// known before the commit, which is refused if it is not.
type ledgers struct {
	mu   sync.Mutex
	kept *simplelru.LRU[fleet.DeviceID, ledger]
}

// ledger is a device's, as of a revision.
type ledger struct {
	revision int64
	*engine.Ledger
}

func newLedgers() *ledgers { return &ledgers{kept: newLRU[fleet.DeviceID, ledger](ledgersKept)} }

// newLRU is a map that drops what was not used for longest when it has so many entries. It is for
// one goroutine at a time.
func newLRU[K comparable, V any](size int) *simplelru.LRU[K, V] {
	kept, err := simplelru.NewLRU[K, V](size, nil)
	if err != nil {
		panic(fmt.Sprintf("an LRU of %d entries: %v", size, err))
	}
	return kept
}

// take takes a ledger out of memory: looking and removing are one step, so that no two callers get
// the same.
func (c *ledgers) take(device fleet.DeviceID) (l ledger, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l, ok = c.kept.Peek(device); ok {
		c.kept.Remove(device)
	}
	return l, ok
}

func (c *ledgers) put(device fleet.DeviceID, l ledger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Add(device, l)
}
