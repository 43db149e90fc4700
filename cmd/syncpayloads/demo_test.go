package main

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A demo that is to end does so when the walk is done. In a folder of its user's another one goes
// on with what the first left there: it finds the catalog, and the same devices enroll anew. It
// shows the way to the console, keeps the devices busy, and ends in good order when it is told to.
func TestDemo(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	out := runProgram(t, nil, "demo", "--once", "--data", data)
	out.want(t, 0, "Office Wi-Fi, Company VPN, Keynote are gone, the rest is there",
		"everything is there", "said not now",
		"curl --cacert", "Authorization: Bearer sp_", `-d '{"deviceActionPayloads":[]}'`,
		"/syncPayloads'")
	shown := decode[struct {
		Results []result `json:"deviceActionResults"`
	}](t, out.stdout[strings.LastIndex(out.stdout, "\n{\n"):])
	if len(shown.Results) != 1 {
		t.Fatalf("%d results, want one", len(shown.Results))
	}
	shown.Results[0].want(t, "done", map[string]string{officeWiFi: "restore/succeeded",
		companyVPN: "restore/succeeded",
		keynote:    "restore/succeeded"})
	named := regexp.MustCompile(`(?m)^Database +(.*)$`).FindStringSubmatch(out.stdout)
	if named == nil || !strings.HasPrefix(named[1], data) {
		t.Errorf("the output names the database %q, and the folder is %s", named, data)
	}

	running, _ := start(t, "Watch it in the console", "demo", "--listen", "127.0.0.1:0", "--data",
		data)
	link, walked := "", false
	for running.lines.Scan() && !strings.HasPrefix(running.lines.Text(),
		"The server goes on until Ctrl-C") {
		line := strings.TrimSpace(running.lines.Text())
		if strings.Contains(line, "/console/sign-in") {
			link = line
		}
		walked = walked || strings.Contains(line, "everything is there")
	}
	if !walked {
		t.Error("the second demo's walk does not end with everything there")
	}
	server, _, _ := strings.Cut(link, "/console/")
	consoleCode(t, server, link)
	running.end(t, os.Interrupt)
}

// started is a program that goes on until it is told to end.
type started struct {
	*exec.Cmd
	lines *bufio.Scanner
}

// start runs the program until its output has a line that begins so, and returns the rest of the
// line.
func start(t *testing.T, until string, args ...string) (*started, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	command := invocation(ctx, t, nil, args...)
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
	env := []string{"SYNCPAYLOADS_URL=" + url, "SYNCPAYLOADS_CA=" + filepath.Join(data, "ca.pem"),
		"SYNCPAYLOADS_DATA=" + data}

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
	if len(listed) != 2 || listed[0].Name != "Anna" || listed[0].Token != "" ||
		listed[1].Expires.IsZero() {
		t.Errorf("tokens are %+v", listed)
	}
	runProgram(t, env, "token", "revoke", "Anna").want(t, 0)
	runProgram(t, used, "device", "list").want(t, 1, "401")
	runProgram(t, env, "token", "revoke", "Anna").want(t, 1, `no token with the id or name "Anna"`)

	greeting := running.end(t, syscall.SIGTERM)
	for _, text := range []string{"curl", "--cacert " + filepath.Join(data, "ca.pem"),
		"NODE_EXTRA_CA_CERTS=", "token create", "device enroll"} {
		if !strings.Contains(greeting, text) {
			t.Errorf("the first start does not say %q:\n%s", text, greeting)
		}
	}
	again, _ := start(t, "Serving ", serve...)
	if greeting := again.end(t, syscall.SIGTERM); strings.Contains(greeting,
		"NODE_EXTRA_CA_CERTS") {
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
