package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/activation"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

type serveCommand struct {
	database `embed:""`
	Listen   string `help:"Address to listen on, unless the server is started with a listening socket (LISTEN_FDS)." default:"127.0.0.1:8443"`
	URL      string `help:"Where clients and devices reach the server; without it, made of the address." placeholder:"URL"`

	TLSCert           string `name:"tls-cert" help:"TLS certificate chain, a PEM file; without it, one of the server's own CA." placeholder:"FILE" predictor:"file" group:"TLS"`
	TLSKey            string `name:"tls-key" help:"Its private key, a PEM file." placeholder:"FILE" predictor:"file" group:"TLS"`
	SigningCert       string `name:"signing-cert" help:"Certificate chain that signs enrollment profiles, a PEM file; without it, the TLS certificate if one is given." placeholder:"FILE" predictor:"file" group:"TLS"`
	SigningKey        string `name:"signing-key" help:"Its private key, a PEM file." placeholder:"FILE" predictor:"file" group:"TLS"`
	TrustForwarded    bool   `help:"Believe X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-For. Only behind a proxy that sets them." group:"TLS"`
	CertificateHeader string `help:"Header in which a proxy passes a device's certificate. The proxy must drop what clients send in it." placeholder:"NAME" group:"TLS"`

	acmeFlags `embed:""`

	oidcFlags `embed:"" prefix:"oidc-"`

	signInFlags `embed:""`

	notifyFlags `embed:""`

	RefuseStranding bool          `help:"Refuse to remove what may cut a device off: its network, or a certificate by which it reaches the server." group:"Actions"`
	RestoreAfter    time.Duration `help:"When what was removed is restored, unless a call chooses; 0: never." default:"8h" group:"Actions"`
	RateLimit       float64       `help:"How many requests a second one caller may send; 0: any number." default:"100" group:"Limits"`
	RateBurst       int           `help:"How many of them at once, after a quiet while." default:"400" group:"Limits"`
	DeviceRequests  int           `help:"How many requests of devices are worked on at the same time; more wait, and are told to come again when too many do. 0: 128 for each processor." default:"0" placeholder:"N" group:"Limits"`
	Calls           int           `help:"The same of API calls and console pages. 0: 32 for each processor." default:"0" placeholder:"N" group:"Limits"`
	MaxConnections  int           `help:"How many connections may be open; idle ones are closed for new ones. 0: four fifths of the files that the process may have open, at most 200000." default:"0" placeholder:"N" group:"Limits"`
	KeepEvents      time.Duration `help:"How long a stream of events can be resumed." default:"720h" placeholder:"DURATION" group:"Actions"`
	KeepActions     time.Duration `help:"How long after its start an ended action stays in its device's history. The newest always stays." default:"2160h" placeholder:"DURATION" group:"Actions"`
	policyFlags     `embed:""`

	APNsURL string `name:"apns-url" help:"Push service in place of Apple's." placeholder:"URL" group:"Apple devices"`
	APNsCA  string `name:"apns-ca" help:"The CA of that push service, a PEM file." placeholder:"FILE" predictor:"file" group:"Apple devices"`

	AndroidURL  string  `name:"android-url" help:"Service in place of Google's Android Management API and Pub/Sub, such as that of syncpayloads simulate." placeholder:"URL" group:"Android devices"`
	AndroidRate float64 `name:"android-rate" help:"How many requests a second this server may send to Google, at least 0.1. Google allows 10 for a project of all its servers together: give each its part." default:"8" placeholder:"N" group:"Android devices"`

	logFlags `embed:""`
}

// acmeFlags say how the server gets its TLS certificate by itself (server.ACME).
type acmeFlags struct {
	ACMEDomain      []string `name:"acme-domain" help:"Get the TLS certificate of this domain from an ACME CA, such as Let's Encrypt. The URL's host must be among the domains, and port 443 of each lead to this server." placeholder:"NAME" group:"Certificates by ACME"`
	ACMEAcceptTerms bool     `name:"acme-accept-terms" help:"Accept the CA's terms of service. Required." group:"Certificates by ACME"`
	ACMEEmail       string   `name:"acme-email" help:"Where the CA writes to." placeholder:"ADDRESS" group:"Certificates by ACME"`
	ACMEDirectory   string   `name:"acme-directory" help:"The CA's directory." default:"https://acme-v02.api.letsencrypt.org/directory" placeholder:"URL" group:"Certificates by ACME"`
	ACMECA          string   `name:"acme-ca" help:"Root certificate of a private CA, a PEM file. Devices get it with their enrollment profile." placeholder:"FILE" predictor:"file" group:"Certificates by ACME"`
}

