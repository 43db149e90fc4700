package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/internal/store"
)

// The record is verified and exported beside whoever has the database open, and when nobody has.
func TestAuditCommands(t *testing.T) {
	data := t.TempDir()
	st, err := store.Open(t.Context(), filepath.Join(data, server.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	record := func(n int) {
		t.Helper()
		for i := range n {
			e := audit.Entry{ID: fmt.Sprint(n, i), At: time.Unix(1, 0), Activity: "groups.create",
				Kind: audit.Create, Result: audit.Success}
			if err := st.AppendEntry(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	run := func(args ...string) outcome {
		t.Helper()
		return runProgram(t, []string{"SYNCPAYLOADS_DATA=" + data},
			append([]string{"audit"}, args...)...)
	}
	record(3)
	first := run("verify")
	first.want(t, 0, "3:")
	head := strings.TrimSpace(first.stdout)
	record(2)
	run("verify", "--expect", head).want(t, 0, "5:")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	second := run("verify", "--expect", head)
	second.want(t, 0, "5:")

	file := filepath.Join(t.TempDir(), "audit.jsonl")
	export := func(args ...string) {
		t.Helper()
		o := run(append([]string{"export"}, args...)...)
		o.want(t, 0)
		if err := os.WriteFile(file, []byte(o.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	export()
	if o := run("verify", "--file", file, "--expect", head); o.code != 0 ||
		o.stdout != second.stdout {
		t.Errorf("the exported record: %+v", o)
	}
	export("--after", "3")
	if o := run("verify", "--file", file, "--expect", head); o.code != 0 ||
		o.stdout != second.stdout {
		t.Errorf("the exported part: %+v", o)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines != 2 {
		t.Errorf("exported %d lines behind the third", lines)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "Success", "Failure", 1)),
		0o600); err != nil {
		t.Fatal(err)
	}
	run("verify", "--file", file).want(t, 1, "entry 4 was changed")
	run("verify", "--file", file+"x").want(t, 1, "exported audit record")
	run("verify", "--expect", "3:00").want(t, 2, "SEQUENCE:HASH")
	run("verify", "--expect", "3:"+strings.Repeat("00", 32)).want(t, 1,
		"entry 3 is not the one that was noted earlier")
	run("verify", "--data", filepath.Join(data, "none")).want(t, 1, "no database")
	if _, err := os.Stat(filepath.Join(data, "none")); err == nil {
		t.Error("verifying made a folder")
	}

	db, err := sql.Open("sqlite3", "file:"+filepath.Join(data, server.DatabaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if _,
		err := db.Exec("DROP TRIGGER audit_entries_last; DELETE FROM audit_entries WHERE sequence = 2"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	run("verify").want(t, 1, "entry 2 is missing")
}

// What is done on the command line is recorded as well, without the secret.
func TestCommandLineIsRecorded(t *testing.T) {
	data := t.TempDir()
	run := func(args ...string) outcome {
		t.Helper()
		return runProgram(t, []string{"SYNCPAYLOADS_DATA=" + data}, args...)
	}
	bearer := strings.TrimSpace(run("token", "create", "help desk").stdout)
	run("token", "revoke", "help desk").want(t, 0)
	run("audit", "verify").want(t, 0, "2:")
	lines := run("audit", "export").stdout
	for _, want := range []string{`"tokens.create"`, `"tokens.delete"`, `"help desk"`,
		"(command line)", `"local:`} {
		if !strings.Contains(lines, want) {
			t.Errorf("the record does not say %s:\n%s", want, lines)
		}
	}
	if bearer == "" || strings.Contains(lines, bearer) {
		t.Errorf("the record holds the bearer %q", bearer)
	}
}
