package mdm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/smallstep/scep"

	"github.com/syncpayloads/syncpayloads/internal/apple/mdm"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
)

// trouble is why nothing works at the moment; nil: everything does.
type trouble struct {
	mu  sync.Mutex
	err error
}

func (b *trouble) set(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *trouble) why() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// troubledStore fails at what devices' requests need: at all of it, or at what links need after
// their challenge.
type troubledStore struct {
	mdm.Store
	*trouble
	later *trouble
}

func (s troubledStore) Identity(ctx context.Context, id,
	sha256 string) (*mdm.Enrollment, *mdm.Certificate, error) {
	if err := s.why(); err != nil {
		return nil, nil, err
	}
	return s.Store.Identity(ctx, id, sha256)
}

func (s troubledStore) UpdateIdentity(ctx context.Context, id, sha256 string,
	fn func(*mdm.Enrollment, *mdm.Certificate) error) error {
	if err := s.why(); err != nil {
		return err
	}
	return s.Store.UpdateIdentity(ctx, id, sha256, fn)
}

func (s troubledStore) Challenge(ctx context.Context, sha256 string) (*mdm.Challenge, error) {
	if err := s.why(); err != nil {
		return nil, err
	}
	return s.Store.Challenge(ctx, sha256)
}

func (s troubledStore) Redeem(ctx context.Context, sha256 string, at time.Time,
	c mdm.Certificate) (*mdm.Certificate, error) {
	if err := s.later.why(); err != nil {
		return nil, err
	}
	return s.Store.Redeem(ctx, sha256, at, c)
}

func (s troubledStore) KeyPair(ctx context.Context, name string) (*keypair.KeyPair, error) {
	if err := s.later.why(); err != nil {
		return nil, err
	}
	return s.Store.KeyPair(ctx, name)
}

// troubledEngine fails at all that devices' requests need.
type troubledEngine struct {
	mdm.Engine
	*trouble
}

func (e troubledEngine) Enroll(ctx context.Context, d fleet.Device,
	unsupported string) (fleet.DeviceID, error) {
	if err := e.why(); err != nil {
		return "", err
	}
	return e.Engine.Enroll(ctx, d, unsupported)
}

func (e troubledEngine) Unenroll(ctx context.Context, id fleet.DeviceID) error {
	if err := e.why(); err != nil {
		return err
	}
	return e.Engine.Unenroll(ctx, id)
}

func (e troubledEngine) Idle(ctx context.Context, id fleet.DeviceID) (*engine.Task, error) {
	if err := e.why(); err != nil {
		return nil, err
	}
	return e.Engine.Idle(ctx, id)
}

func (e troubledEngine) Answer(ctx context.Context, id fleet.DeviceID,
	r engine.Report) (*engine.Task, error) {
	if err := e.why(); err != nil {
		return nil, err
	}
	return e.Engine.Answer(ctx, id, r)
}

// notes counts what is logged.
type notes struct {
	// gets something when a device with a new token could not be woken, which is tried beside its
	// request
	greeted chan struct{}

	mu    sync.Mutex
	lines []string
}

func (n *notes) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, string(line))
	if bytes.Contains(line, []byte("not woken after TokenUpdate")) {
		n.greeted <- struct{}{}
	}
	return len(line), nil
}

func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// troubledServer is a server whose store and engine can be made to fail.
type troubledServer struct {
	*server
	storage, later, rules trouble
	log                   notes
}

func newTroubledServer(t *testing.T, busy func(error) bool) *troubledServer {
	s := &troubledServer{log: notes{greeted: make(chan struct{}, 16)}}
	s.server = newServer(t, func(c *mdm.Config) {
		c.Store, c.Engine = troubledStore{c.Store, &s.storage, &s.later},
			troubledEngine{c.Engine, &s.rules}
		c.Busy, c.Log = busy, slog.New(slog.NewTextHandler(&s.log, nil))
	})
	return s
}

// told is a server's answer, with what it says besides its status.
type told struct {
	status     int
	retryAfter string
	body       string
}

