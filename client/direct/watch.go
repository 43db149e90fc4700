package direct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// Watch yields what Intune reports of the device's actions: at once, and then each time that it is
// seen to have changed, by asking again and again. What changes twice between two looks is seen
// once. It ends when the caller breaks off, or after an error.
func (c *Client) Watch(ctx context.Context, device string) iter.Seq2[client.Update, error] {
	return func(yield func(client.Update, error) bool) {
		began, last := time.Now(), ""
		failing := time.Time{}
		for {
			update, err := c.look(ctx, device, time.Since(began))
			switch {
			case err == nil:
				failing = time.Time{}
				text, encoded := json.Marshal(update.Results)
				if encoded != nil {
					yield(client.Update{}, encoded)
					return
				}
				if string(text) != last {
					last = string(text)
					if !yield(update, nil) {
						return
					}
				}
			case ctx.Err() != nil || !tenant.Passing(err) ||
				!failing.IsZero() && time.Since(failing) > notShownIn:
				yield(client.Update{}, err)
				return
			case failing.IsZero():
				failing = time.Now()
			}
			if err := sleep(ctx, c.pause(time.Since(began))); err != nil {
				yield(client.Update{}, err)
				return
			}
		}
	}
}

// look reads the results once. What was handed over by this client must be the first that is seen
// after it.
func (c *Client) look(ctx context.Context, device string,
	watched time.Duration) (client.Update, error) {
	results, err := c.ActionResults(ctx, device)
	if err != nil {
		return client.Update{}, err
	}
	results = slices.DeleteFunc(results,
		func(r client.ActionResult) bool { return r.Name != actionName })
	c.mu.Lock()
	mine, posted := c.posted[device]
	c.mu.Unlock()
	if posted && !mine.seen {
		current := newest(results)
		switch {
		case current == nil && watched > notShownIn:
			return client.Update{}, fmt.Errorf("the action was taken by Intune and not shown for %s; "+
				"watch the device, or try again", notShownIn)
		case current != nil && !mine.is(current):
			return client.Update{}, errors.New("the action was superseded by a later one; " +
				"`syncpayloads watch` shows that")
		case current != nil:
			mine.seen = true
			c.mu.Lock()
			c.posted[device] = mine
			c.mu.Unlock()
		}
	}
	event, err := json.Marshal(map[string]any{"type": "snapshot", "evidence": "reported by Intune",
		"readDateTime": time.Now().UTC().Format(time.RFC3339), "value": results})
	return client.Update{Event: event, Results: results}, err
}

// pause is how long to wait before the next look: a device answers within minutes, or when somebody
// switches it on.
func (c *Client) pause(watched time.Duration) time.Duration {
	switch {
	case c.poll > 0:
		return c.poll
	case watched < 5*time.Minute:
		return 15 * time.Second
	case watched < time.Hour:
		return time.Minute
	}
	return 5 * time.Minute
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
