package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table is what one engine's databases gave.
type table struct {
	*growth
	engine  string
	began   time.Time
	columns []*column
}

// column is what one database gave.
type column struct {
	size    int
	names   []string // of the figures, in the order in which they came
	samples map[string][]float64
	rates   map[string]bool
	room    room
}

func newTable(engine string, g *growth) *table {
	t := &table{growth: g, engine: engine, began: time.Now()}
	for _, size := range g.sizes {
		t.columns = append(t.columns, &column{size: size, samples: make(map[string][]float64),
			rates: make(map[string]bool)})
	}
	return t
}

// add takes samples of a time.
func (c *column) add(name string, took ...time.Duration) {
	for _, d := range took {
		c.sample(name, float64(d.Microseconds())/1000)
	}
}

// rate takes a sample of a rate.
func (c *column) rate(name string, perSecond float64) {
	c.rates[name] = true
	c.sample(name, perSecond)
}

func (c *column) sample(name string, value float64) {
	if !slices.Contains(c.names, name) {
		c.names = append(c.names, name)
	}
	c.samples[name] = append(c.samples[name], value)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	if middle := len(sorted) / 2; len(sorted)%2 == 1 {
		return sorted[middle]
	} else {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
}

// ratio is how much worse a figure is than in the smallest size.
func (t *table) ratio(name string, c *column) float64 {
	least, here := median(t.columns[0].samples[name]), median(c.samples[name])
	if c.rates[name] {
		return least / here
	}
	return here / least
}

func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**, %s, %d processors, %s, medians of %d rounds by turns\n\n|", t.engine,
		t.began.UTC().Format(time.DateOnly),
		runtime.NumCPU(), runtime.Version(), t.rounds)
	for i, c := range t.columns {
		fmt.Fprintf(&b, " | %d devices", c.size)
		if i > 0 {
			b.WriteString(" | ratio")
		}
	}
	b.WriteString(" |\n|---" + strings.Repeat("|---:", 2*len(t.columns)-1) + "|\n")
	for _, name := range t.columns[0].names {
		b.WriteString("| " + name)
		for i, c := range t.columns {
			unit := " ms"
			if c.rates[name] {
				unit = ""
			}
			fmt.Fprintf(&b, " | %.2f%s", median(c.samples[name]), unit)
			if i > 0 {
				fmt.Fprintf(&b, " | %.2f", t.ratio(name, c))
			}
		}
		b.WriteString(" |\n")
	}
	return b.String() + "\n" + t.rooms()
}

// rooms tells what is on the disk.
func (t *table) rooms() string {
	var b strings.Builder
	b.WriteString("| devices | database | per device | ledger as text | per action | per event |\n|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range t.columns {
		fmt.Fprintf(&b, "| %d | %.1f MB | %d bytes | %d bytes | %d bytes | %d bytes |\n", c.size,
			float64(c.room.total)/1e6, c.room.perDevice,
			c.room.ledger, c.room.action, c.room.event)
	}
	b.WriteString("\n| table with its indexes |")
	for _, c := range t.columns {
		fmt.Fprintf(&b, " rows, bytes at %d |", c.size)
	}
	b.WriteString("\n|---" + strings.Repeat("|---:", len(t.columns)) + "|\n")
	for i, first := range t.columns[0].room.tables {
		b.WriteString("| " + first.name + " |")
		for _, c := range t.columns {
			fmt.Fprintf(&b, " %d, %.1f MB |", c.room.tables[i].rows,
				float64(c.room.tables[i].bytes)/1e6)
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}
