package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncpayloads/syncpayloads/client"
)

// between is the environment of a program that reaches the server through somebody who does
// something each time before an action is started.
func (w *world) between(t *testing.T, act func(n int64)) []string {
	t.Helper()
	target, err := url.Parse(w.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(w.server.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	var starts atomic.Int64
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/syncPayloads") {
			act(starts.Add(1))
		}
		through.ServeHTTP(rw, r)
	}))
	t.Cleanup(proxy.Close)
	file := filepath.Join(t.TempDir(), "proxy.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"SYNCPAYLOADS_URL=" + proxy.URL, "SYNCPAYLOADS_TOKEN=" + w.token,
		"SYNCPAYLOADS_CA=" + file}
}

// What another admin removes between the program's look at the device and its action stays removed.
func TestNobodysRemovalIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	phone := w.fleet.devices[0]
	ids := w.payloads(t, phone)
	other := func(names ...string) {
		var set []client.Selection
		for _, name := range names {
			set = append(set, client.Selection{ID: ids[name].ID, Type: ids[name].Type})
		}
		if err := w.client.SyncPayloads(t.Context(), phone.id, set,
			client.SyncOptions{}); err != nil {
			t.Error(err)
		}
	}
	env := w.between(t, func(n int64) {
		if n == 1 {
			other(companyVPN)
		}
	})
	out := runProgram(t, env, "remove", phone.name, officeWiFi)
	out.want(t, 0, "removing Office Wi-Fi; staying off, their time starting anew: Company VPN")
	for name, want := range map[string]bool{officeWiFi: true, companyVPN: true, keynote: false} {
		if p := w.payloads(t, phone)[name]; p.Removed != want {
			t.Errorf("%s is removed: %t, want %t", name, p.Removed, want)
		}
	}

	// Who comes in between each time wins at last, and the program says so.
	sets := [][]string{{companyVPN}, {keynote}}
	env = w.between(t, func(n int64) { other(sets[n%2]...) })
	runProgram(t, env, "restore", phone.name).want(t, 1, "412 PreconditionFailed",
		"others changed what is off the device")
}
