package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// UpdateAccess implements access.Store.
func (s *Store) UpdateAccess(ctx context.Context, fn func(access.Tx) error) error {
	return s.write(ctx, func(q *session) error { return fn(accessTx{q}) })
}

// ViewAccess implements access.Store.
func (s *Store) ViewAccess(ctx context.Context, fn func(access.Tx) error) error {
	return s.read(ctx, func(q *session) error { return fn(accessTx{q}) })
}

type accessTx struct{ q *session }

// sole is the error of a look-up, with access.ErrNotFound for one that found nothing.
func sole(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return access.ErrNotFound
	}
	return err
}

// change runs a statement that must change a row; access.ErrNotFound if it does not.
func (t accessTx) change(ctx context.Context, text string, args ...any) error {
	n, err := t.q.Exec(ctx, text, args...)
	if err == nil && n == 0 {
		return access.ErrNotFound
	}
	return err
}

const tokenSelect = `SELECT t.id, t.name, t.created_at, t.expires_at, t.last_used, coalesce(a.role_id, ''), a.group_ids, a.tag_ids, t.hash
	FROM tokens t LEFT JOIN role_assignments a ON a.token_id = t.id`

func scanToken(scan func(...any) error) (t access.Token, hash [sha256.Size]byte, err error) {
	var created, expires, used sql.NullInt64
	var stored []byte
	err = scan(&t.ID, &t.Name, &created, &expires, &used, &t.RoleID, limits{&t.Groups},
		limits{&t.Tags}, &stored)
	if err != nil {
		return t, hash, sole(err)
	}
	if copy(hash[:], stored) != len(hash) {
		return t, hash, fmt.Errorf("token %s: its hash has %d bytes", t.ID, len(stored))
	}
	t.Created, t.Expires, t.LastUsed = fromMicros(created), fromMicros(expires), fromMicros(used)
	return t, hash, nil
}

func (t accessTx) token(ctx context.Context, where string,
	arg any) (access.Token, [sha256.Size]byte, error) {
	return scanToken(func(dest ...any) error {
		return t.q.Row(ctx, tokenSelect+where, []any{arg}, dest...)
	})
}

func (t accessTx) Token(ctx context.Context, id string) (access.Token, [sha256.Size]byte, error) {
	return t.token(ctx, " WHERE t.id = ?", id)
}

func (t accessTx) TokenNamed(ctx context.Context, idOrName string) (access.Token, error) {
	found, _, err := t.token(ctx, " WHERE t.id = ?1 OR t.name = ?1 ORDER BY t.id = ?1 DESC LIMIT 1",
		idOrName)
	return found, err
}

func (t accessTx) Tokens(ctx context.Context) (found []access.Token, err error) {
	err = t.q.Rows(ctx, tokenSelect+" ORDER BY t.name", nil, func(scan func(...any) error) error {
		one, _, err := scanToken(scan)
		found = append(found, one)
		return err
	})
	return found, err
}

func (t accessTx) InsertToken(ctx context.Context, token access.Token,
	hash [sha256.Size]byte) error {
	n, err := t.q.Exec(ctx, `INSERT INTO tokens (id, name, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO NOTHING`, token.ID, token.Name, hash[:], micros(token.Created), micros(token.Expires))
	if err == nil && n == 0 {
		return access.ErrExists
	}
	return err
}

func (t accessTx) DeleteToken(ctx context.Context, id string) error {
	return t.change(ctx, "DELETE FROM tokens WHERE id = ?", id)
}

func (t accessTx) TouchToken(ctx context.Context, id string, used time.Time) error {
	_, err := t.q.Exec(ctx,
		"UPDATE tokens SET last_used = ?1 WHERE id = ?2 AND coalesce(last_used, 0) < ?1",
		micros(used), id)
	return err
}
