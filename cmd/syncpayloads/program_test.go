package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// outcome is how a run of the program ended.
type outcome struct {
	stdout, stderr string
	code           int
}

// invocation prepares a run, with nothing of the tester's own settings in its environment.
func invocation(ctx context.Context, t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	binary := servertest.Program(t)
	command := exec.CommandContext(ctx, binary, args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(binary),
		"TMPDIR=" + os.TempDir()}, env...)
	return command
}

const runTime = 2 * time.Minute

func runProgram(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	command := invocation(ctx, t, env, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatalf("%v: %v", args, err)
	}
	return outcome{stdout.String(), stderr.String(), command.ProcessState.ExitCode()}
}

// want checks an exit code, and what stdout and stderr say together.
func (o outcome) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", o.code, code, o.stdout, o.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(o.stdout+o.stderr, text) {
			t.Errorf("output lacks %q:\nstdout: %s\nstderr: %s", text, o.stdout, o.stderr)
		}
	}
}

// world is a server with simulated devices in this process, for the program to be used on.
type world struct {
	*demo
	env []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	fleet, err := startDemoFleet(t.Context(), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.close)
	data := servertest.Folder(t)
	config := server.Config{DataDir: data, Listen: "127.0.0.1:0",
		RestoreAfter: server.DefaultRestoreAfter, Policy: demoPolicy, APNsURL: fleet.gateway.URL(),
		APNsCAs: fleet.gatewayCAs, Log: log}
	useInPlaceOfGoogle(&config, fleet.google.url)
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		fleet.stopDevices()
		if err := running.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	d := &demo{out: io.Discard, data: data, server: running, fleet: fleet}
	if err := d.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &world{d, []string{"SYNCPAYLOADS_URL=" + running.URL(), "SYNCPAYLOADS_TOKEN=" + d.token,
		"SYNCPAYLOADS_CA=" + running.CAFile()}}
}

func (w *world) run(t *testing.T, args ...string) outcome {
	t.Helper()
	return runProgram(t, w.env, args...)
}

// payloads are those of a device by their names.
func (w *world) payloads(t *testing.T, device *demoDevice) map[string]client.Payload {
	t.Helper()
	list, err := w.client.Payloads(t.Context(), device.id)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]client.Payload)
	for _, p := range list {
		found[p.DisplayName] = p
	}
	return found
}

func TestReadPool(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	var pool *x509.CertPool
	pool, err := readPool(file)
	if err == nil || pool != nil || !strings.Contains(err.Error(), "no certificate in PEM") {
		t.Errorf("pool %v, error %v", pool, err)
	}
}
