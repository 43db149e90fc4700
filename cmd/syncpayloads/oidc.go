package main

import (
	"errors"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// oidcFlags say which identity provider's tokens are accepted (access.ProviderConfig).
type oidcFlags struct {
	Issuer      string        `help:"Accept tokens of this OpenID Connect provider, https://…, as their iss has it." placeholder:"URL" group:"Identity provider"`
	Audience    string        `help:"What aud of a token must contain." group:"Identity provider"`
	RolesClaim  string        `help:"Claim with the permissions of applications; a dot goes into an object." default:"roles" group:"Identity provider"`
	GroupsClaim string        `help:"Claim with the groups of a person." default:"groups" group:"Identity provider"`
	Skew        time.Duration `help:"How far the provider's clock may differ." default:"1m" group:"Identity provider"`
	CA          string        `name:"ca" help:"CA of the provider's certificate, a PEM file; without it the system's CAs are believed." placeholder:"FILE" predictor:"file" group:"Identity provider"`
}

// Validate refuses one flag without the other that belongs to it.
func (o *oidcFlags) Validate() error {
	if (o.Issuer == "") != (o.Audience == "") {
		return errors.New("--oidc-issuer and --oidc-audience belong together: give both or none")
	}
	return nil
}

func (o *oidcFlags) provider() (access.ProviderConfig, error) {
	p := access.ProviderConfig{Issuer: o.Issuer, Audience: o.Audience, RolesClaim: o.RolesClaim,
		GroupsClaim: o.GroupsClaim, Skew: o.Skew}
	if o.CA == "" {
		return p, nil
	}
	var err error
	p.CAs, err = readPool(o.CA)
	return p, err
}
