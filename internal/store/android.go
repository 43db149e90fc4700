package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// serviceAccountKey is under which name the key of the service account is kept.
const serviceAccountKey = "android service account"

// AndroidSetup implements amapi.Store.
func (s *Store) AndroidSetup(ctx context.Context) (setup *amapi.Setup, err error) {
	err = s.read(ctx, func(q *session) error {
		setup, err = q.androidSetup(ctx)
		return err
	})
	return setup, err
}

func (q *session) androidSetup(ctx context.Context) (*amapi.Setup, error) {
	setup := new(amapi.Setup)
	var doc []byte
	err := q.Row(ctx, "SELECT doc FROM android_setup", nil, &doc)
	if errors.Is(err, sql.ErrNoRows) {
		return setup, nil
	}
	if err == nil {
		err = json.Unmarshal(doc, setup)
	}
	if err != nil {
		return nil, fmt.Errorf("reading Android's set-up: %w", err)
	}
	return setup, nil
}

// UpdateAndroidSetup implements amapi.Store.
func (s *Store) UpdateAndroidSetup(ctx context.Context, fn func(*amapi.Setup) error) error {
	return s.write(ctx, func(q *session) error { return q.updateAndroidSetup(ctx, fn) })
}

func (q *session) updateAndroidSetup(ctx context.Context, fn func(*amapi.Setup) error) error {
	setup, err := q.androidSetup(ctx)
	if err != nil {
		return err
	}
	if err := fn(setup); err != nil {
		return err
	}
	doc, err := json.Marshal(setup)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `INSERT INTO android_setup (one, doc) VALUES (1, ?)
		ON CONFLICT (one) DO UPDATE SET doc = excluded.doc`, string(doc))
	return err
}

// SetServiceAccount implements amapi.Store.
func (s *Store) SetServiceAccount(ctx context.Context, key keypair.KeyPair,
	fn func(*amapi.Setup) error) error {
	return s.write(ctx, func(q *session) error {
		if err := q.updateAndroidSetup(ctx, fn); err != nil {
			return err
		}
		return q.setKeyPair(ctx, serviceAccountKey, key)
	})
}

// ServiceAccount implements amapi.Store.
func (s *Store) ServiceAccount(ctx context.Context) (*keypair.KeyPair, error) {
	k, err := s.KeyPair(ctx, serviceAccountKey)
	if errors.Is(err, mdm.ErrNotFound) {
		err = amapi.ErrNotFound
	}
	return k, err
}

const androidTokenColumns = "id, name, mode, one_time, created, expires, revoked, terms"

func scanAndroidToken(scan func(...any) error) (*amapi.StoredToken, error) {
	var t amapi.StoredToken
	var created, expires sql.NullInt64
	var terms []byte
	err := scan(&t.ID, &t.Name, &t.Mode, &t.OneTime, &created, &expires, &t.Revoked, &terms)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, amapi.ErrNotFound
	}
	if err == nil {
		t.Created, t.Expires = fromMicros(created), fromMicros(expires)
		err = json.Unmarshal(terms, &t.Terms)
	}
	if err != nil {
		return nil, fmt.Errorf("reading an enrollment token: %w", err)
	}
	return &t, nil
}

// AddAndroidToken implements amapi.Store.
func (s *Store) AddAndroidToken(ctx context.Context, t amapi.StoredToken) error {
	return s.write(ctx, func(q *session) error {
		terms, err := json.Marshal(t.Terms)
		if err == nil {
			_, err = q.Exec(ctx, "INSERT INTO android_tokens ("+androidTokenColumns+
				") VALUES (?, ?, ?, ?, ?, ?, ?, ?)", t.ID, t.Name, t.Mode, t.OneTime,
				micros(t.Created), micros(t.Expires), t.Revoked, string(terms))
		}
		return err
	})
}

// AndroidToken implements amapi.Store.
func (s *Store) AndroidToken(ctx context.Context, id,
	name string) (t *amapi.StoredToken, err error) {
	err = s.read(ctx, func(q *session) error {
		t, err = scanAndroidToken(func(dest ...any) error {
			return q.Row(ctx, "SELECT "+androidTokenColumns+
				" FROM android_tokens WHERE id = ? OR name = ? ORDER BY id = ? DESC LIMIT 1",
				[]any{id, name, id}, dest...)
		})
		return err
	})
	return t, err
}

// AndroidTokens implements amapi.Store.
func (s *Store) AndroidTokens(ctx context.Context,
	at time.Time) (list []amapi.StoredToken, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.Rows(ctx, "SELECT "+androidTokenColumns+
			" FROM android_tokens WHERE NOT revoked AND expires > ? ORDER BY created DESC, id",
			[]any{micros(at)}, func(scan func(...any) error) error {
				t, err := scanAndroidToken(scan)
				if err == nil {
					list = append(list, *t)
				}
				return err
			})
	})
	return list, err
}

// RevokeAndroidToken implements amapi.Store.
func (s *Store) RevokeAndroidToken(ctx context.Context, id string) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "UPDATE android_tokens SET revoked = ? WHERE id = ?", true, id)
		return err
	})
}

// TakeLease implements amapi.Store.
func (s *Store) TakeLease(ctx context.Context, name, holder string, now,
	until time.Time) (taken bool, err error) {
	err = s.write(ctx, func(q *session) error {
		n, err := q.Exec(ctx, `INSERT INTO leases (name, holder, until) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE leases.holder = excluded.holder OR leases.until <= ?`,
			name, holder, until.UnixMicro(), now.UnixMicro())
		taken = n > 0
		return err
	})
	return taken, err
}

// RenewLease implements amapi.Store.
func (s *Store) RenewLease(ctx context.Context, name, holder string,
	until time.Time) (kept bool, err error) {
	err = s.write(ctx, func(q *session) error {
		n, err := q.Exec(ctx, "UPDATE leases SET until = ? WHERE name = ? AND holder = ?",
			until.UnixMicro(), name, holder)
		kept = n > 0
		return err
	})
	return kept, err
}

// EndLeases implements amapi.Store. Only a server of a database in a file is alone (see Hold).
func (s *Store) EndLeases(ctx context.Context, prefix string) error {
	if s.identities == nil {
		return nil
	}
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM leases WHERE substr(name, 1, ?) = ?", len(prefix), prefix)
		return err
	})
}

// ReleaseLease implements amapi.Store.
func (s *Store) ReleaseLease(ctx context.Context, name, holder string) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM leases WHERE name = ? AND holder = ?", name, holder)
		return err
	})
}
