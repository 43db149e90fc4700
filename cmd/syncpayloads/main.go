// Command syncpayloads removes and restores policies and apps on managed devices. It is both the
// server and the command line with which an admin uses one.
//
// Each command has a file of its own; main.go lists them. Commands that talk to a running server
// use package client; those that work on its database (token, role, audit, migrate) use the store
// directly.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

type program struct {
	Serve    serveCommand    `cmd:"" help:"Run the server."`
	Demo     demoCommand     `cmd:"" help:"Run a server with simulated devices and walk through a removal and a restore."`
	Simulate simulateCommand `cmd:"" help:"Enroll simulated devices with a running server and keep them alive."`

	Device  deviceCommand  `cmd:"" help:"List, show and enroll devices."`
	Payload payloadCommand `cmd:"" help:"List what is assigned to a device."`
	Remove  removeCommand  `cmd:"" help:"Take policies and apps off a device for a time."`
	Restore restoreCommand `cmd:"" help:"Put policies and apps back on a device."`
	Login   loginCommand   `cmd:"" help:"Sign in to Microsoft Graph, to use it without a server."`
	Watch   watchCommand   `cmd:"" help:"Watch the latest action on a device."`
	APNs    apnsCommand    `cmd:"" name:"apns" help:"Show or set the push certificate that wakes Apple devices."`
	Android androidCommand `cmd:"" help:"Set up Android Enterprise, and make what enrolls Android devices."`

	Token      tokenCommand      `cmd:"" help:"Make, list and revoke tokens, in the server's database."`
	Audit      auditCommand      `cmd:"" help:"Verify and export the record of who did what, in the server's database."`
	Role       roleCommand       `cmd:"" help:"List the roles that a token may have, in the server's database."`
	Migrate    migrateCommand    `cmd:"" help:"Move everything from SQLite to PostgreSQL, or back, and compare every row."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete this program's commands."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
}

const description = `Removes and restores policies and apps on managed devices, with the live result of each.

Every flag can be given in the environment: --url as SYNCPAYLOADS_URL, and so on.

Exit codes: 0 success, 1 error, 2 wrong usage, 3 a payload ended in error, 4 time-out.`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	parser, err := newParser()
	if err != nil {
		fmt.Fprintln(os.Stderr, "syncpayloads:", err)
		return exitFailure
	}
	kongplete.Complete(parser, kongplete.WithPredictor("file", complete.PredictFiles("*")),
		kongplete.WithPredictor("folder", complete.PredictDirs("*")))
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "syncpayloads: %s\nSee syncpayloads --help.\n",
			plaintext.Lines(err.Error()))
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(os.Stdout, (*io.Writer)(nil))
	return report(ctx, os.Stderr, command.Run())
}

func newParser() (*kong.Kong, error) {
	vars := kong.Vars{"data": ""}
	if folder, err := os.UserConfigDir(); err == nil {
		vars["data"] = filepath.Join(folder, "syncpayloads")
	}
	return kong.New(&program{}, kong.Name("syncpayloads"), kong.Description(description),
		kong.DefaultEnvars("SYNCPAYLOADS"), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		vars)
}

// The exit codes.
const (
	exitFailure  = 1
	exitUsage    = 2
	exitPayloads = 3 // one or more payloads ended in error
	exitTimeout  = 4
)

// exit is an error with its own exit code.
type exit struct {
	code int
	error
}

func (e *exit) Unwrap() error { return e.error }

func usageError(format string, args ...any) error {
	return &exit{exitUsage, fmt.Errorf(format, args...)}
}

// report prints an error and returns the exit code.
func report(ctx context.Context, to io.Writer, err error) int {
	var special *exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &special):
		complain(to, err)
		return special.code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(to, "syncpayloads: interrupted")
		return exitFailure
	default:
		complain(to, err)
		return exitFailure
	}
}

// complain prints an error. It may quote what others wrote, so it is made harmless to a terminal.
func complain(to io.Writer, err error) {
	fmt.Fprintln(to, "syncpayloads:", plaintext.Lines(err.Error()))
}
