package mdm

import (
	"context"
	"fmt"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// namedDevices is how many devices are named where there may be many.
const namedDevices = 5

// OtherTopic is why a push certificate was not set: devices enrolled under another topic, and could
// not be woken any more.
type OtherTopic struct {
	Topic   string // of the certificate that was not set
	Devices int
	Names   []string // of some of them
}

func (e *OtherTopic) Error() string {
	return fmt.Sprintf("push certificate refused: %d devices enrolled under another topic than %s",
		e.Devices, e.Topic)
}

// unwakeable is why a device cannot be woken before somebody has done something about it.
type unwakeable struct{ reason string }

func (e *unwakeable) Error() string { return "the device cannot be woken: " + e.reason }

// Unwakeable is the reason, for people. It is what engine.Unwakeable asks for.
func (e *unwakeable) Unwakeable() string { return e.reason }

// checkTopic finds the devices that could not be woken with a certificate of a topic. Those that
// enrolled without one never could.
func (c *Channel) checkTopic(ctx context.Context, topic string, force bool) error {
	n, names, err := c.store.OtherTopics(ctx, []string{topic, c.config.PlaceholderTopic}, nil,
		namedDevices)
	switch {
	case err != nil || n == 0:
		return err
	case !force:
		return &OtherTopic{Topic: topic, Devices: n, Names: names}
	}
	c.log.Warn("the new push certificate has another topic: devices enrolled under the old one must enroll again to be woken",
		"topic", topic, "devices", n)
	return nil
}

// UnwakeableDevices counts the devices that fulfil a condition (nil: all) and cannot be woken
// because they enrolled under another topic than the push certificate's, and names some of them.
// Without a certificate there are none.
func (c *Channel) UnwakeableDevices(ctx context.Context,
	where fleet.Condition) (count int, names []string, err error) {
	p, err := c.PushCertificate(ctx)
	if err != nil {
		return 0, nil, err
	}
	return c.store.OtherTopics(ctx, []string{p.Topic}, where, namedDevices)
}
