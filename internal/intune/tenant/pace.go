package tenant

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

// Bucket is a kind of calls that Microsoft limits together.
type Bucket string

// The buckets. Microsoft lets one app make 200 calls that write, and 2,000 in all, in 20 seconds
// in one tenant (throttling limits of Intune's devices service). Which limit a report has is not
// said, so a report counts as a write.
const (
	Reads   Bucket = "reads"
	Writes  Bucket = "writes"
	Reports Bucket = "reports"
)

// Buckets lists the buckets.
func Buckets() []Bucket { return []Bucket{Reads, Writes, Reports} }

// rate is how much of a bucket is used: some calls a second, and so many at once after a rest.
type rate struct {
	perSecond float64
	burst     float64
	ahead     int // how many turns a process takes at once
}

// rates leave other callers of the same app, and Microsoft's smaller limits that are not published,
// more than half. In any 20 seconds they come to at most 100 writes, 60 reports and 900 reads.
var rates = map[Bucket]rate{
	Reads:   {perSecond: 40, burst: 100, ahead: 10},
	Writes:  {perSecond: 4, burst: 20, ahead: 1},
	Reports: {perSecond: 2, burst: 20, ahead: 1},
}

const (
	// leastShare is the smallest part of its rate that a bucket is slowed down to.
	leastShare = 1.0 / 32
	// strikeBase and strikeMost are how long nothing of a bucket is asked after Microsoft said no
	// without saying for how long: up to the base, then twice as long each time.
	strikeBase = 2 * time.Second
	strikeMost = 5 * time.Minute
	// longestPause bounds what Retry-After is believed.
	longestPause = time.Hour
	// longestWait is how long a call waits for its turn before it is given up.
	longestWait = time.Minute
	// together is within which refusals count as one: calls under way at the same time meet it
	// together.
	together = 2 * time.Second
	// clocksApart is how far the clocks of two processes may be apart. Who is behind by less does not
	// turn a pace's time back: who is ahead would be given the same time again. What is further
	// ahead was a clock that was wrong.
	clocksApart = time.Minute
	// aheadFor is how long a process keeps turns that it took ahead.
	aheadFor = time.Second
)

// Pace is how fast a bucket may be asked, by all processes together. The zero value is a bucket
// that nobody asked yet.
type Pace struct {
	Turns   float64   `json:"turns"` // that may be taken at At
	At      time.Time `json:"at,omitzero"`
	Slowed  float64   `json:"slowed,omitempty"` // 1 minus the part of its rate that is used
	Strikes int       `json:"strikes,omitempty"`
	Struck  time.Time `json:"struck,omitzero"` // last refusal, or last minute that made it faster
	Until   time.Time `json:"until,omitzero"`  // nothing is asked before
}

// Take takes some turns of a bucket, or says how long to wait for them.
func (p *Pace) Take(now time.Time, b Bucket, turns int) (wait time.Duration) {
	r := rates[b]
	p.recover(now)
	if ahead := p.Until.Sub(now); ahead > 0 && ahead <= longestPause {
		return ahead
	}
	perSecond := r.perSecond * (1 - p.Slowed)
	switch passed := now.Sub(p.At); {
	case p.At.IsZero():
		p.Turns, p.At = r.burst, now
	case passed > 0:
		p.Turns, p.At = math.Min(r.burst, p.Turns+passed.Seconds()*perSecond), now
	case passed < -clocksApart:
		p.At = now
	}
	if lack := float64(turns) - p.Turns; lack > 0 {
		return time.Duration(math.Ceil(lack/perSecond*1000)) * time.Millisecond
	}
	p.Turns -= float64(turns)
	return 0
}

// recover gives a bucket a tenth of its rate back for each minute without a refusal.
func (p *Pace) recover(now time.Time) {
	minutes := int(now.Sub(p.Struck) / time.Minute)
	if p.Struck.IsZero() || minutes <= 0 {
		return
	}
	p.Slowed = math.Max(0, p.Slowed-float64(minutes)/10)
	p.Struck = p.Struck.Add(time.Duration(minutes) * time.Minute)
	if p.Strikes = 0; p.Slowed < 1e-9 {
		p.Slowed, p.Struck = 0, time.Time{}
	}
}

