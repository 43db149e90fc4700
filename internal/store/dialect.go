package store

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/syncpayloads/syncpayloads/internal/query"
	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

// session is a connection to the database that knows its tables: the methods of a sqldb.Session,
// and reads and writes that several of the store's interfaces need.
type session struct {
	*sqldb.Session
	dialect *dialect
}

func newSession(q *sqldb.Session) *session { return &session{q, dialects[q.Engine()]} }

// dialect is what is said to the two engines in different words.
type dialect struct {
	newestEvent string // the newest position that was ever given
	// remembers that position before events are dropped
	keepNewest string
	// devices by a piece of at least three characters
	search func(b *selection, text string) string

	// hits counts matches of a search, at most hitsLimit. Empty if searching does not get slower
	// when many devices match.
	hits string
}

var dialects = map[sqldb.Engine]*dialect{
	sqldb.SQLite: {
		newestEvent: "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)",
		keepNewest:  "SELECT 1", // SQLite does it
		search: func(b *selection, text string) string {
			return "devices.id IN (SELECT device_id FROM device_keys WHERE key IN (SELECT rowid FROM device_search WHERE device_search MATCH " +
				b.bind(phrase(text)) + "))"
		},
		hits: fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM device_search WHERE device_search MATCH ? LIMIT %d)", hitsLimit),
	},
	sqldb.Postgres: {
		newestEvent: "SELECT greatest((SELECT position FROM events_dropped), (SELECT max(position) FROM events))",
		keepNewest:  "UPDATE events_dropped SET position = greatest(position, (SELECT max(position) FROM events))",
		search: func(b *selection, text string) string {
			pattern := "%" + likeEscaper.Replace(strings.ToLower(text)) + "%"
			return `(lower(devices.name COLLATE "und-x-icu") LIKE ` + b.bind(pattern) +
				` OR lower(devices.serial_number COLLATE "und-x-icu") LIKE ` + b.bind(pattern) + ")"
		},
	},
}

// hitsLimit is how many devices a search may find before it is better to look at one device after
// the other.
const hitsLimit = 5000

// phrase is a text as SQLite's index for searching wants it.
func phrase(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }

// searching is the session's dialect for a statement with a search in it.
func (q *session) searching(ctx context.Context) *dialect {
	if q.dialect.hits == "" {
		return q.dialect
	}
	d := *q.dialect
	d.search = func(b *selection, text string) string {
		var hits int
		if isASCII(text) && q.Row(ctx, d.hits, []any{phrase(text)}, &hits) == nil &&
			hits == hitsLimit {
			piece := query.Fold(text)
			return "(instr(lower(devices.name), " + b.bind(piece) +
				") > 0 OR instr(lower(devices.serial_number), " + b.bind(piece) + ") > 0)"
		}
		return q.dialect.search(b, text)
	}
	return &d
}

// isASCII reports whether lower makes small letters of all of a text's letters.
func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
