package storetest

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Slow is a database whose commits take as long as a test wants. The test closes the store.
type Slow struct {
	*store.Store
	hold func() (asked func() bool, release func())
}

// Hold lets no commit end until release. asked reports whether one has come to its end but for
// that.
func (s *Slow) Hold() (asked func() bool, release func()) { return s.hold() }

// OpenSlow opens a new database.
func OpenSlow(t testing.TB) *Slow {
	t.Helper()
	if Postgres() {
		return openSlowPostgres(t)
	}
	d := NewDisk(t)
	return &Slow{d.Store(t, filepath.Join(t.TempDir(), "test.db")), func() (func() bool, func()) {
		asked, release := d.Hold()
		return func() bool { return asked() > 0 }, release
	}}
}

// slowCommits has every transaction that wrote anything take a lock at the beginning of its commit.
const slowCommits = `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NULL; END $$;
DO $$ DECLARE name text; BEGIN
	FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
		EXECUTE format('CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE OR DELETE ON %I DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION slow()', name);
	END LOOP;
END $$`

func openSlowPostgres(t testing.TB) *Slow {
	t.Helper()
	location := NewDatabase(t)
	c, err := pgx.Connect(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	var mu sync.Mutex // of the connection
	do := func(text string, into ...any) {
		mu.Lock()
		defer mu.Unlock()
		var err error
		if len(into) > 0 {
			err = c.QueryRow(t.Context(), text).Scan(into...)
		} else {
			_, err = c.PgConn().Exec(t.Context(), text).ReadAll()
		}
		if err != nil {
			t.Error(err)
		}
	}
	do(slowCommits)
	s, err := store.Open(t.Context(), location)
	if err != nil {
		t.Fatal(err)
	}
	return &Slow{s, func() (func() bool, func()) {
		do("SELECT pg_advisory_lock(7)")
		return func() (asked bool) {
			do("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted)", &asked)
			return asked
		}, sync.OnceFunc(func() { do("SELECT pg_advisory_unlock(7)") })
	}}
}

// Grace is for how long a commit is held, in which somebody hasty would answer.
const Grace = 100 * time.Millisecond
