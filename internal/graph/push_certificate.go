package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// PushCertificate is what is shown of the certificate by which the server wakes Apple devices.
type PushCertificate struct {
	Topic        string
	SerialNumber string
	PEM          string
	Expires      time.Time
}

// PushCertificates keeps the push certificate.
type PushCertificates interface {
	// PushCertificate returns the certificate; nil if none has been set.
	PushCertificate(ctx context.Context) (*PushCertificate, error)
	// SetPushCertificate replaces it. A pair that cannot be used is an *invalid.Input of
	// `certificate` or `privateKey`; one with which devices cannot be woken any more is an
	// *OtherTopic, unless it is forced.
	SetPushCertificate(ctx context.Context, certificatePEM, keyPEM []byte, force bool) error
	// Unwakeable tells which devices that fulfil a condition (nil: all) cannot be woken with the
	// certificate.
	Unwakeable(ctx context.Context, where fleet.Condition) (Unwakeable, error)
}

// Unwakeable are devices that enrolled under another topic than a push certificate's.
type Unwakeable struct {
	Count int
	Names []string // of some of them
}

// String is how many devices there are and, if that is known, some of their names.
func (u Unwakeable) String() string {
	text := fmt.Sprintf("%d devices", u.Count)
	if u.Count == 1 {
		text = "1 device"
	}
	if len(u.Names) == 0 {
		return text
	}
	text += " (" + strings.Join(u.Names, ", ")
	if more := u.Count - len(u.Names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ")"
}

// OtherTopic is why a push certificate was not set.
type OtherTopic struct {
	Topic   string
	Devices Unwakeable
}

func (e *OtherTopic) Error() string {
	return fmt.Sprintf("a push certificate of topic %s wakes none of %s", e.Topic, e.Devices)
}

var pushCertificateProperties = odata.Properties{
	{"id", odata.String}, {"topicIdentifier", odata.String}, {"expirationDateTime", odata.DateTime},
	{"certificateSerialNumber", odata.String}, {"certificate", odata.String},
}

var pushCertificateShape = newShape("applePushNotificationCertificate", pushCertificateProperties)

func (c *call) getPushCertificate() error {
	selected, err := c.selected(pushCertificateShape)
	if err != nil {
		return err
	}
	return c.replyPushCertificate(selected)
}

// updatePushCertificate takes `certificate` and, beside Graph's properties, the `privateKey` that
// belongs to it, and `force`. The key is never served.
func (c *call) updatePushCertificate() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	if err := body.Only("certificate", "privateKey", "force"); err != nil {
		return err
	}
	certificate, err := body.RequiredText("certificate")
	if err != nil {
		return err
	}
	key, err := body.RequiredText("privateKey")
	if err != nil {
		return err
	}
	force := false
	if value, given := body.Values["force"]; given {
		if force, given = value.(bool); !given {
			return odata.BadRequest("force", "Property 'force' must be true or false.")
		}
	}
	err = c.config.PushCertificates.SetPushCertificate(c.req.Context(), []byte(certificate),
		[]byte(key), force)
	if other := new(OtherTopic); errors.As(err, &other) {
		return c.refuseTopic(other)
	}
	if err != nil {
		return err
	}
	return c.replyPushCertificate(c.view(pushCertificateShape).names)
}

// refuseTopic tells which devices could not be woken any more, by name if the caller sees all there
// are.
func (c *call) refuseTopic(other *OtherTopic) error {
	devices := other.Devices
	if !c.scope.Everything() {
		devices.Names = nil
	}
	return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
		Target: "certificate", Message: fmt.Sprintf(
			"The certificate is for the topic %s, and %s enrolled under another: they could not be woken any more, and would have to enroll again. "+
				"Renew the certificate that they enrolled with at %s, with the Apple account that it was made with. "+
				"To set this one all the same, force it.", other.Topic, devices, pushPortal)}
}

func (c *call) replyPushCertificate(selected []string) error {
	p, err := c.config.PushCertificates.PushCertificate(c.req.Context())
	if err != nil {
		return err
	}
	if p == nil {
		return odata.NotFound("No push certificate has been set.")
	}
	all := odata.Fields{
		{"id", p.Topic},
		{"topicIdentifier", p.Topic},
		{"expirationDateTime", odata.Timestamp(p.Expires)},
		{"certificateSerialNumber", p.SerialNumber},
		{"certificate", p.PEM},
	}
	context := c.req.ContextURL("deviceManagement/applePushNotificationCertificate") + "/$entity"
	return c.req.Reply(http.StatusOK, append(odata.Fields{{"@odata.context", context}},
		c.shown(pushCertificateShape, all, selected)...))
}
