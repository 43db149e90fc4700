package sqldb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// writes are the ways in which something is written.
var writes = map[string]struct {
	write func(ctx context.Context, s *store.Store, name string) error
	has   func(ctx context.Context, s *store.Store, names []string) error
}{
	"step of a device": {func(ctx context.Context, s *store.Store, name string) error {
		return s.Update(ctx, "a", func(tx engine.Tx) error {
			l, err := tx.Ledger(ctx, "a")
			if err == nil {
				err = tx.SaveKey(ctx, "a", &engine.Key{Caller: "x", Name: name,
					Digest: []byte("x")}, time.Now())
			}
			if err == nil {
				err = tx.SaveLedger(ctx, "a", l)
			}
			return err
		})
	}, func(ctx context.Context, s *store.Store, names []string) error {
		return s.View(ctx, func(tx engine.Tx) error {
			for _, name := range names {
				digest, err := tx.KeyDigest(ctx, "a", &engine.Key{Caller: "x", Name: name},
					time.Unix(0, 0))
				if err != nil || digest == nil {
					return fmt.Errorf("%s is lost, %w", name, err)
				}
			}
			return nil
		})
	}},
	"any other write": {func(ctx context.Context, s *store.Store, name string) error {
		_, _, err := access.NewTokens(s, time.Now).Create(ctx,
			access.TokenInput{Name: name, Role: access.Administrator})
		return err
	}, func(ctx context.Context, s *store.Store, names []string) error {
		list, err := access.NewTokens(s, time.Now).List(ctx)
		for _, name := range names {
			if err != nil || !slices.ContainsFunc(list,
				func(t access.Token) bool { return t.Name == name }) {
				return fmt.Errorf("%s is lost, %w", name, err)
			}
		}
		return nil
	}},
}

