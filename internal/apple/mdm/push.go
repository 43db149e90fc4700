package mdm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/micromdm/nanomdm/cryptoutil"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/push"
	"github.com/micromdm/nanomdm/push/nanopush"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/keypair"
	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	pushKeyPair   = "apple push"
	pushTimeout   = 15 * time.Second
	maxPushAnswer = 4 << 10        // bytes of APNs' reason, which is one word
	pushExpires   = 24 * time.Hour // how long APNs keeps a push for a device that is off
)

var (
	// ErrNoPushCertificate means that no device can be woken until a push certificate is uploaded.
	ErrNoPushCertificate = errors.New("no APNs push certificate: upload one from identity.apple.com/pushcert")
	// ErrNoPushToken means that the device has not yet told how to wake it, or that APNs no longer
	// knows its token.
	ErrNoPushToken = errors.New("the device has no push token: it must send TokenUpdate first")
)

// PushRejected is a push that APNs did not take. Reason is its word for it (Apple, "Handling
// notification responses from APNs"), for example BadDeviceToken.
type PushRejected struct{ Reason string }

func (e *PushRejected) Error() string { return "APNs rejected the push: " + e.Reason }

// PushCertificateRefused is why an uploaded pair cannot be the push certificate. It is safe to show
// to the caller.
type PushCertificateRefused struct{ Reason error }

func (e *PushCertificateRefused) Error() string {
	return "push certificate refused: " + e.Reason.Error()
}
func (e *PushCertificateRefused) Unwrap() error { return e.Reason }

// PushCertificate is what there is to show of the push certificate.
type PushCertificate struct {
	Topic        string
	Subject      string
	SerialNumber string // hexadecimal
	PEM          []byte // the certificate, without its key
	Expires      time.Time
}

// PushCertificate returns the push certificate; ErrNoPushCertificate if there is none.
func (c *Channel) PushCertificate(ctx context.Context) (*PushCertificate, error) {
	k, err := c.store.KeyPair(ctx, pushKeyPair)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoPushCertificate
	}
	if err != nil {
		return nil, err
	}
	p, _, err := readPushCertificate(k.CertificatePEM, k.KeyPEM)
	return p, err
}

// SetPushCertificate stores the certificate and its private key, both PEM, in place of the present
// one. A pair that cannot be used is a *PushCertificateRefused. One of another topic than devices
// enrolled under, which could not be woken any more, is an *OtherTopic.
func (c *Channel) SetPushCertificate(ctx context.Context, certPEM,
	keyPEM []byte) (*PushCertificate, error) {
	return c.setPushCertificate(ctx, certPEM, keyPEM, false)
}

// ReplacePushCertificate is SetPushCertificate for whom devices of another topic are no reason not
// to.
func (c *Channel) ReplacePushCertificate(ctx context.Context, certPEM,
	keyPEM []byte) (*PushCertificate, error) {
	return c.setPushCertificate(ctx, certPEM, keyPEM, true)
}

func (c *Channel) setPushCertificate(ctx context.Context, certPEM, keyPEM []byte,
	force bool) (*PushCertificate, error) {
	p, pair, err := readPushCertificate(certPEM, keyPEM)
	if err != nil {
		return nil, &PushCertificateRefused{err}
	}
	if now := c.now(); !now.Before(p.Expires) {
		return nil,
			&PushCertificateRefused{fmt.Errorf("it expired at %s; renew it at identity.apple.com/pushcert",
				p.Expires.Format(time.RFC3339))}
	} else if now.Before(pair.Leaf.NotBefore) {
		return nil, &PushCertificateRefused{fmt.Errorf("it is not valid before %s",
			pair.Leaf.NotBefore.UTC().Format(time.RFC3339))}
	}
	old, err := c.PushCertificate(ctx)
	if err != nil || old.Topic != p.Topic {
		if err := c.checkTopic(ctx, p.Topic, force); err != nil {
			return nil, err
		}
	}
	notePushCertificate(ctx, old, p)
	return p, c.store.SetKeyPair(ctx, pushKeyPair,
		keypair.KeyPair{CertificatePEM: certPEM, KeyPEM: keyPEM})
}

func readPushCertificate(certPEM, keyPEM []byte) (*PushCertificate, *tls.Certificate, error) {
	certificate, key, err := parseKeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, nil, err
	}
	topic, err := cryptoutil.TopicFromCert(certificate)
	if err != nil {
		return nil, nil,
			fmt.Errorf("it is not an MDM push certificate, whose subject has a user id com.apple.mgmt.*: %w", err)
	}
	return &PushCertificate{Topic: topic, Subject: certificate.Subject.CommonName, PEM: certPEM,
			SerialNumber: certificate.SerialNumber.Text(16), Expires: certificate.NotAfter.UTC()},
		&tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key,
			Leaf: certificate}, nil
}

