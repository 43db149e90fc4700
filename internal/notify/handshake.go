package notify

import (
	"context"
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// Unvalidated says that a receiver failed the handshake.
type Unvalidated struct {
	Property string // the property with the receiver's URL
	Reason   string
}

func (u *Unvalidated) Error() string {
	return fmt.Sprintf("%s was not validated: %s", u.Property, u.Reason)
}

// shakeHands checks that the receiver at a URL wants notifications: within HandshakeTimeout it must
// answer with the token that it was sent, decoded (Microsoft Graph, "notificationUrl validation").
// The error is an *Unvalidated, lane.ErrFull, or that of the caller's context.
func (s *Service) shakeHands(ctx context.Context, owner, property, text string) error {
	leave, err := s.handshakes.enter(ctx, owner)
	if err != nil {
		return err
	}
	defer leave()
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	// has characters that must be decoded, as Graph's tokens have
	token := "Validation: " + rand.Text()
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "validationToken=" + url.QueryEscape(token)
	answer, err := s.client.post(ctx, u.String(),
		http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, nil, s.config.HandshakeTimeout)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := ""
	if err != nil {
		reason = describe(err, s.config.HandshakeTimeout)
	} else {
		reason = answer.echoFault(token)
	}
	if reason == "" {
		return nil
	}
	return &Unvalidated{property, reason}
}

// echoFault says what is wrong with an answer that must be the token; empty: nothing is.
func (r *response) echoFault(token string) string {
	media, _, err := mime.ParseMediaType(r.media)
	switch {
	case r.status != http.StatusOK:
		return fmt.Sprintf("it answered with status %d in place of 200", r.status)
	case err != nil || media != "text/plain":
		return "its answer is not text/plain"
	case strings.TrimSpace(string(r.body)) != token:
		return "its answer is not the decoded validationToken"
	default:
		return ""
	}
}
