package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/activation"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// countingGoogle is Google in front of servers that share a database. It counts what it is sent,
// and holds a request until its sender is gone.
type countingGoogle struct {
	*servertest.Google
	t *testing.T

	mu    sync.Mutex
	posts map[string][][]byte // of each policy, by its id
	hold  string              // whose next policy is held
	held  chan struct{}       // closed when one is
}

func startCountingGoogle(t *testing.T) *countingGoogle {
	g := &countingGoogle{t: t, posts: map[string][][]byte{}}
	service := google.NewService(google.Options{Quota: 1_000_000, RequireToken: true,
		PullWait: 100 * time.Millisecond, Delay: 10 * time.Millisecond, Log: quiet()})
	running := httptest.NewServer(g)
	g.Google = &servertest.Google{Service: service, URL: running.URL}
	ctx, stop := context.WithCancel(context.Background())
	acted := make(chan struct{})
	go func() { defer close(acted); service.Run(ctx) }()
	t.Cleanup(func() { stop(); <-acted; running.CloseClientConnections(); running.Close() })
	return g
}

func (g *countingGoogle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, id, found := strings.Cut(r.URL.Path, "/policies/")
	if found && r.Method == http.MethodPatch {
		document, err := io.ReadAll(r.Body)
		if err != nil || g.isHeld(id) {
			<-r.Context().Done() // its sender died
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(document))
		g.mu.Lock()
		if list := g.posts[id]; len(list) > 0 && bytes.Equal(list[len(list)-1], document) {
			g.t.Errorf("the policy of %s was posted again as it was", id)
		}
		g.posts[id] = append(g.posts[id], document)
		g.mu.Unlock()
	}
	g.Service.ServeHTTP(w, r)
}

func (g *countingGoogle) isHeld(id string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if id != g.hold {
		return false
	}
	g.hold = ""
	close(g.held)
	return true
}

func (g *countingGoogle) posted(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.posts[id])
}

// nodes are servers, each a process of its own, that share a database and their Android devices.
type nodes struct {
	*testing.T
	google   *countingGoogle
	data, db string // db is empty where the database is a file in data
	token    string
	list     []*node
	androids []*android
	wifi     payload
}

type node struct {
	*site
	program *program
}

// start starts another server.
func (n *nodes) start() *node {
	n.Helper()
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		n.Fatal(err)
	}
	n.Cleanup(func() { _ = socket.Close() })
	p := &program{T: n.T, path: servertest.Program(n.T), data: n.data, socket: socket}
	if n.db != "" {
		p.data, p.db = filepath.Join(n.data, fmt.Sprint(len(n.list))), []string{"--db", n.db}
	}
	started := &node{program: p, site: &site{T: n.T, url: "https://" + socket.Addr(),
		token: n.token, config: server.Config{DataDir: p.data, Database: n.db}}}
	n.list = append(n.list, started)
	n.Cleanup(p.kill)
	n.run(started)
	return started
}

func (n *nodes) run(started *node) {
	n.Helper()
	(&killed{site: started.site, program: started.program, flags: []string{"--android-url",
		n.google.URL, "--rate-limit", "0", "--retry-base", "100ms", "--poll-base", "100ms",
		"--log-level", "ERROR"}}).start()
}

// soon waits until ok, in real time: a process has no clock that could be moved.
func (n *nodes) soon(most time.Duration, what string, ok func() bool) {
	n.Helper()
	for end := time.Now().Add(most); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			n.Fatalf("not within %s: %s", most, what)
		}
	}
}

