// Package cost holds tests to what a reader of outside bytes may take: memory and processor time
// for one input. Only tests import it, and it imports no other package of this project. Begin with
// Bound.
package cost

import (
	"runtime/metrics"
	"testing"
	"time"
)

// Bound starts to measure, and returns what ends it: the test fails if meanwhile the process has
// allocated more than a number of bytes or used more than a time of its processors. Both count
// everything that the process does, so that a server in it counts, too; what is allocated counts
// even when it is free again.
//
//	defer cost.Bound(t, 8<<20, time.Second)()
func Bound(t testing.TB, bytes uint64, took time.Duration) func() {
	t.Helper()
	beforeBytes, beforeTime := allocated(), processorTime()
	return func() {
		t.Helper()
		if got := allocated() - beforeBytes; got > bytes {
			t.Errorf("%d bytes allocated, more than %d", got, bytes)
		}
		if got := processorTime() - beforeTime; got > took {
			t.Errorf("%s of processor time, more than %s", got, took)
		}
	}
}

// Input bounds one input of a fuzz test that is read without a server. The fuzzer's own instruments
// make readers several times as slow.
func Input(t testing.TB) func() {
	t.Helper()
	return Bound(t, 64<<20, 2*time.Second)
}

func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
