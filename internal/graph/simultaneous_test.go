package graph_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// preparedCall is a call that is right, once.
type preparedCall struct {
	method, path string
	body         []byte
}

// TestEveryRouteAtOnce calls every route from many goroutines at once, each in an order of its own,
// so that the race detector sees all of them beside all others. They are at the same things: what
// one deletes, another does not find. None may fail because of it.
func TestEveryRouteAtOnce(t *testing.T) {
	const callers = 8
	w := newWorld(newSite(t))
	var calls []preparedCall
	for _, op := range graph.Operations() {
		s := specimens[op.Name]
		var body []byte
		if s.body != nil {
			var err error
			if body, err = json.Marshal(s.body(w)); err != nil {
				t.Fatal(err)
			}
		}
		calls = append(calls, preparedCall{op.Method, w.pathOf(op), body})
	}
	var all sync.WaitGroup
	for range callers {
		order := rand.Perm(len(calls))
		all.Go(func() {
			for _, i := range order {
				if err := w.begin(&calls[i]); err != "" {
					t.Errorf("%s %s: %s", calls[i].method, calls[i].path, err)
				}
			}
		})
	}
	all.Wait()
}

// begin makes a call and reads how its answer begins: streams do not end. It returns what is wrong;
// empty: nothing.
func (w *world) begin(c *preparedCall) string {
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, c.method, w.URL+c.path, bytes.NewReader(c.body))
	if err != nil {
		return err.Error()
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	if c.body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := w.Client().Do(r)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	line, _ := bufio.NewReader(response.Body).ReadString('\n') // what has no body has no line
	if response.StatusCode >= http.StatusInternalServerError &&
		response.StatusCode != http.StatusServiceUnavailable {
		return response.Status + " " + strings.TrimSpace(line)
	}
	return ""
}
