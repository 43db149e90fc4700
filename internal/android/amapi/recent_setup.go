package amapi

import (
	"context"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// recentFor is how old what recentSetup remembers may be. So long a push may be held against what
// another server has changed since; Google sends one again that is refused.
const recentFor = 10 * time.Second

// recentSetup is a store that remembers the set-up for those who come before anything is known of
// them: however many they are, the database is asked once.
type recentSetup struct {
	Store
	now func() time.Time

	mu    sync.Mutex // held while the store is asked
	setup *Setup     // nil: nothing is remembered
	at    time.Time  // when it was read
}

// recent is the set-up as it was a moment ago. What it returns must not be changed.
func (s *recentSetup) recent(ctx context.Context) (*Setup, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if age := now.Sub(s.at); s.setup != nil && age < recentFor && age >= 0 {
		return s.setup, nil
	}
	setup, err := s.AndroidSetup(ctx)
	if err != nil {
		return nil, err
	}
	s.setup, s.at = setup, now
	return setup, nil
}

func (s *recentSetup) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setup = nil
}

// UpdateAndroidSetup implements Store.
func (s *recentSetup) UpdateAndroidSetup(ctx context.Context, fn func(*Setup) error) error {
	defer s.forget()
	return s.Store.UpdateAndroidSetup(ctx, fn)
}

// SetServiceAccount implements Store.
func (s *recentSetup) SetServiceAccount(ctx context.Context, key keypair.KeyPair,
	fn func(*Setup) error) error {
	defer s.forget()
	return s.Store.SetServiceAccount(ctx, key, fn)
}
