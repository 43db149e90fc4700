package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rsc.io/qr"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/access"
	android "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// An admin sets Android up from nothing in the terminal: the program prints the link, and takes the
// address that Google leads back to.
func TestAndroidSetup(t *testing.T) {
	t.Parallel()
	google := servertest.StartGoogle(t, android.Options{})
	data := servertest.Folder(t)
	config := server.Config{DataDir: data, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}
	google.Use(&config)
	running, err := server.Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = running.Close(context.Background()) })
	_, bearer, err := running.Tokens().Create(t.Context(), access.TokenInput{Name: "admin",
		Role: access.Administrator})
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"SYNCPAYLOADS_URL=" + running.URL(), "SYNCPAYLOADS_TOKEN=" + bearer,
		"SYNCPAYLOADS_CA=" + running.CAFile()}
	file := func(text []byte) string {
		path := filepath.Join(t.TempDir(), "key.json")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	runProgram(t, env, "android", "setup").want(t, exitUsage, "commercial EMM providers only",
		"no service account yet", "--service-account FILE")
	runProgram(t, env, "android", "setup", "--service-account", file([]byte("no key"))).want(t,
		exitFailure, "is not the JSON key file")
	runProgram(t, env, "android", "setup", "--service-account",
		file([]byte(`{"type":"authorized_user"}`))).want(t, exitFailure, "service_account")
	runProgram(t, env, "android", "token").want(t, exitFailure, "finish the set-up first")
	runProgram(t, env, "android", "show").want(t, 0, "not started")

	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	command := invocation(ctx, t, env, "android", "setup", "--service-account",
		file(google.KeyFile(t)))
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	shown, lines := "", bufio.NewScanner(out)
	for lines.Scan() {
		shown += lines.Text() + "\n"
		if link := strings.TrimSpace(lines.Text()); strings.HasPrefix(link, "http://") {
			back := google.FollowSignup(t, link)
			if _, err := in.Write([]byte(back.String() + "\n")); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := command.Wait(); err != nil || !strings.Contains(shown, "All is set up") ||
		!strings.Contains(shown, "enterprises/LC") || strings.Contains(shown, "PRIVATE KEY") {
		t.Fatalf("%v\n%s", err, shown)
	}
	runProgram(t, env, "android", "show").want(t, 0, "ready", "simulated-project", "pull")
	runProgram(t, env, "android", "setup", "--json").want(t, 0, `"step": "ready"`)
}

// A token from the terminal enrolls a device; a group gets it; a revoked one enrolls nobody.
func TestAndroidTokenEnrolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(t, "android", "token", "--valid", "2161h").want(t, exitFailure, "90 days")
	w.run(t, "android", "token", "--mode", "byod").want(t, exitUsage, "dedicated")
	w.run(t, "android", "token", "--group", "Nobody").want(t, exitFailure,
		"no group of devices 'Nobody'")
	w.run(t, "android", "token", "--group", "iPhones and iPads", "--json").want(t, 0, `"groupId"`)
	var made client.AndroidToken
	text := w.run(t, "android", "token", "--mode", "dedicated", "--one-time", "--json").stdout
	if err := json.Unmarshal([]byte(text), &made); err != nil || made.Value == "" || !made.OneTime {
		t.Fatalf("%v in %s", err, text)
	}
	if _, err := w.fleet.google.service.Enroll(made.Value, "FROM-CLI",
		android.DeviceOptions{Model: "Pixel 9"}); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(runTime); ; time.Sleep(50 * time.Millisecond) {
		listed := w.run(t, "device", "list", "--filter",
			"deviceEnrollmentType eq 'androidEnterpriseDedicatedDevice' and serialNumber eq 'FROM-CLI'")
		if strings.Contains(listed.stdout, "Pixel 9 FROM-CLI") {
			break
		}
		if time.Now().After(limit) {
			t.Fatalf("the device never comes: %s%s", listed.stdout, listed.stderr)
		}
	}
	w.run(t, "device", "show", "Pixel 9 FROM-CLI").want(t, 0, "androidEnterpriseDedicatedDevice")

	picture := filepath.Join(t.TempDir(), "code.png")
	printed := w.run(t, "android", "token", "--png", picture)
	printed.want(t, 0, "afw#setup", "android revoke")
	if png, err := os.ReadFile(picture); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
		t.Errorf("the picture is %.20q (%v)", png, err)
	}
	tokens, err := w.client.AndroidTokens(t.Context())
	if err != nil || len(tokens) < 2 || !strings.Contains(printed.stdout, tokens[0].ID) {
		t.Fatalf("%v, %v", tokens, err)
	}
	w.run(t, "android", "revoke", tokens[0].ID).want(t, 0)
	w.run(t, "android", "revoke", tokens[0].ID).want(t, exitFailure, "no Android enrollment token")
	if shown := w.run(t, "android", "show"); strings.Contains(shown.stdout, tokens[0].ID) {
		t.Errorf("the revoked token is shown: %s", shown.stdout)
	}
}

// What the help desk does on an iPhone it does on an Android phone, and both end as asked.
func TestRemoveAndRestoreOnAndroid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var phone *demoDevice
	for _, d := range w.fleet.devices {
		if d.android != nil {
			phone = d
			break
		}
	}
	w.run(t, "remove", "--wait", phone.name, androidTimesheets, androidWiFi).want(t, 0)
	if phone.has(timesheetsPackage) || phone.has(androidNetwork+androidOfficeSSID) ||
		!phone.has(androidSetting+androidRulesMarker) {
		t.Errorf("the device has %v, %v, %v", phone.android.Apps(), phone.android.Networks(),
			phone.android.Settings())
	}
	w.run(t, "restore", "--wait", phone.name).want(t, 0)
	if err := w.check(phone, slices.Collect(maps.Values(w.payloads(t, phone))), nil); err != nil {
		t.Error(err)
	}
}

// The printed code is the code: each character is two modules, with the margin that readers need.
func TestPrintedQRCode(t *testing.T) {
	code, err := qr.Encode(strings.Repeat(`{"android.app.extra":"x"}`, 12), qr.L)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printQR(&out, code, false)
	rows := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	black := map[rune][2]bool{' ': {}, '▀': {true, false}, '▄': {false, true}, '█': {true, true}}
	for y, row := range rows {
		modules := []rune(row)
		if len(modules) != code.Size+2*qrMargin {
			t.Fatalf("row %d has %d characters for %d modules", y, len(modules), code.Size)
		}
		for x, r := range modules {
			for half, got := range black[r] {
				if want := code.Black(x-qrMargin, 2*y+half-qrMargin); got != want {
					t.Fatalf("module %d,%d is %t, want %t", x-qrMargin, 2*y+half-qrMargin, got, want)
				}
			}
		}
	}
	if need := (code.Size + 2*qrMargin + 1) / 2; len(rows) != need {
		t.Errorf("%d rows, want %d", len(rows), need)
	}
}
