package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/client"
)

func TestDemoReadyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ready.json")
	running, _ := start(t, "The server goes on until Ctrl-C", "demo", "--listen", "127.0.0.1:0",
		"--ready-file", file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	var ready readyFile
	if err := decoder.Decode(&ready); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the token has mode %v (%v)", info.Mode(), err)
	}
	c, err := client.New(client.Config{URL: ready.URL, Token: ready.Token, CAFile: ready.CA})
	if err != nil {
		t.Fatal(err)
	}
	checkStream(t, ready)
	checkConsole(t, ready)
	platforms := make(map[string]bool)
	for _, device := range ready.Devices {
		platforms[device.Platform] = true
		checkReady(t, c, device)
	}
	if len(ready.Devices) < 4 || !platforms["iOS"] || !platforms["iPadOS"] || !platforms["macOS"] ||
		!platforms["tvOS"] || !platforms["Android"] {
		t.Errorf("%d devices of platforms %v", len(ready.Devices), platforms)
	}
	running.end(t, os.Interrupt)
	if _, err := os.Stat(ready.CA); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is left: %v", err)
	}
}

// checkStream: who knows the file and nothing else can read the events of all devices.
func checkStream(t *testing.T, ready readyFile) {
	t.Helper()
	pool, err := readPool(ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, ready.Stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + ready.Token},
		"Accept": {"application/x-ndjson"}}
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	line, err := bufio.NewReader(answer.Body).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	type event struct {
		Type  string
		Value []any
	}
	if first := decode[event](t, line); ready.Stream != ready.URL+"/api/events" ||
		first.Type != "snapshot" || len(first.Value) != 0 {
		t.Errorf("%s begins with %s", ready.Stream, line)
	}
}

// checkConsole: the link shows a page, as often as somebody looks, and signs in once.
func checkConsole(t *testing.T, ready readyFile) {
	t.Helper()
	pool, err := readPool(ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	code := consoleCode(t, ready.URL, ready.Console)
	signIn := func() int {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		browser := &http.Client{Transport: transport, Jar: jar}
		for range 2 { // a script may look at the page before
			if shown, err := browser.Get(ready.Console); err != nil || shown.Body.Close() != nil ||
				shown.StatusCode != http.StatusOK {
				t.Fatalf("the link shows %v (%v)", shown, err)
			}
		}
		answer, err := browser.PostForm(ready.URL+"/console/sign-in", url.Values{"code": {code}})
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		page, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if signedIn := strings.Contains(string(page),
			"Anna-iPhone"); signedIn != (answer.StatusCode == http.StatusOK) {
			t.Errorf("%s with\n%s", answer.Status, page)
		}
		return answer.StatusCode
	}
	if first, second := signIn(), signIn(); first != http.StatusOK ||
		second != http.StatusUnauthorized {
		t.Errorf("the link signs in with %d, and then with %d", first, second)
	}
}

// consoleCode is that of a link to the console of a server.
func consoleCode(t *testing.T, server, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, server+"/console/sign-in?") ||
		len(u.Query().Get("code")) < 40 {
		t.Fatalf("the console's link is %q (%v)", link, err)
	}
	return u.Query().Get("code")
}

// checkReady: what the file says is so, everything is installed, and nothing disturbs the device.
func checkReady(t *testing.T, c *client.Client, device readyDevice) {
	t.Helper()
	found, err := c.Device(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if found.Name != device.Name || found.OperatingSystem != device.Platform ||
		len(found.ActionResults) != 0 {
		t.Errorf("%+v is %s on %s with %d results", device, found.Name, found.OperatingSystem,
			len(found.ActionResults))
	}
	payloads, err := c.Payloads(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(payloads) != len(device.Payloads) || len(payloads) == 0 {
		t.Errorf("%s has %d payloads, the file says %d", device.Name, len(payloads),
			len(device.Payloads))
	}
	for i, p := range payloads {
		if (readyPayload{p.ID, p.Type, p.DisplayName}) != device.Payloads[i] ||
			p.Presence != client.Present || p.Work != client.WorkIdle {
			t.Errorf("%s: %+v, the file says %+v", device.Name, p, device.Payloads[i])
		}
	}
}
