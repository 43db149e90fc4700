package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that no entry of the audit record was changed, added or taken away, and print its head, SEQUENCE:HASH."`
	Export auditExportCommand `cmd:"" help:"Print the audit record, an entry a line, as JSON."`
}

// walkAudit reads the audit record from the database. The server may be running.
func (d *database) walkAudit(ctx context.Context, after int64,
	each func(*audit.Entry) error) (audit.Head, error) {
	location, err := d.location()
	if err != nil {
		return audit.Head{}, err
	}
	return store.WalkAudit(ctx, location, after, each)
}

type auditVerifyCommand struct {
	database `embed:""`
	File     string `help:"Check an exported record in place of the database." placeholder:"FILE" predictor:"file"`
	Expect   string `help:"A head that was printed earlier and kept elsewhere: finds a record that was written anew from before it." placeholder:"SEQUENCE:HASH"`
}

// Run checks the record. A broken record is an error.
func (a *auditVerifyCommand) Run(ctx context.Context, out io.Writer) error {
	v := audit.Verifier{Part: a.File != ""}
	if a.Expect != "" {
		var err error
		if v.Expect, err = audit.ParseHead(a.Expect); err != nil {
			return usageError("--expect: %w", err)
		}
	}
	head, err := a.verify(ctx, &v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, head)
	return err
}

func (a *auditVerifyCommand) verify(ctx context.Context, v *audit.Verifier) (audit.Head, error) {
	if a.File == "" {
		noted, err := a.walkAudit(ctx, 0, v.Add)
		if err != nil {
			return audit.Head{}, err
		}
		return v.End(&noted)
	}
	f, err := os.Open(a.File)
	if err != nil {
		return audit.Head{}, fmt.Errorf("reading an exported audit record: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written to it
	if err := audit.ReadLines(f, v.Add); err != nil {
		return audit.Head{}, fmt.Errorf("%s: %w", a.File, err)
	}
	return v.End(nil)
}

type auditExportCommand struct {
	database `embed:""`
	After    int64 `help:"Leave out the entries up to this sequence: those exported before." placeholder:"SEQUENCE"`
}

// Run prints the entries.
func (a *auditExportCommand) Run(ctx context.Context, out io.Writer) error {
	lines := bufio.NewWriter(out)
	_, err := a.walkAudit(ctx, a.After,
		func(e *audit.Entry) error { return audit.WriteLine(lines, e) })
	return errors.Join(err, lines.Flush())
}
