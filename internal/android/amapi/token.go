package amapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"google.golang.org/api/androidmanagement/v1"

	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// personalUsage is what Google calls the modes (EnrollmentToken.allowPersonalUsage).
var personalUsage = map[Mode]string{
	Dedicated:            "PERSONAL_USAGE_DISALLOWED_USERLESS",
	FullyManaged:         "PERSONAL_USAGE_DISALLOWED",
	CorporateWorkProfile: "PERSONAL_USAGE_ALLOWED",
}

// CreateToken makes an enrollment token at Google. The errors are an *invalid.Input of mode or
// validFor, a *Refused and ErrNoEnterprise.
func (c *Channel) CreateToken(ctx context.Context, t TokenTerms) (*Token, error) {
	usage, known := personalUsage[t.Mode]
	if !known {
		return nil, &invalid.Input{Property: "mode",
			Reason: "must be dedicated, fullyManaged or corporateWorkProfile"}
	}
	if t.Valid == 0 {
		t.Valid = DefaultTokenLife
	}
	if t.Valid < MinTokenLife || t.Valid > MaxTokenLife {
		return nil, &invalid.Input{Property: "validFor", Reason: fmt.Sprintf(
			"must be a minute to %d days", MaxTokenLife/(24*time.Hour))}
	}
	g, setup, err := c.readyClient(ctx)
	if errors.Is(err, ErrNoServiceAccount) {
		err = ErrNoEnterprise
	}
	if err != nil {
		return nil, err
	}
	// Google vouches for a device, and one that was reset is the same one.
	t.Terms.For, t.Terms.Replace = "", true
	id := uuid.NewString()
	var made *androidmanagement.EnrollmentToken
	err = g.ask(ctx, "make an enrollment token", func(ctx context.Context) (err error) {
		made, err = g.amapi.Enterprises.EnrollmentTokens.Create(setup.Enterprise,
			&androidmanagement.EnrollmentToken{AdditionalData: id, AllowPersonalUsage: usage,
				OneTimeOnly: t.OneTime, PolicyName: setup.StartPolicy,
				Duration: strconv.FormatInt(int64(t.Valid/time.Second), 10) + "s"}).
			Context(ctx).Do()
		return err
	})
	if err != nil {
		return nil, shownError(err)
	}
	now := c.now().UTC().Truncate(time.Microsecond)
	stored := StoredToken{ID: id, Name: made.Name, Mode: t.Mode, OneTime: t.OneTime, Created: now,
		Expires: now.Add(t.Valid), Terms: t.Terms}
	if at, err := time.Parse(time.RFC3339Nano, made.ExpirationTimestamp); err == nil {
		stored.Expires = at.UTC().Truncate(time.Microsecond)
	}
	audit.Note(ctx, audit.Object{Type: tokenObject, ID: id, After: stored.noted()})
	if err := c.store.AddAndroidToken(ctx, stored); err != nil {
		return nil, err
	}
	shown := stored.shown()
	shown.Value, shown.QRText = made.Value, made.QrCode
	return &shown, nil
}

func (t *StoredToken) shown() Token {
	return Token{ID: t.ID, Mode: t.Mode, Group: t.Terms.Group, OneTime: t.OneTime,
		Expires: t.Expires, Created: t.Created, Maker: t.Terms.MakerName, Revoked: t.Revoked,
		Terms: t.Terms}
}

// Tokens lists the tokens that were made here and can still be used, the newest first.
func (c *Channel) Tokens(ctx context.Context) ([]Token, error) {
	stored, err := c.store.AndroidTokens(ctx, c.now())
	list := make([]Token, len(stored))
	for i := range stored {
		list[i] = stored[i].shown()
	}
	return list, err
}

// RevokeToken has Google take a token back; devices that enrolled with it stay. The errors are
// ErrNoToken and a *Refused.
func (c *Channel) RevokeToken(ctx context.Context, id string) error {
	t, err := c.store.AndroidToken(ctx, id, "")
	if errors.Is(err, ErrNotFound) || err == nil && t.Revoked {
		return ErrNoToken
	}
	if err != nil {
		return err
	}
	g, _, err := c.client(ctx)
	if err != nil {
		return err
	}
	err = g.ask(ctx, "take back an enrollment token", func(ctx context.Context) error {
		_, err := g.amapi.Enterprises.EnrollmentTokens.Delete(t.Name).Context(ctx).Do()
		return err
	})
	if err != nil && !isCode(err, http.StatusNotFound) { // expired ones are not there any more
		return shownError(err)
	}
	audit.Note(ctx, audit.Object{Type: tokenObject, ID: id, Before: t.noted()})
	return c.store.RevokeAndroidToken(ctx, id)
}

const tokenObject = "enrollmentToken"

// noted is what the audit record keeps of a token: never its value.
func (t *StoredToken) noted() json.RawMessage {
	noted := map[string]any{"expiresDateTime": t.Expires, "mode": t.Mode, "oneTime": t.OneTime}
	for name, value := range map[string]string{"madeBy": t.Terms.Maker,
		"groupId": t.Terms.Group} {
		if value != "" {
			noted[name] = value
		}
	}
	text, _ := json.Marshal(noted) // texts and a time of our clock marshal
	return text
}
