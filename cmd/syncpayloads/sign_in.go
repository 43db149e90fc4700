package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// signInFlags say how people sign in to the console.
type signInFlags struct {
	OIDCClientID         string        `name:"oidc-client-id" help:"Let people sign in to the console at the provider, as this client of it. Its redirect URL is <server>/console/oidc/callback." placeholder:"ID" group:"Console"`
	OIDCClientSecretFile string        `name:"oidc-client-secret-file" help:"File with that client's secret; without it, a public client." placeholder:"FILE" predictor:"file" group:"Console"`
	SessionIdle          time.Duration `help:"After how long without use the console signs out." default:"30m" group:"Console"`
}

// check refuses flags that mean nothing without an issuer.
func (f *signInFlags) check(issuer string) error {
	switch {
	case f.OIDCClientID != "" && issuer == "":
		return errors.New("--oidc-client-id needs --oidc-issuer and --oidc-audience")
	case f.OIDCClientSecretFile != "" && f.OIDCClientID == "":
		return errors.New("--oidc-client-secret-file needs --oidc-client-id")
	case f.SessionIdle < time.Minute || f.SessionIdle > access.SessionLifetime:
		return fmt.Errorf("--session-idle must be from 1m to %s", access.SessionLifetime)
	}
	return nil
}

func (f *signInFlags) client() (access.SignInConfig, error) {
	c := access.SignInConfig{ClientID: f.OIDCClientID}
	if f.OIDCClientSecretFile == "" {
		return c, nil
	}
	text, err := os.ReadFile(f.OIDCClientSecretFile)
	if err != nil {
		return c, fmt.Errorf("reading the client's secret: %w", err)
	}
	if c.ClientSecret = strings.TrimSpace(string(text)); c.ClientSecret == "" {
		return c, fmt.Errorf("%s is empty, and should have the client's secret",
			f.OIDCClientSecretFile)
	}
	return c, nil
}
