package server_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/syncpayloads/syncpayloads/internal/clocktest"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// ask asks for a path without a token.
func ask(t *testing.T, client *http.Client, method,
	url string) (status int, header http.Header, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(body)
}

func TestReady(t *testing.T) {
	s := start(t, server.Config{DataDir: servertest.Folder(t)})
	client := browser(t, trust(t, s))
	for _, c := range []struct {
		method, text string
		want         int
	}{{"GET", "ready\n", 200}, {"HEAD", "", 200}, {"GET", "ready\n", 200}} {
		status, header, text := ask(t, client, c.method, s.URL()+"/readyz")
		if status != c.want || text != c.text || header.Get("Cache-Control") != "no-store" ||
			header.Get("Retry-After") != "" {
			t.Errorf("%s: %d %v %q", c.method, status, header, text)
		}
	}
	if status, _, text := ask(t, client, "POST",
		s.URL()+"/readyz"); status != http.StatusUnauthorized {
		t.Errorf("POST, which is a call as any: %d %s", status, text)
	}
}

// The database is asked once, however many ask at the same time, and again when a second has
// passed. When it does not answer, or is away, the server is not ready, and alive; it is ready
// again when the database is.
func TestReadyFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	db, err := storetest.Start("log_statement=all")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := clocktest.New(time.Now())
	s := start(t, server.Config{DataDir: t.TempDir(), Database: db.URL("postgres"), Clock: c})
	client := browser(t, trust(t, s))
	check := func(want int) {
		t.Helper()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				status, header, text := ask(t, client, "GET", s.URL()+"/readyz")
				if status != want ||
					(header.Get("Retry-After") != "") != (want == http.StatusServiceUnavailable) ||
					strings.Contains(text, db.Dir) || strings.Contains(text, "postgres") {
					t.Errorf("%d %q, Retry-After %q; want %d", status, text,
						header.Get("Retry-After"), want)
				}
			})
		}
		if all.Wait(); t.Failed() {
			t.FailNow()
		}
	}
	asked := func() int {
		log, err := os.ReadFile(filepath.Join(db.Dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(log), "FROM devices LIMIT 1) AS")
	}
	recovers := func() {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
			// Connections that died with the database may be lent once more each.
			c.Advance(time.Second)
			if status, _, _ := ask(t, client, "GET", s.URL()+"/readyz"); status == http.StatusOK {
				check(http.StatusOK)
				return
			}
		}
		t.Fatal("the server is not ready, and its database is back")
	}
	for n := 1; n <= 2; n++ {
		check(http.StatusOK)
		if got := asked(); got != n {
			t.Fatalf("the database was asked %d times, want %d", got, n)
		}
		c.Advance(time.Second)
	}
	release := locked(t, db.URL("postgres"))
	check(http.StatusServiceUnavailable)
	c.Advance(time.Minute)
	check(http.StatusServiceUnavailable)
	var waiting int
	storetest.Query(t, db.URL("postgres"), &waiting,
		"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM devices LIMIT 1) AS%'")
	if release(); waiting != 1 {
		t.Fatalf("a database that does not answer was asked %d times", waiting)
	}
	recovers()
	if err := db.Kill(); err != nil {
		t.Fatal(err)
	}
	check(http.StatusOK) // as it was a moment ago
	c.Advance(time.Second)
	check(http.StatusServiceUnavailable)
	if status, _, text := ask(t, client, "GET", s.URL()+"/healthz"); status != http.StatusOK {
		t.Errorf("the server says of itself %d %s", status, text)
	}
	if err := db.Run(); err != nil {
		t.Fatal(err)
	}
	check(http.StatusServiceUnavailable)
	recovers()
}

// locked keeps everybody from reading devices until it is released.
func locked(t *testing.T, database string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE devices"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := conn.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// A server that is shutting down, and still works on something, tells nobody that it is ready:
// neither on new connections, nor on those that were open before.
func TestReadyWhileShuttingDown(t *testing.T) {
	s := newCrowded(t, server.Config{})
	end := s.stay(1, "POST", "/beta/deviceManagement/deviceConfigurations")
	used, err := newTalker(t, s.Server)
	if err != nil {
		t.Fatal(err)
	}
	if err := used.talk("/readyz"); err != nil {
		t.Fatal(err)
	}
	fresh, err := newTalker(t, s.Server)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Close(context.Background()) }()
	for {
		conn, err := net.Dial("tcp", address(s.Server))
		if err != nil {
			break // it listens no more
		}
		_ = conn.Close()
	}
	for name, c := range map[string]*talker{"used": used, "fresh": fresh} {
		if err := c.talk("/readyz"); err == nil {
			t.Errorf("a server that is shutting down is ready on a connection that is %s", name)
		}
	}
	select {
	case err := <-ended:
		t.Errorf("it ended, and a request was worked on: %v", err)
	default:
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
