package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/syncpayloads/syncpayloads/client"
)

type androidCommand struct {
	Setup  androidSetupCommand  `cmd:"" help:"Set up Android Enterprise with Google, step by step."`
	Show   androidShowCommand   `cmd:"" help:"Show how far the set-up is, and the enrollment tokens."`
	Token  androidTokenCommand  `cmd:"" help:"Make an enrollment token, and print its QR code."`
	Revoke androidRevokeCommand `cmd:"" help:"Revoke an enrollment token: no device enrolls with it any more."`
}

// googlePermits is said before anything else: whoever sets Android up shall know it beforehand.
const googlePermits = `Google permits its Android Management API to commercial EMM providers only, not to programs made for one's own
company, and may take access away. A new project may manage no device until Google has granted it a quota.
`

type androidSetupCommand struct {
	connection      `embed:""`
	ServiceAccount  string `help:"The JSON key file of a service account of Google Cloud." placeholder:"FILE" predictor:"file"`
	EnterpriseToken string `help:"What Google's sign-up page led back with, or the whole address; without it, it is asked for." placeholder:"TOKEN"`
	Delivery        string `help:"How Google tells of devices: pull, which needs no way in from outside, or push." enum:"pull,push" default:"pull"`
	Begin           bool   `help:"Begin the sign-up, print its link, and end. Google leads back to the console, where it is finished."`
	JSON            bool   `name:"json" help:"Print JSON at the end."`
}

// Help has examples.
func (androidSetupCommand) Help() string {
	return googlePermits + `
Examples:

  syncpayloads android setup --service-account fleet-1234.json
      checks the key with Google, prints the link to Google's sign-up, and waits for what it leads back with

  syncpayloads android setup
      goes on from where it was left, and makes anew what was deleted at Google since

  syncpayloads android setup --enterprise-token 'https://mdm.example/console/android/signup?enterpriseToken=EAH2…'
      finishes without asking`
}

// Run goes on with the set-up from where it is.
func (a *androidSetupCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	told := out
	if a.JSON {
		told = os.Stderr
	}
	fmt.Fprint(told, googlePermits, "\n")
	now, err := a.giveServiceAccount(ctx, c, told)
	if err != nil {
		return err
	}
	switch now.Step {
	case client.AndroidNotStarted:
		return usageError("no service account yet: make a project at console.cloud.google.com, switch on the Android Management API and " +
			"Cloud Pub/Sub API in it, make a service account there with the roles Android Management User and Pub/Sub Admin, " +
			"download its key as JSON, and give it with --service-account FILE")
	case client.AndroidServiceAccount, client.AndroidSignup:
		if now, err = a.signUp(ctx, c, told); err != nil {
			return err
		}
	default: // what is left, or was deleted at Google since
		if now, err = c.FinishAndroidSignup(ctx, "", a.Delivery); err != nil {
			return err
		}
	}
	if now.Step != client.AndroidReady {
		return nil
	}
	fmt.Fprint(told, "All is set up. `syncpayloads android token` makes what enrolls devices.\n\n")
	return showAndroid(out, now, nil, a.JSON)
}

// giveServiceAccount gives the server the key file, if there is one, and tells how far the set-up
// is then.
func (a *androidSetupCommand) giveServiceAccount(ctx context.Context, c *client.Client,
	out io.Writer) (*client.Android, error) {
	if a.ServiceAccount == "" {
		return c.Android(ctx)
	}
	key, err := os.ReadFile(a.ServiceAccount)
	if err != nil {
		return nil, fmt.Errorf("the service account: %w", err)
	}
	if !json.Valid(key) {
		return nil, fmt.Errorf("%s is not the JSON key file of a service account", a.ServiceAccount)
	}
	now, err := c.SetAndroidServiceAccount(ctx, key)
	if err == nil {
		fmt.Fprintf(out, "Google knows the service account %s of the project %s.\n\n",
			printable(now.ClientEmail), printable(now.Project))
	}
	return now, err
}

