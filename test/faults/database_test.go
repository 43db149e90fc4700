package faults

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// walled starts a wall before the database for each of n servers, and returns the URLs through
// them.
func walled(t *testing.T, c *storetest.Cluster, n int) (walls []*wall, urls []string) {
	t.Helper()
	for range n {
		w := newWall(t, func() (net.Conn, error) {
			return net.Dial("unix", filepath.Join(c.Dir, ".s.PGSQL.5432"))
		})
		walls, urls = append(walls, w), append(urls,
			"postgres://postgres@"+w.address()+"/syncpayloads?sslmode=disable&syncpayloads.patience=3s")
	}
	return walls, urls
}

// shutDown stops the database as its administrator does who does not wait for its clients ("fast"),
// and runs it again.
func shutDown(t *testing.T, c *storetest.Cluster) {
	t.Helper()
	file := filepath.Join(c.Dir, "data", "postmaster.pid")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGINT)
	}
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); !errors.Is(err, os.ErrNotExist); _,
		err = os.Stat(file) {
		if time.Now().After(end) {
			t.Fatal("PostgreSQL does not stop")
		}
		time.Sleep(10 * time.Millisecond) // another process, that tells nobody when it ends
	}
	restart(t, c)
}

// restart kills the database, if it runs, and runs it again.
func restart(t *testing.T, c *storetest.Cluster) {
	t.Helper()
	if err := errors.Join(c.Kill(), c.Run()); err != nil {
		t.Fatal(err)
	}
}

// What becomes of the database, the servers wait for it, without ending, and go on.
func TestDatabaseFails(t *testing.T) {
	const cutAll = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'syncpayloads'"
	for name, fault := range map[string]func(t *testing.T, c *storetest.Cluster, walls []*wall){
		"crash":     func(t *testing.T, c *storetest.Cluster, _ []*wall) { restart(t, c) },
		"shut down": func(t *testing.T, c *storetest.Cluster, _ []*wall) { shutDown(t, c) },
		"connections ended by its administrator": func(t *testing.T, c *storetest.Cluster,
			_ []*wall) {
			for range 20 {
				if err := c.Exec(context.Background(), cutAll); err != nil {
					t.Fatal(err)
				}
				time.Sleep(50 * time.Millisecond)
			}
		},
		"connections cut": func(_ *testing.T, _ *storetest.Cluster, walls []*wall) {
			for i := range 20 {
				walls[i%len(walls)].cut()
				time.Sleep(50 * time.Millisecond)
			}
		},
		"unreachable": func(_ *testing.T, _ *storetest.Cluster, walls []*wall) {
			for _, w := range walls {
				w.refuse()
			}
			time.Sleep(3 * time.Second)
			for _, w := range walls {
				w.heal()
			}
		},
		"slow": func(_ *testing.T, _ *storetest.Cluster, walls []*wall) {
			for _, w := range walls {
				w.slow(50 * time.Millisecond)
			}
			time.Sleep(5 * time.Second)
			for _, w := range walls {
				w.heal()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			walls, urls := walled(t, c, 2)
			s := newSite(t, 4, c.URL("syncpayloads"), urls...)
			l := s.load(s.devices)
			for end := time.Now().Add(lasting(0)); ; {
				time.Sleep(time.Second) // of ordinary load
				fault(t, c, walls)
				if time.Now().After(end) {
					break
				}
			}
			l.again()
			l.finish()
			for _, n := range s.nodes {
				n.alive()
			}
		})
	}
}

