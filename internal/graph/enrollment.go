package graph

import (
	"context"
	"net/http"
	"time"
)

// Enroller makes links by which devices enroll.
type Enroller interface {
	// EnrollmentLink makes a link that enrolls one device, until it expires.
	EnrollmentLink(ctx context.Context, ttl time.Duration) (url string, expires time.Time, err error)
}

const (
	defaultEnrollmentTTL = day
	longestEnrollmentTTL = 30 * day
)

// createEnrollment is POST /api/enrollments, which is not Graph's.
func (c *call) createEnrollment() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only("expiresIn"); err != nil {
		return err
	}
	ttl := time.Duration(defaultEnrollmentTTL)
	if text, given, err := body.text("expiresIn"); err != nil {
		return err
	} else if given {
		d, ok := parseDuration(text)
		if !ok || d <= 0 || d > longestEnrollmentTTL {
			return badRequest("expiresIn",
				"Property 'expiresIn' is not valid: give a duration such as 24h or PT24H, at most %d days.", longestEnrollmentTTL/day)
		}
		ttl = d
	}
	url, expires, err := c.Enroller.EnrollmentLink(c.r.Context(), ttl)
	if err != nil {
		return err
	}
	return c.reply(http.StatusCreated, fields{{"url", url}, {"expiresDateTime", timestamp(expires)}})
}
