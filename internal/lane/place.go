package lane

import (
	"context"
	"sync"
	"time"
)

// Place is one place of a lane, held by a request while the server works on it. A request can leave
// its place for a while (Outside): what waits for somebody outside must not keep other requests
// from being worked on. The methods of a nil Place do nothing.
type Place struct {
	lane   *Lane
	client Client
	// how long to wait for a place, at first and when coming back; 0: as long as the context
	wait time.Duration

	mu       sync.Mutex
	outside  int  // calls of Outside that are under way
	occupied bool // it has a place of the lane now
	ended    bool // End was called
}

// Take takes a place of the lane, and waits for it at most so long. The error is ErrFull, or that
// of a context.
func (l *Lane) Take(ctx context.Context, c Client, wait time.Duration) (*Place, error) {
	p := &Place{lane: l, client: c, wait: wait}
	if err := p.enter(ctx); err != nil {
		return nil, err
	}
	p.occupied = true
	return p, nil
}

func (p *Place) enter(ctx context.Context) error {
	if p.lane.maxWaiting == 0 || p.wait <= 0 {
		return p.lane.Enter(ctx, p.client, 1)
	}
	if p.lane.enterNow() { // the common case needs no timer
		return nil
	}
	patient, cancel := context.WithTimeout(ctx, p.wait)
	defer cancel()
	return p.lane.Enter(patient, p.client, 1)
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

// End gives the place back for good. It may be called again.
func (p *Place) End() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.leave()
}

func (p *Place) leave() {
	if p.occupied {
		p.occupied = false
		p.lane.Leave(1)
	}
}

// Outside gives the place up, calls do, and takes a place again. The error is do's, or that no
// place could be had afterwards. Several goroutines of a request may be outside at once; the last
// one to return takes the place again.
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
	back := p.outside == 0 && !p.ended && !p.occupied
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
	p.occupied = true
	if p.ended {
		p.leave()
	}
	return err
}

type placeKey struct{}

// With returns a context that carries the place of a request, for the function Outside.
func With(ctx context.Context, p *Place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// Outside calls do while the request whose context this is gives up its place, like Place.Outside.
// If the context carries no place, it just calls do.
func Outside(ctx context.Context, do func() error) error {
	p, _ := ctx.Value(placeKey{}).(*Place)
	return p.Outside(ctx, do)
}
