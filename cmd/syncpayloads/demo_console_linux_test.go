package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// On a terminal the console opens in the desktop's browser, by a link of its own, unless it is told
// not to.
func TestDemoOpensABrowser(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	opened := filepath.Join(folder, "opened")
	if err := unix.Mkfifo(opened, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "xdg-open"),
		[]byte("#!/bin/sh\necho \"$1\" >"+opened+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	t.Setenv("DISPLAY", ":0")
	terminal, output := newTerminal(t, 300)
	for _, try := range []struct {
		out  io.Writer
		open bool
	}{{io.Discard, true}, {terminal, false}, {terminal, true}} {
		w.out = try.out
		if err := w.invite(t.Context(), try.open); err != nil {
			t.Fatal(err)
		}
	}
	links, err := os.ReadFile(opened)
	if err != nil {
		t.Fatal(err)
	}
	link, more, _ := strings.Cut(string(links), "\n")
	consoleCode(t, w.server.URL(), link)
	if shown := output(); more != "" || strings.Contains(shown, link) ||
		strings.Count(shown, "/console/sign-in?code=") != 2 {
		t.Errorf("opened were %q, and shown was\n%s", links, shown)
	}
}

// Without a desktop there is no browser to open, and the demo goes on.
func TestDemoWithoutADesktop(t *testing.T) {
	w := newWorld(t)
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	terminal, output := newTerminal(t, 300)
	w.out = terminal
	if err := w.invite(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if shown := output(); !strings.Contains(shown, "there is no desktop") ||
		!strings.Contains(shown, "/console/sign-in?code=") {
		t.Errorf("shown was\n%s", shown)
	}
}
