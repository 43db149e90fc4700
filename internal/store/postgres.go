package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/postgres/*.sql
var postgresMigrations embed.FS

const (
	postgresConns = 16               // unless the URL says pool_max_conns
	patience      = 10 * time.Second // for a lock, a connection, and an answer of the database; then the call fails and can be made again
)

// Advisory locks. A transaction takes turn before anything else, and order last.
const (
	turn  = 0x73796e6301 // shared by the steps of devices, exclusive for every other write
	order = 0x73796e6302 // held while events are numbered until the commit, so that their numbers follow the commits
	clock = 0x73796e6303 // of the node that keeps the clocks
)

var postgresDialect = &dialect{
	newestEvent: "SELECT greatest((SELECT position FROM events_dropped), (SELECT max(position) FROM events))",
	keepNewest:  "UPDATE events_dropped SET position = greatest(position, (SELECT max(position) FROM events))",
	search: func(b *selection, text string) string {
		pattern := "%" + likeEscaper.Replace(strings.ToLower(text)) + "%"
		return `(lower(devices.name COLLATE "und-x-icu") LIKE ` + b.bind(pattern) +
			` OR lower(devices.serial_number COLLATE "und-x-icu") LIKE ` + b.bind(pattern) + ")"
	},
}

// postgres is a database of a PostgreSQL server, which any number of nodes use at the same time. What SQLite's only
// writer gives, the advisory lock turn gives here: a write is alone, but for the steps of devices, which are beside each
// other because each has its device's row for itself.
type postgres struct {
	pool  *pgxpool.Pool
	w     *writer
	steps *stepper
	watch *watcher
}

func openPostgres(ctx context.Context, location string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(location)
	if err != nil {
		return nil, fmt.Errorf("the URL of the database: %w", err) // pgx keeps the password out of it
	}
	named := config.ConnConfig.Host + "/" + config.ConnConfig.Database
	if u, err := url.Parse(location); err == nil && !u.Query().Has("pool_max_conns") {
		config.MaxConns = postgresConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = patience
	}
	if err := keeps(ctx, config.ConnConfig.Copy()); err != nil {
		return nil, fmt.Errorf("opening database %s: %w", named, err)
	}
	if err := migratePostgres(ctx, config.ConnConfig.Copy()); err != nil {
		return nil, fmt.Errorf("opening database %s: %w", named, err)
	}
	for name, value := range map[string]string{
		"application_name":                    "syncpayloads",
		"statement_timeout":                   ms(2 * patience),
		"lock_timeout":                        ms(patience),
		"idle_in_transaction_session_timeout": ms(patience),                                                     // a node that hangs in the middle lets the others go on
		"tcp_keepalives_idle":                 "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3", // seconds: a node that vanished, too
	} {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.AfterConnect = durable
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening database %s: %w", named, err)
	}
	p := &postgres{pool: pool}
	p.w = startWriter(&postgresTransaction{pool: pool})
	p.steps = startStepper(pool, p.w)
	p.watch = startWatcher(config.ConnConfig)
	return p, nil
}

// keeps refuses a database that might lose what it is told, before anything in it is changed.
func keeps(ctx context.Context, config *pgx.ConnConfig) error {
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(durable(ctx, c), c.Close(ctx))
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// migratePostgres brings the tables up to date; of nodes that start together one does it, and the others wait.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig) error {
	files, err := fs.Sub(postgresMigrations, "migrations/postgres")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*config)
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err == nil {
		_, err = p.Up(ctx)
	}
	return errors.Join(err, db.Close())
}

func (p *postgres) hold() (bool, error) { return false, nil }

func (p *postgres) close() error {
	p.watch.stop()
	p.steps.stop()
	p.w.stop()
	p.pool.Close()
	return nil
}

func (p *postgres) read(ctx context.Context, fn func(*session) error) error {
	q, giveBack, err := p.borrow(ctx)
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

// borrow lends a connection. One that is lost, or in the middle of a transaction, does not go back to the pool.
func (p *postgres) borrow(ctx context.Context) (*session, func(), error) {
	c, err := acquire(ctx, p.pool)
	if err != nil {
		return nil, nil, err
	}
	return &session{link: &postgresLink{c.Conn()}, dialect: postgresDialect}, c.Release, nil
}

func acquire(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
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

func (p *postgres) write(ctx context.Context, fn func(*session) error, committed func()) error {
	return p.w.write(ctx, fn, committed)
}

func (p *postgres) commit(ctx context.Context, plan *Plan) error { return p.steps.write(ctx, plan) }

func (p *postgres) leads() bool { return p.watch.leading.Load() }

func (p *postgres) news() <-chan struct{} { return p.watch.told }

// postgresTransaction begins and ends the transactions of the writer.
type postgresTransaction struct {
	pool *pgxpool.Pool
	conn *pgxpool.Conn // of the transaction that has begun
}

func (t *postgresTransaction) begin(ctx context.Context) (*session, error) {
	c, err := acquire(ctx, t.pool)
	if err != nil {
		return nil, err
	}
	l := &postgresLink{c.Conn()}
	if err := l.simple(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", turn)); err != nil {
		c.Release()
		return nil, err
	}
	t.conn = c
	return &session{link: l, dialect: postgresDialect}, nil
}

func (t *postgresTransaction) commit(ctx context.Context, q *session) error {
	err := q.link.(*postgresLink).simple(ctx, "COMMIT")
	if err == nil {
		t.conn.Release()
	}
	return err
}

func (t *postgresTransaction) undo(ctx context.Context, q *session) {
	_ = q.link.(*postgresLink).simple(ctx, "ROLLBACK") // a lost connection was rolled back already
	t.conn.Release()
}
