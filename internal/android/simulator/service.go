// Package simulator stands for what the server talks to when it manages Android devices: Google's
// Android Management API (AMAPI), the Pub/Sub service that brings its notifications, and the
// devices behind both. A Service is an http.Handler for the loopback interface; Service.Enroll adds
// devices, which make themselves like their policy and report as real ones do.
//
// Where Google's reference says how the service or a device behaves, that is done. Where it is
// silent, the comments say what was assumed. Time is the caller's: nothing here waits for it.
package simulator

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options configures a Service. The zero value works.
type Options struct {
	Now     func() time.Time // nil: time.Now
	Project string           // of callers without a token; empty: "simulated-project"
	// Calls need a bearer token: one from /token for a service account of this Service.
	RequireToken bool
	Quota        int // queries in 100 seconds and project; 0: 1,000, as Google's
	// A PATCH that changes nothing answers 304 and leaves the version. Google does not say what its
	// service does; without this it counts as an update.
	SameNotModified bool
	Unordered       bool          // Pub/Sub delivers in no order
	PullWait        time.Duration // an empty pull waits so long, in real time; 0: not at all
	// From a change until the devices take it, when Step or Run moves them; each adds up to half.
	Delay time.Duration
	Seed  uint64       // of all random decisions
	Log   *slog.Logger // nil: slog.Default
}

// Service is the API, its Pub/Sub and its devices. It serves
//
//	/v1/enterprises…, /v1/signupUrls, /v1/provisioningInfo…   AMAPI
//	/v1/projects/*/topics…, /v1/projects/*/subscriptions…     Pub/Sub
//	/token, /certs, /signup/…                                 tokens, keys of pushes, sign-up
//
// All methods may be called from several goroutines.
type Service struct {
	options Options
	random  *rand.Rand // guarded by mu, as all below

	mu          sync.Mutex
	counter     uint64 // of generated names
	accounts    map[string]*serviceAccount
	bearers     map[string]bearer
	quotas      map[string]*quota
	troubles    []*Trouble
	signups     map[string]*signup
	enterprises map[string]*enterprise
	devices     map[string]*Device // by name; those whose enrollment ended are gone
	bySerial    map[string]*Device
	deadlines   []*Device // enrolled without a policy, oldest first
	schedule    schedule
	topics      map[string]*topic
	queues      map[string]*queue // subscriptions by name
	calls       map[string]int
	pushKey     *pushKey
}

// NewService makes a Service without enterprises.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Project == "" {
		o.Project = "simulated-project"
	}
	if o.Quota == 0 {
		o.Quota = 1000
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{options: o, random: rand.New(rand.NewPCG(o.Seed, 0x9e3779b97f4a7c15)),
		accounts: make(map[string]*serviceAccount), bearers: make(map[string]bearer),
		quotas: make(map[string]*quota), signups: make(map[string]*signup),
		enterprises: make(map[string]*enterprise), devices: make(map[string]*Device),
		bySerial: make(map[string]*Device), topics: make(map[string]*topic),
		queues: make(map[string]*queue), calls: make(map[string]int)}
}

// maxBody is the largest request that is read, in bytes.
const maxBody = 4 << 20

// call is one request as the handlers see it.
type call struct {
	request *http.Request
	now     time.Time
	method  string   // the route's name, such as "policies.patch"
	parts   []string // of the path after /v1/, unescaped: enterprises, LC1, policies, p
	name    string   // parts joined: the resource, or the collection
	query   url.Values
	body    []byte
	project string // who calls
}

// parent is the enterprise or project at the head of the path.
func (c *call) parent() string { return strings.Join(c.parts[:min(2, len(c.parts))], "/") }

// host is the address under which the caller reached the service.
func (c *call) host() string { return "http://" + c.request.Host }

// ServeHTTP answers a request as Google's services do.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/token":
		s.serveToken(w, r)
		return
	case r.URL.Path == "/certs":
		s.serveKeys(w)
		return
	case strings.HasPrefix(r.URL.Path, "/signup/"):
		s.serveSignup(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		var tooLong *http.MaxBytesError
		if !errors.As(err, &tooLong) {
			panic(http.ErrAbortHandler)
		}
		writeError(w, badRequest("", "Request payload size exceeds the limit: %d bytes.", maxBody))
		return
	}
	c := &call{request: r, body: body}
	found, refusal := c.find()
	if refusal != nil {
		writeError(w, refusal)
		return
	}
	trouble, refusal := s.admit(c, found)
	if trouble.wait(r) != nil {
		panic(http.ErrAbortHandler) // who called has gone
	}
	if refusal != nil {
		writeError(w, refusal)
		return
	}
	answer, refusal := s.serve(c, found)
	switch {
	case trouble != nil && trouble.LoseAnswer:
		panic(http.ErrAbortHandler) // cuts the connection after the effect
	case refusal != nil:
		writeError(w, refusal)
	case trouble != nil && trouble.Late:
		writeError(w, trouble.failure())
	default:
		writeAnswer(w, answer)
	}
}

// admit decides whether a call is served at all.
func (s *Service) admit(c *call, found route) (*Trouble, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.options.Now()
	s.calls[c.method]++
	trouble := s.troubleFor(c)
	project, refusal := s.authenticate(c)
	c.project = project
	switch {
	case refusal != nil:
		return trouble, refusal
	case trouble.refuses():
		return trouble, trouble.failure()
	case found.pubsub:
		return trouble, nil
	}
	return trouble, s.spend(c)
}

func (s *Service) serve(c *call, found route) ([]byte, *failure) {
	if found.waits != nil {
		return found.waits(s, c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(c.now)
	answer, refusal := found.serve(s, c)
	if refusal != nil {
		return nil, refusal
	}
	return encode(answer), nil
}

// Calls returns how often a method was called, refused calls included. The names are those of
// Google's reference without the first part: "policies.patch", "devices.delete",
// "subscriptions.pull".
func (s *Service) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}
