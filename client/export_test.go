package client

import "time"

// SetStreamTiming changes how long a stream's reader waits, so that tests need not.
func (c *Client) SetStreamTiming(silence, pause, outage time.Duration) {
	c.timing = streamTiming{silence, pause, outage}
}
