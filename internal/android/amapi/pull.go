package amapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

const (
	pulledAtOnce = 25
	maxMessage   = 8 << 20 // bytes of a message's data in base64
	pullPause    = time.Second
	pullIdle     = 3 * time.Second // while there is nothing set up
	pullMost     = 2 * time.Minute // between tries while Google is not reached
)

func (c *Channel) pullLoop(ctx context.Context) {
	failures, most := 0, int64(pulledAtOnce)
	for ctx.Err() == nil {
		n, err := c.pull(ctx, most)
		wait := pullPause
		switch {
		case errors.Is(err, ErrNoServiceAccount), errors.Is(err, ErrNoEnterprise),
			errors.Is(err, errPushed):
			wait, failures = pullIdle, 0
			c.pulled("")
		case err != nil && ctx.Err() == nil:
			failures++
			most = 1 // the answer may have been too long
			wait = backoff.After(pullPause, pullMost, 2, failures)
			c.log.Warn("Google's messages about Android devices do not come; it is tried again",
				"wait", wait, "err", err)
			c.pulled(err.Error())
		case err == nil:
			failures, most = 0, pulledAtOnce
			c.pulled("")
			if n > 0 {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-c.config.After(wait):
		}
	}
}

// errPushed says that messages are pushed.
var errPushed = errors.New("messages are pushed")

func (c *Channel) pulled(failure string) {
	c.counter.mu.Lock()
	defer c.counter.mu.Unlock()
	if c.counter.pullFailure = failure; failure == "" {
		c.counter.pulled = c.now().UTC()
	}
}

// Pull asks Google once for messages and takes them; it returns how many there were.
func (c *Channel) Pull(ctx context.Context) (int, error) { return c.pull(ctx, pulledAtOnce) }

// pull asks for at most so many messages. A message is acknowledged when what it changed is
// durable, and not before: one that is not comes again.
func (c *Channel) pull(ctx context.Context, most int64) (int, error) {
	g, setup, err := c.readyClient(ctx)
	if err != nil {
		return 0, err
	}
	if setup.Delivery == Push {
		return 0, errPushed
	}
	subscriptions := g.pubsub.Projects.Subscriptions
	limited, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	answer, err := subscriptions.Pull(setup.Subscription,
		&pubsub.PullRequest{MaxMessages: most}).Context(limited).Do()
	if err != nil {
		return 0, c.pullRefused(ctx, g, err)
	}
	taken := make([]string, len(answer.ReceivedMessages))
	var group errgroup.Group
	group.SetLimit(workers)
	for i, m := range answer.ReceivedMessages {
		if m == nil || m.Message == nil {
			continue
		}
		group.Go(func() error {
			if err := c.takeMessage(ctx, m.Message); err != nil {
				c.log.Warn("a message about an Android device is not taken yet", "err", err)
				return nil
			}
			taken[i] = m.AckId
			return nil
		})
	}
	_ = group.Wait()
	return len(answer.ReceivedMessages), c.acknowledge(ctx, g, setup.Subscription, taken)
}

// pullRefused is what Google said no to. That nothing came for a long time is no failure.
func (c *Channel) pullRefused(ctx context.Context, g *google, err error) error {
	if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		return ctx.Err()
	}
	r := refusedAs("pull messages", err)
	if r.Code == http.StatusGatewayTimeout {
		return nil
	}
	g.refused(ctx, r)
	return r
}

func (c *Channel) acknowledge(ctx context.Context, g *google, subscription string,
	taken []string) error {
	var ids []string
	for _, id := range taken {
		if id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return g.askAtOnce(ctx, "acknowledge messages", func(ctx context.Context) error {
		_, err := g.pubsub.Projects.Subscriptions.Acknowledge(subscription,
			&pubsub.AcknowledgeRequest{AckIds: ids}).Context(ctx).Do()
		return err
	})
}

// takeMessage takes a message about a device. What cannot be read never can be, and what is of
// another kind says nothing of devices: both count as taken.
func (c *Channel) takeMessage(ctx context.Context, m *pubsub.PubsubMessage) error {
	r := readMessage(m)
	if r == nil {
		return nil
	}
	return c.take(ctx, r)
}

// readMessage is the device that a message tells of; nil: it tells of none.
func readMessage(m *pubsub.PubsubMessage) *androidmanagement.Device {
	switch m.Attributes["notificationType"] {
	case "ENROLLMENT", "STATUS_REPORT":
	default:
		return nil
	}
	if len(m.Data) > maxMessage {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		return nil
	}
	r := new(androidmanagement.Device)
	if json.Unmarshal(data, r) != nil || r.Name == "" {
		return nil
	}
	return r
}
