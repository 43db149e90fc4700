package graph

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// certificateWarning is how long before its end a certificate is warned of: a push certificate's
// renewal takes a person.
const certificateWarning = 30 * day

// The words for the database.
const (
	databaseWorks = "ok"
	databaseBusy  = "busy"
	databaseFails = "failed"
)

// serverHealth is GET /api/health, our own: how the server stands, and what somebody has to see to.
func (c *call) serverHealth() error {
	database, devices, err := c.databaseHealth()
	if err != nil {
		return err
	}
	warnings := []string{}
	if database != databaseWorks {
		warnings = append(warnings,
			"The database does not answer as it should. The server's log has the cause.")
	}
	if c.config.Durable != nil && database == databaseWorks {
		if err := c.config.Durable(c.req.Context()); err != nil {
			c.config.Log.Error("the database may lose what is answered", "request-id", c.req.ID,
				"err", err)
			warnings = append(warnings,
				"The database may lose what is answered when its machine ends: its settings are not safe, or cannot be read. "+
					"The server's log has the cause.")
		}
	}
	var shown any
	certificate, err := c.config.PushCertificates.PushCertificate(c.req.Context())
	if err != nil {
		c.config.Log.Error("the push certificate cannot be read", "request-id", c.req.ID, "err",
			err)
		warnings = append(warnings,
			"The push certificate cannot be read. The server's log has the cause.")
	} else {
		warnings = append(warnings, pushWarnings(certificate, c.config.Now())...)
		warnings = append(warnings, c.topicWarnings()...)
	}
	if certificate != nil {
		shown = odata.Fields{{"topic", certificate.Topic},
			{"expirationDateTime", odata.Timestamp(certificate.Expires)}}
	}
	warnings = append(warnings, tlsWarnings(c.config.TLSCertificate(), c.config.Now())...)
	android, more := c.androidHealth()
	warnings = append(warnings, more...)
	return c.req.Reply(http.StatusOK, odata.Fields{
		{"version", c.config.Version},
		{"started", odata.Timestamp(c.config.Started)},
		{"database", database},
		{"devices", devices},
		{"pushCertificate", shown},
		{"android", android},
		{"warnings", warnings},
	})
}

// databaseHealth reads from the database: how many devices the caller may know of. A failure is an
// answer; what it was is for the log. The error is that of a caller who has gone.
func (c *call) databaseHealth() (state string, devices any, err error) {
	var where fleet.Condition
	if !c.scope.Everything() {
		where = fleet.Within(c.scope)
	}
	n, err := c.config.Devices.CountDevices(c.req.Context(), where)
	switch {
	case err == nil:
		return databaseWorks, n, nil
	case c.req.Context().Err() != nil:
		return "", nil, errors.Join(err, c.req.Context().Err())
	}
	c.config.Log.Error("the database cannot be read", "request-id", c.req.ID, "err", err)
	if c.config.Busy(err) {
		return databaseBusy, nil, nil
	}
	return databaseFails, nil, nil
}

// topicWarnings names devices that the caller may know of and that cannot be woken. A failure is
// for the log, and for what is said of the database.
func (c *call) topicWarnings() []string {
	var where fleet.Condition
	if !c.scope.Everything() {
		where = fleet.Within(c.scope)
	}
	devices, err := c.config.PushCertificates.Unwakeable(c.req.Context(), where)
	if err != nil {
		c.config.Log.Error("it cannot be read which devices cannot be woken", "request-id",
			c.req.ID, "err", err)
	}
	if err != nil || devices.Count == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s enrolled under another topic than the push certificate's and cannot be woken: what is asked of them waits until "+
		"they connect by themselves. Set the certificate of their topic again, or have them enroll again.", devices)}
}

const pushPortal = "identity.apple.com/pushcert"

func pushWarnings(p *PushCertificate, now time.Time) []string {
	switch {
	case p == nil:
		return []string{"No push certificate has been set: devices cannot be woken, and do what they are asked only when they connect " +
			"by themselves. Get one at " + pushPortal + "."}
	case !now.Before(p.Expires):
		return []string{fmt.Sprintf("The push certificate expired at %s: no device can be woken. Renew it at %s, with the Apple account "+
			"that it was made with.", minute(p.Expires), pushPortal)}
	case p.Expires.Sub(now) < certificateWarning:
		return []string{fmt.Sprintf("The push certificate expires at %s, in %s. Renew it at %s, with the Apple account that it was made with: "+
			"with another one, every device must enroll again.", minute(p.Expires),
			daysLeft(p.Expires.Sub(now)), pushPortal)}
	}
	return nil
}

// tlsWarnings warns later of a certificate that is valid for weeks only: it is renewed by a
// program.
func tlsWarnings(c *x509.Certificate, now time.Time) []string {
	if c == nil {
		return nil
	}
	switch left := c.NotAfter.Sub(now); {
	case left <= 0:
		return []string{fmt.Sprintf("The server's TLS certificate expired at %s: clients and devices refuse to connect. Replace it.", minute(c.NotAfter))}
	case left < min(certificateWarning, c.NotAfter.Sub(c.NotBefore)/4):
		return []string{fmt.Sprintf("The server's TLS certificate expires at %s, in %s: then clients and devices refuse to connect. Replace it.",
			minute(c.NotAfter), daysLeft(left))}
	}
	return nil
}

// minute is a time in a sentence.
func minute(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 UTC") }

func daysLeft(d time.Duration) string {
	switch n := int(d / day); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
