package faults

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"
)

// follower reads a server's stream of all events, is cut off at random points, and comes back.
type follower struct {
	*site
	server string
	seen   []int64
	cuts   int
}

// follow reads until it has seen the event last, or ctx ends.
func (f *follower) follow(ctx context.Context, random *rand.Rand, last func() int64) {
	for after := int64(0); ctx.Err() == nil && (last() == 0 || after < last()); f.cuts++ {
		after = f.read(ctx, after, 1+random.IntN(60), last)
	}
}

// read reads so many events behind one, and returns the last.
func (f *follower) read(ctx context.Context, after int64, most int, last func() int64) int64 {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(20*time.Second, cancel) // the last may have been read already
	defer watch.Stop()
	r, err := http.NewRequestWithContext(ctx, "GET",
		fmt.Sprintf("%s/api/events?after=%d", f.server, after), nil)
	if err != nil {
		f.Error(err)
		return after
	}
	r.Header.Set("Authorization", "Bearer "+f.token)
	r.Header.Set("Accept", "application/x-ndjson")
	client := http.Client{Transport: f.http.Transport}
	res, err := client.Do(r)
	if err != nil || res.StatusCode >= 500 {
		time.Sleep(50 * time.Millisecond) // as a client waits before it calls again
		return after
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); most > 0 && lines.Scan(); most-- {
		var e struct {
			ID   int64
			Type string
		}
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return after // cut in the middle of a line
		}
		if e.Type == "snapshot" {
			f.Errorf("%s resumes behind %d with a snapshot: events are missing", f.server, after)
			return after
		}
		if e.ID > 0 {
			after, f.seen = e.ID, append(f.seen, e.ID)
			if after == last() {
				return after
			}
		}
	}
	return after
}

// Three servers write at the same time. What readers of each have read, cut off and resumed at
// random points, is what the database has, in its order, nothing missing and nothing twice.
func TestEventsAreTheSameOnAllNodes(t *testing.T) {
	t.Parallel()
	// commits take long, so that they overlap
	c := newCluster(t, "commit_delay=2000", "commit_siblings=1")
	url := c.URL("syncpayloads")
	s := newSite(t, 12, url, url, url, url)
	var mu sync.Mutex
	var end int64
	last := func() int64 { mu.Lock(); defer mu.Unlock(); return end }
	ctx, stop := context.WithTimeout(t.Context(), lasting(0)+4*time.Minute)
	defer stop()
	var reading sync.WaitGroup
	var followers []*follower
	for i := range 2 * len(s.nodes) {
		f := &follower{site: s, server: "https://" + s.nodes[i%len(s.nodes)].listen}
		followers = append(followers, f)
		reading.Go(func() { f.follow(ctx, rand.New(rand.NewPCG(5, uint64(i))), last) })
	}
	l := s.load(s.devices)
	time.Sleep(lasting(12 * time.Second))
	l.finish()
	all := s.events()
	mu.Lock()
	end = all[len(all)-1].Position
	mu.Unlock()
	reading.Wait()
	for i, f := range followers {
		if len(f.seen) != len(all) {
			t.Errorf("reader %d has %d events, the database %d", i, len(f.seen), len(all))
		}
		for j := range min(len(f.seen), len(all)) {
			if f.seen[j] != all[j].Position {
				t.Errorf("reader %d has event %d as number %d, the database %d", i, f.seen[j], j,
					all[j].Position)
				break
			}
		}
	}
	t.Logf("%d events; the readers were cut off %d times", len(all), followers[0].cuts)
}
