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
	mark   string // how it ended; empty: it has not
	cells  []string
	widths []int // of the columns, common to all rows
	detail string
}

// newTable makes the rows. kinds are those that a result does not have by itself.
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

var marks = map[client.Status]string{client.Removed: "✓", client.Succeeded: "✓", client.Failed: "✗"}

// stateText is how far the payload has come while its part of the action goes on, and how it ended
// afterwards.
func stateText(p *client.PayloadResult) string {
	if text, ok := stepTexts[p.Step]; ok && !p.Status.Final() {
		return text
	}
	return statusText(p.Status)
}

// stepTexts are the steps of what goes on, in words. What is not here is in progress.
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

// statusText is the status in the words of the reference system's monitor page.
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

// content is what the row says, however wide its columns are.
func (r *tableRow) content() string { return strings.Join(r.cells, "\n") + "\n" + r.detail }

// fit cuts a line to a width, in columns of the terminal.
func fit(line string, width int) string {
	if width <= 0 {
		return line
	}
	return runewidth.Truncate(line, width, "…")
}
