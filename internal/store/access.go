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

// tokenRow is a token with the hash of its secret.
type tokenRow struct {
	token access.Token
	hash  [sha256.Size]byte
}

// tokenTable is a token. Its role and where it has it are those of its assignment.
var tokenTable = newTable("tokens", "id",
	plain("id", idColumn, func(t *tokenRow) *string { return &t.token.ID }),
	plain("name", textColumn, func(t *tokenRow) *string { return &t.token.Name }),
	hashColumn(func(t *tokenRow) *[sha256.Size]byte { return &t.hash }),
	instant("created_at", stampColumn,
		func(t *tokenRow) *time.Time { return &t.token.Created }),
	instant("expires_at", timeColumn, func(t *tokenRow) *time.Time { return &t.token.Expires }),
	instant("last_used", timeColumn,
		func(t *tokenRow) *time.Time { return &t.token.LastUsed }).writtenApart(),
	plain("role_id", idColumn,
		func(t *tokenRow) *string { return &t.token.RoleID }).joinedAs("a.role_id").writtenApart(),
	limitColumn("group_ids",
		func(t *tokenRow) *[]string {
			return &t.token.Groups
		}).joinedAs("a.group_ids").writtenApart(),
	limitColumn("tag_ids",
		func(t *tokenRow) *[]string { return &t.token.Tags }).joinedAs("a.tag_ids").writtenApart(),
)

// hashColumn is a column that holds the SHA-256 of a secret.
func hashColumn[T any](of func(*T) *[sha256.Size]byte) tableColumn[T] {
	return tableColumn[T]{
		name:  "hash",
		kind:  bytesColumn,
		value: func(row *T) any { return of(row)[:] },
		dest:  func(row *T) any { return hashOf{of(row)} },
	}
}

// hashOf puts a column of hashColumn into a hash.
type hashOf struct{ to *[sha256.Size]byte }

// Scan implements sql.Scanner.
func (h hashOf) Scan(value any) error {
	stored, _ := value.([]byte)
	if len(stored) != len(h.to) {
		return fmt.Errorf("the hash of a secret has %d bytes", len(stored))
	}
	copy(h.to[:], stored)
	return nil
}

var selectToken = "SELECT " + tokenTable.selectedBy + ` FROM tokens
	LEFT JOIN role_assignments a ON a.token_id = tokens.id`

func scanToken(scan func(...any) error) (access.Token, [sha256.Size]byte, error) {
	var row tokenRow
	if err := scan(tokenTable.dest(&row)...); err != nil {
		return access.Token{}, row.hash, sole(err)
	}
	return row.token, row.hash, nil
}

func (t accessTx) token(ctx context.Context, where string,
	arg any) (access.Token, [sha256.Size]byte, error) {
	return scanToken(func(dest ...any) error {
		return t.q.Row(ctx, selectToken+where, []any{arg}, dest...)
	})
}

func (t accessTx) Token(ctx context.Context, id string) (access.Token, [sha256.Size]byte, error) {
	return t.token(ctx, " WHERE tokens.id = ?", id)
}

func (t accessTx) TokenNamed(ctx context.Context, idOrName string) (access.Token, error) {
	found, _, err := t.token(ctx,
		" WHERE tokens.id = ?1 OR tokens.name = ?1 ORDER BY tokens.id = ?1 DESC LIMIT 1", idOrName)
	return found, err
}

func (t accessTx) Tokens(ctx context.Context) (found []access.Token, err error) {
	err = t.q.Rows(ctx, selectToken+" ORDER BY tokens.name", nil, func(scan func(...any) error) error {
		one, _, err := scanToken(scan)
		found = append(found, one)
		return err
	})
	return found, err
}

func (t accessTx) InsertToken(ctx context.Context, token access.Token,
	hash [sha256.Size]byte) error {
	n, err := t.q.Exec(ctx, tokenTable.insertText+" ON CONFLICT (name) DO NOTHING",
		tokenTable.insertArgs(&tokenRow{token, hash})...)
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
