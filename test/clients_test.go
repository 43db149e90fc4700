package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/engine"
)

// clientSite is a site as admins' clients find it: seven devices, the first of which has three
// payloads, the time of the machine, and a limit for each caller.
func clientSite(t *testing.T) (*site, *simulator.Device) {
	t.Helper()
	s := newSite(t)
	vpn, wifi, app := s.profile("com.example.vpn"), s.profile("com.example.wifi"), s.app(0)
	phone := s.enroll(simulator.Config{Kind: simulator.IPhone})
	for i := range 6 {
		s.enroll(simulator.Config{Kind: simulator.IPhone, Seed: uint64(i + 2)})
	}
	s.eventually("the phone has everything",
		func() bool { return has(phone, vpn, wifi, app) && s.due(phone) == 0 })
	if err := s.server.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.config.Clock, s.config.RateLimit, s.config.RateBurst = engine.SystemClock{}, 50, 100
	s.start()
	return s, phone
}

// TestGraphClientForJavaScript runs the client that most scripts use, on Node, against the server
// over HTTPS.
func TestGraphClientForJavaScript(t *testing.T) {
	s, phone := clientSite(t)
	s.node("graph.mjs", "DEVICE="+s.ids[phone], "DEVICES=7", "BURST=150")
}

// TestODataClientGenerator generates a typed client from the server's $metadata, and has the
// TypeScript compiler accept it.
func TestODataClientGenerator(t *testing.T) {
	s, _ := clientSite(t)
	s.node("generate.mjs", "OUT="+t.TempDir())
}

// node runs a program of clients/js.
func (s *site) node(program string, environment ...string) {
	s.Helper()
	folder := filepath.Join("clients", "js")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		s.Fatal("the clients are not installed: run `make tools`")
	}
	command := exec.CommandContext(s.Context(), "node", program)
	command.Dir = folder
	command.Env = append(os.Environ(), append(environment, "SYNCPAYLOADS_URL="+s.url,
		"SYNCPAYLOADS_TOKEN="+s.token,
		"NODE_EXTRA_CA_CERTS="+s.server.CAFile())...)
	out, err := command.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		s.Fatalf("node %s: %v\n%s", program, err, out)
	}
}
