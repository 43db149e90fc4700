package tenant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// mostBatched is how many calls Graph takes in one batch (Microsoft Graph, JSON batching).
const mostBatched = 20

// Get is one call of a batch, which only reads, and what came of it.
type Get struct {
	action string
	path   string // below /beta
	query  string

	status int
	body   []byte
	err    error // a *Refused, or a *Throttled if its turn did not come
}

// batched is one call and one answer as they stand in a batch.
type batched struct {
	ID      string            `json:"id"`
	Method  string            `json:"method,omitempty"`
	URL     string            `json:"url,omitempty"`
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// batch makes calls that only read, together. Each counts as one, and has its own end in it: those
// that Graph throttles are made again, without the others, while what hinders them passes. The
// error is that of the batch as a whole; then no call of it has an answer.
func (c *Client) batch(ctx context.Context, action string, gets []*Get) error {
	for _, g := range gets {
		if _, err := c.allow(http.MethodGet, g.path); err != nil {
			return err
		}
	}
	waiting := gets
	for try := 1; len(waiting) > 0; try++ {
		var again []*Get
		for len(waiting) > 0 {
			some := waiting[:min(len(waiting), mostBatched)]
			waiting = waiting[len(some):]
			throttled, err := c.batchOnce(ctx, action, some)
			if err != nil {
				return err
			}
			again = append(again, throttled...)
		}
		if try >= mostTries {
			return nil
		}
		waiting = again
	}
	return nil
}

// batchOnce makes calls once, and returns those that are to be made again.
func (c *Client) batchOnce(ctx context.Context, action string, gets []*Get) ([]*Get, error) {
	body := struct {
		Requests []batched `json:"requests"`
	}{make([]batched, len(gets))}
	for i, g := range gets {
		url := "/" + g.path
		if g.query != "" {
			url += "?" + g.query
		}
		body.Requests[i] = batched{ID: strconv.Itoa(i + 1), Method: http.MethodGet, URL: url}
	}
	var answer struct {
		Responses []batched `json:"responses"`
	}
	whole, err := c.ask(ctx, request{action: action, method: http.MethodPost, path: "$batch",
		body: body, turns: len(gets)}, &answer)
	if err != nil {
		return nil, err
	}
	for i, g := range gets {
		g.status, g.body = 0, nil
		g.err = &Refused{Action: g.action, Status: http.StatusOK,
			Message: fmt.Sprintf("the batch has no answer to call %d", i+1)}
	}
	var again []*Get
	for _, r := range answer.Responses {
		i, err := strconv.Atoi(r.ID)
		if err != nil || i < 1 || i > len(gets) || gets[i-1].status != 0 {
			continue
		}
		g := gets[i-1]
		g.status, g.body, g.err = r.Status, r.Body, nil
		if r.Status >= 200 && r.Status < 300 {
			continue
		}
		header := http.Header{"Date": whole.header["Date"]} // Retry-After may be by that clock
		for name, value := range r.Headers {
			header.Set(name, value)
		}
		refused := refusedBy(g.action, r.Status, header, r.Body, c.config.Now())
		if g.err = refused; passing(r.Status) {
			if _, err := c.strike(ctx, Reads, refused.after); err != nil {
				return nil, err
			}
			again = append(again, g)
		}
	}
	return again, nil
}

// read reads the answer of a call of a batch into a value.
func (g *Get) read(into any) error {
	if g.err != nil {
		return g.err
	}
	if err := read(g.body, into); err != nil {
		return &Refused{Action: g.action, Status: g.status,
			Message: "the answer cannot be read: " + err.Error()}
	}
	return nil
}
