package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

const postgresConns = 16 // unless the URL says pool_max_conns

// Advisory locks. A transaction takes writeLock before anything else, and numberLock last.
const (
	writeLock = 0x73796e6301 // shared by plans, exclusive for every other write
	// held while rows are numbered until the commit, so that the numbers follow the commits
	numberLock = 0x73796e6302
	clockLock  = 0x73796e6303 // of the node that keeps the clocks
)

// postgres is a database of a PostgreSQL server, which any number of nodes use at the same time.
// What SQLite's only writer gives, the advisory lock writeLock gives here: a write is alone, but
// for plans, which are beside each other because each has its row for itself.
type postgres struct {
	pool     *pgxpool.Pool
	w        *writer
	steps    *stepper
	watch    *watcher
	patience time.Duration
}

func openPostgres(ctx context.Context, location string, migrations fs.FS) (*postgres, error) {
	config, err := pgxpool.ParseConfig(location)
	if err != nil {
		// pgx keeps the password out of it
		return nil, fmt.Errorf("the URL of the database: %w", err)
	}
	patience, err := patienceOf(config.ConnConfig)
	if err != nil {
		return nil, err
	}
	named := config.ConnConfig.Host + "/" + config.ConnConfig.Database
	if u, err := url.Parse(location); err == nil && !u.Query().Has("pool_max_conns") {
		config.MaxConns = postgresConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = patience
	}
	if err := prepare(ctx, config.ConnConfig, migrations, patience); err != nil {
		return nil, fmt.Errorf("opening database %s: %w", named, err)
	}
	for name, value := range map[string]string{
		"application_name":  "syncpayloads",
		"statement_timeout": ms(answerPatience * patience),
		"lock_timeout":      ms(patience),
		// A node that hangs in the middle lets the others go on, and so does one that vanished
		// (seconds).
		"idle_in_transaction_session_timeout": ms(patience),
		"tcp_keepalives_idle":                 "5",
		"tcp_keepalives_interval":             "2",
		"tcp_keepalives_count":                "3",
	} {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.AfterConnect = func(ctx context.Context,
		c *pgx.Conn) error {
		return durable(ctx, c, patience)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", named, err)
	}
	p := &postgres{pool: pool, patience: patience}
	p.w = startWriter(&postgresTransaction{pool: pool, patience: patience})
	p.steps = startStepper(pool, p.w, patience)
	p.watch = startWatcher(config.ConnConfig)
	return p, nil
}

// prepare refuses a database that might lose what it is told, before anything in it is changed, and
// then brings its tables up to date. A node that joins others finds that done, and needs but one
// connection to see it.
func prepare(ctx context.Context, config *pgx.ConnConfig, migrations fs.FS,
	patience time.Duration) error {
	c, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return err
	}
	err = durable(ctx, c, patience)
	current := false
	if err == nil {
		current, err = upToDate(ctx, c, migrations)
	}
	if err = errors.Join(err, c.Close(ctx)); err != nil || current {
		return err
	}
	return migratePostgres(ctx, config.Copy(), migrations)
}

// upToDate reports whether all migrations have been applied.
func upToDate(ctx context.Context, c *pgx.Conn, migrations fs.FS) (bool, error) {
	var there bool
	err := c.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL",
		goose.DefaultTablename).Scan(&there)
	if err != nil || !there {
		return false, err
	}
	rows, err := c.Query(ctx, "SELECT version_id FROM "+goose.DefaultTablename+" WHERE is_applied")
	if err != nil {
		return false, err
	}
	applied, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return false, err
	}
	files, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return false, err
	}
	for _, name := range files {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return false, err
		}
		if !slices.Contains(applied, version) {
			return false, nil
		}
	}
	return true, nil
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// migratePostgres brings the tables up to date; of nodes that start together one does it, and the
// others wait.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, migrations fs.FS) error {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	p, err := goose.NewProvider(goose.DialectPostgres, db, migrations,
		goose.WithSessionLocker(locker))
	if err == nil {
		_, err = p.Up(ctx)
	}
	return errors.Join(err, db.Close())
}

func (p *postgres) Hold() (bool, error) { return false, nil }

func (p *postgres) Close() error {
	p.watch.stop()
	p.steps.stop()
	p.w.stop()
	p.pool.Close()
	return nil
}

func (p *postgres) Read(ctx context.Context, fn func(*Session) error) error {
	q, giveBack, err := p.Borrow(ctx)
	if err != nil {
		return err
	}
	defer giveBack()
	l := q.link.(*postgresLink)
	if err := l.simple(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	err = fn(q)
	if end := l.simple(ctx, "ROLLBACK"); end != nil {
		err = errors.Join(err, fmt.Errorf("ending a read: %w", end))
	}
	return err
}

// Borrow lends a connection. One that is lost, or in the middle of a transaction, does not go back
// to the pool.
func (p *postgres) Borrow(ctx context.Context) (*Session, func(), error) {
	c, err := acquire(ctx, p.pool, p.patience)
	if err != nil {
		return nil, nil, err
	}
	return newPostgresSession(c.Conn(), p.patience), c.Release, nil
}

func acquire(ctx context.Context, pool *pgxpool.Pool,
	patience time.Duration) (*pgxpool.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, &unreachable{err}
	}
	return c, nil
}

// unreachable is why there is no connection to the database.
type unreachable struct{ cause error }

func (u *unreachable) Error() string { return "no connection to the database: " + u.cause.Error() }
func (u *unreachable) Unwrap() error { return u.cause }

func (p *postgres) Write(ctx context.Context, fn func(*Session) error, committed func()) error {
	return p.w.write(ctx, fn, committed)
}

func (p *postgres) Commit(ctx context.Context, plan *Plan) error { return p.steps.write(ctx, plan) }

func (p *postgres) Engine() Engine { return Postgres }

func (p *postgres) Leads() bool { return p.watch.leading.Load() }

func (p *postgres) News() <-chan struct{} { return p.watch.told }

// postgresTransaction begins and ends the transactions of the writer.
type postgresTransaction struct {
	pool     *pgxpool.Pool
	conn     *pgxpool.Conn // of the transaction that has begun
	patience time.Duration
}

func (t *postgresTransaction) begin(ctx context.Context) (*Session, error) {
	c, err := acquire(ctx, t.pool, t.patience)
	if err != nil {
		return nil, err
	}
	l := &postgresLink{c.Conn(), t.patience}
	if err := l.simple(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)",
		writeLock)); err != nil {
		c.Release()
		return nil, err
	}
	t.conn = c
	return &Session{link: l, engine: Postgres}, nil
}

func (t *postgresTransaction) commit(ctx context.Context, q *Session) error {
	err := q.link.(*postgresLink).simple(ctx, "COMMIT")
	if err == nil {
		t.conn.Release()
	}
	return err
}

func (t *postgresTransaction) undo(ctx context.Context, q *Session) {
	_ = q.link.(*postgresLink).simple(ctx, "ROLLBACK") // a lost connection was rolled back already
	t.conn.Release()
}
