package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/syncpayloads/syncpayloads/client"
)

type apnsCommand struct {
	Show apnsShowCommand `cmd:"" help:"Show the push certificate and when it expires."`
	Set  apnsSetCommand  `cmd:"" help:"Set the push certificate, from identity.apple.com/pushcert."`
}

type apnsShowCommand struct {
	connection `embed:""`
	JSON       bool `name:"json" help:"Print JSON."`
}

// Run prints the certificate.
func (a *apnsShowCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	certificate, err := c.PushCertificate(ctx)
	if client.IsNotFound(err) {
		return errors.New("no push certificate has been set: without one devices cannot " +
			"be woken; set one with `syncpayloads apns set`")
	}
	if err != nil {
		return err
	}
	return showPushCertificate(out, certificate, a.JSON)
}

type apnsSetCommand struct {
	connection  `embed:""`
	Certificate string `arg:"" help:"The certificate, a PEM file." predictor:"file"`
	Key         string `arg:"" help:"Its private key, a PEM file without a passphrase." predictor:"file"`
	Force       bool   `help:"Set it even if devices that are enrolled cannot be woken with it, because it is for another topic."`
	JSON        bool   `name:"json" help:"Print JSON."`
}

// Run sets the certificate.
func (a *apnsSetCommand) Run(ctx context.Context, out io.Writer) error {
	c, err := a.open()
	if err != nil {
		return err
	}
	certificate, err := os.ReadFile(a.Certificate)
	if err != nil {
		return fmt.Errorf("the certificate: %w", err)
	}
	key, err := os.ReadFile(a.Key)
	if err != nil {
		return fmt.Errorf("the private key: %w", err)
	}
	put := c.SetPushCertificate
	if a.Force {
		put = c.ReplacePushCertificate
	}
	set, err := put(ctx, certificate, key)
	if answer := new(client.Error); errors.As(err, &answer) &&
		answer.Status == http.StatusConflict {
		return fmt.Errorf("%w (here: --force)", err)
	}
	if err != nil {
		return err
	}
	return showPushCertificate(out, set, a.JSON)
}

func showPushCertificate(out io.Writer, p *client.PushCertificate, asJSON bool) error {
	if asJSON {
		return printJSON(out, p)
	}
	left := time.Until(p.Expires)
	fmt.Fprintf(out, "Topic          %s\nSerial number  %s\nExpires        %s (",
		printable(p.Topic), printable(p.SerialNumber),
		moment(p.Expires))
	if left < 0 {
		fmt.Fprintln(out,
			"expired: no device can be woken; renew it at identity.apple.com/pushcert)")
	} else {
		fmt.Fprintf(out, "in %d days)\n", int(left.Hours()/24))
	}
	return nil
}
