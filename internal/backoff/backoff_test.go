package backoff_test

import (
	"math"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/backoff"
)

func TestAfter(t *testing.T) {
	const forever = time.Duration(math.MaxInt64)
	for _, tt := range []struct {
		base, most       time.Duration
		factor, failures int
		want             time.Duration
	}{
		{1, 10, 2, 0, 1},
		{1, 10, 2, 1, 1},
		{1, 10, 2, 2, 2},
		{1, 10, 2, 4, 8},
		{1, 10, 2, 5, 10},
		{1, 10, 2, math.MaxInt, 10},
		{1, 8, 2, 4, 8},
		{1, 100, 4, 3, 16},
		{20, 10, 2, 1, 10},
		{3, forever, 2, 1000, forever},
	} {
		if got := backoff.After(tt.base, tt.most, tt.factor, tt.failures); got != tt.want {
			t.Errorf("After(%d, %d, %d, %d) = %d, want %d", tt.base, tt.most, tt.factor,
				tt.failures, got, tt.want)
		}
	}
}
