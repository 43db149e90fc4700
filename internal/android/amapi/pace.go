package amapi

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// Google's quota is 1,000 queries in 100 seconds for a project. A tenth of it is left to others.
	defaultRate  = 8
	defaultBurst = 100
	// A project that asked too much is let nothing more for up to as long as the quota counts.
	pauseAtLeast = time.Minute
	pauseJitter  = 30 * time.Second
)

// pace is how fast Google is asked: one for all that this process asks, because the quota is the
// project's.
type pace struct {
	limiter *rate.Limiter
	now     func() time.Time

	mu    sync.Mutex
	until time.Time // nothing is asked before
}

func newPace(perSecond float64, now func() time.Time) *pace {
	if perSecond <= 0 {
		perSecond = defaultRate
	}
	return &pace{limiter: rate.NewLimiter(rate.Limit(perSecond),
		max(defaultBurst, int(perSecond))), now: now}
}

// paused says that Google is not asked anything before a time.
type paused struct{ until time.Time }

func (*paused) Error() string {
	return "Google said that this project asks too much; nothing is asked for a minute"
}

// enter waits for the turn of a query. The error is a *paused, or the context's.
func (p *pace) enter(ctx context.Context) error {
	if until := p.pausedUntil(); p.now().Before(until) {
		return &paused{until}
	}
	return p.limiter.Wait(ctx)
}

func (p *pace) pausedUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until
}

// pause stops everything after Google said at a time, to this process or another one, that there
// were too many queries. Each process goes on at a time of its own.
func (p *pace) pause(at time.Time) {
	until := at.Add(pauseAtLeast + rand.N(pauseJitter))
	p.mu.Lock()
	defer p.mu.Unlock()
	if at.Add(pauseAtLeast).After(p.until) {
		p.until = until
	}
}
