package faults

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

// onFile is a site of one server with a SQLite file in a folder, which is read while the server
// rests.
func onFile(t *testing.T, devices int) (s *site, file string) {
	t.Helper()
	s = newSite(t, devices, "", "")
	file = filepath.Join(s.nodes[0].data, server.DatabaseFile)
	s.database = file
	return s, file
}

// damage overwrites all pages of the file from one on, and returns the file's content.
func damage(t *testing.T, file string, from int) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := int(binary.BigEndian.Uint16(text[16:])) // SQLite, "Database File Format", 1.3.2
	if len(text) < (from+1)*page {
		t.Fatalf("the file has %d bytes", len(text))
	}
	for i := from * page; i < len(text); i++ {
		text[i] = 0xAA
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(text[from*page:], int64(from*page))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A server does not start on a file that it cannot use. It says which file that is and what is
// wrong with it, and does not touch it.
func TestUnusableFile(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, n *node, file string)
		says  string
	}{
		"damaged at the beginning": {func(t *testing.T, _ *node, file string) {
			damage(t, file, 0)
		}, "damaged"},
		"damaged in the middle": {func(t *testing.T, _ *node, file string) {
			damage(t, file, 20)
		}, "damaged"},
		"cut off": {func(t *testing.T, _ *node, file string) {
			if err := os.Truncate(file, 40_000); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"read-only": {func(t *testing.T, n *node, file string) {
			if os.Getuid() == 0 { // root may write to any
				n.login = &syscall.Credential{Uid: 65534, Gid: 65534}
			}
			if err := errors.Join(os.Chmod(file, 0o444), os.Chmod(n.data, 0o555),
				open(filepath.Dir(n.data))); err != nil {
				t.Fatal(err)
			}
		}, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, file := onFile(t, 0)
			n := s.nodes[0]
			n.signal(syscall.SIGTERM) // what is in the log goes into the file
			c.spoil(t, n, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			n.start()
			code, said := n.ends(30 * time.Second)
			if code == 0 || !strings.Contains(said, file) || !strings.Contains(said, c.says) {
				t.Errorf("ended with %d, and said: %s", code, said)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// open lets everybody go through the test's folders, up to the one for everybody's temporary files.
func open(folder string) error {
	for ; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil || info.Mode().Perm()&0o001 != 0 {
			return err
		}
		if err := os.Chmod(folder, 0o755); err != nil {
			return err
		}
	}
}

// A server whose file breaks while it runs says that it fails, to whoever asks for what it cannot
// read or keep, and logs why; nothing is accepted any more that would be lost. It does not start
// again on that file.
func TestFileBreaks(t *testing.T) {
	t.Parallel()
	s, file := onFile(t, 1)
	n, d := s.nodes[0], s.devices[0]
	n.signal(syscall.SIGTERM)
	n.start()
	n.up()
	damage(t, file, 1)
	accepted := 0
	for range 5 {
		if s.declare(s.url, d, s.catalog[:1], "0") {
			accepted++
		}
		s.declare(s.url, d, nil, "0")
	}
	status, answer, err := s.call("GET", "/beta/deviceManagement/deviceConfigurations", nil)
	if accepted > 0 || err != nil || status < 500 {
		t.Errorf("%d calls were accepted; the catalog is answered %d %s %v; %s", accepted, status,
			answer, err, n.said)
	}
	n.alive()
	if said := n.said.String(); !strings.Contains(said, "malformed") {
		t.Errorf("the log does not say why: %s", said)
	}
	n.kill()
	n.start()
	if code, said := n.ends(30 * time.Second); code == 0 || !strings.Contains(said, file) {
		t.Errorf("started again with %d: %s", code, said)
	}
}

// On a full disk nothing is accepted that is not kept, and the server goes on when there is room
// again.
func TestFullDisk(t *testing.T) {
	disk := newDisk(t, 16<<20)
	t.Setenv("TMPDIR", disk.folder)
	s, file := onFile(t, 3)
	if !strings.HasPrefix(file, disk.folder) {
		t.Fatalf("the database is not on the small disk but in %s", file)
	}
	l := s.load(s.devices)
	for end := time.Now().Add(lasting(0)); ; {
		l.again()
		disk.fill()
		l.stuck()
		if status, _, err := s.call("GET", "/healthz", nil); err != nil || status != http.StatusOK {
			t.Errorf("the server says of itself %d %v", status, err)
		}
		disk.free()
		l.again()
		if time.Now().After(end) {
			break
		}
	}
	s.nodes[0].alive()
	l.finish()
}
