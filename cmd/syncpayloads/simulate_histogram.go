package main

import (
	"encoding/json"
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBuckets  = 16 // of each power of two, so that a percentile is right to 6 %
	subBits     = 4
	bucketCount = (64 - subBits) * subBuckets
)

// histogram counts times in a fixed space, however many there are. Any number of goroutines may
// add.
type histogram struct{ counts [bucketCount]atomic.Int64 }

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(uint64(max(0,
		d.Microseconds())))].Add(1)
}

// bucketOf is exact for small numbers; above, a bucket is a sixteenth of a power of two.
func bucketOf(us uint64) int {
	shift := max(0, bits.Len64(us)-subBits-1)
	return shift*subBuckets + int(us>>shift)
}

// top is the largest number in a bucket.
func top(bucket int) uint64 {
	shift := max(0, bucket/subBuckets-1)
	return (uint64(bucket-shift*subBuckets)+1)<<shift - 1
}

// tally is a histogram at a moment.
type tally [bucketCount]int64

func (h *histogram) tally() *tally {
	t := new(tally)
	for i := range h.counts {
		t[i] = h.counts[i].Load()
	}
	return t
}

// since is what came after an earlier moment.
func (t *tally) since(before *tally) *tally {
	d := new(tally)
	for i := range t {
		d[i] = t[i] - before[i]
	}
	return d
}

func (t *tally) total() (n int64) {
	for _, count := range t {
		n += count
	}
	return n
}

// percentile returns the time in milliseconds that a share p of all is not above; NaN if there are
// none.
func (t *tally) percentile(p float64) float64 {
	total := t.total()
	if total == 0 {
		return math.NaN()
	}
	rank, seen := int64(math.Ceil(p*float64(total))), int64(0)
	for i, count := range t {
		if seen += count; seen >= rank {
			return float64(top(i)) / 1000
		}
	}
	return math.NaN()
}

// latency is a summary in milliseconds.
type latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50Milliseconds"`
	P95   float64 `json:"p95Milliseconds"`
	P99   float64 `json:"p99Milliseconds"`
	Max   float64 `json:"maxMilliseconds"`
}

// summary is nil if nothing was counted.
func (t *tally) summary() *latency {
	n := t.total()
	if n == 0 {
		return nil
	}
	return &latency{n, t.percentile(0.5), t.percentile(0.95), t.percentile(0.99), t.percentile(1)}
}

// number is a figure that may be missing: null in JSON.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(n)*100) / 100)
}