// acme returns the configuration, and refuses flags that mean nothing without a domain.
func (a *acmeFlags) acme() (server.ACME, error) {
	if len(a.ACMEDomain) == 0 {
		if a.ACMEAcceptTerms || a.ACMEEmail != "" || a.ACMECA != "" {
			return server.ACME{},
				usageError("--acme-accept-terms, --acme-email and --acme-ca need --acme-domain")
		}
		return server.ACME{}, nil
	}
	if !a.ACMEAcceptTerms {
		return server.ACME{},
			usageError("read the terms of service of the CA at %s, then give --acme-accept-terms",
				a.ACMEDirectory)
	}
	config := server.ACME{Domains: a.ACMEDomain, Email: a.ACMEEmail, Directory: a.ACMEDirectory,
		AcceptTerms: true}
	if a.ACMECA == "" {
		return config, nil
	}
	root, err := os.ReadFile(a.ACMECA)
	if err != nil {
		return server.ACME{}, fmt.Errorf("reading the ACME CA's certificate: %w", err)
	}
	config.RootPEM = root
	return config, nil
}

// policyFlags say how long the server tries and waits with devices (action.Policy).
type policyFlags struct {
	MaxAttempts int           `help:"Tries of one command before its error is final." default:"5" group:"Actions"`
	RetryBase   time.Duration `help:"Wait after the first failed try; doubles with each." default:"1m" group:"Actions"`
	RetryMax    time.Duration `help:"Longest wait between tries." default:"30m" group:"Actions"`
	PollBase    time.Duration `help:"Wait before looking again at an app that is still installing; doubles." default:"10s" group:"Actions"`
	PollMax     time.Duration `help:"Longest wait between looks." default:"10m" group:"Actions"`
	VerifyFor   time.Duration `help:"How long a device may take to show what it has acknowledged." default:"24h" group:"Actions"`
}

// Validate refuses values with which an action would never end, or a device would never rest.
func (p *policyFlags) Validate() error {
	switch {
	case p.MaxAttempts < 1:
		return errors.New("--max-attempts must be at least 1")
	case p.RetryBase <= 0 || p.RetryMax < p.RetryBase:
		return errors.New("--retry-base must be more than 0, and --retry-max not less than it")
	case p.PollBase <= 0 || p.PollMax < p.PollBase:
		return errors.New("--poll-base must be more than 0, and --poll-max not less than it")
	case p.VerifyFor <= 0:
		return errors.New("--verify-for must be more than 0")
	}
	return nil
}

func (p *policyFlags) policy() action.Policy {
	return action.Policy{MaxAttempts: p.MaxAttempts, RetryBase: p.RetryBase, RetryMax: p.RetryMax,
		PollBase: p.PollBase,
		PollMax:  p.PollMax, VerifyFor: p.VerifyFor}
}

type logFlags struct {
	LogLevel  slog.Level `help:"Least level that is logged: DEBUG, INFO, WARN or ERROR." default:"INFO" group:"Log"`
	LogFormat string     `help:"text or json." enum:"text,json" default:"text" group:"Log"`
}

func (l *logFlags) logger(to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// Validate refuses flags that contradict each other or lack their counterpart.
func (s *serveCommand) Validate() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: give both or none")
	}
	if s.TLSCert != "" && len(s.ACMEDomain) > 0 {
		return errors.New("--tls-cert and --acme-domain exclude each other: " +
			"the TLS certificate comes from the file or from the CA")
	}
	if (s.SigningCert == "") != (s.SigningKey == "") {
		return errors.New("--signing-cert and --signing-key belong together: give both or none")
	}
	if s.KeepEvents <= 0 {
		return errors.New("--keep-events must be more than 0")
	}
	if s.KeepActions <= 0 {
		return errors.New("--keep-actions must be more than 0")
	}
	if s.RateLimit < 0 || s.RateLimit > 0 && s.RateBurst < 1 {
		return errors.New("--rate-limit cannot be negative, and --rate-burst must be at least 1; " +
			"--rate-limit 0 is no limit")
	}
	if s.MaxConnections < 0 {
		return errors.New("--max-connections cannot be negative; 0 is what the system allows")
	}
	if s.RestoreAfter < 0 {
		return errors.New("--restore-after cannot be negative; 0 is never")
	}
	return errors.Join(s.oidcFlags.Validate(), s.check(s.Issuer), s.policyFlags.Validate())
}

