package graph

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"

	"github.com/syncpayloads/syncpayloads/internal/odata"
)

const codeTooMany = "TooManyRequests"

// Limiter allows each caller some requests a second, and more at once after a quiet while (a token
// bucket). nil allows all.
type Limiter struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu      sync.Mutex
	callers *simplelru.LRU[string, *rate.Limiter] // by their ids
}

// mostCallers bounds the memory that callers take. The one who has been quiet for longest makes
// room for another.
const mostCallers = 10_000

// NewLimiter makes a limiter of perSecond requests a second; nil, which allows all, for 0.
func NewLimiter(perSecond float64, burst int, now func() time.Time) *Limiter {
	if perSecond <= 0 {
		return nil
	}
	callers, err := simplelru.NewLRU[string, *rate.Limiter](mostCallers, nil)
	if err != nil {
		panic("graph: " + err.Error()) // only a size of nothing is refused
	}
	return &Limiter{rate: rate.Limit(perSecond), burst: max(1, burst), now: now, callers: callers}
}

// Take takes one request from what a caller has left, by their id. If there is none, it returns
// after how long there will be.
func (l *Limiter) Take(caller string) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	left, known := l.callers.Get(caller)
	if !known {
		left = rate.NewLimiter(l.rate, l.burst)
		l.callers.Add(caller, left)
	}
	now := l.now()
	one := left.ReserveN(now, 1)
	wait = one.DelayFrom(now)
	if wait > 0 {
		one.CancelAt(now) // a request that is refused costs nothing
	}
	return wait, wait == 0
}

// admit refuses a caller who sends too much.
func (c *call) admit() error {
	wait, ok := c.config.Limiter.Take(c.caller.ID)
	if ok {
		return nil
	}
	return &odata.Fault{Status: http.StatusTooManyRequests, Code: codeTooMany,
		Message: fmt.Sprintf("'%s' sends more than %g requests a second. Wait, and try again.",
			c.caller.Name, c.config.RateLimit),
		Header: map[string]string{"Retry-After": odata.WholeSeconds(wait)}}
}
