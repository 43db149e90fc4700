// Package client is a Go client for a syncpayloads server. It lists devices, removes payloads from
// them and restores them, and watches the result as it changes. It uses the parts of the Microsoft
// Graph beta API that the server offers, and the few routes that are the server's own.
//
// It imports no other package of this project. Begin with New and Client; SyncPayloads starts an
// action, and Watch follows it.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// Config says where the server is, and with which token to call it.
type Config struct {
	URL   string // https://host[:port]
	Token string // made by `syncpayloads token create`

	// CAFile is a PEM file with the certificate of the server's CA; empty: the system's CAs are
	// trusted.
	CAFile string
	// HTTPClient, if set, makes all requests. It cannot be combined with CAFile.
	HTTPClient *http.Client
}

// Client is a connection to one server. It may be used from many goroutines.
type Client struct {
	base    *url.URL
	token   string
	http    *http.Client
	streams *http.Client // like http, but without a time limit for an answer
	timing  streamTiming
}

// New returns a client. It does not contact the server. The error says what is wrong with the
// configuration.
func New(c Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(c.URL, "/"))
	if err != nil || base.Scheme != "https" || base.Host == "" || base.Path != "" ||
		base.RawQuery != "" {
		return nil, fmt.Errorf("server URL %q: give https://host[:port]", c.URL)
	}
	if c.Token == "" {
		return nil, errors.New("no token: make one with `syncpayloads token create NAME` " +
			"on the server's machine")
	}
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token has characters that no token has: " +
			"copy it again, without spaces or line ends")
	}
	client := &Client{base: base, token: c.Token, http: c.HTTPClient, timing: defaultTiming}
	if client.http != nil && c.CAFile != "" {
		return nil, errors.New("CAFile and HTTPClient exclude each other")
	}
	if client.http == nil {
		if client.http, err = newHTTPClient(c.CAFile); err != nil {
			return nil, err
		}
	}
	streams := *client.http
	streams.Timeout = 0
	client.streams = &streams
	return client, nil
}

const (
	requestTimeout = time.Minute // for a request with its answer, unless that is a stream
	// A silent HTTP/2 connection is pinged after this time; otherwise later requests would use a
	// dead one.
	pingAfter = 15 * time.Second
)

func newHTTPClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("reading the CA's certificate: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("CA file %s has no certificate in PEM", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter}
	return &http.Client{Transport: transport, Timeout: requestTimeout}, nil
}

// Do makes one request. path begins with a slash and may have a query. body, unless nil, is sent as
// JSON; the JSON of the answer is stored in out, unless that is nil. An error answer is returned as
// an *Error. If the server is busy (429, 503, 504), Do tries again, up to three times: the server
// has not done what it was asked, or doing it twice does no harm.
func (c *Client) Do(ctx context.Context, method, path string, body, out any) error {
	return c.do(ctx, method, path, nil, body, out)
}

func (c *Client) do(ctx context.Context, method, path string, header http.Header, body,
	out any) error {
	answer, err := c.exchange(ctx, method, path, header, body)
	if err != nil {
		return err
	}
	return read(answer, out)
}

// exchange makes a request, several times if the server is busy.
func (c *Client) exchange(ctx context.Context, method, path string, header http.Header,
	body any) (*http.Response, error) {
	var sent []byte
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
	}
	for try := 0; ; try++ {
		answer, err := c.send(ctx, c.http, method, path, header, sent)
		if err != nil {
			return nil, err
		}
		wait, again := retryAfter(answer, try)
		if !again {
			return answer, nil
		}
		discard(answer)
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// send makes one request, which asks for JSON unless header says otherwise.
func (c *Client) send(ctx context.Context, via *http.Client, method, path string,
	header http.Header,
	body []byte) (*http.Response, error) {
	at, err := c.base.Parse(path)
	if err != nil {
		return nil, fmt.Errorf("path %q: %w", path, err)
	}
	r, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	for name, values := range header {
		r.Header[name] = values
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := via.Do(r)
	if err != nil {
		return nil, unreachable(c.base, err)
	}
	return answer, nil
}

const (
	retries       = 3
	longestAnswer = 64 << 20 // bytes
	longestWait   = 2 * time.Minute
)

// retryAfter reports whether to ask again and after how long: as Retry-After says (RFC 9110,
// section 10.2.3), else after a second that doubles with each try.
func retryAfter(answer *http.Response, try int) (time.Duration, bool) {
	switch answer.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return 0, false
	}
	wait := time.Second << try
	said := answer.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(said, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(said); err == nil {
		wait = max(0, time.Until(at))
	}
	return wait, try < retries && wait <= longestWait
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func discard(answer *http.Response) {
	// read to the end, so that the connection can be reused
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	_ = answer.Body.Close()
}

func read(answer *http.Response, out any) error {
	defer discard(answer)
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return fmt.Errorf("reading the server's answer: %w", err)
	}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return newError(answer, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return unexpected(answer, err)
	}
	return nil
}

func unexpected(answer *http.Response, err error) error {
	return fmt.Errorf("the server's answer is not what was expected "+
		"(is %s a syncpayloads server?): %w", answer.Request.URL.Host, err)
}
