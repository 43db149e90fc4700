// Package direct is a Go client for the devices of an Intune tenant, straight against Microsoft
// Graph, without a syncpayloads server between. Its Client has the methods of client.Client that
// Graph has a counterpart for, and their types.
//
// What it may send is the list of internal/intune/tenant: of all that changes a device only
// changeAssignments and syncDevice. Every status is reported by Intune; nothing here has seen the
// device. Built to Microsoft's reference, and not run against a live tenant.
package direct

import (
	"context"
	"crypto"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/intune/tenant"
)

// Config says which Graph is asked, and in whose name. One of Token, Tokens, Secret and
// CertificateFile is required; the last two need TenantID and ClientID.
type Config struct {
	URL       string // https://graph.microsoft.com, that of a national cloud, or of this machine
	Authority string // where tokens come from; empty: the cloud's own
	TenantID  string
	ClientID  string // of the app registration

	Token           string             // one that is there already
	Tokens          tenant.TokenSource // such as a *Login
	Secret          string             // of the app
	CertificateFile string             // PEM with the app's certificate and its RSA key

	// Poll is how long to wait between two looks at an action; 0: 15 seconds for 5 minutes, then a
	// minute for an hour, then 5 minutes.
	Poll time.Duration
}

// Client is a connection to one tenant. It may be used from many goroutines.
type Client struct {
	graph *tenant.Client
	poll  time.Duration

	mu      sync.Mutex
	posted  map[string]posting // what this client handed over, by device
	missing []string
}

// IsGraph reports whether an address is that of Microsoft Graph in one of its clouds.
func IsGraph(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	_, known := tenant.CloudOf(u)
	return known
}

// place returns the addresses of Graph and of the authority. Tokens go to these two alone, so they
// are Microsoft's, or of this machine.
func place(address, authority string) (graph, from string, err error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return "", "", fmt.Errorf("the URL %q of Graph: give https://host, without a path", address)
	}
	graph = u.Scheme + "://" + u.Host
	cloud, known := tenant.CloudOf(u)
	authority = strings.TrimRight(authority, "/")
	switch {
	case known && (authority == "" || authority == cloud.Authority()):
		return graph, cloud.Authority(), nil
	case known:
		return "", "", fmt.Errorf("authority %q: tokens for %s come from %s", authority, graph,
			cloud.Authority())
	case !loopback(u):
		return "", "", fmt.Errorf("%s is no Microsoft Graph and not this machine: "+
			"no token for Graph is sent there", graph)
	}
	a, err := url.Parse(authority)
	if err != nil || !loopback(a) {
		return "", "", fmt.Errorf("authority %q: for a Graph on this machine it is on this machine, "+
			"too", authority)
	}
	return graph, authority, nil
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// New returns a client. It does not contact anybody.
func New(c Config) (*Client, error) {
	graph, authority, err := place(c.URL, c.Authority)
	if err != nil {
		return nil, err
	}
	if c.Poll != 0 && c.Poll < time.Second {
		return nil, errors.New("poll: give at least 1s; Intune limits how often it may be asked")
	}
	u, _ := url.Parse(graph)
	cloud, _ := tenant.CloudOf(u)
	t := tenant.Config{Cloud: cloud, Graph: graph, Authority: authority, TenantID: c.TenantID,
		ClientID: c.ClientID, Tokens: c.Tokens, Log: slog.New(slog.DiscardHandler)}
	switch {
	case c.Token != "":
		if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return nil, errors.New("the token has characters that no token has: " +
				"copy it again, without spaces or line ends")
		}
		t.Tokens = fixed(c.Token)
	case c.Tokens != nil:
	case c.Secret != "":
		t.Credential.Secret = c.Secret
	case c.CertificateFile != "":
		if t.Credential, err = readCertificate(c.CertificateFile); err != nil {
			return nil, err
		}
	default:
		return nil, errors.New("not signed in to " + graph + ": run `syncpayloads login`, or give " +
			"a token, or an app's secret or certificate")
	}
	opened, err := tenant.New(t)
	if err != nil {
		return nil, err
	}
	return &Client{graph: opened, poll: c.Poll, posted: make(map[string]posting)}, nil
}

// fixed is a token that was made elsewhere.
type fixed string

func (f fixed) Token(context.Context) (string, error) { return string(f), nil }
func (f fixed) Drop(string)                           {}

func readCertificate(file string) (tenant.Credential, error) {
	var none tenant.Credential
	text, err := os.ReadFile(file)
	if err != nil {
		return none, fmt.Errorf("reading the app's certificate: %w", err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		return none, fmt.Errorf("%s needs the app's certificate and its RSA key, both as PEM", file)
	}
	signer, _ := pair.PrivateKey.(crypto.Signer)
	return tenant.Credential{Certificate: pair.Leaf, Key: signer}, nil
}

// deviceOf is a device as this module's client tells of it.
func deviceOf(d *tenant.Device) client.Device {
	return client.Device{ID: d.ID, Name: d.Name, OperatingSystem: d.OS, OSVersion: d.OSVersion,
		Model: d.Model, SerialNumber: d.SerialNumber, ManagementState: d.ManagementState,
		EnrollmentType: d.EnrollmentType, Supervised: d.Supervised, Enrolled: d.Enrolled,
		LastSync: d.LastSync}
}

// resultsOf are the results of a device, newest first, as Intune reports them.
func resultsOf(a *tenant.Actions) ([]client.ActionResult, error) {
	results := make([]client.ActionResult, 0, len(a.Results))
	for _, r := range a.Results {
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		var one client.ActionResult
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, err
		}
		for i := range one.Payloads {
			one.Payloads[i].ID = strings.ToLower(one.Payloads[i].ID)
			p := &one.Payloads[i]
			said := "reported by Intune"
			if !p.LastModified.IsZero() {
				said += " at " + p.LastModified.UTC().Format(time.RFC3339)
			}
			if p.Detail != "" {
				said = p.Detail + ", " + said
			}
			p.Detail = said
		}
		results = append(results, one)
	}
	return results, nil
}
