package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// sessionTable is a session in a browser. Where that ends first, its end is that of its token.
var sessionTable = newTable("sessions", "hash", append(holderColumns(
	"CASE WHEN t.expires_at < sessions.expires_at THEN t.expires_at ELSE sessions.expires_at END"),
	instant("seen_at", stampColumn, func(s *access.Session) *time.Time { return &s.Seen }))...)

// linkTable is a link that signs in once.
var linkTable = newTable("sign_in_links", "hash", holderColumns("")...)

// holderColumns say whose a session is, and when it ends: ends, where a join knows better than
// the column.
func holderColumns(ends string) []tableColumn[access.Session] {
	return []tableColumn[access.Session]{
		hashColumn(func(s *access.Session) *[sha256.Size]byte { return &s.Hash }),
		derived("token_id", idColumn, func(s *access.Session) any {
			return sql.NullString{String: s.TokenID(), Valid: s.TokenID() != ""}
		}),
		encoded("identity", func(s *access.Session) *access.Identity { return &s.Identity }),
		instant("expires_at", stampColumn,
			func(s *access.Session) *time.Time { return &s.Expires }).joinedAs(ends),
	}
}

// InsertSession implements access.SessionStore.
func (s *Store) InsertSession(ctx context.Context, new access.Session, now, idle time.Time) error {
	return s.write(ctx, func(q *session) error {
		if _, err := q.Exec(ctx, "DELETE FROM sessions WHERE expires_at <= ? OR seen_at <= ?",
			micros(now), micros(idle)); err != nil {
			return err
		}
		if err := expectToken(ctx, q, &new); err != nil {
			return err
		}
		_, err := q.Exec(ctx, sessionTable.insertText, sessionTable.insertArgs(&new)...)
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
		if err := expectToken(ctx, q, &link); err != nil {
			return err
		}
		_, err := q.Exec(ctx, linkTable.insertText, linkTable.insertArgs(&link)...)
		return err
	})
}

// expectToken reports access.ErrNotFound if a session is of a token that does not exist.
func expectToken(ctx context.Context, q *session, of *access.Session) error {
	id := of.TokenID()
	if id == "" {
		return nil
	}
	return sole(q.Row(ctx, "SELECT id FROM tokens WHERE id = ?", []any{id}, &id))
}

var (
	selectSession = "SELECT " + sessionTable.selectedBy + ` FROM sessions
		LEFT JOIN tokens t ON t.id = sessions.token_id WHERE sessions.hash = ?`
	takeLink = "DELETE FROM sign_in_links WHERE hash = ? RETURNING " + linkTable.selected
)

// Session implements access.SessionStore.
func (s *Store) Session(ctx context.Context,
	hash [sha256.Size]byte) (found access.Session, err error) {
	err = s.read(ctx, func(q *session) error {
		return sole(q.Row(ctx, selectSession, []any{hash[:]}, sessionTable.dest(&found)...))
	})
	return found, err
}

// TakeLink implements access.SessionStore.
func (s *Store) TakeLink(ctx context.Context,
	hash [sha256.Size]byte) (link access.Session, err error) {
	err = s.write(ctx, func(q *session) error {
		link = access.Session{}
		return sole(q.Row(ctx, takeLink, []any{hash[:]}, linkTable.dest(&link)...))
	})
	return link, err
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
