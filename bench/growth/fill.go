package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

const (
	// over which the copies' contacts, actions and events are spread
	history   = 30 * 24 * time.Hour
	copiesNow = 50_000 // in one transaction
	inOneText = 500    // rows of one INSERT
	calledOf  = 2000   // most copies that are called

	sqliteCache = 1 << 30 // bytes, while the database is filled
)

// fill copies the real devices in the database until there are as many devices as there shall be.
// Everything that the server wrote for one is written for its copies, with other ids, so that it
// has the server's own form. The server is stopped meanwhile.
func (s *site) fill(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	db, err := s.open()
	if err != nil {
		return err
	}
	roomy := sqlite3.WithMaxMemory(ctx, 2*sqliteCache)
	for _, do := range []func(context.Context, *sql.DB) error{s.hurry, s.copyAll, s.settle} {
		if err := do(roomy, db); err != nil {
			return errors.Join(err, db.Close())
		}
	}
	if err := db.Close(); err != nil {
		return err
	}
	return s.start(ctx)
}

// open opens the database beside the server, with one connection.
func (s *site) open() (*sql.DB, error) {
	driver, location := "sqlite3", "file:"+s.config.Database+"?_pragma=busy_timeout(10000)"
	if s.postgres() {
		driver, location = "pgx", s.config.Database
	}
	db, err := sql.Open(driver, location)
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

func (s *site) postgres() bool { return store.IsPostgres(s.config.Database) }

// hurry gives up durability while nothing is to be lost. No index is taken away: they shall have
// the room between their entries that random ids leave, and built at once they would have none.
func (s *site) hurry(ctx context.Context, db *sql.DB) error {
	if s.postgres() {
		return s.run(ctx, db, "SET synchronous_commit = off",
			"SET session_replication_role = replica", "SET work_mem = '512MB'",
			"ALTER SYSTEM SET full_page_writes = off", "SELECT pg_reload_conf()")
	}
	return s.run(ctx, db, "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA journal_mode = OFF",
		"PRAGMA synchronous = OFF",
		fmt.Sprint("PRAGMA cache_size = -", sqliteCache>>10))
}

// settle undoes hurry, and does what PostgreSQL does by itself within minutes. All is on the disk
// then.
func (s *site) settle(ctx context.Context, db *sql.DB) error {
	if s.postgres() {
		return s.run(ctx, db, "ALTER SYSTEM RESET ALL", "SELECT pg_reload_conf()", "VACUUM ANALYZE",
			"CHECKPOINT")
	}
	if err := s.run(ctx, db, "PRAGMA locking_mode = NORMAL",
		"PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	f, err := os.OpenFile(s.config.Database, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *site) run(ctx context.Context, db *sql.DB, texts ...string) error {
	for _, text := range texts {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%w in: %s", err, text)
		}
	}
	return nil
}

// prepareCopies makes the list of the next copies, and keeps what the database has of the patterns,
// so that to read it takes as long in a full database as in an empty one. age is how long before
// its pattern a copy did everything.
func (s *site) prepareCopies(ctx context.Context, db *sql.DB) error {
	texts := []string{`CREATE TEMPORARY TABLE copies (number BIGINT PRIMARY KEY, id TEXT, pattern TEXT, udid TEXT, serial TEXT,
		certificate TEXT, age BIGINT)`}
	for _, name := range copied {
		texts = append(texts, "CREATE TEMPORARY TABLE pattern_"+name+" AS SELECT * FROM "+name)
	}
	return s.run(ctx, db, append(texts,
		"ALTER TABLE pattern_events ADD COLUMN action TEXT",
		"UPDATE pattern_events SET action = doc ->> 'Action'")...)
}

func (s *site) copyAll(ctx context.Context, db *sql.DB) error {
	if err := s.prepareCopies(ctx, db); err != nil {
		return err
	}
	step := max(1, s.size/calledOf)
	for done := realDevices; done < s.size; {
		some := min(copiesNow, s.size-done)
		rows := make([]string, some)
		for i := range rows {
			number := done + i
			id := uuid.NewString()
			if number%step == 0 {
				s.called = append(s.called, id)
			}
			// Scattered over the time without regard to the order of the numbers.
			age := history / time.Duration(s.size) * time.Duration(number*7919%s.size)
			rows[i] = fmt.Sprintf("(%d, '%s', '%s', '00008110-%016X', 'G%09X', '%s', %d)", number,
				id, s.real[number%realDevices].id,
				number, number*2654435761%(1<<36), randomHex(32), age.Microseconds())
		}
		if err := s.copySome(ctx, db, rows); err != nil {
			return err
		}
		done += some
	}
	return nil
}

func (s *site) copySome(ctx context.Context, db *sql.DB, rows []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // of a transaction that was committed
	for len(rows) > 0 {
		some := rows[:min(inOneText, len(rows))]
		if _, err := tx.ExecContext(ctx, "INSERT INTO copies VALUES "+strings.Join(some,
			", ")); err != nil {
			return err
		}
		rows = rows[len(some):]
	}
	for _, text := range copying {
		if err := s.copyInto(ctx, tx, text); err != nil {
			return fmt.Errorf("%w in: %s", err, text)
		}
	}
	return tx.Commit()
}

// copyInto runs one of copying. SQLite does not tell the size of a table, so it is noted by how
// much the file grows.
func (s *site) copyInto(ctx context.Context, tx *sql.Tx, text string) error {
	var before, after int64
	pages := func(n *int64) error {
		if s.postgres() {
			return nil
		}
		return tx.QueryRowContext(ctx,
			"SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(n)
	}
	if err := pages(&before); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return err
	}
	if err := pages(&after); err != nil {
		return err
	}
	s.grown[strings.Fields(text)[2]] += after - before
	return nil
}

// copied are the tables of which the copies have rows.
var copied = []string{"devices", "ledgers", "actions", "removals", "events", "catalog_members",
	"apple_enrollments", "apple_certificates"}

// copying writes the copies, each row as its pattern's but for what tells devices apart. An
// action's id is made of the copy's and its pattern's.
var copying = []string{
	`INSERT INTO devices (id, name, platform, manufacturer, model, os_version, serial_number, udid, supervised, user_enrolled, enrolled,
		enrolled_at, last_sync, scope_tags, synced)
	SELECT c.id, 'iPhone ' || c.serial, platform, manufacturer, model, os_version, c.serial, c.udid, supervised, user_enrolled, enrolled,
		enrolled_at - age, last_sync - age, scope_tags, c.number
	FROM copies c JOIN pattern_devices p ON p.id = c.pattern`,
	`INSERT INTO ledgers (device_id, revision, due_at, changed, doc) SELECT c.id, revision, due_at, changed, doc
	FROM copies c JOIN pattern_ledgers p ON p.device_id = c.pattern`,
	`INSERT INTO actions (id, device_id, number, name, state, doc, started, actor)
	SELECT substr(c.id, 1, 24) || substr(p.id, 25), c.id, p.number, p.name, p.state,
		replace(p.doc, p.id, substr(c.id, 1, 24) || substr(p.id, 25)), p.started - age, p.actor
	FROM copies c JOIN pattern_actions p ON p.device_id = c.pattern`,
	`INSERT INTO removals (device_id, payload_id, type, display_name, sub_type, since, actor, restore_at)
	SELECT c.id, p.payload_id, p.type, p.display_name, p.sub_type, p.since - age, p.actor, p.restore_at
	FROM copies c JOIN pattern_removals p ON p.device_id = c.pattern`,
	`INSERT INTO events (device_id, at, code, doc)
	SELECT c.id, p.at - age, p.code, replace(replace(p.doc, c.pattern, c.id), p.action, substr(c.id, 1, 24) || substr(p.action, 25))
	FROM copies c JOIN pattern_events p ON p.device_id = c.pattern ORDER BY c.number, p.position`,
	`INSERT INTO catalog_members (group_id, device_id) SELECT p.group_id, c.id FROM copies c JOIN pattern_catalog_members p ON p.device_id = c.pattern`,
	`INSERT INTO apple_enrollments (id, "user", device_id, platform, stage, certificate, topic, push_magic, token, replaced)
	SELECT c.udid, "user", c.id, platform, stage, c.certificate, topic, push_magic, token, replaced
	FROM copies c JOIN pattern_apple_enrollments p ON p.device_id = c.pattern`,
	`INSERT INTO apple_certificates (sha256, serial, der, key_sha256, not_after, enrollment, revoked)
	SELECT c.certificate, substr(c.certificate, 1, 32), p.der, p.key_sha256, p.not_after, c.udid, p.revoked
	FROM copies c JOIN pattern_apple_enrollments e ON e.device_id = c.pattern JOIN pattern_apple_certificates p ON p.sha256 = e.certificate`,
	`DELETE FROM copies`,
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