// signUp has the admin go through Google's pages, and finishes with what they lead back with.
func (a *androidSetupCommand) signUp(ctx context.Context, c *client.Client,
	out io.Writer) (*client.Android, error) {
	token := a.EnterpriseToken
	if token == "" {
		link, err := c.BeginAndroidSignup(ctx, "")
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "Sign up with Google, in a browser and with an account that manages no other enterprise:\n\n  %s\n\n", printable(link))
		if a.Begin {
			return c.Android(ctx)
		}
		fmt.Fprint(out, "At the end Google leads you to this server's console, where you can finish. Or paste the\n"+
			"address of that page here, and press Enter (Enter alone: it was finished in the console): ")
		if token, err = readLine(ctx, os.Stdin); err != nil {
			return nil, err
		}
		fmt.Fprintln(out)
	}
	if token == "" {
		now, err := c.Android(ctx)
		if err == nil && now.Step != client.AndroidReady {
			err = fmt.Errorf("the sign-up is not finished: `syncpayloads android setup` goes on with it")
		}
		return now, err
	}
	return c.FinishAndroidSignup(ctx, enterpriseToken(token), a.Delivery)
}

// enterpriseToken is the token in what was pasted: the address that Google led to, or the token.
func enterpriseToken(pasted string) string {
	if u, err := url.Parse(pasted); err == nil {
		if token := u.Query().Get("enterpriseToken"); token != "" {
			return token
		}
	}
	return pasted
}

// readLine reads a line until ctx ends. At the end of the input it is empty.
func readLine(ctx context.Context, from io.Reader) (string, error) {
	type read struct {
		line string
		err  error
	}
	done := make(chan read, 1)
	go func() { // it ends with the input, or with the program
		line, err := bufio.NewReader(from).ReadString('\n')
		if err == io.EOF {
			err = nil
		}
		done <- read{strings.TrimSpace(line), err}
	}()
	select {
	case r := <-done:
		return r.line, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

type androidShowCommand struct {
	connection `embed:""`
	JSON       bool `name:"json" help:"Print JSON."`
}

// Run shows the enterprise and its tokens.
func (a *androidShowCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	now, err := c.Android(ctx)
	if err != nil {
		return err
	}
	tokens, err := c.AndroidTokens(ctx)
	if err != nil {
		return err
	}
	return showAndroid(out, now, tokens, a.JSON)
}

// androidSteps say what each step of the set-up means, and what comes next.
var androidSteps = map[client.AndroidStep]string{
	client.AndroidNotStarted:     "not started: `syncpayloads android setup --service-account FILE`",
	client.AndroidServiceAccount: "the service account is set; next is the sign-up: `syncpayloads android setup`",
	client.AndroidSignup:         "the sign-up was begun; finish it in the console, or with `syncpayloads android setup`",
	client.AndroidUnfinished:     "the enterprise is made, and something is left to finish: `syncpayloads android setup`",
	client.AndroidReady:          "ready",
}

func showAndroid(out io.Writer, a *client.Android, tokens []client.AndroidToken,
	asJSON bool) error {
	if asJSON {
		return printJSON(out, struct {
			*client.Android
			Tokens []client.AndroidToken `json:"enrollmentTokens,omitempty"`
		}{a, tokens})
	}
	state := androidSteps[a.Step]
	if state == "" {
		state = string(a.Step)
	}
	for _, line := range [][2]string{{"Set-up", state}, {"Project", a.Project},
		{"Account", a.ClientEmail}, {"Enterprise", a.Enterprise}, {"Name", a.DisplayName},
		{"Delivery", a.Delivery}, {"Devices", fmt.Sprint(a.Devices)}} {
		if line[1] != "" {
			fmt.Fprintf(out, "%-12s %s\n", line[0], printable(line[1]))
		}
	}
	for i, r := range a.Refusals {
		name := ""
		if i == 0 {
			name = "Refused last"
		}
		fmt.Fprintf(out, "%-12s %s, to %s (%d): %s\n", name, moment(r.At), printable(r.Action),
			r.Status, printable(r.Message))
	}
	if len(tokens) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	rows := make([][]string, len(tokens))
	for i, t := range tokens {
		rows[i] = []string{t.ID, string(t.Mode), t.GroupID, yesNo(t.OneTime), moment(t.Expires),
			t.CreatedBy}
	}
	return printTable(out, []string{"token", "mode", "group", "one device", "until", "made by"},
		rows)
}
