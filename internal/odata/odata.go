// Package odata is the protocol that Microsoft Graph speaks: OData 4.0 with Graph's own
// conventions. It reads query options, bodies and headers, compiles $filter into package query's
// conditions, and writes answers, errors, pages, batches and $metadata. It knows no resource: a
// surface describes its own to it, as a Model and as one Operation for each route.
//
// It may import query, jsontext and plaintext, and no other package of ours. Begin reading with
// Request; what a list takes of $filter is a Listing; what $metadata says is a Model.
package odata

import (
	"net/http"

	"golang.org/x/sync/semaphore"
)

// Microsoft Graph's versions, as paths begin. What is in v1.0 there is here, too.
const (
	BetaPath   = "/beta/"
	StablePath = "/v1.0/"
)

// The namespaces of types.
const (
	GraphNamespace = "microsoft.graph."
	OwnNamespace   = "syncpayloads." // has what is not Graph's
)

// Service is what all requests to one surface share. Safe for concurrent use.
type Service struct {
	model   *Model
	maxBody int64
	bodies  *semaphore.Weighted // bytes of large bodies that are decompressed and parsed
}

// NewService returns the service of a model. No body may have more than maxBody bytes, as sent and
// as decompressed.
func NewService(m *Model, maxBody int64) *Service {
	return &Service{
		model:   m,
		maxBody: maxBody,
		bodies:  semaphore.NewWeighted(bodiesAtOnce),
	}
}

// CanonicalRequest is a request whose path has its keys as segments, and the letters of the
// operation's pattern that it fits.
func (s *Service) CanonicalRequest(r *http.Request) *http.Request {
	return s.model.paths.written(withKeySegments(r))
}
