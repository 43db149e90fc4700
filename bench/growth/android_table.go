package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// counted is what SQLite did for this process. These are no times: a busy machine has the same.
var counted struct {
	statements atomic.Int64
	rows       atomic.Int64 // that statements returned
	steps      atomic.Int64 // of SQLite's virtual machine: some five to ten for each row looked at
}

// countStatements counts on all connections from now on.
func countStatements() {
	sqlite3.AutoExtension(func(c *sqlite3.Conn) error {
		return c.Trace(sqlite3.TRACE_PROFILE|sqlite3.TRACE_ROW,
			func(event sqlite3.TraceEvent, of, _ any) error {
				if event == sqlite3.TRACE_ROW {
					counted.rows.Add(1)
					return nil
				}
				counted.statements.Add(1)
				if stmt, ok := of.(*sqlite3.Stmt); ok && stmt != nil {
					counted.steps.Add(int64(stmt.Status(sqlite3.STMTSTATUS_VM_STEP, true)))
				}
				return nil
			})
	})
}

// androidFigure is what something costs: the mean of several.
type androidFigure struct {
	name                    string
	statements, rows, steps float64
	took                    time.Duration
}

// figure measures what is done so many times.
func (s *androidSite) figure(name string, times int, do func() error) (androidFigure, error) {
	s.settle()
	statements, rows, steps := counted.statements.Load(), counted.rows.Load(), counted.steps.Load()
	began, waited := time.Now(), s.waited
	err := do()
	took := time.Since(began) - (s.waited - waited)
	s.settle()
	n := float64(times)
	return androidFigure{name, float64(counted.statements.Load()-statements) / n,
		float64(counted.rows.Load()-rows) / n, float64(counted.steps.Load()-steps) / n,
		took / time.Duration(times)}, err
}

const androidTimes = 10

func (s *androidSite) measure(ctx context.Context) (list []androidFigure, err error) {
	add := func(name string, times int, do func() error) {
		if err != nil {
			return
		}
		var f androidFigure
		f, err = s.figure(name, times, do)
		list = append(list, f)
	}
	add("a report of a device, pulled and taken", androidTimes, func() error {
		for i := range androidTimes {
			s.clock.Advance(time.Minute)
			if err := s.devices[realDevices-1-i].Report(); err != nil {
				return err
			}
			if _, err := s.channel.Pull(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	add("a removal, from the call to its end", androidTimes, func() error {
		for i := range androidTimes {
			if err := s.remove(ctx, realDevices-1-i, true); err != nil {
				return err
			}
		}
		return nil
	})
	add("the clocks' look each second, with nothing due", androidTimes, func() error {
		for range androidTimes {
			if err := s.engine.Sweep(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	d := s.devices[realDevices-1]
	listed, err := s.store.AndroidEnrollment(ctx, d.Name())
	if err != nil {
		return nil, err
	}
	s.list.report.LastStatusReportTime = time.UnixMicro(listed.State.Reported).Add(-24 * time.Hour).
		UTC().Format(time.RFC3339Nano)
	s.list.report.AppliedState, s.list.report.State = "ACTIVE", "ACTIVE"
	pages := (s.size + pageSize - 1) / pageSize
	add("a page of 100 of the hourly list, of whom none said anything new", pages,
		func() error { return s.channel.Sweep(ctx) })
	return list, err
}

// runAndroid measures Android fleets of all sizes, one after the other.
func (g *growth) runAndroid(ctx context.Context) (text string, err error) {
	var all [][]androidFigure
	for _, size := range g.sizes {
		s, err := newAndroidSite(ctx, g.dir, size)
		if err != nil {
			return "", fmt.Errorf("%d Android devices: %w", size, err)
		}
		list, err := s.measure(ctx)
		if err := errors.Join(err, s.close()); err != nil {
			return "", fmt.Errorf("%d Android devices: %w", size, err)
		}
		all = append(all, list)
		fmt.Fprintf(os.Stderr, "%d Android devices are measured\n", size)
	}
	var b strings.Builder
	b.WriteString("|")
	for _, size := range g.sizes {
		fmt.Fprintf(&b, " | %d devices: statements, rows, steps, time", size)
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---:", len(g.sizes)) + "|\n")
	for i, first := range all[0] {
		b.WriteString("| " + first.name)
		for _, list := range all {
			f := list[i]
			fmt.Fprintf(&b, " | %.1f, %.1f, %.0f, %.2f ms", f.statements, f.rows, f.steps,
				float64(f.took.Microseconds())/1000)
		}
		b.WriteString(" |\n")
	}
	return b.String(), nil
}
