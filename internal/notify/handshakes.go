package notify

import (
	"context"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// How many handshakes are under way and wait: a receiver that never answers takes HandshakeTimeout
// for each. One owner has so few that a place is left for others whoever else is slow, and may have
// as many wait as may be subscriptions.
const (
	handshakesAtOnce  = 64
	handshakesWaiting = 1024
	handshakesOfOwner = 8
	waitingOfOwner    = 2 * MaxPerOwner
)

// handshakes bounds the handshakes under way, by owner and in all.
type handshakes struct {
	all *lane.Lane

	mu     sync.Mutex
	owners map[string]*ownHandshakes
}

// ownHandshakes are those of one owner.
type ownHandshakes struct {
	lane *lane.Lane
	n    int // under way and waiting
}

func newHandshakes() *handshakes {
	return &handshakes{all: lane.New(handshakesAtOnce, handshakesWaiting),
		owners: make(map[string]*ownHandshakes)}
}

// enter waits until an owner may begin a handshake, which ends with leave. The error is
// lane.ErrFull or the context's.
func (h *handshakes) enter(ctx context.Context, owner string) (leave func(), err error) {
	own := h.own(owner)
	if err := own.lane.Enter(ctx, lane.Client{Owner: owner}, 1); err != nil {
		h.disown(owner, own)
		return nil, err
	}
	if err := h.all.Enter(ctx, lane.Client{Owner: owner}, 1); err != nil {
		own.lane.Leave(1)
		h.disown(owner, own)
		return nil, err
	}
	return func() {
		h.all.Leave(1)
		own.lane.Leave(1)
		h.disown(owner, own)
	}, nil
}

func (h *handshakes) own(owner string) *ownHandshakes {
	h.mu.Lock()
	defer h.mu.Unlock()
	own := h.owners[owner]
	if own == nil {
		own = &ownHandshakes{lane: lane.New(handshakesOfOwner, waitingOfOwner)}
		h.owners[owner] = own
	}
	own.n++
	return own
}

func (h *handshakes) disown(owner string, own *ownHandshakes) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if own.n--; own.n == 0 {
		delete(h.owners, owner)
	}
}
