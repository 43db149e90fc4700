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

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
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

// killed is the load: devices that take commands all the time, and for each an admin who asks for
// one set after the other and repeats a call until it is accepted.
type killed struct {
	*site
	program *program
	flags   []string
	devices []*simulator.Device
	all     []payload
	// the last accepted set of each device; nil while a call is on its way
	last  []atomic.Pointer[[]payload]
	calls atomic.Int64
}

// The process is killed at random points under load. What was accepted is there afterwards, what a
// device reported is never asked again, and in the end every device has what was asked last.
func TestKill(t *testing.T) {
	kills := 50
	if n, err := strconv.Atoi(os.Getenv("SYNCPAYLOADS_TEST_KILLS")); err == nil {
		kills = n
	}
	k := startKilled(t)
	ctx, stop := context.WithCancel(t.Context())
	var admins sync.WaitGroup
	for i := range k.devices {
		admins.Go(func() { k.admin(ctx, i) })
	}
	random := rand.New(rand.NewPCG(7, 7))
	for range kills {
		k.survive(time.Duration(random.IntN(300)) * time.Millisecond)
	}
	stop()
	admins.Wait()
	k.finish()
	t.Logf("%d kills, %d accepted calls", kills, k.calls.Load())
}

func startKilled(t *testing.T) *killed {
	s := &site{T: t, ids: map[*simulator.Device]string{}}
	k := &killed{site: s, last: make([]atomic.Pointer[[]payload], 8)}
	var err error
	if s.gateway, err = simulator.NewGateway(simulator.GatewayOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.gateway.Close() })
	apns := filepath.Join(t.TempDir(), "apns.pem")
	if err := os.WriteFile(apns, s.gateway.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	socket, err := activation.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	k.program = &program{T: t, path: servertest.Program(t), data: t.TempDir(), socket: socket}
	if storetest.Postgres() {
		k.program.db = []string{"--db", storetest.NewDatabase(t)}
	}
	s.config, s.url = server.Config{DataDir: k.program.data}, "https://"+socket.Addr()
	k.flags = []string{"--apns-url", s.gateway.URL(), "--apns-ca", apns, "--retry-base", "100ms",
		"--poll-base", "100ms", "--log-level", "ERROR"}
	k.program.start(k.flags...)
	t.Cleanup(k.program.kill)
	k.prepare()
	return k
}

func (k *killed) prepare() {
	token, err := exec.Command(k.program.path,
		slices.Concat([]string{"token", "create", "--data", k.program.data, "admin"},
			k.program.db)...).Output()
	if err != nil {
		k.Fatalf("making a token: %v", err)
	}
	k.token = strings.TrimSpace(string(token))
	k.up(30 * time.Second)
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), time.Now())
	if err != nil {
		k.Fatal(err)
	}
	k.must("PATCH", "/beta/deviceManagement/applePushNotificationCertificate",
		map[string]any{"certificate": string(certificate), "privateKey": string(key)}, nil)
	for i := range 4 {
		k.all = append(k.all, k.profile(fmt.Sprintf("com.example.profile%d", i)))
	}
	for i := range int64(2) {
		k.all = append(k.all, k.app(i))
	}
	k.fleet = simulator.NewFleet(simulator.Options{Transport: k.transport(), Keys: keys,
		Gateway: k.gateway, Apps: appStore,
		PollEvery: 200 * time.Millisecond, RetryAfter: 50 * time.Millisecond, JournalSize: 100_000,
		Log: quiet()})
	for i := range k.last {
		k.devices = append(k.devices, k.enroll(simulator.Config{Kind: simulator.IPhone,
			Seed: uint64(i)}))
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { k.fleet.Run(ctx); close(ran) }()
	k.Cleanup(func() { stop(); <-ran })
}

// up waits until the server answers.
func (k *killed) up(most time.Duration) {
	k.Helper()
	end := time.Now().Add(most)
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
		for !k.accepted(client, k.devices[i], set) {
			time.Sleep(10 * time.Millisecond) // as a client waits before it calls again
		}
		k.last[i].Store(&set)
		k.calls.Add(1)
		time.Sleep(time.Duration(random.IntN(120)) * time.Millisecond)
	}
}

func (k *killed) accepted(client *http.Client, d *simulator.Device, set []payload) bool {
	items := []string{}
	for _, p := range set {
		items = append(items, fmt.Sprintf(`{"payloadId":%q,"payloadType":%q}`, p.ID, p.Type))
	}
	r, err := http.NewRequest("POST",
		k.url+"/beta/deviceManagement/managedDevices/"+k.ids[d]+"/syncPayloads",
		strings.NewReader(`{"deviceActionPayloads":[`+strings.Join(items, ",")+`]}`))
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
func (k *killed) survive(after time.Duration) {
	time.Sleep(after) // the random point
	k.program.kill()
	accepted := make([]*[]payload, len(k.last))
	for i := range k.last {
		accepted[i] = k.last[i].Load()
	}
	k.program.start(k.flags...)
	k.up(30 * time.Second)
	for i, set := range accepted {
		if set == nil {
			continue // a call was on its way: it may count or not
		}
		r := k.result(k.devices[i])
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

// finish lets everything settle and compares.
func (k *killed) finish() {
	end := time.Now().Add(2 * time.Minute)
	for i, d := range k.devices {
		set := *k.last[i].Load()
		var left []payload
		for _, p := range k.all {
			if !slices.Contains(set, p) {
				left = append(left, p)
			}
		}
		for !has(d, left...) || !k.result(d).final() {
			if time.Now().After(end) {
				k.Fatalf("device %d has %v, asked was %v: %+v", i, inventory(d), identifiers(left),
					k.result(d))
			}
			time.Sleep(20 * time.Millisecond) // devices connect by themselves
		}
		if r := k.result(d); r.ActionState != "done" {
			k.Errorf("device %d: %+v", i, r)
		}
		taken := map[string]bool{}
		for _, e := range d.Journal() {
			if taken[e.CommandUUID] {
				k.Errorf("device %d was asked %s again, which it had reported", i, e.RequestType)
			}
			taken[e.CommandUUID] = e.Status != "" && e.Status != "NotNow" && !e.Lost
		}
	}
}
