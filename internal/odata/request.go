package odata

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// Request is one request and its answer.
type Request struct {
	HTTP   *http.Request
	Writer http.ResponseWriter
	// ID is the request-id that the server gave it. ClientID is the client-request-id, which is the
	// caller's or the same.
	ID       string
	ClientID string
	// Base is the scheme and host by which the caller reaches the server.
	Base string
	// Operation is what the request calls; nil until that is known.
	Operation *Operation
	// BodyLimit is how many bytes the body may have, as sent and as decompressed.
	BodyLimit int64
	// Options are the query options, once ReadOptions has read them.
	Options url.Values

	service     *Service
	format      format
	preferences []string // of Prefer, in lower case
	match       []string // entity tags of If-Match; none: there is no condition
	selection   string   // $select in the surface's own letters; empty: it was not read
	narrowed    *narrowing
}

// NewRequest gives a request its ids, and its answer the headers that every answer has. Base is the
// scheme and host by which the caller reaches the server.
func (s *Service) NewRequest(w http.ResponseWriter, r *http.Request, base string) *Request {
	id, clientID := identify(w, r)
	return &Request{
		HTTP:      r,
		Writer:    w,
		ID:        id,
		ClientID:  clientID,
		Base:      base,
		BodyLimit: min(OrdinaryBody, s.maxBody),
		service:   s,
	}
}

const clientRequestIDLimit = 128

// identify gives a request its ids, and its answer the headers that every answer has.
func identify(w http.ResponseWriter, r *http.Request) (id, clientID string) {
	id = uuid.NewString()
	clientID = r.Header.Get("client-request-id")
	if clientID == "" || len(clientID) > clientRequestIDLimit {
		clientID = id
	}
	w.Header().Set("request-id", id)
	w.Header().Set("client-request-id", clientID)
	w.Header().Set("OData-Version", "4.0")
	w.Header().Set("Cache-Control", "no-store")
	return id, clientID
}

// Context is that of the HTTP request.
func (r *Request) Context() context.Context { return r.HTTP.Context() }

// SetContext gives the request another context.
func (r *Request) SetContext(ctx context.Context) { r.HTTP = r.HTTP.WithContext(ctx) }

// PathValue is what stands in the path for a name in braces of the operation's pattern.
func (r *Request) PathValue(name string) string { return r.HTTP.PathValue(name) }

// model is that of the service; nil: the request is not of one.
func (r *Request) model() *Model {
	if r.service == nil {
		return nil
	}
	return r.service.model
}

// Version is the path of the version that the request is in.
func (r *Request) Version() string {
	if strings.HasPrefix(r.HTTP.URL.Path, StablePath) {
		return StablePath
	}
	return BetaPath
}

// URL is the absolute URL of a path under the request's version.
func (r *Request) URL(path string) string { return r.Base + r.Version() + path }

// isVersioned reports whether the request is for Graph's part of the surface. The server's own part
// has no versions, and one form of answers.
func (r *Request) isVersioned() bool {
	path := r.HTTP.URL.Path
	return strings.HasPrefix(path, BetaPath) || strings.HasPrefix(path, StablePath)
}
