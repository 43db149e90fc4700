package graph

import (
	"context"
	"crypto/tls"
	"net"
)

// sendBuffer bounds what the system keeps of a stream for a reader that does not read, in bytes. By
// itself it would keep megabytes: a reader that never reads is then encrypted for, and known to be
// one, so much later.
const sendBuffer = 64 << 10

type connectionKey struct{}

// WithConnection lets streams find the connection that they are on; it is for http.Server's
// ConnContext.
func WithConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// limitBuffer bounds the system's buffer of the stream's connection, if it is the stream's alone.
func (s *eventStream) limitBuffer() error {
	c, _ := s.call.req.Context().Value(connectionKey{}).(net.Conn)
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if tcp, ok := c.(*net.TCPConn); ok && s.call.req.HTTP.ProtoMajor == 1 {
		return tcp.SetWriteBuffer(sendBuffer)
	}
	return nil
}
