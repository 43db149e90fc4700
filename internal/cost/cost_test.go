package cost

import (
	"testing"
	"time"
)

// told keeps what a test would have failed with.
type told struct {
	testing.TB
	failures int
}

func (t *told) Helper()               {}
func (t *told) Errorf(string, ...any) { t.failures++ }

var kept []byte

func TestBound(t *testing.T) {
	for name, c := range map[string]struct {
		do   func()
		want int
	}{
		"nothing": {func() {}, 0},
		"memory":  {func() { kept = make([]byte, 4<<20) }, 1},
		"time": {func() {
			for began := processorTime(); processorTime()-began < 100*time.Millisecond; {
			}
		}, 1},
	} {
		watched := &told{TB: t}
		end := Bound(watched, 2<<20, 50*time.Millisecond)
		c.do()
		if end(); watched.failures != c.want {
			t.Errorf("%s: %d failures, want %d", name, watched.failures, c.want)
		}
	}
}