func enrollA(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Update(t.Context(), "a", func(tx engine.Tx) error {
		return tx.SaveDevice(t.Context(), &fleet.Device{ID: "a", UDID: "a"})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// kept checks that everything that was answered is in a store.
func kept(t *testing.T, s *store.Store, answered []string) {
	t.Helper()
	names := map[string][]string{}
	for _, one := range answered {
		how, name, _ := strings.Cut(one, "/")
		names[how] = append(names[how], name)
	}
	for how, of := range names {
		if err := writes[how].has(t.Context(), s, of); err != nil {
			t.Fatalf("of what was answered, %s: %v", how, err)
		}
	}
}

// Whenever the power is lost, everything is there of which it was said that it is, and the file is
// sound.
func TestPowerIsLost(t *testing.T) {
	dir, disk := t.TempDir(), storetest.NewDisk(t)
	s := disk.Store(t, filepath.Join(dir, "test.db"))
	enrollA(t, s)
	_, before := disk.Syncs() // a new file is made before any setting is
	var mu sync.Mutex
	var answered []string
	more := sync.NewCond(&mu)
	var writing sync.WaitGroup
	const writers, each = 3, 40
	for how, way := range writes {
		for i := range writers {
			writing.Go(func() {
				for n := range each {
					name := fmt.Sprintf("%d-%d", i, n)
					if err := way.write(context.Background(), s, name); err != nil {
						t.Error(err)
					}
					mu.Lock()
					answered = append(answered, how+"/"+name)
					more.Broadcast()
					mu.Unlock()
				}
			})
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for last := 0; last < len(writes)*writers*each; {
		mu.Lock()
		for next := min(last+1+random.IntN(60), len(writes)*writers*each); len(answered) < next; {
			more.Wait()
		}
		now := slices.Clone(answered)
		mu.Unlock()
		last = len(now)
		left := t.TempDir()
		disk.LosePower(t, random, left)
		again, err := store.Open(t.Context(), filepath.Join(left, "test.db"))
		if err != nil {
			t.Fatal(err)
		}
		kept(t, again, now)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	writing.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	all, weak := disk.Syncs()
	if all == 0 || weak > before {
		t.Errorf("%d of %d syncs leave it to a Mac's disk when it writes", weak-before, all)
	}
	t.Logf("%d writes, %d syncs", len(answered), all)
}

// Nothing is answered while its commit is on its way to the disk, and the reader of events sees
// nothing of it.
func TestCommitIsWaitedFor(t *testing.T) {
	for how, way := range writes {
		t.Run(how, func(t *testing.T) {
			disk := storetest.NewDisk(t)
			s := disk.Store(t, filepath.Join(t.TempDir(), "test.db"))
			defer s.Close()
			enrollA(t, s)
			asked, release := disk.Hold()
			defer release()
			done := make(chan error, 1)
			go func() { done <- way.write(context.Background(), s, "x") }()
			for asked() == 0 {
				select {
				case err := <-done:
					t.Fatalf("answered %v before anything was on its way to the disk", err)
				case <-time.After(time.Millisecond):
				}
			}
			select {
			case err := <-done:
				t.Fatalf("answered %v before it was on the disk", err)
			case <-time.After(50 * time.Millisecond): // in which somebody hasty would answer
			}
			release()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			kept(t, s, []string{how + "/x"})
		})
	}
}

// A PostgreSQL server that writes its log late, unless a commit waits for it.
func TestPostgresKeeps(t *testing.T) {
	if !storetest.Postgres() {
		t.Skip("on PostgreSQL")
	}
	c, err := storetest.Start("wal_writer_delay=10s")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	t.Run("crashes", func(t *testing.T) { crashes(t, c) })
	t.Run("settings", func(t *testing.T) { mustKeep(t, c) })
}

// What PostgreSQL has answered is there after a crash of all its processes, which takes what was
// left to be written later.
func crashes(t *testing.T, c *storetest.Cluster) {
	open := func() *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), c.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	enrollA(t, s)
	var answered []string
	for how, way := range writes {
		for n := range 3 {
			if err := way.write(t.Context(), s, fmt.Sprint(n)); err != nil {
				t.Fatal(err)
			}
			answered = append(answered, fmt.Sprintf("%s/%d", how, n))
		}
		if err := c.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		s = open()
		kept(t, s, answered)
	}
	_ = s.Close()
}

// A database that may lose what was answered is not used, wherever that is set; nothing in it is
// changed.
func mustKeep(t *testing.T, c *storetest.Cluster) {
	do := func(statements ...string) {
		t.Helper()
		for _, text := range statements {
			if err := c.Exec(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	reload := func(name, value string) func() {
		return func() {
			do("ALTER SYSTEM SET "+name+" = "+value, "SELECT pg_reload_conf()")
			// another process reads its files
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				do("CREATE TABLE IF NOT EXISTS seen (name text)", "TRUNCATE seen",
					"INSERT INTO seen SELECT current_setting('"+name+"')")
				var got string
				storetest.Query(t, c.URL("postgres"), &got, "SELECT name FROM seen")
				if got == value || time.Now().After(end) {
					return
				}
			}
		}
	}
	run := func(statements ...string) func() { return func() { do(statements...) } }
	do("CREATE ROLE hasty LOGIN SUPERUSER", "CREATE DATABASE keeps")
	hasty := strings.Replace(c.URL("keeps"), "user=postgres", "user=hasty", 1)
	for name, at := range map[string]struct {
		set, reset func()
		url        string
		says       []string
	}{
		"URL": {nil, nil, c.URL("keeps") + "&synchronous_commit=off",
			[]string{"synchronous_commit is off", "the URL"}},
		"URL's options": {nil, nil, c.URL("keeps") + "&options=-c%20synchronous_commit%3Doff",
			[]string{"synchronous_commit is off", "the URL"}},
		"user": {run("ALTER ROLE hasty SET synchronous_commit = off"),
			run("ALTER ROLE hasty RESET ALL"), hasty, []string{"a setting of the user"}},
		"database": {run("ALTER DATABASE keeps SET synchronous_commit = off"),
			run("ALTER DATABASE keeps RESET ALL"), c.URL("keeps"),
			[]string{"a setting of the database"}},
		"user in database": {run("ALTER ROLE hasty IN DATABASE keeps SET synchronous_commit = off"),
			run("ALTER ROLE hasty IN DATABASE keeps RESET ALL"), hasty,
			[]string{"of the user in the database"}},
		"configuration": {reload("synchronous_commit", "off"),
			reload("synchronous_commit", "on"), c.URL("keeps"),
			[]string{"synchronous_commit is off", "configuration file"}},
		"no fsync": {reload("fsync", "off"), reload("fsync", "on"), c.URL("keeps"),
			[]string{"fsync is off", "configuration file"}},
		"half pages": {reload("full_page_writes", "off"), reload("full_page_writes", "on"),
			c.URL("keeps"), []string{"full_page_writes is off"}},
		"accepted, but no commit is waited for": {run("ALTER DATABASE keeps SET syncpayloads.accept_data_loss = on", "ALTER ROLE hasty SET synchronous_commit = off"),
			run("ALTER DATABASE keeps RESET ALL", "ALTER ROLE hasty RESET ALL"), hasty,
			[]string{"synchronous_commit is off"}},
	} {
		t.Run(name, func(t *testing.T) {
			if at.set != nil {
				at.set()
				defer at.reset()
			}
			s, err := store.Open(t.Context(), at.url)
			if err == nil {
				_ = s.Close()
				t.Fatal("a database that may lose what was answered is used")
			}
			for _, text := range at.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
			var tables int
			storetest.Query(t, c.URL("keeps"), &tables,
				"SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
			if tables > 0 {
				t.Errorf("%d tables were made", tables)
			}
		})
	}

	// A server that runs tells of it at once, and makes no further connection; a session that is
	// open goes on waiting for commits.
	s, err := store.Open(t.Context(), c.URL("keeps"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	enrollA(t, s)
	reload("synchronous_commit", "off")()
	if err := s.Durable(t.Context()); err != nil {
		t.Errorf("the session does not keep its way to commit: %v", err)
	}
	reload("synchronous_commit", "on")()
	if err := s.Durable(t.Context()); err != nil {
		t.Error(err)
	}
	reload("fsync", "off")()
	if err := s.Durable(t.Context()); err == nil || !strings.Contains(err.Error(), "fsync is off") {
		t.Errorf("of a cluster that does not write to the disk is said: %v", err)
	}
	reload("fsync", "on")()
}
