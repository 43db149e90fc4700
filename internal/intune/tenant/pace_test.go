package tenant_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// In any 20 seconds less is asked than Microsoft lets through, also while a bucket was left alone
// before: 200 that count as writes, 2,000 in all.
func TestPaceStaysBelowTheLimits(t *testing.T) {
	most := make(map[tenant.Bucket]int)
	for _, b := range tenant.Buckets() {
		var p tenant.Pace
		now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
		var taken []time.Time
		for end := now.Add(2 * time.Minute); now.Before(end); {
			if wait := p.Take(now, b, 1); wait > 0 {
				now = now.Add(wait)
				continue
			}
			taken = append(taken, now)
			first := 0
			for now.Sub(taken[first]) >= 20*time.Second {
				first++
			}
			most[b] = max(most[b], len(taken)-first)
			taken = taken[first:]
		}
		if float64(most[b]) < tenant.PerSecond(b)*19 {
			t.Errorf("%s: only %d in 20 seconds", b, most[b])
		}
	}
	if most[tenant.Writes]+most[tenant.Reports] > 180 ||
		most[tenant.Writes]+most[tenant.Reports]+most[tenant.Reads] > 1500 {
		t.Errorf("in 20 seconds: %v", most)
	}
}

func TestPaceAfterRefusals(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	var p tenant.Pace
	p.Take(start, tenant.Reads, 1)
	seconds := 10 * time.Second
	p.Strike(start, &seconds, 0.5)
	if p.Slowed != 0.5 || !p.Until.After(start.Add(10*time.Second)) ||
		p.Until.After(start.Add(11*time.Second)) {
		t.Errorf("after one refusal: %+v", p)
	}
	p.Strike(start.Add(time.Second), nil, 0.5) // was under way at the same time
	if p.Slowed != 0.5 || p.Strikes != 1 {
		t.Errorf("two together count twice: %+v", p)
	}
	if wait := p.Take(start, tenant.Reads, 1); wait < 10*time.Second {
		t.Errorf("it is asked again after %s", wait)
	}
	now := start.Add(time.Minute) // one quiet minute: a tenth
	p.Take(now, tenant.Reads, 1)
	if math.Abs(p.Slowed-0.4) > 1e-9 || p.Strikes != 0 {
		t.Errorf("after a quiet minute: %+v", p)
	}
	p.Take(now.Add(5*time.Minute), tenant.Reads, 1)
	if p.Slowed != 0 {
		t.Errorf("after five more: %+v", p)
	}
	now = now.Add(time.Hour)
	for range 20 {
		p.Strike(now, nil, 1)
		if wait := p.Until.Sub(now); wait > 5*time.Minute {
			t.Fatalf("it waits %s", wait)
		}
		now = now.Add(3 * time.Second)
	}
	if p.Slowed > 0.97 {
		t.Errorf("it stops: %+v", p)
	}
	long := 90 * 24 * time.Hour
	p.Strike(now, &long, 1)
	if wait := p.Take(now, tenant.Reads, 1); wait <= 0 || wait > 62*time.Minute {
		t.Errorf("three months are believed: %s", wait)
	}
	// a clock that was ahead does not stop anything for ever
	p = tenant.Pace{Turns: 0, At: now.Add(1000 * time.Hour), Until: now.Add(1000 * time.Hour)}
	p.Take(now, tenant.Reads, 1)
	if wait := p.Take(now.Add(time.Minute), tenant.Reads, 1); wait > 0 {
		t.Errorf("after a wrong clock it waits %s", wait)
	}
}

// Two processes that share a meter stay below the limit together.
func TestTwoProcessesShareAPace(t *testing.T) {
	s := newService(t, nil)
	s.graph = answerDevice
	meter := tenant.NewMemoryMeter()
	shared := func(c *tenant.Config) { c.Meter = meter }
	var all sync.WaitGroup
	for range 2 {
		c := s.client(shared)
		all.Go(func() {
			for range 60 {
				if err := c.SyncDevice(context.Background(), device); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	calls := s.asked()
	for i := range calls {
		n := 0
		for _, one := range calls[i:] {
			if one.at.Sub(calls[i].at) < 20*time.Second {
				n++
			}
		}
		if n > 101 {
			t.Fatalf("%d writes in 20 seconds", n)
		}
	}
	if len(calls) != 120 {
		t.Errorf("%d calls", len(calls))
	}
}
