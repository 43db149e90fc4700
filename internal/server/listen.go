package server

import (
	"context"
	"fmt"
	"net"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// open returns Config.Store, or opens the database.
func (c *Config) open(ctx context.Context) (*store.Store, error) {
	if c.Store != nil {
		return c.Store, nil
	}
	return store.Open(ctx, c.Database)
}

// listen returns Config.Listener, or opens the socket.
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
