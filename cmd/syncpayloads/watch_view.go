package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/syncpayloads/syncpayloads/client"
)

// view shows the progress of an action.
type view interface {
	// show shows an event, given the action's result after it.
	show(event json.RawMessage, r *client.ActionResult) error
	// showDevice shows an event about the device itself, with its meaning in words.
	showDevice(event json.RawMessage, at time.Time, what string) error
	close() error
}

// jsonView prints the events as lines of JSON.
type jsonView struct{ out io.Writer }

func (v jsonView) show(event json.RawMessage, _ *client.ActionResult) error {
	return printLine(v.out, event)
}

func (v jsonView) showDevice(event json.RawMessage, _ time.Time, _ string) error {
	return printLine(v.out, event)
}
func (v jsonView) close() error { return nil }

// newView returns a live table for a terminal, and a view that prints lines for anything else.
func newView(out io.Writer, device string, kinds map[string]string) view {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &tableView{out: f, device: printable(device), kinds: kinds}
	}
	return &lineView{out: out, device: printable(device), kinds: kinds,
		shown: make(map[string]string)}
}

// heading says which action is shown.
func heading(device string, r *client.ActionResult) string {
	return fmt.Sprintf("%s  %s  started %s", device, r.Name, moment(r.Started))
}

// lineView prints a line for each payload that has changed.
type lineView struct {
	out    io.Writer
	device string
	kinds  map[string]string
	action *client.ActionResult
	shown  map[string]string // the last printed content of each payload's row, by its id
}

func (v *lineView) show(_ json.RawMessage, r *client.ActionResult) error {
	if v.action == nil || !sameAction(v.action, r) {
		clear(v.shown)
		fmt.Fprintln(v.out, heading(v.device, r))
	}
	for i, row := range newTable(r, v.kinds).rows {
		if v.shown[row.id] != row.content() {
			v.shown[row.id] = row.content()
			fmt.Fprintf(v.out, "%s  %s\n", r.Payloads[i].LastModified.Local().Format("15:04:05"),
				row.text())
		}
	}
	if v.action == nil || v.action.State != r.State || !sameAction(v.action, r) {
		fmt.Fprintf(v.out, "%s  action %s\n", r.LastUpdated.Local().Format("15:04:05"), r.State)
	}
	v.action = r
	return nil
}

func (v *lineView) showDevice(_ json.RawMessage, at time.Time, what string) error {
	_, err := fmt.Fprintf(v.out, "%s  %s\n", at.Local().Format("15:04:05"), what)
	return err
}

func (v *lineView) close() error { return nil }

// tableView draws a table that is updated in place: a row for each payload, and a bar for the whole
// action.
type tableView struct {
	out    *os.File
	device string
	kinds  map[string]string
	action *client.ActionResult
	bars   *mpb.Progress
	rows   map[string]*mpb.Bar
	total  *mpb.Bar

	mu   sync.Mutex // guards last, because another goroutine draws the bars
	last map[string]tableRow
}

const (
	drawEvery = 100 * time.Millisecond
	barWidth  = 40
)

func (v *tableView) show(_ json.RawMessage, r *client.ActionResult) error {
	rows := newTable(r, v.kinds).rows
	v.mu.Lock()
	v.last = make(map[string]tableRow, len(rows))
	for _, row := range rows {
		v.last[row.id] = row
	}
	v.mu.Unlock()
	if v.action == nil || !sameAction(v.action, r) {
		if err := v.begin(r); err != nil {
			return err
		}
	}
	v.action = r
	if v.bars == nil {
		return nil // it has ended; the event is about another action
	}
	v.addRows(rows)
	ended := int64(0)
	for _, row := range rows {
		if row.mark != "" {
			v.rows[row.id].SetCurrent(1)
			ended++
		}
	}
	if v.total != nil {
		v.total.SetTotal(int64(len(rows)), false)
		v.total.SetCurrent(ended)
	}
	if !r.State.Final() {
		return nil
	}
	return v.end()
}

func (v *tableView) showDevice(_ json.RawMessage, at time.Time, what string) error {
	var out io.Writer = v.out
	if v.bars != nil {
		out = v.bars // prints above the table
	}
	_, err := fmt.Fprintf(out, "%s  %s\n", at.Local().Format("15:04:05"), what)
	return err
}

// begin starts the table of a new action below what is there.
func (v *tableView) begin(r *client.ActionResult) error {
	if err := v.end(); err != nil {
		return err
	}
	fmt.Fprintln(v.out, heading(v.device, r))
	v.bars = mpb.New(mpb.WithOutput(v.out), mpb.WithWidth(barWidth), mpb.WithRefreshRate(drawEvery))
	v.rows = make(map[string]*mpb.Bar)
	return nil
}

// addRows adds new rows. An action that has just started gets its payloads one by one.
func (v *tableView) addRows(rows []tableRow) {
	for i, row := range rows {
		if v.rows[row.id] == nil {
			v.rows[row.id] = v.bars.New(1, mpb.NopStyle(), mpb.BarPriority(i),
				mpb.PrependDecorators(decor.Any(func(s decor.Statistics) string {
					return v.draw(row.id, s)
				})))
		}
	}
	if len(rows) > 0 && v.total == nil {
		// Without a total, the bar does not end before the action does.
		v.total = v.bars.New(0, mpb.BarStyle().Lbound("  [").Rbound("]"),
			mpb.BarPriority(math.MaxInt), mpb.AppendDecorators(
				decor.CountersNoUnit(" %d of %d ended "), decor.Elapsed(decor.ET_STYLE_GO)))
	}
}

var spinner = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")

func (v *tableView) draw(id string, s decor.Statistics) string {
	v.mu.Lock()
	row := v.last[id]
	v.mu.Unlock()
	mark := row.mark
	if mark == "" {
		mark = string(spinner[time.Now().UnixMilli()/drawEvery.Milliseconds()%int64(len(spinner))])
	}
	return truncate("  "+mark+" "+row.text(), s.AvailableWidth)
}

// end draws the table for the last time and leaves it there.
func (v *tableView) end() error {
	if v.bars == nil {
		return nil
	}
	for _, bar := range v.rows {
		bar.Abort(false)
	}
	if v.total != nil {
		v.total.Abort(false)
	}
	v.bars.Wait()
	err := v.bars.Error
	v.bars, v.total = nil, nil
	return err
}

func (v *tableView) close() error { return v.end() }
