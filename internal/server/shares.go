package server

import (
	"container/list"
	"sync"
	"time"
)

// shares knows who holds how much of something scarce and since when, to take it back from who has
// most. A place that is worked on ends by itself; a handshake, a body or a connection lasts for as
// long as its other side likes.
//
// A party (a network, for IPv6 a /64) may hold everything that nobody else wants: thousands of
// devices of one school come from one address. It is the first to lose something when others come,
// until they have as much. Within one party, and among parties that hold the same, only what has
// lasted for longer than an honest one takes is taken back, and of that what is slowest.
type shares struct {
	// from when on what a party holds can be taken back for the party itself; less than 0: never
	patience time.Duration

	mu      sync.Mutex
	parties map[string]*party
	top     *party // that held most when it was last looked at
}

// party is what one party holds, the oldest first.
type party struct {
	name string
	n    int64
	list list.List // of *share
}

// share is a part of something scarce that is held.
type share struct {
	of    *shares
	party *party
	n     int64
	since time.Time
	at    *list.Element // nil: it is not held any more

	pace func() int64 // how much its other side has done; nil: nothing
	busy func() bool  // whether it cannot be taken now; nil: it can
	cut  func()       // ends it, after it was taken back
	free func(n int64)
}

const (
	sampled   = 64 // parties, and shares of one, that are looked at to find what is taken back
	neverBack = -1
)

func newShares(patience time.Duration) *shares {
	return &shares{patience: patience, parties: make(map[string]*party)}
}

// add notes that a party holds something.
func (s *shares) add(name string, sh *share) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parties[name]
	if p == nil {
		p = &party{name: name}
		s.parties[name] = p
	}
	sh.of, sh.party, sh.since = s, p, time.Now()
	sh.at = p.list.PushBack(sh)
	p.n += sh.n
	if s.top == nil || p.n > s.top.n {
		s.top = p
	}
	return sh
}

// grow notes that a share is larger by n, and tells whether it is still held.
func (sh *share) grow(n int64) bool {
	sh.of.mu.Lock()
	defer sh.of.mu.Unlock()
	if sh.at == nil {
		return false
	}
	sh.n += n
	if sh.party.n += n; sh.party.n > sh.of.top.n {
		sh.of.top = sh.party
	}
	return true
}

// end gives a share back, if it was not taken back.
func (sh *share) end() {
	if sh == nil {
		return
	}
	sh.of.mu.Lock()
	held := sh.at != nil
	sh.remove()
	sh.of.mu.Unlock()
	if held && sh.free != nil {
		sh.free(sh.n)
	}
}

func (sh *share) remove() {
	if sh.at == nil {
		return
	}
	sh.party.list.Remove(sh.at)
	sh.at = nil
	if sh.party.n -= sh.n; sh.party.list.Len() == 0 {
		delete(sh.of.parties, sh.party.name)
	}
}

// press takes back at least n for a party that wants it, and tells whether it did.
func (s *shares) press(name string, n int64) bool {
	freed := int64(0)
	for freed < n {
		sh := s.takeBack(name, n)
		if sh == nil {
			return false
		}
		if sh.free != nil {
			sh.free(sh.n)
		}
		sh.cut()
		freed += sh.n
	}
	return true
}

func (s *shares) takeBack(name string, n int64) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.largest()
	if p == nil {
		return nil
	}
	wanted := n
	if own := s.parties[name]; own != nil {
		wanted += own.n
	}
	sh := p.weakest(s.patience, p.name != name && p.n > wanted)
	if sh != nil {
		sh.remove()
	}
	return sh
}

// largest is the party that holds most, as far as a look at some tells: all may be as many as there
// are addresses.
func (s *shares) largest() *party {
	if s.top != nil && s.top.list.Len() == 0 {
		s.top = nil
	}
	seen := 0
	for _, p := range s.parties { // in an order that nobody knows
		if s.top == nil || p.n > s.top.n {
			s.top = p
		}
		if seen++; seen == sampled {
			break
		}
	}
	return s.top
}

// weakest is the slowest of a party's oldest shares. Unless any is wanted it must have lasted for
// longer than patience.
func (p *party) weakest(patience time.Duration, any bool) (weakest *share) {
	now, slowest, seen := time.Now(), 0.0, 0
	for e := p.list.Front(); e != nil && seen < sampled; e = e.Next() {
		seen++
		sh := e.Value.(*share)
		age := now.Sub(sh.since)
		if !any && (patience < 0 || age < patience) {
			break // those behind it are younger
		}
		if sh.busy != nil && sh.busy() {
			continue
		}
		speed := 0.0
		if sh.pace != nil {
			speed = float64(sh.pace()) / max(age.Seconds(), 1e-3)
		}
		if weakest == nil || speed < slowest {
			weakest, slowest = sh, speed
		}
	}
	return weakest
}
