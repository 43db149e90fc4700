//go:build !unix

package cost

import "time"

var began = time.Now()

func processorTime() time.Duration { return time.Since(began) }
