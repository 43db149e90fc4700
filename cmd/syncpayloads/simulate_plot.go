package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Measures of the plot, in SVG units.
const (
	plotWidth, panelHeight = 900, 260
	plotLeft, plotRight    = 80, 30
	plotTop, panelGap      = 60, 90
	plotTicks              = 5
	plotHeight             = plotTop + 2*panelHeight + panelGap + 70
	plotFont               = `font-family="system-ui, sans-serif"`
	axisColor, gridColor   = "#444444", "#dddddd"
	// readable on white, and told apart by color-blind people by their dashes
	blue, orange, red, teal = "#1f6fb4", "#d9730d", "#b3261e", "#00796b"
)

// series is a line of the plot.
type series struct {
	name, color, dashes string
	values              []float64 // NaN: there is none at this point
}

// panel is one of the plot's two diagrams, over the same time.
type panel struct {
	title, unit string
	series      []series
}

// plot draws the points as SVG: throughput above, latency below.
func plot(title string, points []point) string {
	of := func(value func(point) float64) []float64 {
		values := make([]float64, len(points))
		for i := range points {
			values[i] = value(points[i])
		}
		return values
	}
	latency, what := func(p point) spread { return p.ToReader },
		"From a device's report to the stream's reader"
	if !slices.ContainsFunc(points,
		func(p point) bool { return !math.IsNaN(float64(p.ToReader.P50)) }) {
		latency, what = func(p point) spread { return p.Exchange },
			"From a device's report to the server's answer"
	}
	panels := []panel{
		{"Throughput", "per second", []series{{"device round trips", blue, "",
			of(func(p point) float64 { return p.RoundTrips })},
			{"calls", orange, "6 3", of(func(p point) float64 { return p.Calls })}}},
		{what, "milliseconds", []series{{"p50", teal, "", of(func(p point) float64 {
			return float64(latency(p).P50)
		})},
			{"p95", orange, "6 3", of(func(p point) float64 { return float64(latency(p).P95) })},
			{"p99", red, "2 3", of(func(p point) float64 { return float64(latency(p).P99) })}}},
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n",
		plotWidth, plotHeight)
	fmt.Fprintf(&b, `<title>%s</title><rect width="100%%" height="100%%" fill="white"/>`+"\n",
		html.EscapeString(title))
	fmt.Fprintf(&b, `<text x="%d" y="26" %s font-size="17" font-weight="600">%s</text>`+"\n",
		plotLeft, plotFont, html.EscapeString(title))
	times := of(func(p point) float64 { return p.Seconds })
	for i, p := range panels {
		p.draw(&b, times, float64(plotTop+i*(panelHeight+panelGap)))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p *panel) draw(b *strings.Builder, times []float64, y float64) {
	var all []float64
	for _, s := range p.series {
		all = append(all, s.values...)
	}
	horizontal := newAxis(times, plotLeft, plotWidth-plotRight)
	horizontal.end = max(1, slices.Max(append(times, 0))) // no empty space behind the last point
	vertical := newAxis(all, y+panelHeight, y)
	text := func(x, y float64, more, format string, values ...any) {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" %s font-size="12" fill="%s" %s>%s</text>`+"\n", x,
			y, plotFont, axisColor, more,
			html.EscapeString(fmt.Sprintf(format, values...)))
	}
	text(plotLeft, y-10, `font-weight="600"`, "%s, %s", p.title, p.unit)
	for _, tick := range vertical.ticks() {
		at := vertical.place(tick)
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%[3]f" stroke="%s"/>`+"\n", plotLeft,
			plotWidth-plotRight, at, gridColor)
		text(plotLeft-8, at+4, `text-anchor="end"`, "%g", tick)
	}
	for _, tick := range horizontal.ticks() {
		text(horizontal.place(tick), y+panelHeight+18, `text-anchor="middle"`, "%g", tick)
	}
	fmt.Fprintf(b, `<path d="M%d %.1fV%.1fH%d" fill="none" stroke="%s"/>`+"\n", plotLeft, y,
		y+panelHeight, plotWidth-plotRight, axisColor)
	text((plotLeft+plotWidth-plotRight)/2, y+panelHeight+36, `text-anchor="middle"`,
		"seconds since the devices had enrolled")
	x := float64(plotWidth - plotRight)
	for _, s := range p.series {
		x -= s.legendWidth()
	}
	for _, s := range p.series {
		fmt.Fprintf(b,
			`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%[3]f" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`+"\n",
			x, x+26, y-14, s.color, s.dashes)
		text(x+32, y-10, "", "%s", s.name)
		fmt.Fprintf(b,
			`<path d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-dasharray="%s"/>`+"\n",
			s.path(times, horizontal, vertical), s.color, s.dashes)
		x += s.legendWidth()
	}
}

// legendWidth is what the legend takes for the line: its sample and about 7 units a letter.
func (s *series) legendWidth() float64 { return 54 + 7*float64(len(s.name)) }

// path goes through the values, with a gap where one is missing. A value between two gaps is a
// short dash.
func (s *series) path(times []float64, x, y axis) string {
	var b strings.Builder
	pen := "M"
	for i, v := range s.values {
		if math.IsNaN(v) {
			pen = "M"
			continue
		}
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, x.place(times[i]), y.place(v))
		if pen == "M" {
			b.WriteString("h2")
		}
		pen = "L"
	}
	return b.String()
}

// axis maps 0 to end onto the plot.
type axis struct{ end, step, from, to float64 }

func newAxis(values []float64, from, to float64) axis {
	most := 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			most = max(most, v)
		}
	}
	if most == 0 {
		most = 1
	}
	// Ticks are at multiples of 1, 2 or 5 times a power of ten.
	step := math.Pow(10, math.Floor(math.Log10(most/plotTicks)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if most/(step*factor) <= plotTicks {
			step *= factor
			break
		}
	}
	return axis{end: step * math.Ceil(most/step), step: step, from: from, to: to}
}

func (a axis) place(v float64) float64 { return a.from + (a.to-a.from)*v/a.end }

func (a axis) ticks() []float64 {
	var ticks []float64
	for i := 0; float64(i)*a.step <= a.end*1.0001; i++ {
		ticks = append(ticks, math.Round(float64(i)*a.step*1e9)/1e9)
	}
	return ticks
}
