package servertest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var build = sync.OnceValue(func() error {
	out, err := exec.Command("go", "build", "-o", filepath.Join(shared, "syncpayloads"),
		"github.com/syncpayloads/syncpayloads/cmd/syncpayloads").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building the program: %w: %s", err, out)
	}
	return nil
})

// Program builds the program as users run it, without the race detector, and returns its path.
func Program(t testing.TB) string {
	t.Helper()
	path := folder(t, "syncpayloads")
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return path
}