// Wake asks the device to connect, by push. The errors are ErrNoPushCertificate, ErrNoPushToken, a
// *PushRejected, or what kept the server from reaching APNs.
func (c *Channel) Wake(ctx context.Context, device fleet.DeviceID) error {
	e, err := c.store.EnrollmentOf(ctx, device)
	if errors.Is(err, ErrNotFound) || err == nil && len(e.Token) == 0 {
		return ErrNoPushToken
	}
	if err != nil {
		return err
	}
	k, err := c.store.KeyPair(ctx, pushKeyPair)
	if errors.Is(err, ErrNotFound) {
		return ErrNoPushCertificate
	}
	if err != nil {
		return err
	}
	p, pair, err := readPushCertificate(k.CertificatePEM, k.KeyPEM)
	switch {
	case err != nil:
		return fmt.Errorf("stored push certificate: %w", err)
	case !c.now().Before(p.Expires):
		return &unwakeable{fmt.Sprintf("the push certificate expired at %s; renew it at identity.apple.com/pushcert",
			p.Expires.Format(time.RFC3339))}
	case p.Topic != e.Topic:
		return &unwakeable{fmt.Sprintf("it enrolled under the push topic %s, and the push certificate is for %s. It must enroll again, "+
			"or get back the certificate of its topic", e.Topic, p.Topic)}
	}
	err = c.pusher.push(ctx, pair, &mdm.Push{PushMagic: e.PushMagic, Token: e.Token,
		Topic: e.Topic})
	var rejected *PushRejected
	if errors.As(err, &rejected) && (rejected.Reason == "BadDeviceToken" ||
		rejected.Reason == "Unregistered") {
		return errors.Join(err, c.dropToken(ctx, e))
	}
	return err
}

// dropToken forgets a token that APNs does not know, and which ones came before: whatever the
// device sends next is news.
func (c *Channel) dropToken(ctx context.Context, dead *Enrollment) error {
	return c.store.UpdateIdentity(ctx, dead.ID, dead.Certificate,
		func(e *Enrollment, _ *Certificate) error {
			if slices.Equal(e.Token, dead.Token) {
				e.Token, e.PushMagic, e.Replaced = nil, "", nil
			}
			return nil
		})
}

// pusher keeps one connection to APNs as long as the push certificate stays the same.
type pusher struct {
	apns *url.URL
	cas  *x509.CertPool

	mu       sync.Mutex
	of       string // fingerprint of the certificate that provider uses
	provider push.PushProvider
}

func (p *pusher) push(ctx context.Context, pair *tls.Certificate, to *mdm.Push) error {
	provider, err := p.connection(pair)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	answers, err := provider.Push(ctx, []*mdm.Push{to})
	if err != nil {
		return fmt.Errorf("push to APNs: %w", err)
	}
	answer := answers[to.Token.String()]
	if answer == nil {
		return errors.New("push to APNs: no answer")
	}
	var reason *nanopush.JSONPushError
	if errors.As(answer.Err, &reason) {
		return &PushRejected{Reason: reason.Reason}
	}
	var failed *url.Error
	if errors.As(answer.Err, &failed) {
		// not its URL, which has the push token
		return fmt.Errorf("push to APNs at %s: %w", p.apns.Host, failed.Err)
	}
	if answer.Err != nil {
		return fmt.Errorf("push to APNs: %w", answer.Err)
	}
	return nil
}

func (p *pusher) connection(pair *tls.Certificate) (push.PushProvider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id := fingerprint(pair.Leaf.Raw); p.of != id {
		factory := nanopush.NewFactory(nanopush.WithExpiration(pushExpires),
			nanopush.WithNewClient(p.client))
		provider, err := factory.NewPushProvider(pair)
		if err != nil {
			return nil, err
		}
		p.of, p.provider = id, provider
	}
	return p.provider, nil
}

func (p *pusher) client(pair *tls.Certificate) (*http.Client, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{*pair}, RootCAs: p.cas,
			MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    pushTimeout,
		IdleConnTimeout:        time.Hour, // Apple asks to keep connections open
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 16 << 10,
		HTTP2: &http.HTTP2Config{SendPingTimeout: time.Minute,
			PingTimeout: pushTimeout},
	}
	return &http.Client{Transport: &apnsTransport{to: p.apns,
		next: limit.Answers(transport, maxPushAnswer)}}, nil
}

// apnsTransport sends what is meant for Apple's push service to the configured one, as a push of
// type mdm.
type apnsTransport struct {
	to   *url.URL
	next http.RoundTripper
}

func (t *apnsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = t.to.Scheme, t.to.Host, ""
	r.Header.Set("apns-push-type", "mdm")
	return t.next.RoundTrip(r)
}
