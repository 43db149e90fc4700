// Package tenant is a client of one Intune tenant: of the few calls of Microsoft Graph (beta) that
// mirror its managed devices and run the one action. What it may call is a list (allow.go): nothing
// else leaves this process, whatever a caller or an answer of Graph's asks for. What a permission
// of the app registration would allow beyond that, such as wiping a device, cannot be said here.
//
// Begin with Client, then request.go, which every call goes through: allow-list, pace (pace.go),
// token (token.go), bounds of the answer, refusals (refusal.go). The rest are the calls: devices.go,
// assigned.go, names.go, action.go, permission.go.
//
// It knows none of the rules, no database, and no other room. Facts are those of Microsoft's
// reference of the beta API; where that is silent, a comment says what was assumed. It was not run
// against a live tenant.
package tenant

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Cloud is where a tenant is: Microsoft's own, or a national one.
type Cloud string

// The clouds (Microsoft Graph, national cloud deployments).
const (
	Global Cloud = "global"
	USGov  Cloud = "usgov" // L4
	USDoD  Cloud = "dod"   // L5
	China  Cloud = "china" // operated by 21Vianet
)

// hosts are where a cloud's tokens and its Graph come from.
type hosts struct{ authority, graph string }

var clouds = map[Cloud]hosts{
	Global: {"https://login.microsoftonline.com", "https://graph.microsoft.com"},
	USGov:  {"https://login.microsoftonline.us", "https://graph.microsoft.us"},
	USDoD:  {"https://login.microsoftonline.us", "https://dod-graph.microsoft.us"},
	China:  {"https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"},
}

// Clouds lists the clouds that there are.
func Clouds() []Cloud { return []Cloud{Global, USGov, USDoD, China} }

// Config is what a client is made of. TenantID, ClientID and Credential are required.
type Config struct {
	Cloud    Cloud  // default Global
	TenantID string // the directory's id, or one of its domains
	ClientID string // of the app registration
	// Authority and Graph are where tokens and Graph come from instead of the cloud's own hosts:
	// https URLs, or http of this machine. Tokens are for the Graph that is asked, and no other.
	Authority, Graph string
	Credential       Credential
	// Tokens, if set, gives the tokens; TenantID, ClientID and Credential are not used then.
	Tokens TokenSource
	// LegacyAssertion signs assertions with RS256 and names the certificate by x5t, as older
	// clouds want.
	LegacyAssertion bool
	// ReadOnly refuses the calls that change a device.
	ReadOnly bool
	// Meter holds how fast may be asked, for all processes that ask in the name of the same app;
	// default: for this client alone.
	Meter     Meter
	Now       func() time.Time
	After     func(time.Duration) <-chan time.Time
	Transport http.RoundTripper // default: one with the bounds of this package
	Log       *slog.Logger
}

// Client speaks with one tenant. Its methods may be called from many goroutines. Their errors are a
// *Refused, *Throttled, ErrNotAllowed, or say why Graph was not reached.
type Client struct {
	config Config
	graph  *url.URL // with /beta
	scope  string
	http   *http.Client
	tokens *tokens

	mu         sync.Mutex
	allowances map[Bucket]*allowance
}

var directory = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$`)

// New makes a client. It does not speak to anybody before there is something to ask.
func New(c Config) (*Client, error) {
	if c.Cloud == "" {
		c.Cloud = Global
	}
	own, known := clouds[c.Cloud]
	switch {
	case !known:
		return nil, fmt.Errorf("cloud %q: there is %s, %s, %s and %s", c.Cloud, Global, USGov, USDoD,
			China)
	case c.Tokens == nil && !directory.MatchString(c.TenantID):
		return nil, errors.New(
			"the tenant's id: want the directory's GUID, or one of its domains")
	case c.Tokens == nil && !directory.MatchString(c.ClientID):
		return nil, errors.New("the client id: want the GUID of the app registration")
	}
	authority, err := baseURL(c.Authority, own.authority)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	graph, err := baseURL(c.Graph, own.graph)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.After == nil {
		c.After = time.After
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Meter == nil {
		c.Meter = NewMemoryMeter()
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	client := &Client{config: c, graph: graph, scope: graph.Scheme + "://" + graph.Host + "/.default",
		http:       &http.Client{Transport: c.Transport, CheckRedirect: stay, Timeout: callTimeout},
		allowances: make(map[Bucket]*allowance)}
	graph.Path += "/beta"
	client.tokens, err = newTokens(&client.config, authority, client.scope)
	return client, err
}

// ReadOnly reports whether the client refuses the calls that change a device.
func (c *Client) ReadOnly() bool { return c.config.ReadOnly }

// baseURL reads where a service is; empty: its own place. Only this machine is spoken to without
// TLS: a token goes with each request.
func baseURL(given, own string) (*url.URL, error) {
	if given == "" {
		given = own
	}
	u, err := url.Parse(given)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: want https://host[:port]", given)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, fmt.Errorf("%q: want https, because tokens are sent there", given)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSHandshakeTimeout:    callTimeout,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    16,
		MaxConnsPerHost:        32,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// stay follows no redirect: the token would go with the request.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