// Strike slows a bucket down to half after Microsoft said no. after is for how long, as it said;
// nil: it did not say. part is a random number from 0 to 1, by which processes come back apart.
func (p *Pace) Strike(now time.Time, after *time.Duration, part float64) {
	p.recover(now)
	again := p.Strikes > 0 && now.Sub(p.Struck) < together
	if !again {
		p.Strikes++
		p.Slowed = math.Min(1-leastShare, 1-(1-p.Slowed)/2)
		p.Struck = now
	}
	p.Turns = 0
	if now.After(p.At) {
		p.At = now
	}
	var wait time.Duration
	if after != nil {
		wait = min(*after, longestPause)
		wait += time.Duration(part * float64(min(wait/10, 5*time.Second)))
	} else {
		most := backoff.After(strikeBase, strikeMost, 2, p.Strikes)
		wait = time.Duration(part * float64(most))
	}
	if until := now.Add(wait); until.After(p.Until) {
		p.Until = until
	}
}

// Meter keeps the paces of one app's buckets.
type Meter interface {
	// UpdatePace reads the pace of a bucket, calls fn, and stores what fn made of it, alone among
	// all who share it. fn may be called again.
	UpdatePace(ctx context.Context, b Bucket, fn func(*Pace)) error
}

// NewMemoryMeter is a meter for one process alone.
func NewMemoryMeter() Meter { return &memoryMeter{paces: make(map[Bucket]*Pace)} }

type memoryMeter struct {
	mu    sync.Mutex
	paces map[Bucket]*Pace
}

func (m *memoryMeter) UpdatePace(_ context.Context, b Bucket, fn func(*Pace)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.paces[b] == nil {
		m.paces[b] = new(Pace)
	}
	fn(m.paces[b])
	return nil
}

// allowance is turns that were taken ahead.
type allowance struct {
	left int
	till time.Time
}

// enter waits for the turns of some calls. The error is a *Throttled if they come later than ctx
// ends, or than anybody waits.
func (c *Client) enter(ctx context.Context, b Bucket, turns int) error {
	for {
		wait, err := c.take(ctx, b, turns)
		if err != nil || wait <= 0 {
			return err
		}
		deadline, ok := ctx.Deadline()
		if wait > longestWait || ok && time.Until(deadline) < wait {
			return &Throttled{Bucket: b, Until: c.config.Now().Add(wait)}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.config.After(wait):
		}
	}
}

func (c *Client) take(ctx context.Context, b Bucket, turns int) (wait time.Duration, err error) {
	now := c.config.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.allowances[b]
	if a == nil {
		a = new(allowance)
		c.allowances[b] = a
	}
	if a.left >= turns && now.Before(a.till) && a.till.Sub(now) <= aheadFor {
		a.left -= turns
		return 0, nil
	}
	ahead := 0
	err = c.config.Meter.UpdatePace(ctx, b, func(p *Pace) {
		ahead = 0
		if wait = p.Take(now, b, turns); wait > 0 {
			return
		}
		if more := rates[b].ahead - turns; more > 0 && p.Slowed == 0 &&
			p.Take(now, b, more) <= 0 {
			ahead = more
		}
	})
	if err == nil && wait <= 0 {
		a.left, a.till = ahead, now.Add(aheadFor)
	}
	return wait, err
}

// strike slows a bucket down, for all processes, and returns until when.
func (c *Client) strike(ctx context.Context, b Bucket, after *time.Duration) (time.Time, error) {
	now := c.config.Now()
	part := rand.Float64()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowances[b] = new(allowance)
	var until time.Time
	err := c.config.Meter.UpdatePace(ctx, b, func(p *Pace) {
		p.Strike(now, after, part)
		until = p.Until
	})
	return until, err
}