func startNodes(t *testing.T, devices int) *nodes {
	n := &nodes{T: t, google: startCountingGoogle(t), data: t.TempDir()}
	if storetest.Postgres() {
		n.db = storetest.NewDatabase(t)
	}
	first := n.start()
	text, err := exec.Command(first.program.path, slices.Concat([]string{"token", "create",
		"--data", first.program.data, "admin"}, first.program.db)...).Output()
	if err != nil {
		t.Fatalf("making a token: %v", err)
	}
	n.token = strings.TrimSpace(string(text))
	first.token = n.token
	n.wifi, _, _ = first.androidPolicies()
	c, err := client.New(client.Config{URL: first.url, Token: n.token, HTTPClient: first.http})
	must := func(err error) {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	_, err = c.SetAndroidServiceAccount(t.Context(), n.google.KeyFile(t))
	must(err)
	link, err := c.BeginAndroidSignup(t.Context(), "")
	must(err)
	_, err = c.FinishAndroidSignup(t.Context(),
		n.google.FollowSignup(t, link).Query().Get("enterpriseToken"), "")
	must(err)
	token, err := c.CreateAndroidToken(t.Context(), client.AndroidTokenOptions{
		Mode: client.AndroidFullyManaged, ExpiresIn: time.Hour})
	must(err)
	for i := range devices {
		d, err := n.google.Enroll(token.Value, fmt.Sprint("NODE", i), google.DeviceOptions{
			SystemApps: []string{"com.android.settings"}})
		must(err)
		n.androids = append(n.androids, &android{Device: d})
	}
	for _, d := range n.androids {
		n.soon(time.Minute, d.Serial()+" has what is assigned to it", func() bool {
			var list struct{ Value []struct{ ID string } }
			first.must("GET", "/beta/deviceManagement/managedDevices?$filter=serialNumber%20eq%20'"+
				d.Serial()+"'", nil, &list)
			if len(list.Value) == 1 {
				d.id = list.Value[0].ID
			}
			return d.id != "" && d.hasWiFi(n.wifi)
		})
	}
	return n
}

// declare asks a server that some payloads, and no others, are off a device.
func (n *node) declare(d *android, set ...payload) {
	n.Helper()
	items := []any{}
	for _, p := range set {
		items = append(items, map[string]string{"payloadId": p.ID, "payloadType": p.Type})
	}
	n.must("POST", "/beta/deviceManagement/managedDevices/"+d.id+"/syncPayloads",
		map[string]any{"deviceActionPayloads": items}, nil)
}

// Servers that share their devices post each change once, whichever of them was asked.
func TestNodesPostEachChangeOnce(t *testing.T) {
	if !storetest.Postgres() {
		t.Skip("servers share only PostgreSQL")
	}
	n := startNodes(t, 4)
	n.start()
	const rounds = 3
	before := make([]int, len(n.androids))
	for i, d := range n.androids {
		before[i] = n.google.posted(d.id)
	}
	for round := range rounds {
		var asked sync.WaitGroup
		for i, d := range n.androids {
			asked.Go(func() { n.list[i%2].declare(d, n.wifi) })
			asked.Go(func() { n.list[(i+round)%2].declare(d) })
		}
		asked.Wait()
		for i, d := range n.androids { // the last word
			n.list[(i+round)%2].declare(d, n.wifi)
		}
		for _, d := range n.androids {
			n.soon(30*time.Second, d.Serial()+" has taken it off",
				func() bool { return !d.hasWiFi(n.wifi) })
		}
	}
	for i, d := range n.androids {
		if posts := n.google.posted(d.id) - before[i]; posts < 1 || posts > 3*rounds {
			t.Errorf("%s: %d documents for %d calls", d.Serial(), posts, 3*rounds)
		}
	}
}

// A server that is killed in the middle of its work on a device does not keep the others from it
// for longer than its lease lasts, and from other devices not at all. What it was about to send is
// sent once. A server that is the only one goes on at once when it is started again.
func TestDeadServerHoldsNoDevice(t *testing.T) {
	t.Parallel() // it waits most of the time
	n := startNodes(t, 2)
	mine, other := n.androids[0], n.androids[1]
	dies, lives := n.list[0], n.list[0]
	most := 15 * time.Second
	if storetest.Postgres() {
		lives = n.start()
		most += 25 * time.Second // a lease, and until it is tried again
	}
	n.google.mu.Lock()
	n.google.hold, n.google.held = mine.id, make(chan struct{})
	n.google.mu.Unlock()
	before := n.google.posted(mine.id)
	dies.declare(mine, n.wifi)
	<-n.google.held
	dies.program.kill()
	began := time.Now()
	if dies == lives {
		n.run(lives)
	}
	lives.declare(other, n.wifi)
	lives.declare(mine, n.wifi)
	n.soon(15*time.Second, "another device is served",
		func() bool { return !other.hasWiFi(n.wifi) })
	n.soon(most-time.Since(began), "the device of the server that died is served",
		func() bool { return !mine.hasWiFi(n.wifi) })
	t.Logf("served %s after the server died", time.Since(began).Round(time.Second/10))
	if posts := n.google.posted(mine.id) - before; posts != 1 {
		t.Errorf("%d documents were posted for one change", posts)
	}
}
