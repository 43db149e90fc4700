package engine

import (
	"context"
	"time"
)

// ActionMark is an action's place among all, in the order in which they were started; zero: before
// the first.
type ActionMark struct {
	Started time.Time
	ID      string
}

// lookedThrough is how many actions are looked at, and at most deleted, at a time: few enough to be
// in nobody's way.
const lookedThrough = 256

// ForgetActions deletes the actions that were started before a time and have ended. The newest of
// each name stays on its device, whatever its age: it is what is shown, and what the next one
// follows.
func (e *Engine) ForgetActions(ctx context.Context, before time.Time) error {
	var at ActionMark
	for {
		_, next, err := e.config.Store.DropActions(ctx, before, at, lookedThrough)
		if err != nil || next == (ActionMark{}) {
			return err
		}
		at = next
	}
}
