package server

import (
	"context"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/lane"
)

// budget bounds something scarce that is held for others, such as pages of bodies or handshakes.
// Its lane counts what is free and who waits for it; its shares know from whom something can be
// taken back.
type budget struct {
	lane   *lane.Lane
	shares *shares
	total  int64
}

func newBudget(total int64, waiting int, patience time.Duration) *budget {
	b := &budget{lane: lane.New(total, waiting), shares: newShares(patience), total: total}
	b.lane.Reclaim = b.shares.reclaim
	return b
}

// takeNow takes sh.n at once, if need be from whoever holds most. It returns nil if there is not so
// much.
func (b *budget) takeNow(client lane.Client, sh *share) *share {
	if !b.lane.TryEnter(sh.n) && !(sh.n <= b.total && b.shares.reclaim(client.Owner, sh.n) &&
		b.lane.TryEnter(sh.n)) {
		return nil
	}
	return b.addShare(client, sh)
}

// takeOrWait takes sh.n, and waits for it until ctx ends, behind those who came before.
func (b *budget) takeOrWait(ctx context.Context, client lane.Client, sh *share) (*share, error) {
	if b.lane.Waiting() == 0 && b.lane.TryEnter(sh.n) {
		return b.addShare(client, sh), nil
	}
	if err := b.lane.Enter(ctx, client, sh.n); err != nil {
		return nil, err
	}
	return b.addShare(client, sh), nil
}

func (b *budget) addShare(client lane.Client, sh *share) *share {
	sh.release = b.lane.Leave
	return b.shares.add(client.Owner, sh)
}

// grow makes a share larger by n. It reports false if there is not so much, or if the share was
// taken back meanwhile.
func (b *budget) grow(client lane.Client, sh *share, n int64) bool {
	if !b.lane.TryEnter(n) && !(b.shares.reclaim(client.Owner, n) && b.lane.TryEnter(n)) {
		return false
	}
	if !sh.grow(n) {
		b.lane.Leave(n)
		return false
	}
	return true
}
