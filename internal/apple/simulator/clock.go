package simulator

import "time"

// Clock is time as the devices see it. Retries, busy times, polling and slow app installs follow
// it.
type Clock interface {
	Now() time.Time
	// After behaves as time.After does.
	After(time.Duration) <-chan time.Time
}

type systemClock struct{}

func (systemClock) Now() time.Time                         { return time.Now() }
func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
