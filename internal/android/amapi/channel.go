// Package amapi speaks with Android devices through Google's Android Management API: one policy for
// each device, posted whole, and what Google reports of the device.
package amapi

import (
	"context"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// Channel is the channel to Android devices.
type Channel struct{}

// Enterprise tells how far the set-up has come, and what there is. Only the store is asked.
func (c *Channel) Enterprise(ctx context.Context) (Enterprise, error) {
	return Enterprise{Step: StepNothing}, nil
}

// SetServiceAccount takes the key of a service account, JSON as Google Cloud gives it, checks with
// Google that it may use the Android Management API, and keeps it in place of the present one. The
// errors are an *invalid.Input of serviceAccount, a *Refused, and ErrOtherProject.
func (c *Channel) SetServiceAccount(ctx context.Context, keyJSON []byte) (Enterprise, error) {
	return Enterprise{}, &invalid.Input{Property: "serviceAccount", Reason: "is not taken yet"}
}

// BeginSignup begins the sign-up and returns the address of Google's page, where an admin makes the
// enterprise. Google leads them back to callback, an https URL of this server, with the query
// parameter enterpriseToken. The errors are an *invalid.Input of callback, a *Refused and
// ErrNoServiceAccount. With an enterprise already there, it is an *invalid.Input, too.
func (c *Channel) BeginSignup(ctx context.Context, callback string) (url string, err error) {
	return "", ErrNoServiceAccount
}

// FinishSignup makes the enterprise of the token that Google's page gave, the topic and the
// subscription by which Google tells of devices, and the policy that devices start with, in that
// order: no device can enroll before all is there. Where a step fails, calling it again goes on
// from there; once the enterprise is there, the token may be empty. The errors are an
// *invalid.Input of enterpriseToken or delivery, a *Refused, ErrNoServiceAccount and ErrNoSignup.
func (c *Channel) FinishSignup(ctx context.Context, enterpriseToken string,
	d Delivery) (Enterprise, error) {
	return Enterprise{}, ErrNoServiceAccount
}

// CreateToken makes an enrollment token at Google. The errors are an *invalid.Input of mode or
// validFor, a *Refused and ErrNoEnterprise.
func (c *Channel) CreateToken(ctx context.Context, t TokenTerms) (*Token, error) {
	return nil, ErrNoEnterprise
}

// Tokens lists the tokens that were made here and can still be used, the newest first.
func (c *Channel) Tokens(ctx context.Context) ([]Token, error) { return nil, nil }

// RevokeToken has Google take a token back; devices that enrolled with it stay. The errors are
// ErrNoToken and a *Refused.
func (c *Channel) RevokeToken(ctx context.Context, id string) error { return ErrNoToken }

// Health tells how the server and Google get on.
func (c *Channel) Health(ctx context.Context) (Health, error) { return Health{}, nil }
