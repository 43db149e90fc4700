package simulator

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one request to Graph by somebody who is known.
type call struct {
	site   *Site
	in     inbound
	now    time.Time
	tenant *Tenant
	caller caller
	route  *route
	keys   []string // in the path
	query  url.Values
	offset int // where a page begins
}

const batchPath = "/beta/$batch"

// serveGraph answers a request to Graph.
func (s *Site) serveGraph(now time.Time, in inbound) answer {
	who, refused := s.authenticate(now, in)
	if refused != nil {
		v := Expected
		list, _ := segments(in.path)
		if r, _ := find(in.method, list); r == nil && in.path != batchPath {
			v = verdict(in.method)
		}
		s.note(now, in, nil, http.StatusUnauthorized, v)
		return s.refuse(refused, instant(now), in.header.Get("client-request-id"))
	}
	c := &call{site: s, in: in, now: now, tenant: who.app.tenant, caller: who}
	if in.method == http.MethodPost && in.path == batchPath {
		return s.serveBatch(c)
	}
	return s.serveOne(c)
}

// serveOne answers a request, or one of a batch.
func (s *Site) serveOne(c *call) answer {
	list, ok := segments(c.in.path)
	if ok {
		c.route, c.keys = find(c.in.method, list)
	}
	if c.route == nil {
		v := verdict(c.in.method)
		s.note(c.now, c.in, c, http.StatusNotFound, v)
		if v == Forbidden {
			return c.refuse(forbidden("The simulated tenant does not let itself be changed so."))
		}
		return c.refuse(badRequest("Resource not found for the segment '%s'.", c.in.path))
	}
	trouble := s.trouble(c)
	if trouble != nil && !trouble.AfterEffect {
		return s.noted(c, trouble.answer(c))
	}
	a := s.handle(c)
	if trouble != nil {
		a = trouble.answer(c)
	}
	return s.noted(c, s.loseAnswer(c, a))
}

// handle answers a request that has a route.
func (s *Site) handle(c *call) answer {
	if refused := s.throttle(c); refused != nil {
		return c.refuse(refused)
	}
	if s.happens(s.faults.Unavailable) {
		return c.refuse(s.outage())
	}
	query, err := url.ParseQuery(c.in.query)
	if err != nil {
		return c.refuse(badRequest("The query of the request cannot be read."))
	}
	c.query = query
	refused := c.authorize()
	if refused == nil {
		refused = c.resume()
	}
	if refused != nil {
		return c.refuse(refused)
	}
	a, refused := c.route.serve(c)
	if refused != nil {
		return c.refuse(refused)
	}
	return a
}

func (c *call) refuse(r *refusal) answer {
	return c.site.refuse(r, instant(c.now), c.in.header.Get("client-request-id"))
}

// outage is 503 or 504.
func (s *Site) outage() *refusal {
	if s.random.IntN(2) == 0 {
		return &refusal{status: http.StatusServiceUnavailable, code: "ServiceUnavailable",
			message: "The service is temporarily unavailable."}
	}
	return &refusal{status: http.StatusGatewayTimeout, code: "GatewayTimeout",
		message: "The gateway did not receive a response in time."}
}

// loseAnswer takes the place of an answer after the effect, if a fault says so.
func (s *Site) loseAnswer(c *call, a answer) answer {
	switch {
	case a.status >= 300:
		return a
	case s.happens(s.faults.CutAnswers) && !c.in.batched:
		return answer{cut: true}
	case isWrite(c.in.method) && s.happens(s.faults.LoseAnswers):
		return c.refuse(s.outage())
	}
	return a
}

// noted records a request with its answer.
func (s *Site) noted(c *call, a answer) answer {
	s.note(c.now, c.in, c, a.status, Expected)
	return a
}

func (s *Site) note(now time.Time, in inbound, c *call, status int, v Verdict) {
	r := Request{At: now, Method: in.method, Path: strings.TrimPrefix(in.path, "/beta/"),
		Query: in.query, Status: status, Batched: in.batched, Verdict: v}
	if c != nil {
		r.Tenant, r.App = c.tenant.ID, c.caller.app.ID
		if c.caller.user != nil {
			r.User = c.caller.user.UPN
		}
		if c.route != nil {
			r.Bucket = c.route.bucket
		}
	}
	s.record.add(r)
}

// trouble takes the oldest trouble that fits out of the queue.
func (s *Site) trouble(c *call) *Trouble {
	for i, t := range s.troubles {
		if t.Tenant != "" && t.Tenant != c.tenant.ID || t.Method != "" && t.Method != c.in.method ||
			!strings.Contains(c.in.path, t.Path) {
			continue
		}
		if t.Skip > 0 {
			t.Skip--
			return nil
		}
		if t.Times--; t.Times == 0 {
			s.troubles = slices.Delete(s.troubles, i, i+1)
		}
		return t
	}
	return nil
}

func (t *Trouble) answer(c *call) answer {
	if t.Status == 0 {
		return answer{cut: true}
	}
	r := &refusal{status: t.Status, code: strings.ReplaceAll(http.StatusText(t.Status), " ", ""),
		message: http.StatusText(t.Status)}
	if t.RetryAfter != "" {
		r.header = http.Header{"Retry-After": {t.RetryAfter}}
	}
	return c.refuse(r)
}

// filter reads $filter of the request. Nil: there is none, or one that has no effect.
func (c *call) filter(honoured func(c *call, field, operator string) bool) (*filter, *refusal) {
	f, ok := parseFilter(c.query.Get("$filter"))
	if !ok {
		return nil, badRequest("Invalid filter clause.")
	}
	if !f.every(func(field, operator string) bool { return honoured(c, field, operator) }) {
		return nil, nil
	}
	return f, nil
}

// top is $top of the request; at most limit, and without one limit.
func (c *call) top(limit int) (int, *refusal) {
	text := c.query.Get("$top")
	if text == "" {
		return limit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, badRequest("Invalid value '%s' for $top query option found.", text)
	}
	return min(n, limit), nil
}

// jsonAnswer is an answer with a body.
func jsonAnswer(body []byte) answer {
	return answer{status: http.StatusOK, body: body, header: http.Header{"Content-Type": {
		"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;" +
			"charset=utf-8"}}}
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// appendJSON appends what can always be encoded.
func appendJSON(b []byte, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return append(b, text...)
}
