package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSimulateMeasuresCallsAndTheStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "plot.svg")
	out := w.run(t, "simulate", "--devices", "4", "--kind", "iPhone", "--duration", "5s", "--poll",
		"200ms", "--calls", "5", "--json", "--plot", file)
	out.want(t, 0, "KiB of memory each")
	r := decode[simulationResult](t, out.stdout)
	if r.Calls == 0 || r.RoundTrips == 0 || r.MemoryPerDevice <= 0 || len(r.Points) == 0 {
		t.Errorf("result %+v", r)
	}
	for name, l := range map[string]*latency{"exchange": r.Exchange,
		"report to reader": r.ToReader} {
		if l == nil || l.Count == 0 || l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 ||
			l.P99 > l.Max {
			t.Errorf("%s: %+v", name, l)
		}
	}
	checkPlot(t, file, "4 simulated devices", "Throughput, per second",
		"to the stream's reader, milliseconds", "p99", "seconds since")
}

func TestSimulateBurstEndsWhenAllWereServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := w.run(t, "simulate", "--devices", "5", "--connections", "2", "--poll", "1h", "--burst",
		"--json")
	out.want(t, 0, "5 devices enrolled")
	r := decode[simulationResult](t, out.stdout)
	if r.BurstSeconds == nil || *r.BurstSeconds <= 0 || r.Connections < 10 {
		t.Errorf("result %+v", r)
	}
	w.run(t, "simulate", "--devices", "1", "--poll", "1h", "--burst").want(t, 0, "")
}

func TestSimulateRefusesWhatCannotBeMeant(t *testing.T) {
	w := []string{"SYNCPAYLOADS_TOKEN=none"}
	runProgram(t, w, "simulate", "--connections", "0").want(t, exitUsage,
		"--connections must be at least 1")
	runProgram(t, w, "simulate", "--calls=-1").want(t, exitUsage, "--calls is how many a second")
}

// checkPlot checks that the file is well-formed XML with the texts in it.
func checkPlot(t *testing.T, file string, texts ...string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(text))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range texts {
		if !strings.Contains(strings.ReplaceAll(string(text), "&#39;", "'"), want) {
			t.Errorf("the plot has no %q", want)
		}
	}
	if strings.Contains(string(text), "NaN") || strings.Contains(string(text), "Inf") {
		t.Error("the plot has numbers that are none")
	}
}

func TestHistogramPercentiles(t *testing.T) {
	h := new(histogram)
	if h.tally().summary() != nil || !math.IsNaN(h.tally().percentile(0.5)) {
		t.Error("an empty histogram has figures")
	}
	for us := range 100_000 {
		h.add(time.Duration(us) * time.Microsecond)
	}
	h.add(-time.Second)
	l := h.tally().summary()
	for _, p := range []struct{ got, want float64 }{{l.P50, 50}, {l.P95, 95}, {l.P99, 99},
		{l.Max, 100}} {
		if p.got < p.want*0.99 || p.got > p.want*1.07 {
			t.Errorf("got %v ms, want %v ms within 7%%", p.got, p.want)
		}
	}
	if l.Count != 100_001 {
		t.Errorf("%d times are counted", l.Count)
	}
	h.add(1 << 62)
	if got := h.tally().percentile(1); got < float64(1<<62)/1e6*0.99 {
		t.Errorf("the longest time there is counts as %v ms", got)
	}
}

func TestPointsAreJoinedWithoutHidingTheWorst(t *testing.T) {
	nothing := spread{number(math.NaN()), number(math.NaN()), number(math.NaN())}
	joined := halve([]point{{Seconds: 1, Calls: 2, ToReader: spread{1, 2, 9}},
		{Seconds: 2, Calls: 4, ToReader: spread{1, 3, 4}},
		{Seconds: 3, ToReader: nothing}})
	if len(joined) != 2 || joined[0].Seconds != 2 || joined[0].Calls != 3 ||
		joined[0].ToReader != (spread{1, 3, 9}) {
		t.Errorf("joined %+v", joined)
	}
}
