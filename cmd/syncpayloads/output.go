package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// printJSON writes one value for scripts.
func printJSON(to io.Writer, value any) error {
	return encode(to, value, "  ")
}

// printLine writes one value as a line of JSON.
func printLine(to io.Writer, value any) error {
	return encode(to, value, "")
}

// encode writes JSON that a terminal can show as well: what would steer it is written with escapes.
func encode(to io.Writer, value any, indent string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	_, err := to.Write(plaintext.EscapeJSON(text.Bytes()))
	return err
}

// printTable writes rows in columns, the headings first.
func printTable(to io.Writer, headings []string, rows [][]string) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for i, row := range append([][]string{headings}, rows...) {
		for j := range row {
			row[j] = printable(row[j])
		}
		line := strings.Join(row, "\t")
		if i == 0 {
			line = strings.ToUpper(line)
		}
		fmt.Fprintln(w, line)
	}
	return w.Flush()
}

// printable keeps a device's or an admin's text from steering the terminal.
func printable(s string) string { return plaintext.OneLine(s) }

// moment is a time as a person reads it.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
