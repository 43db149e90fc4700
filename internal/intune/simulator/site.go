package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Clock is the time of a Site. Nothing in a Site waits but Run.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Options configures a Site. The zero value is the strict one: real time, the documented limits,
// no fault, and devices that check in only when they are told to.
type Options struct {
	Clock Clock  // nil: real time
	Seed  uint64 // of all that is random, ids too
	// URL is where the Site is reached, without a path, such as "https://127.0.0.1:8443". It is the
	// audience of tokens and the start of each nextLink. Empty: where the request at hand came to.
	URL      string
	Readings Readings
	Faults   Faults
	// CheckInAfter is the time after which a device that is online checks in once something was
	// asked of it. Zero: only Device.CheckIn makes it check in.
	CheckInAfter time.Duration
	CheckInEvery time.Duration // devices that are online check in by themselves; zero: they do not
	KeepRequests int           // how many requests are remembered, the newest; 0: 100,000
	Limits       Limits
}

// Site stands for Microsoft's token service and Graph, with any number of tenants. It is an
// http.Handler for
//
//	/{tenant}/oauth2/v2.0/token, /{tenant}/oauth2/v2.0/devicecode
//	/beta/…
//
// All methods of a Site, and of what it made, may be called from several goroutines.
type Site struct {
	options Options
	clock   Clock

	mu       sync.Mutex // guards all below, and all that belongs to the tenants
	random   *rand.Rand
	readings Readings
	faults   Faults
	agenda   agenda
	tenants  map[string]*Tenant
	order    []*Tenant
	codes    map[string]*deviceCode // by device code
	refresh  map[string]*grant      // by refresh token
	record   record
	troubles []*Trouble
}

// New makes a Site without a tenant.
func New(o Options) *Site {
	if o.Clock == nil {
		o.Clock = realClock{}
	}
	if o.KeepRequests == 0 {
		o.KeepRequests = 100_000
	}
	o.Limits = o.Limits.complete()
	return &Site{options: o, clock: o.Clock, readings: o.Readings, faults: o.Faults,
		random:  rand.New(rand.NewPCG(o.Seed, 0x5b07b0dd23774e44)),
		tenants: make(map[string]*Tenant), codes: make(map[string]*deviceCode),
		refresh: make(map[string]*grant), record: newRecord(o.KeepRequests)}
}

// enter locks the Site and lets happen what is due. It returns the time.
func (s *Site) enter() time.Time {
	s.mu.Lock()
	now := s.clock.Now().UTC()
	s.agenda.run(now)
	return now
}

// SetFaults changes what goes wrong from now on.
func (s *Site) SetFaults(f Faults) {
	s.enter()
	defer s.mu.Unlock()
	s.faults = f
}

// SetReadings changes how the Site reads what the reference leaves open, from now on.
func (s *Site) SetReadings(r Readings) {
	s.enter()
	defer s.mu.Unlock()
	s.readings = r
}

// Settle lets happen what is due by the clock, as every request does.
func (s *Site) Settle() {
	s.enter()
	s.mu.Unlock()
}

// Run settles the Site again and again until the context ends, so that devices move while nobody
// asks. It is for programs; tests move the clock and ask.
func (s *Site) Run(ctx context.Context, every time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.clock.After(every):
			s.Settle()
		}
	}
}

// newID makes an id in the form of Microsoft's.
func (s *Site) newID() string {
	a, b := s.random.Uint64(), s.random.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x",
		a>>32, a>>16&0xffff, a&0xfff, b>>52, b&0xffffffffffff)
}

// happens decides whether something of a probability of 0 to 1 does.
func (s *Site) happens(p float64) bool { return p > 0 && s.random.Float64() < p }

// upTo is a random time from 0 to d.
func (s *Site) upTo(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(s.random.Int64N(int64(d) + 1))
}

// maxBody is the longest body that is read, in bytes. Graph's own limit is 4 MB.
const maxBody = 4 << 20

// inbound is one request as it came, from the network or out of a batch.
type inbound struct {
	method, path, query string
	header              http.Header
	body                []byte
	base                string // the Site's own URL
	batched             bool
}

// answer is what is sent back.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool // the connection ends without an answer
}

// ServeHTTP answers as Microsoft's token service and Graph do. The header Date has the time of the
// Site's clock.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		panic(http.ErrAbortHandler) // who sent it has gone
	}
	in := inbound{method: r.Method, path: r.URL.EscapedPath(), query: r.URL.RawQuery,
		header: r.Header, body: body, base: s.base(r)}
	a := s.answer(in)
	if a.cut {
		panic(http.ErrAbortHandler)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

// base is the Site's own URL, as the sender of a request knows it.
func (s *Site) base(r *http.Request) string {
	switch {
	case s.options.URL != "":
		return strings.TrimSuffix(s.options.URL, "/")
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *Site) answer(in inbound) answer {
	now := s.enter()
	defer s.mu.Unlock()
	var a answer
	if tenant, endpoint, ok := authorityPath(in.path); ok {
		a = s.serveAuthority(now, in, tenant, endpoint)
	} else {
		a = s.serveGraph(now, in)
	}
	if a.header == nil {
		a.header = make(http.Header)
	}
	a.header.Set("Date", now.Format(http.TimeFormat))
	a.header.Set("request-id", s.newID())
	if id := in.header.Get("client-request-id"); id != "" && len(id) <= 100 {
		a.header.Set("client-request-id", id)
	}
	return a
}
