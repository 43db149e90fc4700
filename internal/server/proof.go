package server

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/channel/apple"
)

// shown is what a device's request shows of its sender, for who is to read a long body of it.
func (s *Server) shown(r *http.Request) identity {
	switch s.channel.Shown(r) {
	case apple.ShowsDevice:
		return provenIdentity
	case apple.ShowsNobody:
		return nobody
	default:
		return unknownSender
	}
}
