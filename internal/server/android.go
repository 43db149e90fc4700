package server

import (
	"context"
	"errors"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// AndroidChannel returns the channel to Google, through which Android devices are managed; nil if
// there is none.
func (s *Server) AndroidChannel() *amapi.Channel {
	for _, channel := range s.platforms.channels {
		if found, ok := channel.(*amapi.Channel); ok {
			return found
		}
	}
	return nil
}

// androidSetUp adapts the channel to what the Graph API asks for. The two packages do not import
// each other.
type androidSetUp struct{ channel *amapi.Channel }

func (a androidSetUp) AndroidHealth(ctx context.Context) (*graph.AndroidHealth, error) {
	h, err := a.channel.Health(ctx)
	if err != nil {
		return nil, err
	}
	shown := &graph.AndroidHealth{Step: string(h.Step), Project: h.Project,
		ClientEmail: h.ClientEmail, Name: h.Name, DisplayName: h.DisplayName,
		Delivery: string(h.Delivery), Subscription: h.Subscription, Devices: h.Devices,
		Waiting: h.Waiting, PausedUntil: h.PausedUntil, Pulled: h.PulledAt, Listed: h.ListedAt,
		PullFailure: h.PullFailure}
	if r := h.LastRefusal; r != nil {
		shown.Refusal = &graph.AndroidRefusal{At: r.At, Action: r.Action, Status: r.Code,
			Message: r.Text}
	}
	for _, r := range h.Refusals {
		shown.Refusals = append(shown.Refusals, graph.AndroidRefusal{At: r.At, Action: r.Action,
			Status: r.Code, Message: r.Text})
	}
	return shown, nil
}

func (a androidSetUp) SetAndroidServiceAccount(ctx context.Context, keyFile []byte) error {
	_, err := a.channel.SetServiceAccount(ctx, keyFile)
	return androidError(err)
}

func (a androidSetUp) BeginAndroidSignup(ctx context.Context, callback string) (string, error) {
	url, err := a.channel.BeginSignup(ctx, callback)
	return url, androidError(err)
}

func (a androidSetUp) FinishAndroidSignup(ctx context.Context, token, delivery string) error {
	_, err := a.channel.FinishSignup(ctx, token, amapi.Delivery(delivery))
	return androidError(err)
}

func (a androidSetUp) CreateAndroidToken(ctx context.Context,
	terms graph.AndroidTokenTerms) (*graph.AndroidToken, error) {
	made, err := a.channel.CreateToken(ctx, amapi.TokenTerms{Mode: amapi.Mode(terms.Mode),
		OneTime: terms.OneTime, Valid: terms.Valid, Terms: terms.EnrollmentTerms})
	if err != nil {
		return nil, androidError(err)
	}
	return androidToken(made), nil
}

func androidToken(t *amapi.Token) *graph.AndroidToken {
	return &graph.AndroidToken{ID: t.ID, Created: t.Created, Expires: t.Expires, Value: t.Value,
		QRText: t.QRText, Terms: graph.AndroidTokenTerms{EnrollmentTerms: t.Terms,
			Mode: string(t.Mode), OneTime: t.OneTime, Valid: t.Expires.Sub(t.Created)}}
}

func (a androidSetUp) AndroidTokens(ctx context.Context) ([]graph.AndroidToken, error) {
	list, err := a.channel.Tokens(ctx)
	if err != nil {
		return nil, androidError(err)
	}
	shown := make([]graph.AndroidToken, len(list))
	for i := range list {
		shown[i] = *androidToken(&list[i])
	}
	return shown, nil
}

func (a androidSetUp) RevokeAndroidToken(ctx context.Context, id string) error {
	return androidError(a.channel.RevokeToken(ctx, id))
}

// androidInputs maps the channel's names of inputs to the API's, where they differ.
var androidInputs = map[string]string{"callback": "callbackUrl", "validFor": "expiresIn"}

// androidError translates the channel's errors into those that the Graph API knows.
func androidError(err error) error {
	var refused *amapi.Refused
	var wrong *invalid.Input
	switch {
	case errors.As(err, &refused):
		return &graph.AndroidRefusal{Action: refused.Action, Status: refused.Code,
			Message: refused.Text}
	case errors.As(err, &wrong) && androidInputs[wrong.Property] != "":
		return &invalid.Input{Property: androidInputs[wrong.Property], Reason: wrong.Reason}
	case errors.Is(err, amapi.ErrNoToken):
		return graph.ErrNoAndroidToken
	}
	for _, conflict := range []error{amapi.ErrNoServiceAccount, amapi.ErrNoSignup,
		amapi.ErrNoEnterprise, amapi.ErrOtherProject} {
		if errors.Is(err, conflict) {
			return &graph.AndroidConflict{Reason: conflict.Error()}
		}
	}
	return err
}
