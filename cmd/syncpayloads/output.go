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

// printJSON prints one value as indented JSON.
func printJSON(to io.Writer, value any) error {
	return encode(to, value, "  ")
}

// printLine prints one value as one line of JSON.
func printLine(to io.Writer, value any) error {
	return encode(to, value, "")
}

// encode writes JSON that is also safe to show on a terminal: control characters are escaped.
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

// printTable prints rows in columns, below headings.
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

// printable makes a text from a device or an admin safe to show on a terminal.
func printable(s string) string { return plaintext.OneLine(s) }

// moment formats a time for people.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}
