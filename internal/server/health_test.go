package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// A server tells how it stands, and keeps when a token was last used beyond its own end.
func TestHealthAndLastUse(t *testing.T) {
	dir := t.TempDir()
	s := start(t, server.Config{DataDir: dir})
	_, bearer, err := s.Tokens().Create(t.Context(),
		access.TokenInput{Name: "desk", Role: access.HelpDeskOperator})
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+"/api/health", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var health struct {
		Version, Database string
		Started           time.Time
		Warnings          []string
	}
	if err := json.NewDecoder(response.Body).Decode(&health); err != nil {
		t.Fatal(err)
	}
	version, _ := server.Version()
	if health.Version != version || version == "" || health.Database != "ok" ||
		time.Since(health.Started).Abs() > time.Minute ||
		len(health.Warnings) != 1 || !strings.Contains(health.Warnings[0], "push certificate") {
		t.Errorf("it tells %+v", health)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), filepath.Join(dir, server.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	list, err := access.NewTokens(st, time.Now).List(t.Context())
	if err != nil || len(list) != 1 || list[0].LastUsed.IsZero() {
		t.Errorf("the tokens are %+v, %v", list, err)
	}
}
