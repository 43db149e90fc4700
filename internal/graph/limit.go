package graph

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const codeTooMany = "TooManyRequests"

// Limiter allows each caller some requests a second, and more at once after a quiet while (a token bucket). nil allows all.
type Limiter struct {
	rate, burst float64
	now         func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
}

// bucket is what a caller has left, and when that was so.
type bucket struct {
	left float64
	at   time.Time
}

// mostBuckets bounds the memory that callers take. The one that has been quiet for longest makes room for another.
const mostBuckets = 10_000

// NewLimiter makes a limiter of rate requests a second; nil, which allows all, for 0.
func NewLimiter(rate float64, burst int, now func() time.Time) *Limiter {
	if rate <= 0 {
		return nil
	}
	return &Limiter{rate: rate, burst: max(1, float64(burst)), now: now, buckets: make(map[string]*bucket)}
}

// Take takes one request from what a caller has left, by their id. If there is none, it returns after how long there will be.
func (l *Limiter) Take(caller string) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b := l.buckets[caller]
	if b == nil {
		l.makeRoom()
		b = &bucket{left: l.burst, at: now}
		l.buckets[caller] = b
	}
	b.left = min(l.burst, b.left+l.rate*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) / l.rate * float64(time.Second)), false
	}
	b.left--
	return 0, true
}

func (l *Limiter) makeRoom() {
	if len(l.buckets) < mostBuckets {
		return
	}
	var quietest string
	var at time.Time
	for caller, b := range l.buckets {
		if quietest == "" || b.at.Before(at) {
			quietest, at = caller, b.at
		}
	}
	delete(l.buckets, quietest)
}

// admit refuses a caller who sends too much.
func (c *call) admit() error {
	wait, ok := c.Limiter.Take(c.caller.ID)
	if ok {
		return nil
	}
	return &odata.Fault{Status: http.StatusTooManyRequests, Code: codeTooMany,
		Message: fmt.Sprintf("'%s' sends more than %g requests a second. Wait, and try again.", c.caller.Name, c.RateLimit),
		Header:  map[string]string{"Retry-After": odata.WholeSeconds(wait)}}
}
