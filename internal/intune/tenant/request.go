package tenant

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	callTimeout   = 60 * time.Second // a call with its whole answer
	largestAnswer = 16 << 20         // bytes of one; a page of 1,000 devices has about one MiB
	// mostTries is how often a call that only reads is made before its failure is told.
	mostTries = 5
)

// request is one call.
type request struct {
	action string // in people's words: "list the devices"
	method string
	path   string // below /beta
	query  string
	body   any // nil: none
	turns  int // how many calls it counts as; 0: one
	once   bool
}

// response is what Graph answered.
type response struct {
	status int
	header http.Header
	body   []byte
}

// ask makes a call and reads the answer into a value; nil: it has none to read.
func (c *Client) ask(ctx context.Context, r request, into any) (*response, error) {
	answer, err := c.call(ctx, r)
	if err != nil || into == nil {
		return answer, err
	}
	if err := read(answer.body, into); err != nil {
		return nil, &Refused{Action: r.action, Status: answer.status,
			Message:   "the answer cannot be read: " + err.Error(),
			RequestID: words(answer.header.Get("request-id"), 100)}
	}
	return answer, nil
}

var errNoJSON = errors.New("it is not the JSON that Microsoft's reference describes")

// read reads a JSON text that is not nested too deep. What is wrong with it is not told in a
// parser's words.
func read(text []byte, into any) error {
	if !wellNested(text) {
		return fmt.Errorf("it is nested deeper than %d", mostNested)
	}
	if json.Unmarshal(text, into) != nil {
		return errNoJSON
	}
	return nil
}

// call makes a call when it is its turn. One that only reads is made again while what hinders it
// passes by itself, and slower.
func (c *Client) call(ctx context.Context, r request) (*response, error) {
	a, err := c.allow(r.method, r.path)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		if err := c.enter(ctx, a.bucket, max(r.turns, 1)); err != nil {
			return nil, err
		}
		answer, err := c.authorized(ctx, &r)
		var refused *Refused
		if err == nil || ctx.Err() != nil || !errors.As(err, &refused) {
			return answer, err
		}
		if !passing(refused.Status) && refused.Status != 0 {
			return nil, err
		}
		until, struck := c.strike(ctx, a.bucket, refused.after)
		switch {
		case struck != nil:
			return nil, struck
		case a.changes && refused.Status == http.StatusTooManyRequests:
			return nil, &Throttled{Bucket: a.bucket, Until: until}
		case a.changes || r.once || try >= mostTries:
			return nil, err
		}
	}
}

// authorized makes a call with a token, and once more with a new one if Graph does not take it.
func (c *Client) authorized(ctx context.Context, r *request) (*response, error) {
	for fresh := false; ; fresh = true {
		token, err := c.tokens.get(ctx)
		if err != nil {
			return nil, err
		}
		answer, err := c.send(ctx, r, token)
		if err != nil {
			return nil, err
		}
		if answer.status < 300 {
			return answer, nil
		}
		refused := refusedBy(r.action, answer.status, answer.header, answer.body, c.config.Now())
		if answer.status != http.StatusUnauthorized {
			return nil, refused
		}
		c.tokens.drop(token)
		if challenge := answer.header.Get("WWW-Authenticate"); strings.Contains(challenge,
			"claims=") {
			refused.Message = "a conditional access policy asks for more than an app can give " +
				"(a claims challenge): exclude this app's service principal from it. " +
				refused.Message
			return nil, refused
		}
		if fresh {
			return nil, refused
		}
	}
}

// send sends one request, and reads its answer as far as it may be long.
func (c *Client) send(ctx context.Context, r *request, token string) (*response, error) {
	u := *c.graph
	u.Path, u.RawPath = c.graph.Path+"/"+r.path, ""
	u.RawQuery = r.query
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	q, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Accept", "application/json")
	q.Header.Set("User-Agent", "syncpayloads")
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	got, err := c.http.Do(q)
	if err != nil {
		return nil, c.unreached(ctx, r, err)
	}
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(got.Body, largestAnswer+1))
	if err != nil {
		return nil, c.unreached(ctx, r, err)
	}
	if len(text) > largestAnswer {
		return nil, &Refused{Action: r.action, Status: http.StatusOK,
			Message: fmt.Sprintf("the answer has more than %d bytes", largestAnswer)}
	}
	return &response{status: got.StatusCode, header: got.Header, body: text}, nil
}

func (c *Client) unreached(ctx context.Context, r *request, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err // without the address, in which there are ids
	}
	return &Refused{Action: r.action, Message: words(err.Error(), mostWords)}
}

// follow makes the call that the link to a next page names. It must be one of the same service and
// collection: the token would go to whoever it names.
func (c *Client) follow(r request, link string) (request, error) {
	u, err := url.Parse(link)
	if err != nil || u.User != nil || u.Scheme != c.graph.Scheme || u.Host != c.graph.Host {
		return r, &Refused{Action: r.action, Status: http.StatusOK,
			Message: "the next page is said to be on another server, where no token is sent"}
	}
	path, below := strings.CutPrefix(u.EscapedPath(), c.graph.EscapedPath()+"/")
	if !below || path != r.path {
		return r, &Refused{Action: r.action, Status: http.StatusOK,
			Message: "the next page is said to be of something else than what was asked for"}
	}
	r.query = u.RawQuery
	return r, nil
}

// page is one page of a list.
type page struct {
	Value []json.RawMessage `json:"value"`
	Next  string            `json:"@odata.nextLink"`
}

const (
	// mostPages bounds a list: one that never ends is none.
	mostPages = 20_000
	// mostRepeats is how often in a row a page may name itself as the next one: it may, once or
	// twice, while the list moves under it.
	mostRepeats = 5
)

// list calls fn with each page of a list.
func (c *Client) list(ctx context.Context, r request,
	fn func([]json.RawMessage) (more bool, err error)) error {
	seen, repeats := "", 0
	for range mostPages {
		var p page
		if _, err := c.ask(ctx, r, &p); err != nil {
			return err
		}
		more, err := fn(p.Value)
		if err != nil || !more || p.Next == "" {
			return err
		}
		if repeats++; p.Next != seen {
			seen, repeats = p.Next, 0
		}
		if repeats > mostRepeats {
			break
		}
		if r, err = c.follow(r, p.Next); err != nil {
			return err
		}
	}
	return &Refused{Action: r.action, Status: http.StatusOK, Message: "the list does not end"}
}
