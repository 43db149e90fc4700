package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"time"

	"golang.org/x/term"
)

// linkTime is how long a link to the console can be used.
const linkTime = 24 * time.Hour

// consoleLink is an address that signs a browser in to the console once, with the rights of the
// demonstration's token.
func (d *demo) consoleLink(ctx context.Context) (string, error) {
	who, err := d.server.Tokens().Identify(ctx, d.token)
	if err != nil {
		return "", err
	}
	code, err := d.server.Sessions().Link(ctx, who, linkTime)
	if err != nil {
		return "", err
	}
	return d.server.URL() + "/console/sign-in?" + url.Values{"code": {code}}.Encode(), nil
}

// invite shows the way to the console, and on a terminal opens it in the browser.
func (d *demo) invite(ctx context.Context, open bool) error {
	link, err := d.consoleLink(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nWatch it in the console; this link signs you in, once:\n\n  %s\n\n"+
		"The browser does not know this server's own CA: let it go on for this time.\n", link)
	if !open || !isTerminal(d.out) {
		return nil
	}
	// A link of its own, so that the printed one can still be used, for example in another browser.
	if link, err = d.consoleLink(ctx); err != nil {
		return err
	}
	if err := openBrowser(link); err != nil {
		fmt.Fprintf(d.out, "No browser opens by itself (%v): open the link by hand.\n", err)
	}
	return nil
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// openBrowser opens an address in the desktop's default browser and does not wait for it.
func openBrowser(address string) error {
	command := exec.Command("xdg-open", address)
	switch {
	case runtime.GOOS == "darwin":
		command = exec.Command("open", address)
	case runtime.GOOS == "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		// xdg-open would take a browser for terminals, and this terminal with it
		return errors.New("there is no desktop")
	}
	if err := command.Start(); err != nil {
		return err
	}
	go command.Wait() //nolint:errcheck // the user sees whether a browser opens
	return nil
}
