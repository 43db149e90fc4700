package lane

import (
	"context"
	"sync"
	"time"
)

// Place is what a request has in a lane while it is worked on. It can be left for a while: what
// waits for somebody outside must not keep others from being worked on.
type Place struct {
	lane  *Lane
	guest Guest
	wait  time.Duration // the longest, for a place to come back to

	mu      sync.Mutex
	outside int  // that have left it, and will come back
	held    bool // it is taken
	over    bool // it was given back for good
}

// Take waits for a place of the lane, at most for a time. The error is ErrFull, or of the context.
func (l *Lane) Take(ctx context.Context, g Guest, wait time.Duration) (*Place, error) {
	p := &Place{lane: l, guest: g, wait: wait}
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	p.held = true
	return p, nil
}

func (p *Place) enter(ctx context.Context) error {
	if p.lane.most == 0 || p.wait <= 0 {
		return p.lane.Enter(ctx, p.guest, 1)
	}
	if p.lane.enterNow() { // the common case needs no timer
		return nil
	}
	patient, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	return p.lane.Enter(patient, p.guest, 1)
}

// enterNow takes a place if one is free and nobody waits.
func (l *Lane) enterNow() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queue.waiting > 0 || l.free < 1 {
		return false
	}
	l.free--
	return true
}

// End gives the place back for good. Ending it again does nothing.
func (p *Place) End() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.leave()
}

func (p *Place) leave() {
	if p.held {
		p.held = false
		p.lane.Leave(1)
	}
}

// Outside leaves the place, does something, and comes back. The error is what it did's, or that
// there was no place to come back to. Several may be outside at once; the last one comes back.
func (p *Place) Outside(ctx context.Context, do func() error) error {
	if p == nil {
		return do()
	}
	p.mu.Lock()
	p.outside++
	p.leave()
	p.mu.Unlock()
	err := do()
	p.mu.Lock()
	p.outside--
	back := p.outside == 0 && !p.over && !p.held
	p.mu.Unlock()
	if !back || err != nil && ctx.Err() != nil {
		return err
	}
	if full := p.enter(ctx); full != nil {
		if err == nil {
			err = full
		}
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
	if p.over {
		p.leave()
	}
	return err
}

type placeKey struct{}

// With puts the place of a request into its context.
func With(ctx context.Context, p *Place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// Outside does something for which the request of the context leaves its place, if it has one, as
// Place.Outside does.
func Outside(ctx context.Context, do func() error) error {
	p, _ := ctx.Value(placeKey{}).(*Place)
	return p.Outside(ctx, do)
}
