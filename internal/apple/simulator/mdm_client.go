package simulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/micromdm/plist"
	"github.com/smallstep/pkcs7"
)

// maxBody bounds what a device reads of one response, in bytes.
const maxBody = 8 << 20

// Content types of the MDM protocol (Apple, "Implementing Device Management").
const (
	checkInType = "application/x-apple-aspen-mdm-checkin"
	commandType = "application/x-apple-aspen-mdm"
)

// errUnenrolledByServer: the server does not know the device, which therefore removes its
// enrollment (Apple, "Error Unrecognized Device"): 401, or 403 with code
// com.apple.unrecognized.device.
var errUnenrolledByServer = errors.New("the server does not recognize the device")

// statusError is a response that is not a success.
type statusError struct {
	Method, URL string
	Code        int
	Body        []byte
}

func (e *statusError) Error() string {
	return fmt.Sprintf("%s %s: HTTP %d: %.200s", e.Method, e.URL, e.Code, e.Body)
}

// exchange sends one request and returns the body of a 200.
func exchange(ctx context.Context, client *http.Client, method, url, contentType string,
	body []byte) ([]byte,
	http.Header, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	return send(client, request)
}

func send(client *http.Client, request *http.Request) ([]byte, http.Header, error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%s %s: %w", request.Method, request.URL, err)
	}
	if len(answer) > maxBody {
		return nil, nil, fmt.Errorf("%s %s: the answer is longer than %d bytes", request.Method,
			request.URL, maxBody)
	}
	if response.StatusCode != http.StatusOK {
		return nil, nil, &statusError{request.Method, request.URL.String(), response.StatusCode,
			answer}
	}
	return answer, response.Header, nil
}

// mdmClient sends the messages of one enrollment, proving its identity as its profile asks.
type mdmClient struct {
	device     *Device
	enrollment *enrollment
	http       *http.Client
	done       func() // releases connections that belong to this client alone
}

// mdmClient uses the fleet's connections, or under mutual TLS connections of the device's own.
func (f *Fleet) mdmClient(d *Device, e *enrollment) *mdmClient {
	if !f.options.MutualTLS {
		return &mdmClient{device: d, enrollment: e, http: f.mdm, done: func() {}}
	}
	transport := f.transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = new(tls.Config)
	}
	transport.TLSClientConfig.Certificates = []tls.Certificate{
		{Certificate: [][]byte{e.identity.Raw}, PrivateKey: e.key, Leaf: e.identity}}
	client := *f.mdm
	client.Transport = transport
	return &mdmClient{device: d, enrollment: e, http: &client, done: transport.CloseIdleConnections}
}

func (c *mdmClient) checkIn(ctx context.Context, message map[string]any) error {
	_, err := c.put(ctx, c.enrollment.CheckInURL, checkInType, message)
	return err
}

// report sends a status and returns the next command, empty when there is none.
func (c *mdmClient) report(ctx context.Context, message map[string]any) ([]byte, error) {
	return c.put(ctx, c.enrollment.ServerURL, commandType, message)
}

func (c *mdmClient) put(ctx context.Context, url, contentType string,
	message map[string]any) ([]byte, error) {
	body, err := plist.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	body = c.device.asSent(message, body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "MDM/1.0")
	// A device sends once more what it sent on a connection that had been idle, and was closed
	// without a byte of an answer (RFC 9112, section 9.3.1). net/http does that for a PUT only
	// under this name, which is not sent.
	request.Header["Idempotency-Key"] = nil
	if c.enrollment.SignMessage {
		signature, err := c.sign(body)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Mdm-Signature", signature)
	}
	answer, _, err := send(c.http, request)
	var status *statusError
	if errors.As(err, &status) && status.unrecognized() {
		return nil, fmt.Errorf("%w: %w", errUnenrolledByServer, err)
	}
	return answer, err
}

func (e *statusError) unrecognized() bool {
	return e.Code == http.StatusUnauthorized ||
		e.Code == http.StatusForbidden && bytes.Contains(e.Body,
			[]byte("com.apple.unrecognized.device"))
}

// sign makes the Mdm-Signature header: a detached CMS signature of the body, in base64 (Apple,
// "Managing certificates for device management services and devices").
func (c *mdmClient) sign(body []byte) (string, error) {
	signed, err := pkcs7.NewSignedData(body)
	if err != nil {
		return "", fmt.Errorf("sign message: %w", err)
	}
	signed.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := signed.AddSigner(c.enrollment.identity, c.enrollment.key,
		pkcs7.SignerInfoConfig{}); err != nil {
		return "", fmt.Errorf("sign message: %w", err)
	}
	signed.Detach()
	der, err := signed.Finish()
	if err != nil {
		return "", fmt.Errorf("sign message: %w", err)
	}
	return base64.StdEncoding.EncodeToString(der), nil
}
