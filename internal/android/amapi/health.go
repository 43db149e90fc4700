package amapi

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// counter is what this process knows of how the server and Google get on.
type counter struct {
	mu          sync.Mutex
	pulled      time.Time
	listed      time.Time
	pullFailure string
	noted       map[string]time.Time // when a refusal was stored last, by action and code
}

// Health tells how the server and Google get on.
func (c *Channel) Health(ctx context.Context) (Health, error) {
	e, err := c.Enterprise(ctx)
	h := Health{Enterprise: e, Waiting: c.queue.length()}
	if until := c.pace.pausedUntil(); c.now().Before(until) {
		h.PausedUntil = until
	}
	c.counter.mu.Lock()
	defer c.counter.mu.Unlock()
	h.PulledAt, h.ListedAt, h.PullFailure = c.counter.pulled, c.counter.listed,
		c.counter.pullFailure
	return h, err
}

// notedEvery is how often at most a refusal of the same action and code is stored.
const notedEvery = 30 * time.Second

// noteRefusal keeps what Google said no to, for people: often it is the only place that says why
// nothing works, such as an exhausted quota of devices.
func (c *Channel) noteRefusal(ctx context.Context, r *Refused) {
	if r.Code < 400 || r.Code >= 500 || r.Code == http.StatusNotFound {
		return
	}
	now := c.now()
	if c.counter.notedBefore(fmt.Sprint(r.Code, " ", r.Action), now) {
		return
	}
	c.log.Warn("Google refused a request", "action", r.Action, "code", r.Code, "text", r.Text)
	// without the audit draft and permit of the caller, whose writes are others
	ctx, cancel := context.WithTimeout(context.WithoutCancel(bare{ctx}), callTimeout)
	defer cancel()
	err := c.store.UpdateAndroidSetup(ctx, func(s *Setup) error {
		s.refused(Refusal{At: now.UTC(), Code: r.Code, Text: r.Text, Action: r.Action})
		return nil
	})
	if err != nil {
		c.log.Error("what Google refused is not stored", "err", err)
	}
}

// notedBefore reports whether a refusal of a kind was noted a moment ago; else it is now.
func (c *counter) notedBefore(kind string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, known := c.noted[kind]
	if known && now.Sub(at) < notedEvery && !now.Before(at) {
		return true
	}
	if c.noted == nil {
		c.noted = make(map[string]time.Time)
	}
	c.noted[kind] = now
	return false
}

// bare is a context without values.
type bare struct{ context.Context }

// Value implements context.Context.
func (bare) Value(any) any { return nil }
