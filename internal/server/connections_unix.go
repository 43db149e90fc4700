//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles returns how many files the process may have open. Go has already raised the limit as
// far as it may.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64 // unknown
	}
	return uint64(limit.Cur)
}
