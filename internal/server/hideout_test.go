package server_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// hideout is a server whose whole log is kept, with Apple's push service and a fleet of simulated
// devices.
type hideout struct {
	*testing.T
	server  *server.Server
	gateway *simulator.Gateway
	fleet   *simulator.Fleet
	http    *http.Client
	log     buffer
	secrets secrets
}

func newHideout(t *testing.T) *hideout {
	t.Helper()
	h := &hideout{T: t, secrets: secrets{}}
	var err error
	if h.gateway,
		err = simulator.NewGateway(simulator.GatewayOptions{Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.gateway.Close() })
	gateways := x509.NewCertPool()
	gateways.AppendCertsFromPEM(h.gateway.CA())
	everything := &slog.HandlerOptions{Level: slog.LevelDebug - 100, AddSource: true}
	h.server = begin(t, server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0",
		RestoreAfter: server.DefaultRestoreAfter,
		APNsURL:      h.gateway.URL(), APNsCAs: gateways,
		Log: slog.New(slog.NewMultiHandler(slog.NewTextHandler(&h.log, everything),
			slog.NewJSONHandler(&h.log, everything)))})
	h.http = browser(t, trust(t, h.server))
	h.fleet = simulator.NewFleet(simulator.Options{Gateway: h.gateway,
		Transport: &http.Transport{TLSClientConfig: trust(t, h.server)},
		Keys:      simulator.NewKeyPool(1), Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan struct{})
	go func() { h.fleet.Run(ctx); close(ran) }()
	t.Cleanup(func() { stop(); <-ran })
	return h
}

// call makes a request of the API with a bearer token and a JSON body.
func (h *hideout) call(bearer, method, path string, body any) (int, []byte) {
	h.Helper()
	text, isText := body.([]byte)
	if !isText && body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			h.Fatal(err)
		}
	}
	return (&wire{t: h.T, base: h.server.URL(), http: h.http}).do(method, path,
		map[string]string{"Authorization": "Bearer " + bearer, "Content-Type": "application/json"},
		text)
}

func (h *hideout) must(bearer, method, path string, body any) map[string]any {
	h.Helper()
	status, answer := h.call(bearer, method, path, body)
	got := map[string]any{}
	if len(answer) > 0 && json.Unmarshal(answer, &got) != nil || status >= 300 {
		h.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	return got
}

func (h *hideout) link(bearer, name string) string {
	h.Helper()
	link := h.must(bearer, "POST", "/api/enrollments",
		map[string]any{"expiresIn": "1h"})["url"].(string)
	h.secrets["enrollment code of "+name] = []byte(link[strings.LastIndex(link, "/")+1:])
	return link
}

func (h *hideout) device(bearer, udid string) string {
	h.Helper()
	found := h.must(bearer, "GET",
		"/beta/deviceManagement/managedDevices?$filter=udid%20eq%20'"+udid+"'",
		nil)["value"].([]any)
	if len(found) != 1 {
		h.Fatalf("%d devices with UDID %s", len(found), udid)
	}
	return found[0].(map[string]any)["id"].(string)
}

// keepPush notes by what the device is woken.
func (h *hideout) keepPush(id string) {
	h.Helper()
	e, err := h.server.Store().EnrollmentOf(h.Context(), fleet.DeviceID(id))
	if err != nil {
		h.Fatal(err)
	}
	h.secrets["push token of "+e.ID], h.secrets["push magic of "+e.ID] = e.Token,
		[]byte(e.PushMagic)
}

func (h *hideout) eventually(what string, ok func() bool) {
	h.Helper()
	deadline := time.Now().Add(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ; !ok(); <-tick.C {
		if time.Now().After(deadline) {
			h.Fatalf("never: %s; the log: %s", what, h.log.String())
		}
	}
}

// secret is something that must not be in the log.
func (h *hideout) secret(name string) []byte {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	h.secrets[name] = []byte(hex.EncodeToString(random))
	return h.secrets[name]
}
