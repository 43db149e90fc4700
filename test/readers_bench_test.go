//go:build unix

package test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

const (
	readers     = 2000 // of them
	neverRead   = 200  // follow the whole fleet and take nothing; the others follow one device each
	timedReader = 20   // one reader of so many also notes how late events are
	readerTrips = 3000

	readersEnv = "SYNCPAYLOADS_TEST_READERS" // what the process of the readers is to do
)

// BenchmarkReaders measures how fast devices' reports are accepted with 2,000 readers of the event
// stream, 200 of whom never read, beside none: interleaved, and as the median ratio. One iteration
// is one pair. The readers are a process of their own, on the same processors: what they cost, TLS
// and all, is in the ratio, but not in the memory. cpu-ratio is of the processor time that the
// server takes for a round trip, none to with readers: it holds on a busy machine, too.
func BenchmarkReaders(b *testing.B) {
	s, err := server.Start(b.Context(), server.Config{DataDir: b.TempDir(), Listen: "127.0.0.1:0",
		Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close(b.Context()) }()
	_, token, err := s.Tokens().Create(b.Context(),
		access.TokenInput{Name: "bench", Role: access.Administrator})
	if err != nil {
		b.Fatal(err)
	}
	devices, set := benchFleet(b, s.Engine(), s.Catalog())
	order := followers{URL: s.URL(), CA: s.CAFile(), Token: token}
	for _, d := range devices {
		order.Devices = append(order.Devices, string(d.id))
	}
	measure := func() (rate, cpu float64) {
		began, before := time.Now(), cpuTime(b)
		roundTrips(b, devices, set, readerTrips)
		return readerTrips / time.Since(began).Seconds(), cpuTime(b) - before
	}
	measure()
	results := map[string][]float64{}
	add := func(unit string, value float64) { results[unit] = append(results[unit], value) }
	var alone, together, cpuAlone, cpuTogether float64
	withReaders := func() {
		before := heap()
		p := order.start(b)
		together, cpuTogether = measure()
		add("KiB/reader", (heap()-before)/readers/1024)
		said := p.end()
		add("p50-ms", said.P50)
		add("p99-ms", said.P99)
		add("readers'-cpu-s",
			p.command.ProcessState.UserTime().Seconds()+p.command.ProcessState.SystemTime().Seconds())
	}
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 {
			alone, cpuAlone = measure()
			withReaders()
		} else {
			withReaders()
			alone, cpuAlone = measure()
		}
		add("alone-roundtrips/s", alone)
		add("with-readers-roundtrips/s", together)
		add("ratio", together/alone)
		add("cpu-ratio", cpuAlone/cpuTogether)
	}
	for unit, values := range results {
		b.ReportMetric(median(values), unit)
	}
	b.Logf("ratios %.2f, of processor time %.2f", results["ratio"], results["cpu-ratio"])
}

// followers is what the process of the readers is to do.
type followers struct {
	URL, CA, Token string
	Devices        []string
}

// lateness is what it says of the events that came, from the moment of the change, in milliseconds.
type lateness struct{ P50, P99 float64 }

// followersProcess is that process. It ends when its input does.
type followersProcess struct {
	*testing.B
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func (f followers) start(b *testing.B) *followersProcess {
	text, err := json.Marshal(f)
	if err != nil {
		b.Fatal(err)
	}
	p := &followersProcess{B: b, command: exec.Command(os.Args[0],
		"-test.run=^TestFollowersProcess$", "-test.v=false")}
	p.command.Env = append(os.Environ(), readersEnv+"="+string(text))
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.command.Process.Kill() })
	p.out = bufio.NewReader(out)
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		b.Fatalf("the readers said %q, %v", line, err)
	}
	return p
}

func (p *followersProcess) end() (said lateness) {
	_ = p.in.Close()
	line, err := p.out.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(line), &said)
	}
	if _, _ = io.Copy(io.Discard, p.out); err != nil {
		p.Fatalf("the readers said %q, %v", line, err)
	}
	if err := p.command.Wait(); err != nil {
		p.Fatalf("the readers: %v", err)
	}
	return said
}

// TestFollowersProcess is the process of the readers when the benchmark starts it, and nothing
// otherwise.
func TestFollowersProcess(t *testing.T) {
	order := os.Getenv(readersEnv)
	if order == "" {
		t.Skip("only BenchmarkReaders has work for it")
	}
	var f followers
	if err := json.Unmarshal([]byte(order), &f); err != nil {
		t.Fatal(err)
	}
	late := f.follow(t)
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := json.NewEncoder(os.Stdout).Encode(late()); err != nil {
		t.Fatal(err)
	}
}

// follow connects all readers.
func (f followers) follow(t *testing.T) (late func() lateness) {
	ca, err := os.ReadFile(f.CA)
	if err != nil {
		t.Fatal(err)
	}
	trust := &tls.Config{RootCAs: pool(t, ca), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	var mu sync.Mutex
	var delays []float64
	for i := range readers {
		path := "/api/events"
		if i >= neverRead {
			path = fmt.Sprintf("/api/devices/%s/events", f.Devices[i%len(f.Devices)])
		}
		conn, err := tls.Dial("tcp", strings.TrimPrefix(f.URL, "https://"), trust)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := fmt.Fprintf(conn,
			"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path,
			f.Token); err != nil {
			t.Fatal(err)
		}
		if i < neverRead {
			continue
		}
		in := bufio.NewReaderSize(conn, 512)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer, err)
		}
		if i%timedReader != 0 {
			go func() { _, _ = io.Copy(io.Discard, answer.Body) }()
			continue
		}
		go func() {
			for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
				if delay, ok := delayOf(lines.Text()); ok {
					mu.Lock()
					delays = append(delays, delay)
					mu.Unlock()
				}
			}
		}()
	}
	return func() lateness {
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(delays)
		if len(delays) == 0 {
			t.Fatal("no event came")
		}
		return lateness{delays[len(delays)/2], delays[len(delays)*99/100]}
	}
}

// delayOf is how long ago the event of a line happened, in milliseconds.
func delayOf(line string) (float64, bool) {
	text, ok := strings.CutPrefix(line, "data: ")
	var e struct{ DateTime time.Time }
	if !ok || json.Unmarshal([]byte(text), &e) != nil || e.DateTime.IsZero() {
		return 0, false // a snapshot, and lines that are no data
	}
	return float64(time.Since(e.DateTime)) / float64(time.Millisecond), true
}

// cpuTime is the processor time that this process has taken, in seconds.
func cpuTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
