package server

import (
	"fmt"
	"net"
)

// listen opens the socket, if who starts the server has not.
func (c *Config) listen() (net.Listener, error) {
	if c.Listener != nil {
		c.Listen = c.Listener.Addr().String()
		return c.Listener, nil
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", c.Listen, err)
	}
	return l, nil
}
