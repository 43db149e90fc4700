package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

const template = "syncpayloads_template" // a database with the tables and nothing else

var (
	shared    = sync.OnceValues(startShared)
	databases atomic.Int64
)

func startShared() (*Cluster, error) {
	c, err := Start("fsync=off", "full_page_writes=off", "syncpayloads.accept_data_loss=on")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err := c.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, c.URL(template))
	if err != nil {
		return nil, err
	}
	return c, s.Close()
}

// NewDatabase returns the URL of a new database with the store's tables, on a PostgreSQL server
// that the tests of this process share. It is dropped when the test ends.
func NewDatabase(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := c.Exec(t.Context(),
		"CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY file_copy"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return c.URL(name)
}

// Cluster is a private PostgreSQL server in a temporary folder, reached by a Unix socket. It ends
// with this process at the latest, however that ends, and its folder with it.
type Cluster struct {
	Dir      string // with the socket; the data is in data, the log in log
	Bin      string // with PostgreSQL's programs
	options  []string
	login    *syscall.SysProcAttr
	keeper   *exec.Cmd
	lifeline io.Closer

	mu   sync.Mutex
	conn *pgx.Conn // to its own database postgres; nil: there is none yet, or it was lost
}

// keep starts the server, and stops it and removes everything when its standard input ends.
const keep = `"$1"/postgres -D "$2/data" -k "$2" -c listen_addresses= "${@:3}" </dev/null >>"$2/log" 2>&1 & echo $! >"$2/pid"
read -r word; kill -QUIT $(cat "$2/pid"); wait; [ "$word" = stay ] || rm -rf "$2"/*`

// Start makes a cluster and starts its server with the given settings (name=value). It runs as user
// postgres if this process is root's, because PostgreSQL refuses root.
func Start(settings ...string) (*Cluster, error) { return StartIn("", settings...) }

// StartIn is Start, with everything in a new folder inside another; empty: the one for temporary
// files.
func StartIn(folder string, settings ...string) (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(folder, "pg")
	if err != nil {
		return nil, err
	}
	c := &Cluster{Dir: dir, Bin: bin, login: &syscall.SysProcAttr{Setpgid: true}}
	if os.Getuid() == 0 {
		if err := c.switchUser(); err != nil {
			return nil, err
		}
	}
	// A language whose order and letters differ from the plain bytes', as an operator's database
	// may have.
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U",
		"postgres", "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync",
		"--no-instructions")
	initdb.SysProcAttr, initdb.Dir = c.login, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making a PostgreSQL cluster: %w: %s", err, out)
	}
	for _, s := range append([]string{"max_connections=400", "shared_buffers=64MB",
		"logging_collector=off"}, settings...) {
		c.options = append(c.options, "-c", s)
	}
	return c, c.Run()
}

func (c *Cluster) switchUser() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres to run it: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.login.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.Dir, int(uid), int(gid))
}

// binaries is the newest version's folder, where Debian has them, or that of postgres in PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err == nil && len(found) > 0 {
		return filepath.Dir(slices.Max(found)), nil
	}
	path, err := exec.LookPath("postgres")
	if err != nil {
		return "",
			errors.New("PostgreSQL is not installed; `make tools` installs it, on Debian: apt-get install postgresql")
	}
	path, err = filepath.EvalSymlinks(path)
	return filepath.Dir(path), err
}

// Run starts the server again after a Kill, and returns when it answers.
func (c *Cluster) Run() error {
	c.keeper = exec.Command("bash", append([]string{"-c", keep, "keep", c.Bin, c.Dir},
		c.options...)...)
	c.keeper.SysProcAttr, c.keeper.Dir = c.login, c.Dir
	lifeline, err := c.keeper.StdinPipe()
	if err != nil {
		return err
	}
	c.lifeline = lifeline
	if err := c.keeper.Start(); err != nil {
		return fmt.Errorf("starting PostgreSQL: %w", err)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := c.Exec(context.Background(), "SELECT 1")
		if err == nil {
			return nil
		}
		if time.Since(began) > time.Minute {
			log, _ := os.ReadFile(filepath.Join(c.Dir, "log"))
			return fmt.Errorf("PostgreSQL does not answer: %w; its log: %s", err, log)
		}
	}
}

// PID is the number of the server's first process, whose children its others are.
func (c *Cluster) PID() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.Dir, "pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Kill stops the server in the middle of what it does (SIGQUIT: its processes exit at once, as in a
// crash). What was committed is there when it runs again.
func (c *Cluster) Kill() error {
	if _, err := io.WriteString(c.lifeline.(io.Writer), "stay\n"); err != nil {
		return err
	}
	return c.keeper.Wait()
}

// Close stops the server and removes everything.
func (c *Cluster) Close() error {
	return errors.Join(c.lifeline.Close(), c.keeper.Wait(), os.RemoveAll(c.Dir))
}

// URL is a database's.
func (c *Cluster) URL(database string) string {
	return (&url.URL{Scheme: "postgres", Path: "/" + database,
		RawQuery: url.Values{"host": {c.Dir}, "user": {"postgres"}}.Encode()}).String()
}

// Exec runs a statement on the server, in its own database postgres. Connections are dear, and so
// one is kept for all statements.
func (c *Cluster) Exec(ctx context.Context, text string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil || c.conn.IsClosed() {
		var err error
		if c.conn, err = pgx.Connect(ctx, c.URL("postgres")); err != nil {
			return err
		}
	}
	_, err := c.conn.Exec(ctx, text)
	return err
}
