package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// AddToken implements access.Store.
func (s *Store) AddToken(ctx context.Context, t access.Token, hash [sha256.Size]byte) error {
	return s.write(ctx, func(q *session) error {
		n, err := q.exec(ctx, `INSERT INTO tokens (id, name, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO NOTHING`, t.ID, t.Name, hash[:], micros(t.Created), micros(t.Expires))
		if err == nil && n == 0 {
			return access.ErrExists
		}
		return err
	})
}

// Token implements access.Store.
func (s *Store) Token(ctx context.Context, id string) (t access.Token, hash [sha256.Size]byte, err error) {
	err = s.read(ctx, func(q *session) error {
		var stored []byte
		t, err = scanToken(func(dest ...any) error {
			return q.row(ctx, "SELECT id, name, created_at, expires_at, hash FROM tokens WHERE id = ?", []any{id},
				append(dest, &stored)...)
		})
		if err == nil && copy(hash[:], stored) != len(hash) {
			return fmt.Errorf("token %s: its hash has %d bytes", id, len(stored))
		}
		return err
	})
	return t, hash, err
}

// Tokens implements access.Store.
func (s *Store) Tokens(ctx context.Context) (found []access.Token, err error) {
	err = s.read(ctx, func(q *session) error {
		return q.rows(ctx, "SELECT id, name, created_at, expires_at FROM tokens ORDER BY name", nil,
			func(scan func(...any) error) error {
				t, err := scanToken(scan)
				found = append(found, t)
				return err
			})
	})
	return found, err
}

// RemoveToken implements access.Store.
func (s *Store) RemoveToken(ctx context.Context, idOrName string) error {
	return s.write(ctx, func(q *session) error {
		n, err := q.exec(ctx, `DELETE FROM tokens WHERE id =
			(SELECT id FROM tokens WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC LIMIT 1)`, idOrName)
		if err == nil && n == 0 {
			return access.ErrNotFound
		}
		return err
	})
}

func scanToken(scan func(...any) error) (access.Token, error) {
	var t access.Token
	var created, expires sql.NullInt64
	err := scan(&t.ID, &t.Name, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return t, access.ErrNotFound
	}
	t.Created, t.Expires = fromMicros(created), fromMicros(expires)
	return t, err
}
