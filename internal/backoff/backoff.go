// Package backoff says how long to wait before something that failed is tried again. It is a leaf,
// pure, and knows no clock.
package backoff

import "time"

// After is the wait after so many failures in a row: base after the first, and after each other one
// factor times as long as before it, but at most most.
func After(base, most time.Duration, factor, failures int) time.Duration {
	wait := base
	for ; failures > 1 && wait < most; failures-- {
		if wait > most/time.Duration(factor) {
			return most // before it overflows
		}
		wait *= time.Duration(factor)
	}
	return min(wait, most)
}
