package mdm

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/micromdm/nanomdm/service"

	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// retryAfter is when a device may come again after a 503, in seconds. It keeps what it has to say
// until then.
const retryAfter = "5"

// unavailable is a failure that passes by itself, as when the database is down. Devices are
// answered 503, and nothing of what they sent counts as received: nanomdm takes the error for a
// *service.HTTPStatusError.
type unavailable struct{ cause error }

func (e *unavailable) Error() string { return e.cause.Error() }
func (e *unavailable) Unwrap() error { return e.cause }

// As implements what errors.As asks for.
func (e *unavailable) As(target any) bool {
	status, ok := target.(**service.HTTPStatusError)
	if ok {
		*status = service.NewHTTPStatusError(http.StatusServiceUnavailable, e.cause)
	}
	return ok
}

// failRequest answers a request that failed through no fault of the device. The cause is in the log
// alone.
func failRequest(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var u *unavailable
	if errors.As(err, &u) {
		status = http.StatusServiceUnavailable
	}
	http.Error(w, http.StatusText(status), status)
}

// passing marks failures that pass by themselves. What the store or the engine answers, and what
// its caller gave it to return, is no failure.
func (c *Config) passing(err error) error {
	var said *service.HTTPStatusError
	switch {
	case err == nil, errors.As(err, &said),
		errors.Is(err, ErrNotFound), errors.Is(err, ErrChallengeUsed),
		errors.Is(err, fleet.ErrNotFound),
		errors.Is(err, engine.ErrNothingAsked):
		return err
	case c.Busy == nil, errors.Is(err, context.DeadlineExceeded), c.Busy(err):
		return &unavailable{err}
	default:
		return err
	}
}

// markedStore marks the failures of what devices' requests need of a store.
type markedStore struct {
	Store
	mark func(error) error
}

func (s markedStore) Identity(ctx context.Context, enrollment,
	certificate string) (*Enrollment, *Certificate, error) {
	e, c, err := s.Store.Identity(ctx, enrollment, certificate)
	return e, c, s.mark(err)
}

func (s markedStore) UpdateIdentity(ctx context.Context, enrollment, certificate string,
	fn func(*Enrollment, *Certificate) error) error {
	return s.mark(s.Store.UpdateIdentity(ctx, enrollment, certificate, fn))
}

func (s markedStore) Challenge(ctx context.Context, sha256 string) (*Challenge, error) {
	c, err := s.Store.Challenge(ctx, sha256)
	return c, s.mark(err)
}

func (s markedStore) LinkOf(ctx context.Context, certificate string) (*Challenge, error) {
	c, err := s.Store.LinkOf(ctx, certificate)
	return c, s.mark(err)
}

func (s markedStore) Redeem(ctx context.Context, challenge string, at time.Time,
	c Certificate) (*Certificate, error) {
	issued, err := s.Store.Redeem(ctx, challenge, at, c)
	return issued, s.mark(err)
}

func (s markedStore) KeyPair(ctx context.Context, name string) (*keypair.KeyPair, error) {
	k, err := s.Store.KeyPair(ctx, name)
	return k, s.mark(err)
}

// markedEngine marks the failures of an engine.
type markedEngine struct {
	Engine
	mark func(error) error
}

func (e markedEngine) Enroll(ctx context.Context, d fleet.Device,
	unsupported string) (fleet.DeviceID, error) {
	id, err := e.Engine.Enroll(ctx, d, unsupported)
	return id, e.mark(err)
}

func (e markedEngine) Unenroll(ctx context.Context, device fleet.DeviceID) error {
	return e.mark(e.Engine.Unenroll(ctx, device))
}

func (e markedEngine) Idle(ctx context.Context, device fleet.DeviceID) (*engine.Task, error) {
	t, err := e.Engine.Idle(ctx, device)
	return t, e.mark(err)
}

func (e markedEngine) Answer(ctx context.Context, device fleet.DeviceID,
	r engine.Report) (*engine.Task, error) {
	t, err := e.Engine.Answer(ctx, device, r)
	return t, e.mark(err)
}

// sayWhen tells who is answered 503 when to come again.
func sayWhen(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(whenWriter{w}, r)
	})
}

type whenWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w whenWriter) WriteHeader(status int) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.ResponseWriter.WriteHeader(status)
}
