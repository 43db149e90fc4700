package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newTerminal makes a pseudo-terminal of a width and returns what a program writes to, and what
// comes out of it once that is closed.
func newTerminal(t *testing.T, width uint16) (terminal *os.File, output func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: width})
	}
	if err != nil {
		t.Fatal(err)
	}
	if terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY,
		0); err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	written := make(chan string)
	go func() {
		// ends with an error, as a terminal does when nobody has it open
		text, _ := io.ReadAll(master)
		written <- string(text)
	}()
	return terminal, func() string {
		_ = terminal.Close()
		return <-written
	}
}

// begunLater is how the second action begins: without payloads, and then with the first of them.
func begunLater(t *testing.T) []string {
	t.Helper()
	head, items, found := strings.Cut(strings.ReplaceAll(running, "10:00:00Z", "11:00:00Z"),
		`"deviceActionPayloads":[`)
	first, _, more := strings.Cut(items, "},")
	if !found || !more {
		t.Fatal("the running action has no payloads")
	}
	return []string{head + `"deviceActionPayloads":[]}`,
		head + `"deviceActionPayloads":[` + first + `}]}`}
}

func TestTableOnATerminal(t *testing.T) {
	terminal, output := newTerminal(t, 70)
	v := newView(terminal, "Phone", map[string]string{"b": "wiFi"})
	if _, isTable := v.(*tableView); !isTable {
		t.Fatalf("on a terminal the view is %T", v)
	}
	later := strings.NewReplacer(`"active"`, `"failed"`, `"inProgress","detail":"installing"`,
		`"removed","detail":null`).Replace(running)
	begun := begunLater(t)
	next := strings.NewReplacer("10:00:00Z", "11:00:00Z", "installing",
		strings.Repeat("long ", 50)).Replace(running)
	for _, text := range []string{running, later, later, begun[0], begun[1], next} {
		if err := v.show(nil, parsed(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.close(); err != nil {
		t.Fatal(err)
	}
	shown := output()
	first, second, two := strings.Cut(shown, "11:00:00")
	if !two {
		t.Fatalf("no heading for the second action:\n%s", shown)
	}
	for _, text := range []string{"✓ 写作", "✗ Wi-Fi", "no (code 7)", "3 of 3 ended"} {
		if !strings.Contains(first, text) {
			t.Errorf("the first action's table lacks %q:\n%q", text, first)
		}
	}
	for _, text := range []string{"2 of 3 ended", "long …", "in progress"} {
		if !strings.Contains(second, text) {
			t.Errorf("the second action's table lacks %q:\n%q", text, second)
		}
	}
}
