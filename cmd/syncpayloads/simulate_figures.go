package main

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// figures are what a simulation measures. It is the fleet's observer.
type figures struct {
	devices map[*simulator.Device]*observed // filled before the fleet runs
	byID    map[string]*observed            // by the server's id; filled before the stream is read

	calls, roundTrips    atomic.Int64
	exchanges, toReaders histogram
	generation, served   atomic.Int64

	mu     sync.Mutex
	points []point
	every  time.Duration // between points
	first  counted       // when the devices had enrolled
	last   counted
}

// observed is a device as the figures see it.
type observed struct {
	device     *simulator.Device
	reportedAt atomic.Int64 // Unix nanoseconds of the beginning of its last report
	servedIn   atomic.Int64 // the last generation in which it was served
}

func newFigures() *figures {
	return &figures{devices: make(map[*simulator.Device]*observed),
		byID: make(map[string]*observed), every: time.Second}
}

func (f *figures) add(d *simulator.Device) { f.devices[d] = &observed{device: d} }

// Reporting implements simulator.Observer.
func (f *figures) Reporting(d *simulator.Device) {
	f.devices[d].reportedAt.Store(time.Now().UnixNano())
}

// Answered implements simulator.Observer.
func (f *figures) Answered(d *simulator.Device, x simulator.Exchange) {
	f.exchanges.add(x.Took)
	if !x.Idle {
		f.roundTrips.Add(1)
	}
	if now := f.generation.Load(); x.Last && f.devices[d].servedIn.Swap(now) != now {
		f.served.Add(1)
	}
}

// ended takes note that the stream's reader has heard of an action's end. The report that ended it
// is the device's last: there is nothing left for it to report. An action that had nothing to do
// ends without one.
func (f *figures) ended(id string, heard time.Time) {
	o := f.byID[id]
	if o == nil {
		return
	}
	if at := o.reportedAt.Swap(0); at != 0 {
		f.toReaders.add(heard.Sub(time.Unix(0, at)))
	}
}

// expectAll begins to count anew which devices were served.
func (f *figures) expectAll() {
	f.served.Store(0)
	f.generation.Add(1)
}

// untilAllServed waits until every device has had a connection that the server ended for want of
// work.
func (f *figures) untilAllServed(ctx context.Context) error {
	for f.served.Load() < int64(len(f.devices)) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

// counted is how the counters stood.
type counted struct {
	at                   time.Time
	calls, roundTrips    int64
	exchanges, toReaders *tally
}

func (f *figures) counted() counted {
	return counted{time.Now(), f.calls.Load(), f.roundTrips.Load(), f.exchanges.tally(),
		f.toReaders.tally()}
}

// point is what happened in a piece of time.
type point struct {
	Seconds    float64 `json:"seconds"` // of its end, since the devices had enrolled
	Calls      float64 `json:"callsPerSecond"`
	RoundTrips float64 `json:"roundTripsPerSecond"`
	Exchange   spread  `json:"exchangeMilliseconds"`
	ToReader   spread  `json:"reportToReaderMilliseconds"`
}

// spread are percentiles, NaN if nothing happened.
type spread struct {
	P50 number `json:"p50"`
	P95 number `json:"p95"`
	P99 number `json:"p99"`
}

func spreadOf(t *tally) spread {
	return spread{number(t.percentile(0.5)), number(t.percentile(0.95)), number(t.percentile(0.99))}
}

// mostPoints bounds how many points are kept: when there are more, each two become one.
const mostPoints = 600

// run adds a point every second, later every two, and so on, until ctx ends.
func (f *figures) run(ctx context.Context) {
	f.mu.Lock()
	f.first = f.counted()
	f.last = f.first
	f.mu.Unlock()
	for {
		f.mu.Lock()
		every := f.every
		f.mu.Unlock()
		select {
		case <-ctx.Done():
			f.sample()
			return
		case <-time.After(every):
			f.sample()
		}
	}
}

func (f *figures) sample() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, last := f.counted(), f.last
	took := now.at.Sub(last.at).Seconds()
	if took < 0.1*f.every.Seconds() {
		return // too short to say anything
	}
	f.points = append(f.points, point{now.at.Sub(f.first.at).Seconds(),
		float64(now.calls-last.calls) / took,
		float64(now.roundTrips-last.roundTrips) / took,
		spreadOf(now.exchanges.since(last.exchanges)),
		spreadOf(now.toReaders.since(last.toReaders))})
	f.last = now
	if len(f.points) > mostPoints {
		f.points, f.every = halve(f.points), 2*f.every
	}
}

// halve joins each two points: rates become their mean, percentiles the worse of the two.
func halve(points []point) []point {
	joined := make([]point, 0, len(points)/2+1)
	for pair := range slices.Chunk(points, 2) {
		one := pair[len(pair)-1]
		if len(pair) == 2 {
			one.Calls, one.RoundTrips = (pair[0].Calls+one.Calls)/2,
				(pair[0].RoundTrips+one.RoundTrips)/2
			one.Exchange, one.ToReader = one.Exchange.worse(pair[0].Exchange),
				one.ToReader.worse(pair[0].ToReader)
		}
		joined = append(joined, one)
	}
	return joined
}

func (s spread) worse(than spread) spread {
	worse := func(a, b number) number {
		if math.IsNaN(float64(a)) || b > a {
			return b
		}
		return a
	}
	return spread{worse(s.P50, than.P50), worse(s.P95, than.P95), worse(s.P99, than.P99)}
}

// totals is what happened since the devices had enrolled.
type totals struct {
	seconds             float64
	calls, roundTrips   int64
	exchanges, toReader *latency // nil: there were none
}

func (f *figures) summarize() totals {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.counted()
	return totals{now.at.Sub(f.first.at).Seconds(), now.calls - f.first.calls,
		now.roundTrips - f.first.roundTrips,
		now.exchanges.since(f.first.exchanges).summary(),
		now.toReaders.since(f.first.toReaders).summary()}
}
