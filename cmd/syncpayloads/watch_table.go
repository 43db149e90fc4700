package main

import (
	"fmt"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/syncpayloads/syncpayloads/client"
)

// table is an action's result as rows of a table.
type table struct {
	rows []tableRow
}

type tableRow struct {
	id     string
	mark   string // shows how it ended; empty: it has not
	cells  []string
	widths []int // widths of the columns, shared by all rows
	detail string
}

// newTable makes the rows of a result. kinds has the kinds of payloads whose result does not name
// one.
func newTable(r *client.ActionResult, kinds map[string]string) table {
	var t table
	widths := make([]int, 4)
	for _, p := range r.Payloads {
		kind := p.SubType
		for _, other := range []string{kinds[p.ID], string(p.Type)} {
			if kind == "" {
				kind = other
			}
		}
		name := p.DisplayName
		if name == "" {
			name = p.ID
		}
		row := tableRow{id: p.ID, mark: marks[p.Status],
			cells: []string{printable(name), printable(kind), printable(string(p.Intent)),
				printable(stateText(&p))},
			widths: widths, detail: printable(p.Detail)}
		if p.ErrorCode != 0 {
			row.detail = fmt.Sprintf("%s (code %d)", row.detail, p.ErrorCode)
		}
		for i, cell := range row.cells {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
		t.rows = append(t.rows, row)
	}
	return t
}

var marks = map[client.Status]string{client.Removed: "✓", client.Succeeded: "✓",
	client.Failed: "✗"}

// stateText says how far the payload has come while its part of the action goes on, and afterwards
// how it ended.
func stateText(p *client.PayloadResult) string {
	if text, ok := stepTexts[p.Step]; ok && !p.Status.Final() {
		return text
	}
	return statusText(p.Status)
}

// stepTexts describe the steps. A step that is not here is shown as in progress.
var stepTexts = map[client.Step]string{
	client.StepAsked:        "asked",
	client.StepUnwakeable:   "cannot be woken",
	client.StepHandedOver:   "handed over",
	client.StepSent:         "sent",
	client.StepReplacing:    "being replaced",
	client.StepNotNow:       "not now",
	client.StepFailing:      "trying again",
	client.StepAcknowledged: "acknowledged",
	client.StepSettling:     "at it",
}

// statusText returns the status in the words of the reference system's monitor page.
func statusText(s client.Status) string {
	switch s {
	case client.Initiated, client.InProgress:
		return "in progress"
	case client.Succeeded:
		return "restored"
	default:
		return string(s)
	}
}

func (r *tableRow) text() string {
	var b strings.Builder
	for i, cell := range r.cells {
		b.WriteString(runewidth.FillRight(cell, r.widths[i]))
		b.WriteString("  ")
	}
	b.WriteString(r.detail)
	return strings.TrimRight(b.String(), " ")
}

// content returns the row's text without its layout, to compare rows.
func (r *tableRow) content() string { return strings.Join(r.cells, "\n") + "\n" + r.detail }

// truncate cuts a line to a width in terminal columns; 0 or less: no limit.
func truncate(line string, width int) string {
	if width <= 0 {
		return line
	}
	return runewidth.Truncate(line, width, "…")
}
