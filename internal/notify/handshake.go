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

// Unvalidated says that a receiver did not pass the handshake.
type Unvalidated struct {
	Property string // that has its URL
	Reason   string
}

func (u *Unvalidated) Error() string {
	return fmt.Sprintf("%s was not validated: %s", u.Property, u.Reason)
}

// shake checks that a URL wants notifications: it must give back a token, decoded, within the
// handshake's time (Microsoft Graph, "notificationUrl validation"). The error is an *Unvalidated,
// or the caller's context's.
func (s *Service) shake(ctx context.Context, owner, property, text string) error {
	leave, err := s.handshakes.enter(ctx, owner)
	if err != nil {
		return err
	}
	defer leave()
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	token := "Validation: " + rand.Text() // what has to be decoded, as Graph's has
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
		reason = answer.faultAsEcho(token)
	}
	if reason == "" {
		return nil
	}
	return &Unvalidated{property, reason}
}

// faultAsEcho tells what is wrong with an answer that must be the token; empty: nothing is.
func (r *response) faultAsEcho(token string) string {
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