// Run serves until a signal ends it.
func (s *serveCommand) Run(ctx context.Context, out io.Writer) error {
	listener, err := activation.Listener()
	if err != nil {
		return err
	}
	if s.Data == "" {
		return usageError("no folder: give --data, where the server keeps its files")
	}
	location, err := s.location()
	if err != nil {
		return err
	}
	acme, err := s.acme()
	if err != nil {
		return err
	}
	provider, err := s.provider()
	if err != nil {
		return err
	}
	signIn, err := s.client()
	if err != nil {
		return err
	}
	notify, err := s.notify()
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	log := s.logger(os.Stderr)
	slog.SetDefault(log)
	config := server.Config{ACME: acme, DataDir: s.Data, Database: location, Listen: s.Listen,
		Listener: listener, URL: s.URL, TLSCertFile: s.TLSCert, TLSKeyFile: s.TLSKey,
		SigningCertFile: s.SigningCert, SigningKeyFile: s.SigningKey,
		TrustForwarded: s.TrustForwarded, CertificateHeader: s.CertificateHeader,
		RestoreAfter: s.RestoreAfter,
		Provider:     provider, SignIn: signIn, Notify: notify, SessionIdle: s.SessionIdle,
		RefuseStranding: s.RefuseStranding,
		RateLimit:       s.RateLimit, RateBurst: s.RateBurst,
		Capacity:       server.Capacity{Devices: s.DeviceRequests, Calls: s.Calls},
		MaxConnections: s.MaxConnections, KeepEvents: s.KeepEvents, KeepActions: s.KeepActions,
		Policy: s.policy(), APNsURL: s.APNsURL, Log: log}
	if s.AndroidRate < 0.1 || s.AndroidRate > mostAndroidRate {
		return fmt.Errorf("--android-rate %v: want 0.1 to %d", s.AndroidRate, mostAndroidRate)
	}
	config.Android.PerSecond = s.AndroidRate
	if s.AndroidURL != "" {
		useInPlaceOfGoogle(&config, s.AndroidURL)
	}
	if s.APNsCA != "" {
		pool, err := readPool(s.APNsCA)
		if err != nil {
			return err
		}
		config.APNsCAs = pool
	}
	_, found := os.Stat(location)
	// A signal that comes during the start also ends it in order, right afterwards.
	starting := context.WithoutCancel(ctx)
	running, err := server.Start(starting, config)
	if err != nil {
		return err
	}
	if err := s.greet(starting, out, running, s.DB == "" && found != nil); err != nil {
		return errors.Join(err, running.Close(starting))
	}
	return untilEnd(ctx, running, func() {})
}

func readPool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a CA's certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return pool, nil
}

// gcPercent is the garbage collector's target (GOGC). The server keeps little in memory for long,
// while each message of a device leaves much garbage, so collecting less often than by default
// saves time and costs little memory.
const gcPercent = 300

// mostAndroidRate is far beyond what Google allows a project; services in its place may take it.
const mostAndroidRate = 1000

// graceTime is how long running requests may take when the server ends.
const graceTime = 15 * time.Second

// untilEnd waits for the signal to end, or for the server to fail, and then closes the server. At
// the signal it calls before first.
func untilEnd(ctx context.Context, running *server.Server, before func()) error {
	select {
	case <-ctx.Done():
		before()
	case <-running.Done():
		return fmt.Errorf("the server ended: %w", running.Err())
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	return running.Close(closing)
}

// greet prints where the server is. At the first start, or as long as there is no token, it also
// prints what to do next.
func (s *serveCommand) greet(ctx context.Context, out io.Writer, running *server.Server,
	first bool) error {
	at, flag := s.Data, "--data "+s.Data
	if s.DB != "" {
		at, flag = s.Data+" and PostgreSQL", "--db postgres://..."
	}
	fmt.Fprintf(out, "Serving %s, data in %s\n", running.URL(), at)
	ca := running.CAFile()
	if ca != "" {
		fmt.Fprintf(out, "Its certificate authority, for clients to trust: %s\n", ca)
	}
	tokens, err := running.Tokens().List(ctx)
	if err != nil || len(tokens) > 0 && !first {
		return err
	}
	if ca != "" {
		fmt.Fprintf(out, `
The server made this authority itself. A client trusts it with one of these:
  curl                     --cacert %[1]s
  syncpayloads             export SYNCPAYLOADS_CA=%[1]s
  Node.js (Graph SDK)      export NODE_EXTRA_CA_CERTS=%[1]s
  Python (requests)        export REQUESTS_CA_BUNDLE=%[1]s
  Go on Linux              export SSL_CERT_FILE=%[1]s
Devices get it with their enrollment profile.
`, ca)
	}
	fmt.Fprintf(out, `
Make a token:              syncpayloads token create %s YOUR-NAME
Use it:                    export SYNCPAYLOADS_URL=%s SYNCPAYLOADS_TOKEN=sp_...
Wake Apple devices:        syncpayloads apns set push.pem push.key      (from identity.apple.com/pushcert)
Enroll a device:           syncpayloads device enroll                   (prints a link that works once)
`, flag, running.URL())
	return nil
}
