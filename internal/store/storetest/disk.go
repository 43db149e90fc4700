package storetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/syncpayloads/syncpayloads/internal/store"
)

// Disk is a disk for SQLite files that knows what of them is written for good: what was written
// before the last sync of its file. The rest a loss of power takes, or leaves in pieces. The shared
// memory of the log's index is not on it.
type Disk struct {
	vfs.VFSFilename
	name string

	mu     sync.Mutex
	files  map[string]*image
	held   chan struct{} // a sync waits until it is closed; nil: none waits
	syncs  int           // that have ended
	weak   int           // of them that leave it to the disk when it writes
	asking atomic.Int64  // syncs that have begun
}

// image is what is known of one file.
type image struct {
	kept    []byte
	pending []change // after kept, in their order
}

// change is a write, or a truncation when data is nil.
type change struct {
	at   int64
	data []byte
}

var disks atomic.Int64

// NewDisk returns a disk that works until power is lost on it, or the test ends.
func NewDisk(t testing.TB) *Disk {
	d := &Disk{VFSFilename: vfs.Find("os").(vfs.VFSFilename),
		name: fmt.Sprint("disk", disks.Add(1)), files: make(map[string]*image)}
	vfs.Register(d.name, d)
	t.Cleanup(func() { vfs.Unregister(d.name) })
	return d
}

// Store opens a store on the disk, which the test closes.
func (d *Disk) Store(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.OpenFile(t.Context(), path, d.name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Hold lets nothing be written for good until release. asked counts the syncs that have begun.
func (d *Disk) Hold() (asked func() int64, release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held := make(chan struct{})
	d.held = held
	before := d.asking.Load()
	return func() int64 { return d.asking.Load() - before }, sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.held = nil
		close(held)
	})
}

// Syncs is how many times something was written for good, and how many of them only a system's own
// disks would have done it.
func (d *Disk) Syncs() (all, weak int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.syncs, d.weak
}

// LosePower puts into a folder what is on the disk when its power is lost now: all that was written
// for good, and of the rest what random says, of the last write perhaps only a piece.
func (d *Disk) LosePower(t testing.TB, random *rand.Rand, folder string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, i := range d.files {
		left := slices.Clone(i.kept)
		for _, c := range i.pending {
			if random.IntN(2) == 0 {
				continue
			}
			if c.data != nil && random.IntN(4) == 0 {
				c.data = c.data[:random.IntN(len(c.data)+1)]
			}
			left = c.apply(left)
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), left,
			0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (c change) apply(to []byte) []byte {
	end := int(c.at) + len(c.data)
	if c.data == nil {
		return to[:min(len(to), end)]
	}
	if len(to) < end {
		to = append(to, make([]byte, end-len(to))...)
	}
	copy(to[c.at:], c.data)
	return to
}

// OpenFilename implements vfs.VFSFilename.
func (d *Disk) OpenFilename(name *vfs.Filename,
	flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	path := name.String()
	before, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, flags, err
	}
	f, got, err := d.VFSFilename.OpenFilename(name, flags)
	if err != nil || path == "" {
		return f, got, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files[path] == nil {
		d.files[path] = &image{kept: before}
	}
	return &diskFile{f, d, path}, got, nil
}

// Delete implements vfs.VFS.
func (d *Disk) Delete(name string, syncDir bool) error {
	d.mu.Lock()
	delete(d.files, name)
	d.mu.Unlock()
	return d.VFSFilename.Delete(name, syncDir)
}

// change takes note of what was done to a file.
func (d *Disk) change(path string, c change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := d.files[path]; i != nil {
		i.pending = append(i.pending, c)
	}
}

type diskFile struct {
	vfs.File
	disk *Disk
	path string
}

// SharedMemory implements vfs.FileSharedMemory.
func (f *diskFile) SharedMemory() vfs.SharedMemory {
	if shared, ok := f.File.(vfs.FileSharedMemory); ok && !strings.HasSuffix(f.path, "-wal") {
		return shared.SharedMemory()
	}
	return nil
}

func (f *diskFile) WriteAt(data []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(data, at)
	if n > 0 {
		f.disk.change(f.path, change{at, slices.Clone(data[:n])})
	}
	return n, err
}

func (f *diskFile) Truncate(size int64) error {
	err := f.File.Truncate(size)
	if err == nil {
		f.disk.change(f.path, change{at: size})
	}
	return err
}

// Sync keeps what was written before it began.
func (f *diskFile) Sync(flags vfs.SyncFlag) error {
	d := f.disk
	d.mu.Lock()
	var pending int
	if i := d.files[f.path]; i != nil {
		pending = len(i.pending)
	}
	held := d.held
	d.mu.Unlock()
	d.asking.Add(1)
	if held != nil {
		<-held
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs++
	if flags&vfs.SYNC_FULL != vfs.SYNC_FULL {
		d.weak++
	}
	if i := d.files[f.path]; i != nil {
		for _, c := range i.pending[:pending] {
			i.kept = c.apply(i.kept)
		}
		i.pending = slices.Delete(i.pending, 0, pending)
	}
	return nil // the file itself is thrown away
}
