package server

import (
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Hold has requests stay on their places for as long as hold, which they call when they have got
// one, does not return. It must be called before there are any.
func (s *Server) Hold(hold func(*http.Request)) {
	next := s.admission.next
	s.admission.next = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hold(r)
		next.ServeHTTP(w, r)
	})
}

// Held is how many places are taken: of devices' requests, of calls, and of streams.
func (s *Server) Held() (devices, calls, streams int64) {
	return s.admission.lanes[deviceRequest].Taken(), s.admission.lanes[callRequest].Taken(),
		s.admission.streams.lane.Taken()
}

// HeldBytes is how much of what bodies may take is taken, in bytes.
func (s *Server) HeldBytes() (held int64) {
	for _, budgets := range []map[kind]*budget{s.admission.bodies.unproven,
		s.admission.bodies.proven} {
		for _, b := range budgets {
			held += b.lane.Taken() * pageSize
		}
	}
	return held
}

// Store is the server's database.
func (s *Server) Store() *store.Store { return s.store }
