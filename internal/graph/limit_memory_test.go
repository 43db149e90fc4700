package graph

import (
	"strconv"
	"testing"
	"time"
)

// However many callers there are, the limiter remembers a bounded number of them, the busy ones
// among them.
func TestLimiterForgets(t *testing.T) {
	at := time.Unix(0, 0)
	l := NewLimiter(1, 1, func() time.Time { return at })
	for i := range mostCallers + 100 {
		at = at.Add(time.Microsecond)
		l.Take("caller " + strconv.Itoa(i))
		if i%100 == 0 {
			if _, ok := l.Take("busy"); ok && i > 0 {
				t.Fatalf("the busy one was forgotten after %d others", i)
			}
		}
	}
	if l.callers.Len() > mostCallers {
		t.Errorf("%d callers are remembered", l.callers.Len())
	}
}
