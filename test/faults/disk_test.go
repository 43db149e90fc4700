package faults

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/server/servertest"
)

// disk is a small disk of the test's own.
type disk struct {
	*testing.T
	folder string
}

// newDisk mounts a disk of so many bytes, which only root may; others do not run the test.
func newDisk(t *testing.T, size int) *disk {
	t.Helper()
	servertest.Program(t)                   // is not to be on the disk
	folder, err := os.MkdirTemp("", "disk") // not the test's own: that is to be on the disk
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(folder) })
	d := &disk{t, folder}
	err = syscall.Mount("faults", d.folder, "tmpfs", 0, "mode=1777,size="+strconv.Itoa(size))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("a disk to fill can be mounted by root alone")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *disk) filler() string { return filepath.Join(d.folder, "filler") }

// fill leaves no room.
func (d *disk) fill() {
	d.Helper()
	f, err := os.Create(d.filler())
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	for piece := make([]byte, 4096); err == nil; {
		_, err = f.Write(piece)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.Fatal(err)
	}
}

func (d *disk) free() {
	d.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.Fatal(err)
	}
}

// stuck waits until calls are refused and none is accepted any more.
func (l *load) stuck() {
	l.Helper()
	end := time.Now().Add(2 * time.Minute)
	refused := l.refused.Load()
	for calm := 0; calm < 20 || l.refused.Load() < refused+int64(len(l.devices)); {
		accepted := l.calls.Load()
		time.Sleep(100 * time.Millisecond) // in which something could be accepted
		if calm++; l.calls.Load() > accepted {
			calm = 0
		}
		if l.Failed() || time.Now().After(end) {
			l.Fatal("the servers go on accepting")
		}
	}
}
