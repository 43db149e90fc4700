package server

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// budget is a bound on something scarce that is held by others: bytes of bodies, in pages, or
// handshakes.
type budget struct {
	lane   *lane.Lane
	shares *shares
	total  int64
}

func newBudget(total int64, waiting int, patience time.Duration) *budget {
	b := &budget{lane: lane.New(total, waiting), shares: newShares(patience), total: total}
	b.lane.Reclaim = b.shares.press
	return b
}

// take takes n at once, if need be from who has most. nil: there is not so much.
func (b *budget) take(g lane.Client, sh *share) *share {
	if !b.lane.TryEnter(sh.n) && !(sh.n <= b.total && b.shares.press(g.Owner, sh.n) &&
		b.lane.TryEnter(sh.n)) {
		return nil
	}
	return b.hold(g, sh)
}

// await takes n, and waits for it until ctx ends, behind who came before.
func (b *budget) await(ctx context.Context, g lane.Client, sh *share) (*share, error) {
	if b.lane.Waiting() == 0 && b.lane.TryEnter(sh.n) {
		return b.hold(g, sh), nil
	}
	if err := b.lane.Enter(ctx, g, sh.n); err != nil {
		return nil, err
	}
	return b.hold(g, sh), nil
}

func (b *budget) hold(g lane.Client, sh *share) *share {
	sh.free = b.lane.Leave
	return b.shares.add(g.Owner, sh)
}

// more lets a share grow by n, and tells whether it could, and is still held.
func (b *budget) more(g lane.Client, sh *share, n int64) bool {
	if !b.lane.TryEnter(n) && !(b.shares.press(g.Owner, n) && b.lane.TryEnter(n)) {
		return false
	}
	if !sh.grow(n) {
		b.lane.Leave(n)
		return false
	}
	return true
}
