package access

import (
	"context"
	"fmt"
	"time"
)

// FlushEvery is how often Run stores when tokens were last used. So a token that is in use all the
// time costs one write in that time.
const FlushEvery = time.Minute

// touch records that a token is used now.
func (t *Tokens) touch(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.used[id] = t.now().UTC()
}

// Flush stores when tokens were last used. If that fails, it is kept for the next time.
func (t *Tokens) Flush(ctx context.Context) error {
	t.mu.Lock()
	used := t.used
	t.used = make(map[string]time.Time)
	t.mu.Unlock()
	if len(used) == 0 {
		return nil
	}
	err := t.store.UpdateAccess(ctx, func(tx Tx) error {
		for id, at := range used {
			if err := tx.TouchToken(ctx, id, at); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, at := range used {
		if at.After(t.used[id]) {
			t.used[id] = at
		}
	}
	return fmt.Errorf("writing when tokens were last used: %w", err)
}

// Run calls Flush every FlushEvery until ctx ends, and once more then. after is time.After or that
// of another clock; failed is called with errors of Flush.
func (t *Tokens) Run(ctx context.Context, after func(time.Duration) <-chan time.Time,
	failed func(error)) {
	for running := true; running; {
		select {
		case <-ctx.Done():
			running = false
		case <-after(FlushEvery):
		}
		if err := t.Flush(context.WithoutCancel(ctx)); err != nil {
			failed(err)
		}
	}
}
