package console

import (
	"fmt"
	"slices"
	"strconv"
)

// plot is a chart of stacked bars: so many of each series in each bucket of time. Its lengths
// across are percents, so that it is as wide as there is room, and down are pixels.
type plot struct {
	Title, Summary string
	Height         int // of the whole picture
	Base           int // where the bars stand
	Bars           []plotBar
	Lines          []plotLine
	Labels         []plotLabel
	Series         []plotSeries
	Table          []plotRow
}

// plotSeries is one kind of thing that is counted. Its place chooses its pattern.
type plotSeries struct {
	Name, Meaning string
	Pattern       int // from 1
	Total         int
	counts        []int
}

type plotBar struct {
	X, Width string
	Text     string // what the whole bar says
	Parts    []plotPart
}

type plotPart struct{ Y, Height, Pattern int }

type plotLine struct {
	Y    int
	Text string
}

type plotLabel struct {
	X     string
	Text  string
	Minor bool // it is left out where there is little room
}

type plotRow struct {
	Name   string
	Counts []int
	Total  int
}

const (
	plotTop, plotBase, plotHeight = 14, 214, 240
	plotLines                     = 4   // at most so many lines above the base
	plotGap                       = 0.2 // of a bucket's width
)

// newPlot draws series over buckets. Every series has a count for each bucket. A label is written
// below every step-th bucket.
func newPlot(title string, buckets []string, series []plotSeries, step int) *plot {
	p := &plot{Title: title, Height: plotHeight, Base: plotBase, Series: series}
	most := 0
	for at, name := range buckets {
		row := plotRow{Name: name}
		for i := range series {
			series[i].Pattern = i + 1
			series[i].Total += series[i].counts[at]
			row.Counts = append(row.Counts, series[i].counts[at])
			row.Total += series[i].counts[at]
		}
		most = max(most, row.Total)
		p.Table = append(p.Table, row)
	}
	unit := lineStep(most)
	top := max(unit, (most+unit-1)/unit*unit)
	for n := 0; n <= top; n += unit {
		p.Lines = append(p.Lines, plotLine{plotBase - n*(plotBase-plotTop)/top, strconv.Itoa(n)})
	}
	width := 100 / float64(len(buckets))
	for at, row := range p.Table {
		if row.Total > 0 {
			p.Bars = append(p.Bars, bar(row, (float64(at)+plotGap/2)*width, (1-plotGap)*width, top,
				series))
		}
		if at%step == 0 {
			p.Labels = append(p.Labels, plotLabel{percent((float64(at) + 0.5) * width), row.Name,
				at/step%2 == 1})
		}
	}
	p.Table = slices.DeleteFunc(p.Table, func(r plotRow) bool { return r.Total == 0 })
	return p
}

// bar stacks what a row counts, the first series at the bottom.
func bar(row plotRow, x, width float64, top int, series []plotSeries) plotBar {
	b := plotBar{X: percent(x), Width: percent(width),
		Text: row.Name + ": " + plural(row.Total, "failure")}
	below := 0
	for i, n := range row.Counts {
		if n == 0 {
			continue
		}
		from, to := below*(plotBase-plotTop)/top, (below+n)*(plotBase-plotTop)/top
		b.Parts = append(b.Parts, plotPart{plotBase - to, max(1, to-from), series[i].Pattern})
		b.Text += fmt.Sprintf("\n%s: %d", series[i].Name, n)
		below += n
	}
	return b
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) + "%" }

// lineStep is the distance between lines: 1, 2 or 5 times a power of ten, so that there are few.
func lineStep(most int) int {
	for power := 1; ; power *= 10 {
		for _, step := range []int{power, 2 * power, 5 * power} {
			if most <= step*plotLines {
				return step
			}
		}
	}
}
