package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/server"
)

type demoCommand struct {
	Listen    string `help:"Address to listen on; port 0: any free one." default:"127.0.0.1:0" env:"SYNCPAYLOADS_DEMO_LISTEN"`
	Data      string `help:"Folder to keep the database in; without it, a temporary one." placeholder:"DIR" predictor:"folder" env:"SYNCPAYLOADS_DEMO_DATA"`
	Once      bool   `help:"End after the walk, with exit code 0 only if every payload ended as asked." env:"SYNCPAYLOADS_DEMO_ONCE"`
	NoOpen    bool   `help:"Open no browser. One is opened only on a terminal, and not with --once or --ready-file." env:"SYNCPAYLOADS_DEMO_NO_OPEN"`
	ReadyFile string `help:"When all is installed, write a JSON file with the server's URL, token, CA file, event stream, console link and devices. No walk then, unless --once." placeholder:"FILE" predictor:"file" env:"SYNCPAYLOADS_DEMO_READY_FILE"`
	LogLevel  string `help:"Least level that the server logs: debug, info, warn or error." enum:"debug,info,warn,error" default:"error" env:"SYNCPAYLOADS_DEMO_LOG_LEVEL"`
}

// demoPolicy lets a person see what happens within seconds.
var demoPolicy = action.Policy{MaxAttempts: 5, RetryBase: time.Second, RetryMax: 5 * time.Second,
	PollBase: 400 * time.Millisecond, PollMax: 2 * time.Second, VerifyFor: 10 * time.Minute}

// demo is a running demonstration.
type demo struct {
	out    io.Writer
	data   string
	server *server.Server
	token  string
	client *client.Client
	fleet  *demoFleet
	desk   *helpDesk // nil: nobody is busy with the devices
}

// Run runs the demonstration.
func (d *demoCommand) Run(ctx context.Context, out io.Writer) (err error) {
	data, cleanUp, err := d.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanUp()) }()
	log, err := d.logger()
	if err != nil {
		return err
	}
	fleet, err := startDemoFleet(ctx, log)
	if err != nil {
		return err
	}
	defer fleet.close()
	config := server.Config{DataDir: data, Listen: d.Listen,
		RestoreAfter: server.DefaultRestoreAfter,
		Policy:       demoPolicy, APNsURL: fleet.gateway.URL(), APNsCAs: fleet.gatewayCAs,
		SessionIdle: access.SessionLifetime, Log: log}
	useInPlaceOfGoogle(&config, fleet.google.url)
	running, err := server.Start(ctx, config)
	if err != nil {
		return err
	}
	shown := &demo{out: out, data: data, server: running, fleet: fleet}
	defer func() { shown.desk.close() }()
	err = d.show(ctx, shown, log)
	if err == nil && !d.Once {
		return untilEnd(ctx, running, shown.quiet)
	}
	if ctx.Err() != nil && !d.Once {
		err = nil // the way in which a demonstration ends
	}
	shown.quiet()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	return errors.Join(err, running.Close(closing))
}

// quiet ends what is going on with the devices.
func (d *demo) quiet() {
	d.desk.close()
	d.fleet.stopDevices()
}

// demoMark is a file that tells a demonstration's folder from that of a real server, which must not
// get simulated devices and a push certificate that Apple does not know.
const demoMark = "demo"

func (d *demoCommand) folder() (data string, cleanUp func() error, err error) {
	if d.Data == "" {
		data, err = os.MkdirTemp("", "syncpayloads-demo-")
		return data, func() error { return os.RemoveAll(data) }, err
	}
	if err := os.MkdirAll(d.Data, 0o700); err != nil {
		return "", nil, fmt.Errorf("making the folder of the database: %w", err)
	}
	mark := filepath.Join(d.Data, demoMark)
	_, isServer := os.Stat(filepath.Join(d.Data, server.DatabaseFile))
	if _, err := os.Stat(mark); err != nil && isServer == nil {
		return "", nil,
			fmt.Errorf("%s has a server's database that is not a demo's: give an empty folder",
				d.Data)
	}
	return d.Data, func() error { return nil }, os.WriteFile(mark, nil, 0o600)
}

func (d *demoCommand) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(d.LogLevel)); err != nil {
		return nil, err
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})), nil
}

