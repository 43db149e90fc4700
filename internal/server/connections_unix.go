//go:build unix

package server

import (
	"math"
	"syscall"
)

// openFiles is how many files the process may have open: Go has raised its limit as far as it may.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64 // it is not known
	}
	return uint64(limit.Cur)
}
