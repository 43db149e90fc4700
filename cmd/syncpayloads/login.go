package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/syncpayloads/syncpayloads/client/direct"
)

type loginCommand struct {
	URL       string `help:"Microsoft Graph: https://graph.microsoft.com, or that of a national cloud." default:"https://graph.microsoft.com"`
	Authority string `help:"Where tokens come from; without it, the cloud's own." placeholder:"URL"`
	Tenant    string `help:"The directory's id or domain; without it, that of whoever signs in." placeholder:"ID"`
	ClientID  string `name:"client-id" help:"The app registration, a public client with delegated permissions." required:"" placeholder:"ID"`
}

// Help has examples.
func (l *loginCommand) Help() string {
	return `Shows a code and an address. Sign in there in any browser; this program waits, and then
keeps the sign-in in a file that only you can read. Later commands use and renew it:

  syncpayloads login --client-id 11111111-2222-3333-4444-555555555555
  export SYNCPAYLOADS_URL=https://graph.microsoft.com
  syncpayloads device list
  syncpayloads remove --wait "Ada's iPhone" "Office Wi-Fi"

A syncpayloads server needs no login: it takes tokens (--token).`
}

// Run signs a person in.
func (l *loginCommand) Run(ctx context.Context, out io.Writer) error {
	folder, err := loginFolder()
	if err != nil {
		return err
	}
	if l.Authority == "" && !direct.IsGraph(l.URL) {
		return usageError("%s is no Microsoft Graph: `syncpayloads login` is for one; "+
			"a syncpayloads server takes --token", l.URL)
	}
	login, err := direct.SignIn(ctx, folder, direct.Config{URL: l.URL, Authority: l.Authority,
		TenantID: l.Tenant, ClientID: l.ClientID}, func(c direct.Code) {
		fmt.Fprintf(out, "Open %s in a browser and enter the code %s", printable(c.Address),
			printable(c.UserCode))
		if !c.Expires.IsZero() {
			fmt.Fprintf(out, " before %s", moment(c.Expires))
		}
		fmt.Fprintln(out, ".")
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Signed in to %s. It is kept in %s.\n", printable(l.URL), login.File())
	return nil
}

func loginFolder() (string, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for a sign-in: set XDG_CONFIG_HOME or HOME: %w",
			err)
	}
	return filepath.Join(folder, "syncpayloads"), nil
}