// A server that cannot reach the database, and is told nothing, says that it is busy, in bounded
// time, and holds up nobody: the other goes on, and keeps the clocks.
func TestPartitionFromDatabase(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	walls, urls := walled(t, c, 2)
	s := newSite(t, 5, c.URL("syncpayloads"), urls...)
	timed := s.devices[4]
	l := s.load(s.devices[:4])
	for end := time.Now().Add(lasting(0)); ; {
		for i, w := range walls { // one of the two keeps the clocks
			t.Logf("server %d is cut off", i)
			w.silence()
			s.busy(s.nodes[i], timed, 45*time.Second)
			// as a balancer that looks after its servers does
			s.front.lead(anyOf(s.nodes[1-i].listen))
			s.restores("https://"+s.nodes[1-i].listen, timed, time.Minute)
			w.heal()
			s.front.lead(anyOf(s.nodes[0].listen, s.nodes[1].listen))
			l.again()
		}
		if time.Now().After(end) {
			break
		}
	}
	l.finish()
	for _, n := range s.nodes {
		n.alive()
	}
}

// busy: every call of a server that cannot do its work is answered, within a time, that it is busy.
func (s *site) busy(n *node, d *device, within time.Duration) {
	s.Helper()
	patient := *s
	patient.http = &http.Client{Transport: s.transport(), Timeout: 2 * within}
	path := "/beta/deviceManagement/managedDevices/" + d.id
	var calls sync.WaitGroup
	for _, call := range []struct {
		method, path string
		body         any
	}{{"GET", path, nil}, {"POST", path + "/syncPayloads",
		map[string]any{"deviceActionPayloads": []any{}}},
		{"GET", "/enroll/" + d.id, nil}} {
		calls.Go(func() {
			began := time.Now()
			status, answer, err := patient.send("https://"+n.listen, call.method, call.path, nil,
				call.body)
			if status != http.StatusServiceUnavailable || time.Since(began) > within {
				s.Errorf("after %s a %s is answered %d %s %v", time.Since(began), call.method,
					status, answer, err)
			}
		})
	}
	calls.Wait()
}

// restores: what is removed for a second is back by itself, within a time.
func (s *site) restores(server string, d *device, within time.Duration) {
	s.Helper()
	began := time.Now()
	for !s.declare(server, d, s.catalog[:2], "1") {
		if time.Since(began) > within {
			s.Fatal("the other server accepts nothing")
		}
	}
	// devices connect by themselves
	for restored := false; !restored; time.Sleep(50 * time.Millisecond) {
		r, _ := s.result(d)
		restored = r.ActionState == "done" && strings.HasPrefix(r.of(s.catalog[0]), "restore/")
		if s.Failed() || time.Since(began) > within {
			s.Fatalf("after %s what was removed for a second is not restored: %+v",
				time.Since(began), r)
		}
	}
	s.Logf("restored after %s", time.Since(began).Round(time.Second/10))
}

// On a full disk of the database nothing is accepted that is not kept, and the servers go on when
// there is room again.
func TestDatabaseDiskFull(t *testing.T) {
	disk := newDisk(t, 192<<20)
	t.Setenv("TMPDIR", disk.folder)
	c := newCluster(t, "max_wal_size=32MB", "min_wal_size=32MB", "wal_recycle=off",
		"checkpoint_timeout=30s")
	if !strings.HasPrefix(c.Dir, disk.folder) {
		t.Fatalf("the database is not on the small disk but in %s", c.Dir)
	}
	url := c.URL("syncpayloads")
	s := newSite(t, 3, url, url, url)
	l := s.load(s.devices)
	for end := time.Now().Add(lasting(0)); ; {
		l.again()
		disk.fill()
		// A write-ahead log that cannot grow ends PostgreSQL; until then it refuses what needs
		// room.
		if err := c.Exec(context.Background(),
			"CREATE TABLE room AS SELECT generate_series(1, 5000000)"); err == nil {
			t.Fatal("there is room on the full disk")
		}
		l.stuck()
		disk.free()
		if c.Exec(context.Background(), "SELECT 1") != nil {
			restart(t, c) // as its administrator does
		}
		l.again()
		if time.Now().After(end) {
			break
		}
	}
	l.finish()
	for _, n := range s.nodes {
		n.alive()
	}
}
