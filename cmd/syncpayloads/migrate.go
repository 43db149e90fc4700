package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
	"github.com/syncpayloads/syncpayloads/internal/store/move"
)

type migrateCommand struct {
	From string `help:"The database to move: the folder of the server's database, or its file, or a postgres:// URL. It is only read." required:"" placeholder:"DATABASE" predictor:"folder"`
	To   string `help:"Where to move it: an empty PostgreSQL database's URL; or a folder or a new file, when it comes from PostgreSQL." required:"" placeholder:"DATABASE" predictor:"folder"`
	JSON bool   `name:"json" help:"Print a line of JSON for each table when it is copied, and when it is compared."`
}

// Run moves the database and compares every row.
func (m *migrateCommand) Run(ctx context.Context, out io.Writer) error {
	began := time.Now()
	p := &migrationPrinter{out: out, json: m.JSON, now: time.Now, began: began}
	if f, ok := out.(*os.File); ok {
		p.terminal = term.IsTerminal(int(f.Fd()))
	}
	err := move.Migrate(ctx, databaseAt(m.From), databaseAt(m.To), p.show)
	p.end()
	if err != nil || m.JSON {
		return cmp.Or(err, p.err)
	}
	fmt.Fprintf(out,
		"moved %d rows in %s, and every one is the same: "+
			"start the server with %s now, and never again on %s\n",
		p.rows, time.Since(began).Round(time.Millisecond), serverFlags(m.To), serverFlags(m.From))
	return p.err
}

// databaseAt returns the store's location of a database: for a folder, the server's file in it.
func databaseAt(given string) string {
	if store.IsPostgres(given) || strings.HasSuffix(given, ".db") {
		return given
	}
	if info, err := os.Stat(given); err == nil && info.Mode().IsRegular() {
		return given
	}
	return filepath.Join(given, server.DatabaseFile)
}

// serverFlags returns the flags with which a server uses a database.
func serverFlags(location string) string {
	if store.IsPostgres(location) {
		return "--db postgres://..."
	}
	return "--data " + printable(filepath.Dir(databaseAt(location)))
}

// migrationPrinter prints the progress of a move: a line for each table, which is updated in place
// on a terminal.
type migrationPrinter struct {
	out            io.Writer
	json, terminal bool
	now            func() time.Time
	began          time.Time // when the current table was begun
	growing        bool      // the cursor is in a line that will be updated
	rows           int64     // rows compared so far
	err            error
}

// migrationLine is what --json prints.
type migrationLine struct {
	Table   string  `json:"table"`
	Step    string  `json:"step"` // copied or compared
	Rows    int64   `json:"rows"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rowsPerSecond"`
}

func (p *migrationPrinter) show(m move.Migration) {
	took := p.now().Sub(p.began).Seconds()
	line := migrationLine{Table: m.Table, Step: "copied", Rows: m.Rows, Seconds: took}
	if m.Verify {
		line.Step = "compared"
	}
	if took > 0 {
		line.Rate = float64(m.Rows-m.Before) / took
	}
	if m.Done {
		p.began = p.now()
		if m.Verify {
			p.rows += m.Rows
		}
	}
	switch {
	case p.json && m.Done:
		p.keep(printLine(p.out, line))
	case !p.json && (p.terminal || m.Done):
		p.print(line, m.Done)
	}
}

func (p *migrationPrinter) print(line migrationLine, done bool) {
	begin, end := "", "\n"
	if p.terminal {
		begin = "\r\x1b[K"
		if p.growing = !done; p.growing {
			end = ""
		}
	}
	_, err := fmt.Fprintf(p.out, "%s%-8s  %-20s %10d rows %9.0f rows/s%s", begin, line.Step,
		line.Table, line.Rows, line.Rate, end)
	p.keep(err)
}

// end finishes a line that was being updated.
func (p *migrationPrinter) end() {
	if p.growing {
		_, err := fmt.Fprintln(p.out)
		p.keep(err)
	}
}

func (p *migrationPrinter) keep(err error) {
	if p.err == nil {
		p.err = err
	}
}