// show prepares everything, then walks or writes the ready file, as asked. A person who looks on
// gets the console, and devices that are busy.
func (d *demoCommand) show(ctx context.Context, shown *demo, log *slog.Logger) error {
	if err := shown.prepare(ctx); err != nil {
		return fmt.Errorf("preparing the demo: %w", err)
	}
	if d.ReadyFile != "" {
		if err := shown.writeReady(ctx, d.ReadyFile); err != nil {
			return err
		}
	}
	if !d.Once && d.ReadyFile == "" {
		if err := shown.startHelpDesk(ctx, log, deskPause); err != nil {
			return err
		}
		if err := shown.invite(ctx, !d.NoOpen); err != nil {
			return err
		}
	}
	if d.Once || d.ReadyFile == "" {
		if err := shown.walk(ctx); err != nil {
			return err
		}
	}
	if !d.Once {
		shown.farewell()
	}
	return nil
}

// demoToken is the name under which the demonstration's actions are recorded.
const demoToken = "demo"

// prepare fills the server as an admin would, over its public surface.
func (d *demo) prepare(ctx context.Context) error {
	var err error
	if d.token, err = d.makeToken(ctx, access.TokenInput{Name: demoToken,
		Role: access.Administrator}); err != nil {
		return err
	}
	if d.client, err = client.New(client.Config{URL: d.server.URL(), Token: d.token,
		CAFile: d.server.CAFile()}); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Server      %s\nDatabase    %s\nCA          %s\n", d.server.URL(), d.data,
		d.server.CAFile())
	if err := d.fleet.enroll(ctx, d.client, d.server.CAFile()); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "Devices     %d simulated ones enrolled: Apple's by one-time link, SCEP, check-in; Android's by token, through\n"+
		"            a simulated Google\n",
		len(d.fleet.devices))
	items := demoCatalog(d.fleet.manifests.url)
	if err := d.addToCatalog(ctx, items); err != nil {
		return err
	}
	fmt.Fprintf(d.out,
		"Catalog     %d policies and apps, assigned over the Graph API\nInstalling  ", len(items))
	if err := d.untilInstalled(ctx); err != nil {
		return err
	}
	fmt.Fprint(d.out, "done: every device has what is assigned to it\n")
	return nil
}

// makeToken makes a token, in place of one that an earlier run on the same database made.
func (d *demo) makeToken(ctx context.Context, in access.TokenInput) (bearer string, err error) {
	tokens := d.server.Tokens()
	if err := tokens.Revoke(ctx, in.Name); err != nil && !errors.Is(err, access.ErrNotFound) {
		return "", err
	}
	_, bearer, err = tokens.Create(ctx, in)
	return bearer, err
}

// installTime is how long the devices may take to install everything.
const installTime = 2 * time.Minute

func (d *demo) untilInstalled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, installTime)
	defer cancel()
	for _, device := range d.fleet.devices {
		for {
			payloads, err := d.client.Payloads(ctx, device.id)
			if err != nil {
				return err
			}
			missing := firstMissing(payloads)
			if missing == "" {
				if err := d.check(device, payloads, nil); err != nil {
					return err
				}
				break
			}
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("%s has not installed %s: %w", device.name, missing,
					context.Cause(ctx))
			}
		}
	}
	return nil
}

// firstMissing names a payload that the device does not have or that the server still works on;
// empty: there is none.
func firstMissing(payloads []client.Payload) string {
	if len(payloads) == 0 {
		return "anything"
	}
	for _, p := range payloads {
		if !onDevice(p) || p.Work != client.WorkIdle {
			return p.DisplayName
		}
	}
	return ""
}

// farewell tells how to go on by hand.
func (d *demo) farewell() {
	fmt.Fprintf(d.out, `
The server goes on until Ctrl-C. The token signs you in to the console, too. In another terminal:

  export SYNCPAYLOADS_URL=%s
  export SYNCPAYLOADS_TOKEN=%s
  export SYNCPAYLOADS_CA=%s
  go run ./cmd/syncpayloads device list
  go run ./cmd/syncpayloads remove --wait %s "%s" "%s"
  go run ./cmd/syncpayloads restore --wait %[4]s
`, d.server.URL(), d.token, d.server.CAFile(), d.fleet.devices[0].name, walkRemoves[0], walkRemoves[1])
}
