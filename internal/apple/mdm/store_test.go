package mdm_test

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// memoryStore keeps what a Store keeps, without a database.
type memoryStore struct {
	mu           sync.Mutex
	enrollments  map[string]mdm.Enrollment
	certificates map[string]mdm.Certificate
	challenges   map[string]mdm.Challenge
	keyPairs     map[string]keypair.KeyPair
}

func newMemoryStore() *memoryStore {
	return &memoryStore{enrollments: map[string]mdm.Enrollment{},
		certificates: map[string]mdm.Certificate{},
		challenges:   map[string]mdm.Challenge{}, keyPairs: map[string]keypair.KeyPair{}}
}

func (s *memoryStore) Identity(_ context.Context, enrollment,
	sha256 string) (*mdm.Enrollment, *mdm.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, c := s.identity(enrollment, sha256)
	return e, c, nil
}

func (s *memoryStore) identity(enrollment, sha256 string) (e *mdm.Enrollment, c *mdm.Certificate) {
	if stored, ok := s.enrollments[enrollment]; ok {
		stored.Token, stored.Replaced = slices.Clone(stored.Token), slices.Clone(stored.Replaced)
		e = &stored
	}
	if stored, ok := s.certificates[sha256]; ok {
		c = &stored
	}
	return e, c
}

func (s *memoryStore) UpdateIdentity(_ context.Context, enrollment, sha256 string,
	fn func(*mdm.Enrollment, *mdm.Certificate) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, c := s.identity(enrollment, sha256)
	if e == nil {
		e = &mdm.Enrollment{ID: enrollment}
	}
	if err := fn(e, c); err != nil {
		return err
	}
	s.enrollments[enrollment] = *e
	if c != nil {
		s.certificates[sha256] = *c
	}
	return nil
}

func (s *memoryStore) EnrollmentOf(_ context.Context,
	device fleet.DeviceID) (*mdm.Enrollment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range maps.Values(s.enrollments) {
		if e.Device == device {
			return &e, nil
		}
	}
	return nil, mdm.ErrNotFound
}

func (s *memoryStore) OtherTopics(_ context.Context, topics []string, _ fleet.Condition,
	limit int) (count int, names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.enrollments)) {
		e := s.enrollments[id]
		if (e.Stage == mdm.Enrolled || e.Stage == mdm.Reachable) && e.Topic != "" &&
			!slices.Contains(topics, e.Topic) {
			if count++; len(names) < limit {
				names = append(names, id)
			}
		}
	}
	return count, names, nil
}

func (s *memoryStore) AddChallenge(_ context.Context, c mdm.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.challenges[c.SHA256] = c
	return nil
}

func (s *memoryStore) Challenge(_ context.Context, sha256 string) (*mdm.Challenge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.challenges[sha256]
	if !ok {
		return nil, mdm.ErrNotFound
	}
	return &c, nil
}

func (s *memoryStore) LinkOf(_ context.Context, sha256 string) (*mdm.Challenge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range maps.Values(s.challenges) {
		if c.Certificate != nil && c.Certificate.SHA256 == sha256 {
			return &c, nil
		}
	}
	return nil, mdm.ErrNotFound
}

func (s *memoryStore) Redeem(_ context.Context, sha256 string, at time.Time,
	c mdm.Certificate) (*mdm.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	challenge, ok := s.challenges[sha256]
	switch {
	case !ok:
		return nil, mdm.ErrNotFound
	case challenge.UsedAt.IsZero():
		challenge.UsedAt, challenge.Certificate = at, &c
		s.challenges[sha256], s.certificates[c.SHA256] = challenge, c
	case challenge.Certificate.KeySHA256 != c.KeySHA256:
		return nil, mdm.ErrChallengeUsed
	}
	return challenge.Certificate, nil
}

func (s *memoryStore) AddKeyPair(_ context.Context, name string,
	k keypair.KeyPair) (*keypair.KeyPair, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored, ok := s.keyPairs[name]; ok {
		return &stored, nil
	}
	s.keyPairs[name] = k
	return &k, nil
}

func (s *memoryStore) SetKeyPair(_ context.Context, name string, k keypair.KeyPair) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keyPairs[name] = k
	return nil
}

func (s *memoryStore) KeyPair(_ context.Context, name string) (*keypair.KeyPair, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keyPairs[name]
	if !ok {
		return nil, mdm.ErrNotFound
	}
	return &k, nil
}

func (s *memoryStore) enrollment(id string) mdm.Enrollment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.enrollments[id]
}
