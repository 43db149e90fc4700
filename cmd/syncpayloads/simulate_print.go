package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// simulationResult is what a run came to.
type simulationResult struct {
	Devices     int   `json:"devices"`
	Connections int64 `json:"connections"`
	Commands    int64 `json:"commands"`
	Failures    int64 `json:"connectionsEndedEarly"`

	EnrollingSeconds float64 `json:"enrollingSeconds"`
	MemoryPerDevice  float64 `json:"kibibytesPerDevice"`
	Calls            int64   `json:"calls"`
	CallsPerSecond   float64 `json:"callsPerSecond"`
	RoundTrips       int64   `json:"roundTrips"`
	RoundTripsRate   float64 `json:"roundTripsPerSecond"`
	// of a device's report and the server's answer
	Exchange *latency `json:"exchange,omitempty"`
	// from the report that ended an action until the stream's reader heard of it
	ToReader     *latency `json:"reportToReader,omitempty"`
	BurstSeconds *float64 `json:"burstSeconds,omitempty"`

	Pushes  *simulator.GatewayStats `json:"pushes,omitempty"`
	Android *androidFigures         `json:"android,omitempty"`
	Points  []point                 `json:"points"`
}

func (r *simulation) result() *simulationResult {
	stats, f := r.fleet.Stats(), r.figures
	w := f.summarize()
	result := &simulationResult{Devices: r.command.Devices, Connections: stats.Connections,
		Commands: stats.Commands, Failures: stats.Failures,
		EnrollingSeconds: round(r.enrolling.Seconds()), MemoryPerDevice: round(r.memory),
		Calls:          w.calls,
		CallsPerSecond: round(float64(w.calls) / w.seconds), RoundTrips: w.roundTrips,
		RoundTripsRate: round(float64(w.roundTrips) / w.seconds),
		Android:        r.androids, Exchange: w.exchanges, ToReader: w.toReader, Points: append([]point{}, f.points...)}
	if r.burst != nil {
		took := round(r.burst.Seconds())
		result.BurstSeconds = &took
	}
	if r.gateway != nil {
		pushes := r.gateway.Stats()
		result.Pushes = &pushes
	}
	return result
}

func round(v float64) float64 { return math.Round(v*100) / 100 }

func (r *simulation) print(out io.Writer) error {
	result := r.result()
	if file := r.command.Plot; file != "" {
		title := fmt.Sprintf("%d simulated devices, %d connected at a time", result.Devices,
			r.command.AtOnce)
		if err := os.WriteFile(file, []byte(plot(title, result.Points)), 0o644); err != nil {
			return fmt.Errorf("writing the plot: %w", err)
		}
	}
	if r.command.JSON {
		return printJSON(out, result)
	}
	fmt.Fprintf(out,
		"%d devices: %d connections, %d commands, %d connections ended early; %.1f KiB of memory each\n", result.Devices,
		result.Connections, result.Commands, result.Failures, result.MemoryPerDevice)
	fmt.Fprintf(out, "%.1f calls/s, %.1f device round trips/s\n", result.CallsPerSecond,
		result.RoundTripsRate)
	result.Exchange.print(out, "device's report to answer")
	result.ToReader.print(out, "device's report to reader")
	if result.BurstSeconds != nil {
		fmt.Fprintf(out, "all came back within %s; the last was served after %.2f s\n", burstTime,
			*result.BurstSeconds)
	}
	if result.Pushes != nil {
		fmt.Fprintf(out, "pushes: %d delivered, %d ignored, %d refused\n", result.Pushes.Delivered,
			result.Pushes.Ignored,
			result.Pushes.Refused)
	}
	return nil
}

func (l *latency) print(out io.Writer, what string) {
	if l != nil {
		fmt.Fprintf(out, "%s: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, longest %.1f ms (%d)\n", what,
			l.P50, l.P95, l.P99, l.Max, l.Count)
	}
}
