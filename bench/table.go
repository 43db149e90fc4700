package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is what is reported: a line a run.
type table struct {
	*bench
	began time.Time
	lines []string
	notes []string
}

const heading = `| storages | server | round trips | round trips/s | exchange p50 | exchange p99 | queued in | server CPU | PostgreSQL CPU | driver CPU |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|
`

func (t *table) add(storage, server string, o *outcome) {
	t.lines = append(t.lines, fmt.Sprintf("| %s | %s | %d | %.0f | %s | %s | %s | %s | %s | %s |",
		storage, server, o.roundTrips, o.rate(),
		milliseconds(o.percentile(0.5)), milliseconds(o.percentile(0.99)), milliseconds(o.queueing),
		share(o.server, o.took),
		share(o.database, o.took), share(o.driver, o.took)))
}

func (t *table) skip(storage, why string) {
	t.notes = append(t.notes, fmt.Sprintf("* %s: not measured, because %s.", storage, why))
}

func (t *table) ratio(storage string, ratios []float64) {
	t.notes = append(t.notes,
		fmt.Sprintf("* %s: syncpayloads made %.2f times as many round trips a second as NanoMDM (median; from %.2f to %.2f).",
			storage, median(ratios), slices.Min(ratios), slices.Max(ratios)))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}

// share is how many processors were busy with it.
func share(used, took time.Duration) string {
	return fmt.Sprintf("%.2f", used.Seconds()/took.Seconds())
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if middle := len(sorted) / 2; len(sorted)%2 == 1 {
		return sorted[middle]
	} else {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
}

func (t *table) markdown() string {
	return fmt.Sprintf("%d devices, %d commands each, %d rounds a run, %d connections; %d processors, %s, %s.\n\n", t.count, t.commands,
		t.rounds, t.count, runtime.NumCPU(), runtime.Version(),
		t.began.UTC().Format(time.DateOnly)) + heading +
		strings.Join(t.lines, "\n") + "\n\n" + strings.Join(t.notes, "\n") + "\n"
}
