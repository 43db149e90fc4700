package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// movedWorld is a server with devices whose database goes to PostgreSQL.
type movedWorld struct {
	*world
	file, url string
	phone     *demoDevice
}

// A server's database is moved by a program that is killed again and again. Afterwards the server
// goes on there as if nothing had happened: with its tokens, audit record, streams and devices.
func TestMigrate(t *testing.T) {
	t.Parallel()
	cluster, err := storetest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := cluster.Exec(t.Context(), "CREATE DATABASE moved"); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	m := &movedWorld{world: w, file: filepath.Join(w.data, server.DatabaseFile),
		url: cluster.URL("moved"), phone: w.fleet.devices[0]}
	w.run(t, "remove", "--wait", m.phone.name, walkRemoves[0], walkRemoves[1]).want(t, 0)
	w.run(t, "token", "create", "--data", w.data, "--role", "Help Desk Operator", "desk").want(t, 0)
	removed := w.run(t, "payload", "list", "--json", m.phone.name)
	removed.want(t, 0, walkRemoves[0])
	m.migrate(t, w.data).want(t, 1, "in use")
	w.fleet.transport.CloseIdleConnections()
	if err := w.server.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.addEvents(t, 30_000)
	noted, tokens := w.run(t, "audit", "verify", "--data", w.data),
		w.run(t, "token", "list", "--data", w.data, "--json")
	noted.want(t, 0)

	m.killAgainAndAgain(t)
	m.migrate(t, w.data).want(t, 0, "copied    devices", "compared  events",
		"every one is the same")
	m.migrate(t, m.file).want(t, 1, "has data already")
	if o := w.run(t, "audit", "verify", "--db", m.url); o.code != 0 || o.stdout != noted.stdout {
		t.Errorf("the audit record is %+v, was %+v", o, noted)
	}
	if o := w.run(t, "token", "list", "--db", m.url, "--json"); o.code != 0 ||
		o.stdout != tokens.stdout {
		t.Errorf("the tokens are %+v, were %+v", o, tokens)
	}

	m.serve(t)
	if o := w.run(t, "payload", "list", "--json", m.phone.name); o.code != 0 ||
		o.stdout != removed.stdout {
		t.Errorf("the payloads are %+v, were %+v", o, removed)
	}
	m.checkStream(t)
	w.run(t, "restore", "--wait", m.phone.name).want(t, 0)
	for name, p := range w.payloads(t, m.phone) {
		if !onDevice(p) {
			t.Errorf("%s is not restored: %+v", name, p)
		}
	}
	w.run(t, "token", "create", "--db", m.url, "new").want(t, 0)
	w.run(t, "audit", "verify", "--db", m.url, "--expect", strings.TrimSpace(noted.stdout)).want(t,
		0)
}

func (m *movedWorld) migrate(t *testing.T, from string) outcome {
	t.Helper()
	return m.run(t, "migrate", "--from", from, "--to", m.url)
}

// addEvents makes the database large enough to be killed in the middle.
func (m *movedWorld) addEvents(t *testing.T, n int) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+m.file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO events (device_id, at, doc, code) SELECT device_id, at, doc, code FROM n, (SELECT * FROM events ORDER BY position DESC LIMIT 1)`, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// killAgainAndAgain kills moves behind what they say, and a little later, which is in the middle of
// a table.
func (m *movedWorld) killAgainAndAgain(t *testing.T) {
	t.Helper()
	tables := []string{"tenant", "devices", "idempotency_keys", "idempotency_keys", "events",
		"audit_head"}
	for i, table := range tables {
		command := invocation(t.Context(), t, nil, "migrate", "--from", m.data, "--to", m.url,
			"--json")
		said, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		var complaint bytes.Buffer
		command.Stderr = &complaint
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		m.readUntil(t, command, bufio.NewScanner(said), table)
		time.Sleep(time.Duration(len(tables)-1-i) * 20 * time.Millisecond) // any moment will do
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); command.ProcessState.Exited() {
			t.Fatalf("behind %s it was not killed, but ended: %v %s", table, err,
				complaint.String())
		}
		m.run(t, "token", "list", "--db", m.url).want(t, 1, "run syncpayloads migrate again")
	}
	var copied int
	storetest.Query(t, m.url, &copied, "SELECT count(*) FROM events")
	if copied == 0 {
		t.Error("nothing was copied before the end")
	}
}

func (m *movedWorld) readUntil(t *testing.T, command *exec.Cmd, lines *bufio.Scanner,
	table string) {
	t.Helper()
	for lines.Scan() {
		if line := decode[migrationLine](t, lines.Text()); line.Table == table {
			return
		}
	}
	t.Fatalf("it ended before it told of %s: %v", table, command.Wait())
}

// serve starts the server on the new database, at its old address.
func (m *movedWorld) serve(t *testing.T) {
	t.Helper()
	running, err := server.Start(t.Context(),
		server.Config{DataDir: m.data, Database: m.url,
			Listen:       strings.TrimPrefix(m.server.URL(), "https://"),
			RestoreAfter: server.DefaultRestoreAfter, Policy: demoPolicy,
			APNsURL: m.fleet.gateway.URL(), APNsCAs: m.fleet.gatewayCAs, Log: m.fleet.log})
	if err != nil {
		t.Fatal(err)
	}
	m.server = running
	t.Cleanup(func() {
		m.fleet.stopDevices()
		if err := running.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// checkStream resumes the stream of all devices where a reader of the old database had stopped.
func (m *movedWorld) checkStream(t *testing.T) {
	t.Helper()
	var newest int64
	storetest.Query(t, m.file, &newest, "SELECT max(position) FROM events")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.server.URL()+"/api/events",
		nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+m.token)
	r.Header.Set("Accept", "application/x-ndjson")
	r.Header.Set("Last-Event-ID", fmt.Sprint(newest-5))
	res, err := (&http.Client{Transport: m.fleet.transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var got []int64
	for lines := bufio.NewScanner(res.Body); len(got) < 5 && lines.Scan(); {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var e struct{ ID int64 }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		got = append(got, e.ID)
	}
	if want := []int64{newest - 4, newest - 3, newest - 2, newest - 1, newest}; !slices.Equal(got,
		want) {
		t.Errorf("the stream goes on with %v, want %v (%s)", got, want, res.Status)
	}
}
