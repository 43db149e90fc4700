// Package servertest has what tests of running servers share, because making it takes longer than
// most of them: the folder of a server that has run before, and the program. It imports the server;
// only tests import it. Begin with Main.
package servertest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

// shared is the folder of what the tests of this process share; empty: Main was not called.
var shared string

// Main runs the tests of a package and removes afterwards what they shared. Call it from TestMain.
func Main(m *testing.M) (code int) {
	var err error
	if shared, err = os.MkdirTemp("", "servertest-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(shared)
	if err := os.Chmod(shared, 0o755); err != nil { // for programs that run as another user
		panic(err)
	}
	return m.Run()
}

// folder is one inside the shared one, which need not be there yet.
func folder(t testing.TB, name string) string {
	t.Helper()
	if shared == "" {
		t.Fatal("TestMain must call servertest.Main")
	}
	return filepath.Join(shared, name)
}

// With its first start a server makes the keys of its CAs and the tables of its database.
var (
	install = sync.OnceValue(func() error {
		return run("installation", func(context.Context, *server.Server) error { return nil })
	})
	installPush = sync.OnceValue(func() error {
		return errors.Join(install(), os.CopyFS(filepath.Join(shared, "push"),
			os.DirFS(filepath.Join(shared, "installation"))),
			run("push", setPushCertificate))
	})
)

// run has a server run in a folder of the shared one for as long as use takes.
func run(name string, use func(context.Context, *server.Server) error) error {
	ctx := context.Background()
	s, err := server.Start(ctx, server.Config{DataDir: filepath.Join(shared, name),
		Listen: "127.0.0.1:0",
		Log:    slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(use(ctx, s), s.Close(ctx))
}

func setPushCertificate(ctx context.Context, s *server.Server) error {
	certificate, key, _, err := simulator.NewPushCertificate(uuid.NewString(), time.Now().UTC())
	if err == nil {
		_, err = s.Channel().SetPushCertificate(ctx, certificate, key)
	}
	return err
}

// Folder returns a new folder of a server that has run before, on SQLite. All servers of a process
// that begin with such a folder have the same CAs.
func Folder(t testing.TB) string {
	t.Helper()
	return copyOf(t, "installation", install)
}

// PushFolder is Folder, with a push certificate.
func PushFolder(t testing.TB) string {
	t.Helper()
	return copyOf(t, "push", installPush)
}

func copyOf(t testing.TB, name string, made func() error) string {
	t.Helper()
	from, data := folder(t, name), t.TempDir()
	if err := errors.Join(made(), os.CopyFS(data, os.DirFS(from))); err != nil {
		t.Fatal(err)
	}
	return data
}
