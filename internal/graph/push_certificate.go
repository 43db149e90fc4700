package graph

import (
	"context"
	"net/http"
	"time"
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
	// SetPushCertificate replaces it. A pair that cannot be used is a *catalog.Invalid of `certificate` or `privateKey`.
	SetPushCertificate(ctx context.Context, certificatePEM, keyPEM []byte) error
}

var pushCertificateProperties = properties{
	{"id", edmString}, {"topicIdentifier", edmString}, {"expirationDateTime", edmDateTime},
	{"certificateSerialNumber", edmString}, {"certificate", edmString},
}

func (c *call) getPushCertificate() error {
	selected, err := c.selected(pushCertificateProperties.names())
	if err != nil {
		return err
	}
	return c.replyPushCertificate(selected)
}

// updatePushCertificate takes `certificate` and, beside Graph's properties, the `privateKey` that belongs to it. The key
// is never served.
func (c *call) updatePushCertificate() error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := body.only(append([]string{"privateKey"}, pushCertificateProperties.names()...)...); err != nil {
		return err
	}
	if err := body.readOnly("id", "topicIdentifier", "expirationDateTime", "certificateSerialNumber"); err != nil {
		return err
	}
	certificate, err := body.requiredText("certificate")
	if err != nil {
		return err
	}
	key, err := body.requiredText("privateKey")
	if err != nil {
		return err
	}
	if err := c.PushCertificates.SetPushCertificate(c.r.Context(), []byte(certificate), []byte(key)); err != nil {
		return err
	}
	return c.replyPushCertificate(pushCertificateProperties.names())
}

func (c *call) replyPushCertificate(selected []string) error {
	p, err := c.PushCertificates.PushCertificate(c.r.Context())
	if err != nil {
		return err
	}
	if p == nil {
		return notFound("No push certificate has been set.")
	}
	all := fields{
		{"id", p.Topic},
		{"topicIdentifier", p.Topic},
		{"expirationDateTime", timestamp(p.Expires)},
		{"certificateSerialNumber", p.SerialNumber},
		{"certificate", p.PEM},
	}
	context := c.contextURL("deviceManagement/applePushNotificationCertificate") + "/$entity"
	return c.reply(http.StatusOK, append(fields{{"@odata.context", context}}, all.pick(selected)...))
}
