package notify

import (
	"context"
	"sync"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// How many handshakes may be under way, and may wait, in all and for one owner. A receiver that
// never answers takes HandshakeTimeout for each. So one owner has few places, to leave some for
// others, and may have as many waiting as they may have subscriptions.
const (
	handshakesAtOnce  = 64
	handshakesWaiting = 1024
	handshakesOfOwner = 8
	waitingOfOwner    = 2 * MaxPerOwner
)

// handshakes bounds the handshakes that are under way, for each owner and in all.
type handshakes struct {
	all *lane.Lane

	mu     sync.Mutex
	owners map[string]*ownHandshakes
}

// ownHandshakes bounds the handshakes of one owner.
type ownHandshakes struct {
	lane *lane.Lane
	n    int // how many are under way or wait
}

func newHandshakes() *handshakes {
	return &handshakes{all: lane.New(handshakesAtOnce, handshakesWaiting),
		owners: make(map[string]*ownHandshakes)}
}

// enter waits until an owner may begin a handshake; the caller calls leave when it has ended. The
// error is lane.ErrFull or the context's.
func (h *handshakes) enter(ctx context.Context, owner string) (leave func(), err error) {
	own := h.join(owner)
	if err := own.lane.Enter(ctx, lane.Client{Owner: owner}, 1); err != nil {
		h.part(owner, own)
		return nil, err
	}
	if err := h.all.Enter(ctx, lane.Client{Owner: owner}, 1); err != nil {
		own.lane.Leave(1)
		h.part(owner, own)
		return nil, err
	}
	return func() {
		h.all.Leave(1)
		own.lane.Leave(1)
		h.part(owner, own)
	}, nil
}

func (h *handshakes) join(owner string) *ownHandshakes {
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

func (h *handshakes) part(owner string, own *ownHandshakes) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if own.n--; own.n == 0 {
		delete(h.owners, owner)
	}
}
