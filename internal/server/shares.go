package server

import (
	"container/list"
	"sync"
	"time"
)

// shares records who holds how much of something scarce, such as handshakes, bytes of bodies or
// connections, and since when. It decides from whom something is taken back when others need it. A
// request that the server works on ends by itself, but these last as long as the other side likes,
// so somebody who sends slowly could keep them for ever.
//
// An owner is a network (for IPv6 a /64). An owner may hold everything that nobody else wants,
// because thousands of devices of one school come from one address. When others come, the owner
// that holds most loses shares first, until the others have as much. Between owners that hold the
// same, and within one owner, only a share that has lasted longer than an honest client needs
// (patience) is taken back. Among the oldest shares, the slowest goes first.
type shares struct {
	// how old a share must be before it can be taken back for its own owner, or for one with as
	// much; less than 0: never
	patience time.Duration

	mu     sync.Mutex
	owners map[string]*owner
	top    *owner // the owner that held most when last looked; a guess that saves looking at all
}

// owner is one network and the shares that it holds.
type owner struct {
	name string
	n    int64
	list list.List // of *share, oldest first
}

// share is an amount of something scarce that an owner holds.
type share struct {
	shares  *shares
	owner   *owner
	n       int64
	since   time.Time
	element *list.Element // in owner.list; nil: not held any more

	progress func() int64 // how much the other side has done so far, in any unit; nil: nothing
	busy     func() bool  // whether it cannot be taken back now; nil: it always can
	revoke   func()       // called after the share was taken back: ends what it was held for
	release  func(n int64)
}

const (
	// How many owners, and how many shares of one, are looked at to find the share to take back.
	// There may be as many owners as there are addresses, and looking at all would help a flood.
	sampleSize   = 64
	neverReclaim = -1
)

func newShares(patience time.Duration) *shares {
	return &shares{patience: patience, owners: make(map[string]*owner)}
}

// add records that an owner holds a share.
func (s *shares) add(name string, sh *share) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[name]
	if o == nil {
		o = &owner{name: name}
		s.owners[name] = o
	}
	sh.shares, sh.owner, sh.since = s, o, time.Now()
	sh.element = o.list.PushBack(sh)
	o.n += sh.n
	if s.top == nil || o.n > s.top.n {
		s.top = o
	}
	return sh
}

// grow makes a share larger by n, and reports whether it is still held.
func (sh *share) grow(n int64) bool {
	sh.shares.mu.Lock()
	defer sh.shares.mu.Unlock()
	if sh.element == nil {
		return false
	}
	sh.n += n
	if sh.owner.n += n; sh.owner.n > sh.shares.top.n {
		sh.shares.top = sh.owner
	}
	return true
}

// end gives the share back, unless it was taken back already. The share may be nil.
func (sh *share) end() {
	if sh == nil {
		return
	}
	sh.shares.mu.Lock()
	held := sh.element != nil
	sh.remove()
	sh.shares.mu.Unlock()
	if held && sh.release != nil {
		sh.release(sh.n)
	}
}

func (sh *share) remove() {
	if sh.element == nil {
		return
	}
	sh.owner.list.Remove(sh.element)
	sh.element = nil
	if sh.owner.n -= sh.n; sh.owner.list.Len() == 0 {
		delete(sh.shares.owners, sh.owner.name)
	}
}

// reclaim takes back at least n for an owner that wants it, and reports whether it could.
func (s *shares) reclaim(name string, n int64) bool {
	freed := int64(0)
	for freed < n {
		sh := s.removeSlowest(name, n)
		if sh == nil {
			return false
		}
		if sh.release != nil {
			sh.release(sh.n)
		}
		sh.revoke()
		freed += sh.n
	}
	return true
}

func (s *shares) removeSlowest(name string, n int64) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.largest()
	if o == nil {
		return nil
	}
	wanted := n
	if mine := s.owners[name]; mine != nil {
		wanted += mine.n
	}
	sh := o.slowest(s.patience, o.name != name && o.n > wanted)
	if sh != nil {
		sh.remove()
	}
	return sh
}

// largest returns the owner that holds most, as far as a look at sampleSize of them tells.
func (s *shares) largest() *owner {
	if s.top != nil && s.top.list.Len() == 0 {
		s.top = nil
	}
	seen := 0
	for _, o := range s.owners { // in random order
		if s.top == nil || o.n > s.top.n {
			s.top = o
		}
		if seen++; seen == sampleSize {
			break
		}
	}
	return s.top
}

// slowest returns the slowest of the owner's oldest shares; nil if none may be taken. Unless anyAge
// is set, it must be older than patience.
func (o *owner) slowest(patience time.Duration, anyAge bool) (slowest *share) {
	now, minSpeed, seen := time.Now(), 0.0, 0
	for e := o.list.Front(); e != nil && seen < sampleSize; e = e.Next() {
		seen++
		sh := e.Value.(*share)
		age := now.Sub(sh.since)
		if !anyAge && (patience < 0 || age < patience) {
			break // the ones that follow are younger
		}
		if sh.busy != nil && sh.busy() {
			continue
		}
		speed := 0.0
		if sh.progress != nil {
			speed = float64(sh.progress()) / max(age.Seconds(), 1e-3)
		}
		if slowest == nil || speed < minSpeed {
			slowest, minSpeed = sh, speed
		}
	}
	return slowest
}
