package graph_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// powerless is the bearer of a token whose role was taken away.
func (s *site) powerless() string {
	s.t.Helper()
	token, bearer, err := s.tokens.Create(s.t.Context(),
		access.TokenInput{Name: "powerless", Role: access.HelpDeskOperator})
	if err != nil {
		s.t.Fatal(err)
	}
	list := s.must(http.StatusOK, "GET", assignments, nil).values()
	for _, a := range list {
		if at(a, "members", 0) == "token:"+token.ID {
			s.must(http.StatusNoContent, "DELETE", assignments+"/"+a["id"].(string), nil)
		}
	}
	return bearer
}

// repeated is JSON that grows from few bytes: head, so many times a part, and tail, in gzip.
func repeated(head, part, tail string, times int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, head)
	chunk := strings.Repeat(part, 1000)
	for range times / 1000 {
		_, _ = io.WriteString(z, chunk)
	}
	_, _ = io.WriteString(z, tail)
	_ = z.Close()
	return b.Bytes()
}

// bombs are bodies of a few KB that unpack to millions of values, members, levels or digits.
var bombs = map[string][]byte{
	"empty lists":         repeated(`{"requests":[`, "[],", "0]}", 2_600_000),
	"empty objects":       repeated(`{"requests":[`, "{},", "0]}", 2_600_000),
	"numbers":             repeated(`{"requests":[`, "1,", "0]}", 4_000_000),
	"lists in each other": repeated(`{"requests":`, "[", "", 8_000_000),
	"the same member":     repeated(`{`, `"a":0,`, `"b":0}`, 1_300_000),
	"requests":            repeated(`{"requests":[`, `{"id":"1"},`, "0]}", 700_000),
	"a number":            repeated(`{"requests":`, "1", "}", 8_000_000),
	"a name":              repeated(`{"`, "n", `":1}`, 8_000_000),
	"a text":              repeated(`{"requests":"`, "\\u0001", `"}`, 1_300_000),
	"blanks":              repeated(`{"requests":`, "    ", `1}`, 2_000_000),
	"more than there may": repeated(`{"requests":"`, "x", `"}`, 16_000_000),
}

// used is how much memory the process takes from the system's view of the heap, at its highest
// while fn runs.
func used(fn func()) (most uint64) {
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	watching.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			if now.HeapInuse > before.HeapInuse {
				most = max(most, now.HeapInuse-before.HeapInuse)
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	})
	fn()
	stop()
	watching.Wait()
	return most
}

// A body of a few KB costs no more than a few KB, whoever sends it and to where, and what is wrong
// with it is said in short. Three at a time are no worse.
func TestJSONBombs(t *testing.T) {
	s := newSite(t)
	powerless := s.powerless()
	p := s.enrollPhone()
	for name, bomb := range bombs {
		if len(bomb) > 80<<10 {
			t.Errorf("%s: the bomb has %d bytes", name, len(bomb))
		}
		for _, tt := range []struct {
			bearer, path string
			memory       uint64 // in MiB, for all three
			time         time.Duration
		}{
			{powerless, "/beta/$batch", 24, time.Second},
			{s.token, p.path() + "/syncPayloads", 24, time.Second},
			{s.token, configurations, 96, 4 * time.Second},
		} {
			var all sync.WaitGroup
			began := time.Now()
			memory := used(func() {
				for range 3 {
					all.Go(func() {
						a := s.call("POST", tt.path, bomb, "Authorization", "Bearer "+tt.bearer,
							"Content-Encoding", "gzip")
						if a.status < 400 || a.status > 499 || len(a.text) > 4<<10 {
							t.Errorf("%s to %s: got %.500s", name, tt.path, a)
						}
					})
				}
				all.Wait()
			})
			if took := time.Since(began); took > tt.time*slowness || memory > tt.memory<<20 {
				t.Errorf("%s to %s: took %s and %d MiB", name, tt.path, took, memory>>20)
			}
		}
	}
}
