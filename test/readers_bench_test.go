package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

const (
	readers     = 2000 // of them
	neverRead   = 200  // follow the whole fleet and take nothing; the others follow one device each
	readerTrips = 3000
)

// BenchmarkReaders measures how fast devices' reports are accepted with 2,000 readers of the event stream, 200 of whom
// never read, beside none: interleaved, and as the median ratio. One iteration is one pair.
func BenchmarkReaders(b *testing.B) {
	s, err := server.Start(b.Context(), server.Config{DataDir: b.TempDir(), Listen: "127.0.0.1:0", Log: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close(b.Context()) }()
	_, token, err := s.Tokens().Create(b.Context(), access.TokenInput{Name: "bench", Role: access.Administrator})
	if err != nil {
		b.Fatal(err)
	}
	devices, set := benchFleet(b, s.Engine(), s.Catalog())
	measure := func() float64 {
		began := time.Now()
		roundTrips(b, devices, set, readerTrips)
		return readerTrips / time.Since(began).Seconds()
	}
	measure()
	var ratios, alone, together, memory []float64
	for b.Loop() {
		alone = append(alone, measure())
		before := heap()
		hangUp := follow(b, s, token, devices)
		together = append(together, measure())
		memory = append(memory, (heap()-before)/readers/1024)
		hangUp()
		ratios = append(ratios, together[len(together)-1]/alone[len(alone)-1])
	}
	b.ReportMetric(median(alone), "alone-roundtrips/s")
	b.ReportMetric(median(together), "with-readers-roundtrips/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(memory), "KiB/reader")
}

// follow connects all readers. Both ends are in this process, so their work and memory are in the figures.
func follow(b *testing.B, s *server.Server, token string, devices []*benchDevice) (hangUp func()) {
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		b.Fatal(err)
	}
	trust := &tls.Config{RootCAs: pool(b, ca), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	conns := make([]*tls.Conn, readers)
	for i := range conns {
		path := "/api/events"
		if i >= neverRead {
			path = fmt.Sprintf("/api/devices/%s/events", devices[i%len(devices)].id)
		}
		if conns[i], err = tls.Dial("tcp", strings.TrimPrefix(s.URL(), "https://"), trust); err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Fprintf(conns[i], "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", path, token); err != nil {
			b.Fatal(err)
		}
		if i < neverRead {
			continue
		}
		in := bufio.NewReaderSize(conns[i], 512)
		answer, err := http.ReadResponse(in, nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer, err)
		}
		go func() { _, _ = io.Copy(io.Discard, answer.Body) }()
	}
	return func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}
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
