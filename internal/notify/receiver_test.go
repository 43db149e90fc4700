package notify_test

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// receiver is an HTTPS server that takes notifications.
type receiver struct {
	*httptest.Server
	arrived chan struct{} // a delivery came; what nobody waits for is dropped

	mu     sync.Mutex
	status int                                      // of the answer to what is delivered
	answer func(http.ResponseWriter, *http.Request) // to a handshake; nil: as it should be
	// a delivery waits for it to be closed; nil: it does not wait
	hold chan struct{}
	// deliveries, also those that were not accepted
	posts     []post
	lifecycle []string // events, accepted
}

type post struct {
	status int
	header http.Header
	text   []byte
	list   []notification
}

type notification struct {
	ID       string `json:"id"`
	Event    string `json:"lifecycleEvent"`
	Change   string `json:"changeType"`
	Resource string `json:"resource"`
	Data     struct {
		ID fleet.DeviceID `json:"id"`
	} `json:"resourceData"`
}

func (n *notification) position(t testing.TB) int64 {
	t.Helper()
	p, err := strconv.ParseInt(n.ID, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newReceiver(t testing.TB) *receiver { return start(t, httptest.NewTLSServer) }

func start(t testing.TB, server func(http.Handler) *httptest.Server) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted, arrived: make(chan struct{}, 1)}
	r.Server = server(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Query().Has("validationToken") {
			r.handshake(w, q)
			return
		}
		r.deliver(t, w, q)
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0) // some connections are meant to fail
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) handshake(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		answer = echo
	}
	answer(w, q)
}

func echo(w http.ResponseWriter, q *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, q.URL.Query().Get("validationToken"))
}

func (r *receiver) deliver(t testing.TB, w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	hold := r.hold
	r.mu.Unlock()
	text, err := io.ReadAll(q.Body)
	if err != nil {
		return // the sender has ended
	}
	var body struct {
		Value []notification `json:"value"`
	}
	if err := json.Unmarshal(text, &body); err != nil {
		t.Errorf("a notification: %v", err)
	}
	select {
	case r.arrived <- struct{}{}:
	default:
	}
	if hold != nil {
		select {
		case <-hold:
		case <-q.Context().Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(body.Value) > 0 && body.Value[0].Event != "":
		if r.status/100 == 2 {
			r.lifecycle = append(r.lifecycle, body.Value[0].Event)
		}
	default:
		r.posts = append(r.posts, post{r.status, q.Header, text, body.Value})
	}
	w.WriteHeader(r.status)
}

func (r *receiver) set(change func(*receiver)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// take returns what has come since the last time.
func (r *receiver) take() (posts []post, lifecycle []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	posts, lifecycle = r.posts, r.lifecycle
	r.posts, r.lifecycle = nil, nil
	return posts, lifecycle
}

// accepted are the devices that were told of and acknowledged since the last time, in order.
func (r *receiver) accepted() (devices []fleet.DeviceID) {
	posts, _ := r.take()
	for _, p := range posts {
		for _, n := range p.list {
			if p.status/100 == 2 {
				devices = append(devices, n.Data.ID)
			}
		}
	}
	return devices
}
