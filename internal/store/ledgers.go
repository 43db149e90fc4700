package store

import (
	lists "container/list"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// ledgersKept bounds the ledgers in memory, some tens of kilobytes each.
const ledgersKept = 4096

// ledgers keeps the ledgers that this process wrote last, because a device that is being worked on makes many steps, and
// reading one costs more than the step. A step takes a ledger out, so that nobody else has it, and puts it back when it
// is committed. That it is still the newest is not known before the commit, which is refused if it is not.
type ledgers struct {
	mu     sync.Mutex
	kept   map[fleet.DeviceID]*lists.Element
	recent lists.List // of ledger, the last used first
}

// ledger is a device's, as of a revision.
type ledger struct {
	device   fleet.DeviceID
	revision int64
	*engine.Ledger
}

func (c *ledgers) take(device fleet.DeviceID) (l ledger, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.kept[device]
	if !ok {
		return l, false
	}
	delete(c.kept, device)
	return c.recent.Remove(at).(ledger), true
}

func (c *ledgers) put(l ledger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = make(map[fleet.DeviceID]*lists.Element)
	}
	if old, ok := c.kept[l.device]; ok {
		c.recent.Remove(old)
	}
	c.kept[l.device] = c.recent.PushFront(l)
	if len(c.kept) > ledgersKept {
		delete(c.kept, c.recent.Remove(c.recent.Back()).(ledger).device)
	}
}
