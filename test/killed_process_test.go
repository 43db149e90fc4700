package test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
	"github.com/syncpayloads/syncpayloads/internal/store/storetest"
)

// program is the real server, as its own process.
type program struct {
	*testing.T
	path, data string
	socket     *activation.Socket // stays the same over all restarts
	db         []string           // the flag that says where the database is; none: in data
	running    *exec.Cmd
	said       *bytes.Buffer
}

func (p *program) start(flags ...string) {
	p.said = new(bytes.Buffer)
	p.running = exec.Command(p.path, slices.Concat([]string{"serve", "--data", p.data}, p.db,
		flags)...)
	if err := p.socket.Pass(p.running); err != nil {
		p.Fatal(err)
	}
	p.running.Stdout, p.running.Stderr = p.said, p.said
	if err := p.running.Start(); err != nil {
		p.Fatal(err)
	}
}

func (p *program) kill() {
	_ = p.running.Process.Kill()
	_ = p.running.Wait()
	if strings.Contains(p.said.String(), "panic") {
		p.Fatalf("the server said:\n%s", p.said)
	}
}

// killed is a server's process that is killed again and again, and for each device an admin who asks
// for one set after the other and repeats a call until it is accepted. The devices are those of the
// test that makes it.
type killed struct {
	*site
	program   *program
	flags     []string
	all       []payload
	deviceIDs []string
	// the last accepted set of each device; nil while a call is on its way
	last  []atomic.Pointer[[]payload]
	tried []atomic.Int64 // calls for each device, also those that got no answer
	calls atomic.Int64   // that were accepted
	pause time.Duration  // most between two calls of an admin

	// whileDown runs between a kill and the next start; nil: nothing does.
	whileDown func()
}

// startKilled starts the process, and gives the test a token of an admin.
func startKilled(t *testing.T, devices int, flags ...string) *killed {
	t.Helper()
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	k := &killed{site: &site{T: t, url: "https://" + socket.Addr()},
		program: &program{T: t, path: servertest.Program(t), data: t.TempDir(), socket: socket},
		flags: append([]string{"--retry-base", "100ms", "--poll-base", "100ms", "--log-level",
			"ERROR"}, flags...),
		last:  make([]atomic.Pointer[[]payload], devices),
		tried: make([]atomic.Int64, devices)}
	k.config = server.Config{DataDir: k.program.data,
		Database: filepath.Join(k.program.data, server.DatabaseFile)}
	if storetest.Postgres() {
		k.config.Database = storetest.NewDatabase(t)
		k.program.db = []string{"--db", k.config.Database}
	}
	k.start()
	t.Cleanup(k.program.kill)
	token, err := exec.Command(k.program.path, slices.Concat([]string{"token", "create", "--data",
		k.program.data, "admin"}, k.program.db)...).Output()
	if err != nil {
		t.Fatalf("making a token: %v", err)
	}
	k.token = strings.TrimSpace(string(token))
	return k
}

// start starts the process, and waits until the server answers.
func (k *killed) start() {
	k.Helper()
	k.program.start(k.flags...)
	end := time.Now().Add(30 * time.Second)
	for {
		if _, err := os.Stat(filepath.Join(k.program.data, "ca.pem")); err == nil {
			k.http = &http.Client{Transport: k.transport(), Timeout: 10 * time.Second}
			if res, err := k.http.Get(k.url + "/healthz"); err == nil {
				_ = res.Body.Close()
				return
			}
		}
		if time.Now().After(end) {
			k.Fatalf("the server does not come up; it said:\n%s", k.program.said)
		}
		time.Sleep(5 * time.Millisecond) // a process that starts has no event to wait for
	}
}

// killsWanted is how often to kill: by default, unless SYNCPAYLOADS_TEST_KILLS says otherwise.
func killsWanted(byDefault int) int {
	if n, err := strconv.Atoi(os.Getenv("SYNCPAYLOADS_TEST_KILLS")); err == nil {
		return n
	}
	return byDefault
}

// run kills the process so many times at random points while all admins call, and after each looks
// whether the server knows what it accepted. check looks at one device besides; nil: at none.
func (k *killed) run(kills int, check func(device int)) {
	ctx, stop := context.WithCancel(k.Context())
	defer stop()
	var admins sync.WaitGroup
	for i := range k.last {
		admins.Go(func() { k.admin(ctx, i) })
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range kills {
		k.survive(time.Duration(random.IntN(300))*time.Millisecond, check)
	}
	stop()
	admins.Wait()
}

// admin asks for random sets. A call that gets no answer is made again until it is accepted.
func (k *killed) admin(ctx context.Context, i int) {
	random := rand.New(rand.NewPCG(3, uint64(i)))
	client := &http.Client{Transport: k.transport(), Timeout: 5 * time.Second}
	for ctx.Err() == nil {
		var set []payload
		for _, p := range k.all {
			if random.IntN(2) == 0 {
				set = append(set, p)
			}
		}
		k.last[i].Store(nil)
		for k.tried[i].Add(1); !k.accepted(client, k.deviceIDs[i], set); k.tried[i].Add(1) {
			time.Sleep(10 * time.Millisecond) // as a client waits before it calls again
		}
		k.last[i].Store(&set)
		k.calls.Add(1)
		time.Sleep(time.Duration(random.Int64N(int64(k.pause))))
	}
}

func (k *killed) accepted(client *http.Client, id string, set []payload) bool {
	items := []string{}
	for _, p := range set {
		items = append(items, fmt.Sprintf(`{"payloadId":%q,"payloadType":%q}`, p.ID, p.Type))
	}
	r, err := http.NewRequest("POST", k.url+"/beta/deviceManagement/managedDevices/"+id+
		"/syncPayloads", strings.NewReader(`{"deviceActionPayloads":[`+strings.Join(items, ",")+
		`]}`))
	if err != nil {
		k.Error(err)
		return true
	}
	r.Header.Set("Authorization", "Bearer "+k.token)
	r.Header.Set("Content-Type", "application/json")
	res, err := client.Do(r)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNoContent && res.StatusCode < 500 {
		k.Errorf("a call is answered %s", res.Status)
	}
	return res.StatusCode == http.StatusNoContent
}

// survive lets the server run for a while, kills it, starts it again, and looks whether it knows
// what it accepted.
func (k *killed) survive(after time.Duration, check func(device int)) {
	time.Sleep(after) // the random point
	k.program.kill()
	accepted := make([]*[]payload, len(k.last))
	for i := range k.last {
		accepted[i] = k.last[i].Load()
	}
	if k.whileDown != nil {
		k.whileDown()
	}
	k.start()
	for i, set := range accepted {
		if check != nil {
			check(i)
		}
		if set == nil {
			continue // a call was on its way: it may count or not
		}
		r := k.resultOf(k.deviceIDs[i])
		if k.last[i].Load() != set {
			continue // the next one has been accepted meanwhile
		}
		for _, p := range *set {
			if !strings.HasPrefix(r.of(p), "remove/") {
				k.Errorf("%s was accepted to be removed; after the kill it is shown as %s",
					p.Identifier, r.of(p))
			}
		}
	}
}
