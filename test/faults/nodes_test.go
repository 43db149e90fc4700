package faults

import (
	"context"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// newCluster starts a PostgreSQL server of the test's own.
func newCluster(t *testing.T, settings ...string) *storetest.Cluster {
	t.Helper()
	c, err := storetest.Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Exec(context.Background(), "CREATE DATABASE syncpayloads"); err != nil {
		t.Fatal(err)
	}
	return c
}

// Of three servers one dies every little while, in the middle of whatever it does, and comes back.
// The others go on.
func TestNodesDie(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	url := c.URL("syncpayloads")
	s := newSite(t, 9, url, url, url, url)
	l := s.load(s.devices)
	kills := 0
	for end := time.Now().Add(lasting(15 * time.Second)); time.Now().Before(end); kills++ {
		n := s.nodes[kills%len(s.nodes)]
		// the points at which they die
		time.Sleep(time.Duration(500+kills*137%700) * time.Millisecond)
		n.kill()
		n.start()
		n.up()
	}
	l.finish()
	t.Logf("%d kills", kills)
}
