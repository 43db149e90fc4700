package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is processor time, of all processors together.
type usage struct{ driver, server, database time.Duration }

func (b *bench) usage(s subject, postgres bool) (u usage, err error) {
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return u, err
	}
	u.driver = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	if u.server, err = processTime(s.pid()); err != nil {
		return u, err
	}
	if postgres {
		first, err := b.cluster.PID()
		if err != nil {
			return u, err
		}
		u.database, err = familyTime(first)
		return u, err
	}
	return u, err
}

// tick is the unit of processor time in /proc, 1/USER_HZ, which is a hundredth of a second on Linux
// everywhere.
const tick = 10 * time.Millisecond

// processTime is what a process used (proc_pid_stat(5)).
func processTime(pid int) (time.Duration, error) {
	_, used, err := readStat(strconv.Itoa(pid))
	return used, err
}

// familyTime is what a process and its children used: PostgreSQL has a process for each connection.
func familyTime(parent int) (time.Duration, error) {
	list, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	total, err := processTime(parent)
	for _, path := range list {
		of, used, failed := readStat(filepath.Base(path))
		if failed != nil && !errors.Is(failed, fs.ErrNotExist) &&
			!errors.Is(failed, syscall.ESRCH) {
			return 0, failed
		}
		if of == parent {
			total += used
		}
	}
	return total, err
}

// readStat reads a process's parent and what it used, its children that have ended included.
func readStat(pid string) (parent int, used time.Duration, err error) {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0, 0, err
	}
	// The second field is the program's name in parentheses, which may hold anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const firstField, parentField, firstTime, lastTime = 3, 4, 14, 17
	if len(fields) <= lastTime-firstField {
		return 0, 0, fmt.Errorf("/proc/%s/stat is not as expected: %q", pid, text)
	}
	parent, err = strconv.Atoi(fields[parentField-firstField])
	for i := firstTime; i <= lastTime && err == nil; i++ {
		var ticks int64
		ticks, err = strconv.ParseInt(fields[i-firstField], 10, 64)
		used += time.Duration(ticks) * tick
	}
	return parent, used, err
}
