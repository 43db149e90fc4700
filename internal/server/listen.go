package server

import (
	"context"
	"fmt"
	"net"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// open opens the database, if who starts the server has not.
func (c *Config) open(ctx context.Context) (*store.Store, error) {
	if c.Store != nil {
		return c.Store, nil
	}
	return store.Open(ctx, c.Database)
}

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
