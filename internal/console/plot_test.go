package console

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// However much is counted, every bar stands on the base, is as high as its count to a pixel for
// each part, and stays in the picture; and the table tells what the bars do.
func TestPlotShowsWhatIsCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		buckets := make([]string, rapid.IntRange(1, 31).Draw(t, "buckets"))
		for i := range buckets {
			buckets[i] = strconv.Itoa(i)
		}
		series := make([]plotSeries, rapid.IntRange(1, 6).Draw(t, "series"))
		sum := 0
		for i := range series {
			series[i] = plotSeries{Name: fmt.Sprintf("series %d", i),
				counts: rapid.SliceOfN(rapid.IntRange(0, 100_000), len(buckets),
					len(buckets)).Draw(t, "counts")}
			for _, n := range series[i].counts {
				sum += n
			}
		}
		p := newPlot("", buckets, series, rapid.IntRange(1, 5).Draw(t, "step"))

		top, err := strconv.Atoi(p.Lines[len(p.Lines)-1].Text)
		if err != nil || p.Lines[0].Y != p.Base || len(p.Lines) < 2 || len(p.Lines) > plotLines+1 {
			t.Fatalf("the lines are %v", p.Lines)
		}
		shown, at := 0, -1.0
		for i, b := range p.Bars {
			row := p.Table[i]
			shown += row.Total
			if !strings.HasPrefix(b.Text, row.Name+": ") {
				t.Errorf("bar %d says %q, and the table %q", i, b.Text, row.Name)
			}
			x, width := number(t, b.X), number(t, b.Width)
			if x <= at || x+width > 100.01 {
				t.Errorf("bar %d is from %g to %g", i, x, x+width)
			}
			at = x + width
			height := 0
			for _, part := range b.Parts {
				height += part.Height
			}
			if want := row.Total * (plotBase - plotTop) / top; height < want ||
				height > want+len(b.Parts) {
				t.Errorf("bar %d for %d of %d is %d high, want %d", i, row.Total, top, height, want)
			}
			if first := b.Parts[0]; first.Y+first.Height < plotBase ||
				first.Y+first.Height > plotBase+1 {
				t.Errorf("bar %d stands at %d", i, first.Y+first.Height)
			}
			if last := b.Parts[len(b.Parts)-1]; last.Y < plotTop {
				t.Errorf("bar %d leaves the picture at %d", i, last.Y)
			}
		}
		if shown != sum || len(p.Bars) != len(p.Table) {
			t.Errorf("%d of %d are shown, in %d bars and %d rows", shown, sum, len(p.Bars),
				len(p.Table))
		}
	})
}

func number(t *rapid.T, text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	if err != nil || !strings.HasSuffix(text, "%") {
		t.Fatalf("%q is not a percentage", text)
	}
	return n
}
