package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"rsc.io/qr"

	"github.com/syncpayloads/syncpayloads/client"
)

type androidTokenCommand struct {
	connection `embed:""`
	Mode       string        `help:"How devices are managed: fullyManaged (for work only), dedicated (nobody's, for one purpose) or corporateWorkProfile (the user's own use, too)." enum:"fullyManaged,dedicated,corporateWorkProfile" default:"fullyManaged"`
	Group      string        `help:"Group of devices that its devices join, by name or id." placeholder:"GROUP"`
	OneTime    bool          `help:"It enrolls one device."`
	Valid      time.Duration `help:"How long it can be used, at most 2160h." default:"720h"`
	PNG        string        `name:"png" help:"Write the QR code to a file, as a picture, and do not print it." placeholder:"FILE" predictor:"file"`
	JSON       bool          `name:"json" help:"Print JSON."`
}

// Help has examples.
func (androidTokenCommand) Help() string {
	return `Whoever has the token can enroll devices until it ends or is revoked. It is printed once.

Examples:

  syncpayloads android token --one-time --valid 1h
      enrolls one fully managed device within the next hour

  syncpayloads android token --mode dedicated --group Kiosks --png kiosks.png
      enrolls any number of kiosks, which join a group; the picture is for printing`
}

// Run makes a token.
func (a *androidTokenCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	options := client.AndroidTokenOptions{Mode: client.AndroidMode(a.Mode), OneTime: a.OneTime,
		ExpiresIn: a.Valid}
	if uuid.Validate(a.Group) == nil {
		options.GroupID = a.Group
	} else {
		options.GroupName = a.Group
	}
	made, err := c.CreateAndroidToken(ctx, options)
	if err != nil {
		return err
	}
	if a.JSON {
		return printJSON(out, made)
	}
	code, err := qr.Encode(made.QRCode, qr.L)
	if err != nil {
		return fmt.Errorf("making a QR code of %d characters: %w", len(made.QRCode), err)
	}
	if a.PNG != "" {
		if err := os.WriteFile(a.PNG, code.PNG(), 0o600); err != nil {
			return fmt.Errorf("writing the QR code: %w", err)
		}
	} else {
		printQR(out, code, isTerminal(out))
	}
	devices := "devices"
	if made.OneTime {
		devices = "one device"
	}
	fmt.Fprintf(out, "\nToken   %s\nId      %s\n\n"+
		"It enrolls %s until %s. Reset the device, tap six times on its first screen, and scan the\n"+
		"code. Or type afw#setup where it asks for a Google account, and then the token.\n"+
		"Whoever has it can enroll: `syncpayloads android revoke %s` ends it.\n",
		printable(made.Value), printable(made.ID), devices, moment(made.Expires),
		printable(made.ID))
	return nil
}

const (
	qrMargin = 4 // modules that ISO/IEC 18004 wants to be empty around a code
	// black on white, whatever the colours of the terminal
	qrColours, qrPlain = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
)

// printQR draws a code with characters of which each is two modules, one above the other.
func printQR(out io.Writer, code *qr.Code, coloured bool) {
	halves := map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄",
		{true, true}: "█"}
	for y := -qrMargin; y < code.Size+qrMargin; y += 2 {
		var line strings.Builder
		for x := -qrMargin; x < code.Size+qrMargin; x++ {
			line.WriteString(halves[[2]bool{code.Black(x, y), code.Black(x, y+1)}])
		}
		if coloured {
			fmt.Fprintln(out, qrColours+line.String()+qrPlain)
		} else {
			fmt.Fprintln(out, line.String())
		}
	}
}

type androidRevokeCommand struct {
	connection `embed:""`
	Token      string `arg:"" help:"The token's id, as android show tells it."`
}

// Run revokes a token.
func (a *androidRevokeCommand) Run(ctx context.Context) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	return c.RevokeAndroidToken(ctx, a.Token)
}
