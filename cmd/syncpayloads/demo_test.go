package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/syncpayloads/syncpayloads/client"
)

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	out := runProgram(t, nil, "demo", "--once")
	out.want(t, 0, "Office Wi-Fi, Company VPN, Keynote are gone, the rest is there", "everything is there", "said not now",
		"curl --cacert", "Authorization: Bearer sp_", `-d '{"deviceActionPayloads":[]}'`, "/syncPayloads'")
	shown := decode[struct {
		Results []result `json:"deviceActionResults"`
	}](t, out.stdout[strings.LastIndex(out.stdout, "\n{\n"):])
	if len(shown.Results) != 1 {
		t.Fatalf("%d results, want one", len(shown.Results))
	}
	shown.Results[0].want(t, "done", map[string]string{officeWiFi: "restore/succeeded", companyVPN: "restore/succeeded",
		keynote: "restore/succeeded"})
	data := regexp.MustCompile(`(?m)^Database +(.*)$`).FindStringSubmatch(out.stdout)
	if data == nil {
		t.Fatal("the output does not name the database")
	}
	if _, err := os.Stat(data[1]); !os.IsNotExist(err) {
		t.Errorf("the temporary folder %s is left: %v", data[1], err)
	}
}

// started is a program that goes on until it is told to end.
type started struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// start runs the program until its output has a line that begins so, and returns the rest of the line.
func start(t *testing.T, until string, args ...string) (*started, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	command := invocation(ctx, nil, args...)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = command.Wait()
	})
	s := &started{command, bufio.NewScanner(stdout)}
	for s.lines.Scan() {
		if rest, ok := strings.CutPrefix(s.lines.Text(), until); ok {
			return s, rest
		}
	}
	t.Fatalf("%v ended without the line %q", args, until)
	return nil, ""
}

// end tells the program to end and checks that it does so in good order.
func (s *started) end(t *testing.T, signal os.Signal) (rest string) {
	t.Helper()
	if err := s.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	for s.lines.Scan() {
		rest += s.lines.Text() + "\n"
	}
	if err := s.Wait(); err != nil {
		t.Errorf("after %v: %v\n%s", signal, err, rest)
	}
	return rest
}

func TestDemoReadyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ready.json")
	running, _ := start(t, "The server goes on until Ctrl-C", "demo", "--listen", "127.0.0.1:0", "--ready-file", file)
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
	platforms := make(map[string]bool)
	for _, device := range ready.Devices {
		platforms[device.Platform] = true
		checkReady(t, c, device)
	}
	if len(ready.Devices) < 4 || !platforms["iOS"] || !platforms["iPadOS"] || !platforms["macOS"] || !platforms["tvOS"] {
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
	r.Header = http.Header{"Authorization": {"Bearer " + ready.Token}, "Accept": {"application/x-ndjson"}}
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
	if first := decode[event](t, line); ready.Stream != ready.URL+"/api/events" || first.Type != "snapshot" || len(first.Value) != 0 {
		t.Errorf("%s begins with %s", ready.Stream, line)
	}
}

// checkReady: what the file says is so, everything is installed, and nothing disturbs the device.
func checkReady(t *testing.T, c *client.Client, device readyDevice) {
	t.Helper()
	found, err := c.Device(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if found.Name != device.Name || found.OperatingSystem != device.Platform || len(found.ActionResults) != 0 {
		t.Errorf("%+v is %s on %s with %d results", device, found.Name, found.OperatingSystem, len(found.ActionResults))
	}
	payloads, err := c.Payloads(t.Context(), device.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(payloads) != len(device.Payloads) || len(payloads) == 0 {
		t.Errorf("%s has %d payloads, the file says %d", device.Name, len(payloads), len(device.Payloads))
	}
	for i, p := range payloads {
		if (readyPayload{p.ID, p.Type, p.DisplayName}) != device.Payloads[i] || p.Presence != client.Present || p.Work != client.WorkIdle {
			t.Errorf("%s: %+v, the file says %+v", device.Name, p, device.Payloads[i])
		}
	}
}

func TestDemoKeepsItsFolder(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for range 2 { // the second finds the catalog of the first, and the same devices enroll anew
		runProgram(t, nil, "demo", "--once", "--data", data).want(t, 0, "everything is there")
	}
}

func TestDemoSparesAServersFolder(t *testing.T) {
	data := t.TempDir()
	runProgram(t, nil, "token", "create", "--data", data, "admin").want(t, 0)
	runProgram(t, nil, "demo", "--once", "--data", data).want(t, 1, "not a demo's")
}

func TestServeAndTokens(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	serve := []string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--log-level", "ERROR"}
	running, rest := start(t, "Serving ", serve...)
	url, _, _ := strings.Cut(rest, ",")
	env := []string{"SYNCPAYLOADS_URL=" + url, "SYNCPAYLOADS_CA=" + filepath.Join(data, "ca.pem"), "SYNCPAYLOADS_DATA=" + data}

	made := runProgram(t, env, "token", "create", "--json", "Anna")
	made.want(t, 0)
	token := decode[listedToken](t, made.stdout)
	used := append(env, "SYNCPAYLOADS_TOKEN="+token.Token)
	runProgram(t, used, "device", "list", "--json").want(t, 0, "[]")
	runProgram(t, used, "apns", "show").want(t, 1, "no push certificate has been set")
	runProgram(t, used, "device", "enroll").want(t, 0, url+"/enroll/")
	runProgram(t, env, "token", "create", "Anna").want(t, 1, `a token "Anna" exists`)
	plain := runProgram(t, env, "token", "create", "--expires-in", "1h", "Ben")
	plain.want(t, 0)
	if line := strings.TrimSpace(plain.stdout); !regexp.MustCompile(`^sp_[0-9a-f]+_\S+$`).MatchString(line) {
		t.Errorf("a script cannot take the token from %q", plain.stdout)
	}
	listed := decode[[]listedToken](t, runProgram(t, env, "token", "list", "--json").stdout)
	if len(listed) != 2 || listed[0].Name != "Anna" || listed[0].Token != "" || listed[1].Expires.IsZero() {
		t.Errorf("tokens are %+v", listed)
	}
	runProgram(t, env, "token", "revoke", "Anna").want(t, 0)
	runProgram(t, used, "device", "list").want(t, 1, "401")
	runProgram(t, env, "token", "revoke", "Anna").want(t, 1, `no token with the id or name "Anna"`)

	greeting := running.end(t, syscall.SIGTERM)
	for _, text := range []string{"curl", "--cacert " + filepath.Join(data, "ca.pem"), "NODE_EXTRA_CA_CERTS=", "token create", "device enroll"} {
		if !strings.Contains(greeting, text) {
			t.Errorf("the first start does not say %q:\n%s", text, greeting)
		}
	}
	again, _ := start(t, "Serving ", serve...)
	if greeting := again.end(t, syscall.SIGTERM); strings.Contains(greeting, "NODE_EXTRA_CA_CERTS") {
		t.Errorf("a later start explains itself again:\n%s", greeting)
	}
}

func TestManifestServer(t *testing.T) {
	m, err := startManifestServer(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer m.close() //nolint:errcheck // the test ends
	if !strings.HasPrefix(m.url, "https://127.0.0.1:") {
		t.Errorf("URL is %s", m.url)
	}
	if _, err := http.Get(m.url); err == nil {
		t.Error("a client that does not trust the certificate got the manifest")
	}
}
