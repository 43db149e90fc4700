package test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// killedGoogle is Google in front of the process that is killed. It takes its time before and after
// it changes a policy, loses an answer now and then, and notes what it was sent.
type killedGoogle struct {
	*servertest.Google
	t     *testing.T
	kills atomic.Int64
	ahead atomic.Int64 // nanoseconds by which its clock is ahead
	cut   atomic.Int64 // requests whose sender ended before it had the answer

	mu       sync.Mutex
	random   *rand.Rand
	policies map[string]*killedPolicy // by id
}

// killedPolicy is what was posted of one policy.
type killedPolicy struct {
	document []byte
	version  int64
	kills    int64 // that there had been
	posted   int
}

func (g *killedGoogle) now() time.Time { return time.Now().Add(time.Duration(g.ahead.Load())) }

func startKilledGoogle(t *testing.T) *killedGoogle {
	g := &killedGoogle{t: t, random: rand.New(rand.NewPCG(11, 11)),
		policies: map[string]*killedPolicy{}}
	service := google.NewService(google.Options{Now: g.now, Quota: 1_000_000, RequireToken: true,
		PullWait: 100 * time.Millisecond, Delay: 10 * time.Millisecond, Unordered: true,
		Log: quiet()})
	running := httptest.NewServer(g)
	g.Google = &servertest.Google{Service: service, URL: running.URL}
	ctx, stop := context.WithCancel(context.Background())
	acted := make(chan struct{})
	go func() { defer close(acted); service.Run(ctx) }()
	t.Cleanup(func() { stop(); <-acted; running.CloseClientConnections(); running.Close() })
	return g
}

func (g *killedGoogle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, id, found := strings.Cut(r.URL.Path, "/policies/")
	if !found || r.Method != http.MethodPatch {
		g.Service.ServeHTTP(w, r)
		return
	}
	document, err := io.ReadAll(r.Body)
	if err != nil || !g.takesItsTime(r) {
		g.cut.Add(1)
		panic(http.ErrAbortHandler) // it did not come here before its sender ended
	}
	r.Body = io.NopCloser(bytes.NewReader(document))
	answer := httptest.NewRecorder()
	g.Service.ServeHTTP(answer, r)
	g.note(id, document, answer)
	if !g.takesItsTime(r) || g.chance(0.05) {
		g.cut.Add(1)
		panic(http.ErrAbortHandler) // the answer is lost
	}
	w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (g *killedGoogle) chance(of float64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.random.Float64() < of
}

// takesItsTime waits up to 20 ms, and tells whether the sender is still there.
func (g *killedGoogle) takesItsTime(r *http.Request) bool {
	g.mu.Lock()
	wait := time.NewTimer(time.Duration(g.random.IntN(20)) * time.Millisecond)
	g.mu.Unlock()
	select {
	case <-wait.C:
		return true
	case <-r.Context().Done():
		wait.Stop()
		return false
	}
}

func (g *killedGoogle) note(id string, document []byte, answer *httptest.ResponseRecorder) {
	var said struct {
		Version int64 `json:",string"`
	}
	if answer.Code != http.StatusOK || json.Unmarshal(answer.Body.Bytes(), &said) != nil {
		g.t.Errorf("a policy is answered %d %s", answer.Code, answer.Body)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.policies[id]
	if p == nil {
		p = new(killedPolicy)
		g.policies[id] = p
	}
	if p.version >= said.Version {
		g.t.Errorf("version %d of a policy came after %d", said.Version, p.version)
	}
	if bytes.Equal(p.document, document) {
		g.t.Errorf("%s was posted again as it was, after %d kills and after %d", id, p.kills,
			g.kills.Load())
	}
	p.document, p.version, p.kills = document, said.Version, g.kills.Load()
	p.posted++
}
