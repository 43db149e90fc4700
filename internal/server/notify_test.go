package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// notified is a receiver: what it got, as the text of the bodies.
func notified(t *testing.T) (r *httptest.Server, got chan string) {
	t.Helper()
	got = make(chan string, 100)
	r = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if token := q.URL.Query().Get("validationToken"); token != "" {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = io.WriteString(w, token)
			return
		}
		text, err := io.ReadAll(q.Body)
		if err != nil {
			return // the server has ended
		}
		got <- string(text)
	}))
	t.Cleanup(r.Close)
	return r, got
}

// call sends a JSON body to a server, which must answer with the status, and returns the answer.
func call(t *testing.T, s *server.Server, bearer, path string, status int,
	body string) map[string]any {
	t.Helper()
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + bearer},
		"Content-Type": {"application/json"}}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("%s: %d %s, %v", path, answer.StatusCode, text, err)
	}
	var decoded map[string]any
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &decoded); err != nil {
			t.Fatal(err)
		}
	}
	return decoded
}

// A subscription outlives a restart, and what happens afterwards is told under the same server's
// id.
func TestNotificationsOverARestart(t *testing.T) {
	r, got := notified(t)
	config := server.Config{DataDir: servertest.Folder(t),
		Notify: server.Notify{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			CAPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})}}
	s := start(t, config)
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "admin", Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	device, err := s.Engine().Enroll(t.Context(),
		fleet.Device{Name: "phone", UDID: "1", Platform: fleet.IOS}, "")
	if err != nil {
		t.Fatal(err)
	}
	call(t, s, bearer, "/beta/subscriptions", http.StatusCreated, fmt.Sprintf(`{"changeType":"updated","notificationUrl":"%s","expirationDateTime":"%s",
		"resource":"deviceManagement/managedDevices/%s"}`, r.URL, time.Now().Add(time.Hour).Format(time.RFC3339), device))
	act := "/beta/deviceManagement/managedDevices/" + string(device) + "/syncPayloads"
	call(t, s, bearer, act, http.StatusNoContent, `{"deviceActionPayloads":[]}`)
	first := <-got
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = start(t, config)
	call(t, s, bearer, act, http.StatusNoContent, `{"deviceActionPayloads":[]}`)
	second := <-got
	for _, text := range []string{first, second} {
		if !strings.Contains(text,
			`"resource":"deviceManagement/managedDevices/`+string(device)+`"`) ||
			tenantOf(t, text) == "" || tenantOf(t, text) != tenantOf(t, first) {
			t.Errorf("got %s", text)
		}
	}
}

func tenantOf(t *testing.T, text string) string {
	t.Helper()
	var body struct{ Value []struct{ TenantID string } }
	if err := json.Unmarshal([]byte(text), &body); err != nil || len(body.Value) == 0 {
		t.Fatalf("%v in %s", err, text)
	}
	return body.Value[0].TenantID
}

func TestWrongReceiverCA(t *testing.T) {
	_, err := server.Start(t.Context(), server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0",
		Notify: server.Notify{CAPEM: []byte("no PEM")}})
	if err == nil || !strings.Contains(err.Error(), "PEM") {
		t.Errorf("started with a CA that is none: %v", err)
	}
}
