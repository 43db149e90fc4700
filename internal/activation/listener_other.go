//go:build !unix

package activation

import "net"

// Listener is nil: here no process is started with a listening socket.
func Listener() (net.Listener, error) { return nil, nil }
