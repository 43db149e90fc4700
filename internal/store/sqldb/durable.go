package sqldb

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Durable returns why what is answered might not survive the end of the database's machine or
// process, as far as the database's settings go, and how that is mended; or why the settings cannot
// be read.
func (q *Session) Durable(ctx context.Context) error {
	if l, ok := q.link.(*postgresLink); ok {
		return durable(ctx, l.conn, l.patience)
	}
	return q.durable(ctx)
}

// fullSync is PRAGMA synchronous=FULL: a commit returns when it is on the disk
// (sqlite.org/pragma.html#pragma_synchronous).
const fullSync = "2"

// durable looks at the settings of a SQLite connection.
func (q *Session) durable(ctx context.Context) error {
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": fullSync,
		"fullfsync": "1", "checkpoint_fullfsync": "1"} {
		var got string
		if err := q.Row(ctx, "PRAGMA "+name, nil, &got); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("what is answered could be lost: SQLite's %s is %s, want %s", name,
				got, want)
		}
	}
	return nil
}

// acceptLoss is a setting of ours, which PostgreSQL keeps for us: a database that may be lost, as a
// test's may, can be one of a cluster that does not write to the disk.
const acceptLoss = "syncpayloads.accept_data_loss"

// durability also makes the session keep its way to commit, whatever the server's files say later.
const durability = `SELECT name, setting, source, coalesce(current_setting('` + acceptLoss + `', true), '') = 'on',
 CASE name WHEN 'synchronous_commit' THEN set_config(name, setting, false) END
 FROM pg_settings WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes') ORDER BY name`

// durable looks at the settings of a PostgreSQL session as they are in force, wherever they were
// made, and of its cluster.
func durable(ctx context.Context, c *pgx.Conn, patience time.Duration) error {
	ctx, cancel := within(ctx, patience)
	defer cancel()
	found, err := c.Query(ctx, durability, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	defer found.Close()
	var bad error
	for found.Next() {
		var name, setting, source string
		var accepted bool
		if err := found.Scan(&name, &setting, &source, &accepted, nil); err != nil {
			return err
		}
		if setting != "off" || accepted && name != "synchronous_commit" {
			continue
		}
		bad = fmt.Errorf("what is answered could be lost: %s is off (by %s). Turn it on: it may be set in the server's configuration, "+
			"for the database, for the user, or in the URL", name, settingSource(source))
	}
	if err := found.Err(); err != nil {
		return err
	}
	return bad
}

// settingSource says where a setting was made (PostgreSQL documentation, pg_settings.source).
func settingSource(source string) string {
	switch source {
	case "client":
		return "the URL"
	case "user", "database":
		return "a setting of the " + source
	case "database user":
		return "a setting of the user in the database"
	case "command line":
		return "the command line of PostgreSQL"
	default:
		return "PostgreSQL's " + source
	}
}
