//go:build !unix

package server

import "math"

// openFiles is how many files the process may have open; here the system sets no limit.
func openFiles() uint64 { return math.MaxUint64 }
