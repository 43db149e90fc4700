package simulator

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

type pushToken [32]byte

// maxNotification is the largest payload that Apple's push service takes, in bytes (Apple,
// "Generating a remote notification").
const maxNotification = 4096

// GatewayOptions configures a Gateway. The zero value works.
type GatewayOptions struct {
	// host:port to listen on; empty: a free port on the loopback interface
	Address string
	// refuse a sender whose push certificate has not the topic of the device
	RequireClientCert bool
	Log               *slog.Logger // of the HTTP server's own troubles; nil: slog.Default
}

// Gateway stands in for Apple's push service: an HTTP/2 server that wakes the devices of the fleets
// that use it (Apple, "Sending notification requests to APNs").
type Gateway struct {
	options GatewayOptions
	server  *http.Server
	address string
	ca      []byte

	delivered, ignored, refused atomic.Int64

	mu      sync.Mutex
	devices map[pushToken]pushTarget
}

type pushTarget struct {
	device *Device
	topic  string
}

// GatewayStats counts notifications.
type GatewayStats struct {
	Delivered int64 // taken by a device, or kept for one that is offline
	Ignored   int64 // accepted, but the device did not know the PushMagic
	Refused   int64 // answered with an error
}

// NewGateway starts a gateway with a server certificate and CA of its own.
func NewGateway(options GatewayOptions) (*Gateway, error) {
	if options.Address == "" {
		options.Address = "127.0.0.1:0"
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	listener, err := net.Listen("tcp", options.Address)
	if err != nil {
		return nil, fmt.Errorf("push gateway: %w", err)
	}
	host, _, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("push gateway: %w", err), listener.Close())
	}
	ca, certificate, err := newServerCertificate(host)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("push gateway: %w", err), listener.Close())
	}
	g := &Gateway{options: options, address: listener.Addr().String(), ca: ca,
		devices: make(map[pushToken]pushTarget)}
	g.server = &http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(options.Log.Handler(), slog.LevelDebug),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate},
			ClientAuth: tls.RequestClientCert,
			MinVersion: tls.VersionTLS12}}
	go g.server.ServeTLS(listener, "", "")
	return g, nil
}

// URL is the address that takes the place of https://api.push.apple.com.
func (g *Gateway) URL() string { return "https://" + g.address }

// CA is the certificate authority of the gateway's TLS certificate, in PEM.
func (g *Gateway) CA() []byte { return g.ca }

// Stats returns the counts so far.
func (g *Gateway) Stats() GatewayStats {
	return GatewayStats{g.delivered.Load(), g.ignored.Load(), g.refused.Load()}
}

// Close stops the gateway and its connections.
func (g *Gateway) Close() error { return g.server.Close() }

func (g *Gateway) register(token pushToken, topic string, d *Device) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.devices[token] = pushTarget{d, topic}
}

func (g *Gateway) unregister(token pushToken) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.devices, token)
}

// serve answers as APNs does (Apple, "Handling notification responses from APNs").
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	id := strings.ToUpper(r.Header.Get("apns-id"))
	if id == "" {
		id = strings.ToUpper(uuid.NewString())
	}
	w.Header().Set("apns-id", id)
	target, magic, status, reason := g.read(r)
	if status != http.StatusOK {
		g.refused.Add(1)
		g.refuse(w, status, reason)
		return
	}
	if target.device.pushed(magic) {
		g.delivered.Add(1)
	} else {
		g.ignored.Add(1)
	}
	w.WriteHeader(http.StatusOK)
}

func (g *Gateway) refuse(w http.ResponseWriter, status int, reason string) {
	body := map[string]any{"reason": reason}
	if status == http.StatusGone {
		body["timestamp"] = time.Now().UnixMilli()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		g.options.Log.Debug("push gateway: response not sent", "err", err)
	}
}

// read finds whom a notification is for. Status is 200 or that of the reason.
func (g *Gateway) read(r *http.Request) (target pushTarget, magic string, status int, reason string) {
	hexToken, isDevice := strings.CutPrefix(r.URL.Path, "/3/device/")
	switch {
	case !isDevice:
		return target, "", http.StatusNotFound, "BadPath"
	case r.Method != http.MethodPost:
		return target, "", http.StatusMethodNotAllowed, "MethodNotAllowed"
	}
	raw, err := hex.DecodeString(hexToken)
	if err != nil || len(raw) != len(pushToken{}) {
		return target, "", http.StatusBadRequest, "BadDeviceToken"
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxNotification+1))
	switch {
	case err != nil || len(body) == 0:
		return target, "", http.StatusBadRequest, "PayloadEmpty"
	case len(body) > maxNotification:
		return target, "", http.StatusRequestEntityTooLarge, "PayloadTooLarge"
	}
	g.mu.Lock()
	target, known := g.devices[pushToken(raw)]
	g.mu.Unlock()
	if !known {
		return target, "", http.StatusGone, "Unregistered"
	}
	if reason := g.checkSender(r, target.topic); reason != "" {
		return target, "", http.StatusBadRequest, reason
	}
	var notification struct {
		Magic string `json:"mdm"`
	}
	if err := json.Unmarshal(body, &notification); err != nil {
		return target, "", http.StatusBadRequest, "PayloadEmpty"
	}
	return target, notification.Magic, http.StatusOK, ""
}

// checkSender returns why a sender may not push to a device of a topic; empty: it may.
func (g *Gateway) checkSender(r *http.Request, topic string) string {
	if header := r.Header.Get("apns-topic"); header != "" && header != topic {
		return "DeviceTokenNotForTopic"
	}
	var sender *x509.Certificate
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		sender = r.TLS.PeerCertificates[0]
	}
	switch {
	case sender == nil && g.options.RequireClientCert:
		return "MissingTopic"
	case sender != nil && pushTopic(sender) != topic:
		return "DeviceTokenNotForTopic"
	}
	return ""
}
