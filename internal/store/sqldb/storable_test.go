package sqldb_test

import (
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/store/sqldb"
)

type (
	deviceID  string
	payloadID string
	kind      string
)

// A parameter of any string type can be stored, and the others stay as they are.
func TestStorable(t *testing.T) {
	now := time.Now()
	got := sqldb.Storable([]any{"a\x00b", deviceID("a\x00\xff"), payloadID("p"), kind("\x00"),
		int64(1), nil, []byte{0}, true, now})
	for i, want := range []any{"a\ufffdb", "a\ufffd\ufffd", "p", "\ufffd", int64(1), nil, nil, true,
		now} {
		if b, is := got[i].([]byte); is && len(b) == 1 && b[0] == 0 && i == 6 {
			continue
		}
		if got[i] != want {
			t.Errorf("%d is %#v, want %#v", i, got[i], want)
		}
	}
}
