package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// InsertSession implements access.SessionStore.
func (s *Store) InsertSession(ctx context.Context, new access.Session, now, idle time.Time) error {
	return s.write(ctx, func(q *session) error {
		if _, err := q.Exec(ctx, "DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?",
			micros(now), micros(idle)); err != nil {
			return err
		}
		who, token, err := sessionHolder(ctx, q, &new)
		if err != nil {
			return err
		}
		_, err = q.Exec(ctx,
			"INSERT INTO sessions (hash, token_id, identity, expires_at, seen_at) VALUES (?, ?, ?, ?, ?)",
			new.Hash[:], token, who, micros(new.Expires), micros(new.Seen))
		return err
	})
}

// InsertLink implements access.SessionStore.
func (s *Store) InsertLink(ctx context.Context, link access.Session, now time.Time) error {
	return s.write(ctx, func(q *session) error {
		if _, err := q.Exec(ctx, "DELETE FROM sign_in_links WHERE expires_at <= ?",
			micros(now)); err != nil {
			return err
		}
		who, token, err := sessionHolder(ctx, q, &link)
		if err != nil {
			return err
		}
		_, err = q.Exec(ctx,
			"INSERT INTO sign_in_links (hash, token_id, identity, expires_at) VALUES (?, ?, ?, ?)",
			link.Hash[:], token, who, micros(link.Expires))
		return err
	})
}

// sessionHolder returns the columns that say whose session it is; access.ErrNotFound if its token
// does not exist.
func sessionHolder(ctx context.Context, q *session,
	of *access.Session) (who string, token any, err error) {
	text, err := json.Marshal(of.Identity)
	if err != nil {
		return "", nil, err
	}
	id := of.TokenID()
	if id == "" {
		return string(text), nil, nil
	}
	var found string
	err = q.Row(ctx, "SELECT id FROM tokens WHERE id = ?", []any{id}, &found)
	return string(text), id, sole(err)
}

// Session implements access.SessionStore.
func (s *Store) Session(ctx context.Context,
	hash [sha256.Size]byte) (found access.Session, err error) {
	err = s.read(ctx, func(q *session) error {
		found, err = scanSession(hash, func(dest ...any) error {
			return q.Row(ctx, `SELECT s.identity, CASE WHEN t.expires_at < s.expires_at THEN t.expires_at ELSE s.expires_at END, s.seen_at
				FROM sessions s LEFT JOIN tokens t ON t.id = s.token_id WHERE s.hash = ?`, []any{hash[:]}, dest...)
		})
		return err
	})
	return found, err
}

// TakeLink implements access.SessionStore.
func (s *Store) TakeLink(ctx context.Context,
	hash [sha256.Size]byte) (link access.Session, err error) {
	err = s.write(ctx, func(q *session) error {
		link, err = scanSession(hash, func(dest ...any) error {
			return q.Row(ctx,
				"DELETE FROM sign_in_links WHERE hash = ? RETURNING identity, expires_at, NULL",
				[]any{hash[:]}, dest...)
		})
		return err
	})
	return link, err
}

func scanSession(hash [sha256.Size]byte, scan func(...any) error) (access.Session, error) {
	var who string
	var expires, seen sql.NullInt64
	if err := scan(&who, &expires, &seen); err != nil {
		return access.Session{}, sole(err)
	}
	found := access.Session{Hash: hash, Expires: fromMicros(expires), Seen: fromMicros(seen)}
	if err := json.Unmarshal([]byte(who), &found.Identity); err != nil {
		return access.Session{}, fmt.Errorf("reading whose session it is: %w", err)
	}
	return found, nil
}

// TouchSession implements access.SessionStore.
func (s *Store) TouchSession(ctx context.Context, hash [sha256.Size]byte, seen time.Time) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "UPDATE sessions SET seen_at = ? WHERE hash = ? AND seen_at < ?",
			micros(seen), hash[:], micros(seen))
		return err
	})
}

// DeleteSession implements access.SessionStore.
func (s *Store) DeleteSession(ctx context.Context, hash [sha256.Size]byte) error {
	return s.write(ctx, func(q *session) error {
		_, err := q.Exec(ctx, "DELETE FROM sessions WHERE hash = ?", hash[:])
		return err
	})
}
