package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// SignatureHeader is the header with the time and the signature of a notification: t=<seconds since
// 1970>,v1=<HMAC-SHA256 of t.body>.
const SignatureHeader = "X-Syncpayloads-Signature"

// answerMost is the most that is read of an answer's body, in bytes.
const answerMost = 4 << 10

// client sends to receivers. They belong to others, so it follows no redirects, uses no proxy, and
// connects only to addresses that its guard permits.
type client struct{ http *http.Client }

func newClient(c Config) *client {
	dialer := &net.Dialer{Timeout: c.HandshakeTimeout, Resolver: c.Resolver,
		Control: guard{c.Allow}.control}
	return &client{&http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
			MaxIdleConns:           64,
			MaxIdleConnsPerHost:    4,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// response is a receiver's answer, with its body up to answerMost.
type response struct {
	status int
	media  string
	body   []byte
}

// post sends a body and waits for the answer, at most for patience.
func (c *client) post(ctx context.Context, url string, header http.Header, body []byte,
	patience time.Duration) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	r.Header.Set("User-Agent", "syncpayloads")
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // everything needed has been read
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMost))
	if ctx.Err() != nil { // the answer may have ended only because this side hung up
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &response{answer.StatusCode, answer.Header.Get("Content-Type"), text}, nil
}

// deliver sends signed notifications. The error says what is wrong with the receiver.
func (s *Service) deliver(ctx context.Context, url, secret string, body []byte) error {
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"},
		SignatureHeader: {sign(secret, s.now(), body)}}
	answer, err := s.client.post(ctx, url, header, body, s.config.DeliveryTimeout)
	if err != nil {
		return errors.New(describe(err, s.config.DeliveryTimeout))
	}
	if answer.status/100 != 2 {
		return fmt.Errorf("it answered with status %d in place of 2xx", answer.status)
	}
	return nil
}

func sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// describe says, for the owner, why their receiver could not be reached. Apart from what is wrong
// with its certificate it shows nothing that the other side sent, because that could be something
// other than a receiver.
func describe(err error, patience time.Duration) string {
	var address errAddress
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var timeout net.Error
	switch {
	case errors.As(err, &address):
		return address.Error()
	case errors.As(err, &unknown):
		return "its certificate comes from a CA that is not known here (--notify-ca)"
	case errors.As(err, &certificate):
		return fmt.Sprintf("its certificate is not valid: %.300s", certificate.Err)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %s", patience)
	case errors.As(err, &name):
		return "its name cannot be resolved"
	default:
		return "the connection to it failed"
	}
}