// tell sends a request again and reads all of the answer.
func (s *troubledServer) tell(t *testing.T, r *http.Request, body []byte) told {
	t.Helper()
	r = r.Clone(t.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp, err := s.client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return told{resp.StatusCode, resp.Header.Get("Retry-After"), string(text)}
}

var errSecret = errors.New("password=hunter2 is refused")

// Whatever a device says while the server cannot do its work is answered 503, with a time to come
// again, in one line of the log; nothing of it counts as received, and said again it is.
func TestServerThatCannotDoItsWork(t *testing.T) {
	s := newTroubledServer(t, nil)
	_, code := s.link(t, time.Hour)
	identity := s.request(t, code, shared.keys[2](), scep.PKCSReq)
	link, _ := s.link(t, time.Hour)
	fresh, enrolled := s.newDevice(t, "1", 1), s.enroll(t, "2", 1)
	at := func(method, url string) *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	// Each message has a signature, so it is made once by whoever sends it while nothing works.
	s.storage.set(errSecret)
	authenticate, token, idle := fresh.authenticate(), enrolled.tokenUpdate("token 2"),
		enrolled.idle()
	acknowledged := enrolled.report(dict{"Status": "Acknowledged", "CommandUUID": task})
	notNow := enrolled.report(dict{"Status": "NotNow", "CommandUUID": task})
	leaving := enrolled.checkOut()
	s.storage.set(nil)
	<-s.log.greeted
	s.log.take()
	for _, c := range []struct {
		name    string
		request *http.Request
		body    []byte
		part    *trouble // who has part in it, besides the store
	}{
		{"Authenticate", authenticate.sent, authenticate.raw, &s.rules},
		{"TokenUpdate", token.sent, token.raw, nil},
		{"Idle", idle.sent, idle.raw, &s.rules},
		{"Acknowledged", acknowledged.sent, acknowledged.raw, &s.rules},
		{"NotNow", notNow.sent, notNow.raw, &s.rules},
		{"CheckOut", leaving.sent, leaving.raw, &s.rules},
		{"enrollment profile", at(http.MethodGet, link), nil, &s.later},
		{"identity", at(http.MethodPost, s.URL+"/scep?operation=PKIOperation"), identity, &s.later},
	} {
		for place, broken := range map[string]*trouble{"store": &s.storage, "other part": c.part} {
			if broken == nil {
				continue
			}
			enrolledBefore, left, contacts := s.engine.counts()
			broken.set(fmt.Errorf("writing the ledger: %w", errSecret))
			got := s.tell(t, c.request, c.body)
			broken.set(nil)
			if want := (told{http.StatusServiceUnavailable, "5",
				"Service Unavailable\n"}); got != want {
				t.Errorf("%s while its %s fails: %+v, want %+v", c.name, place, got, want)
			}
			if lines := s.log.take(); len(lines) != 1 ||
				!strings.Contains(lines[0], "writing the ledger") {
				t.Errorf("%s while its %s fails: logged %q, want one line with the cause", c.name,
					place, lines)
			}
			if e, l, n := s.engine.counts(); e != enrolledBefore || l != left || n != contacts {
				t.Errorf("%s while its %s fails reached the engine", c.name, place)
			}
		}
		if got := s.tell(t, c.request, c.body); got.status != http.StatusOK ||
			got.retryAfter != "" {
			t.Errorf("%s said again: %+v, want 200", c.name, got)
		}
		if c.name == "TokenUpdate" {
			<-s.log.greeted
		}
		s.log.take()
	}
	if e := s.store.enrollment("2"); string(e.Token) != "" || e.Stage != mdm.Left {
		t.Errorf("after all was said again the device is %+v", e)
	}
	if n, left, contacts := s.engine.counts(); n != 2 || left != 1 || contacts != 3 {
		t.Errorf("the engine was told of %d enrollments, %d departures and %d contacts, want 2, 1 and 3", n, left, contacts)
	}
}

// What is the device's own fault is told so, also while the server cannot do its work, as far as
// the server can know.
func TestFaultsOfADeviceAreNotTheServers(t *testing.T) {
	s := newTroubledServer(t, nil)
	d := s.enroll(t, "1", 1)
	link, _ := s.link(t, time.Hour)
	d.want(http.StatusBadRequest, d.report(dict{"Status": "Acknowledged"}))
	s.rules.set(errSecret)
	stolen := *d
	stolen.udid = "2"
	d.want(http.StatusForbidden, stolen.idle())
	s.storage.set(errSecret)
	d.want(http.StatusBadRequest, d.send([]byte("no plist"), true))
	d.want(http.StatusBadRequest, d.as(byNothing).idle())
	d.want(http.StatusRequestEntityTooLarge, d.send(make([]byte, 300<<10), true))
	if status, header, _ := get(t, s.client(),
		s.URL+"/scep?operation=Nonsense"); status != http.StatusBadRequest ||
		header.Get("Retry-After") != "" {
		t.Errorf("a SCEP operation that does not exist: %d", status)
	}
	s.storage.set(mdm.ErrNotFound)
	if status, _, _ := get(t, s.client(), link); status != http.StatusNotFound {
		t.Errorf("a link that does not exist: %d", status)
	}
}

// A failure that does not pass by itself is another answer, and a deadline that has run out always
// passes.
func TestFailuresThatPass(t *testing.T) {
	busy := errors.New("locked")
	s := newTroubledServer(t, func(err error) bool { return errors.Is(err, busy) })
	d := s.enroll(t, "1", 1)
	link, _ := s.link(t, time.Hour)
	for _, c := range []struct {
		err    error
		status int
	}{
		{busy, http.StatusServiceUnavailable},
		{fmt.Errorf("reading: %w", context.DeadlineExceeded), http.StatusServiceUnavailable},
		{errBroken, http.StatusInternalServerError},
	} {
		for name, broken := range map[string]*trouble{"store": &s.storage, "engine": &s.rules} {
			broken.set(c.err)
			if got := d.idle(); got.status != c.status {
				t.Errorf("the %s says %q: answered %d, want %d", name, c.err, got.status, c.status)
			}
			broken.set(nil)
		}
		s.storage.set(c.err)
		if status, _, _ := get(t, s.client(), link); status != c.status {
			t.Errorf("the store says %q: the link answers %d, want %d", c.err, status, c.status)
		}
		s.storage.set(nil)
	}
}
