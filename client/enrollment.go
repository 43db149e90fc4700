package client

import (
	"context"
	"net/http"
	"time"
)

// Enrollment is a link that enrolls one device, once. Whoever has the link can use it.
type Enrollment struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expiresDateTime"`
	// For is the serial number or UDID of the only device that it enrolls; empty: any.
	For     string   `json:"for"`
	Replace bool     `json:"replace"`         // it may enroll a device that is already enrolled
	GroupID string   `json:"groupId"`         // group that a new device joins; empty: none
	Tags    []string `json:"roleScopeTagIds"` // scope tags of a new device
}

// EnrollmentOptions says what an enrollment link allows.
type EnrollmentOptions struct {
	ExpiresIn time.Duration // 0: the server's default
	For       string        // serial number or UDID of the only device that may use it; empty: any
	Replace   bool          // an enrolled device may enroll again; its present identity ends
	GroupID   string        // group that a new device joins; empty: as the caller's role says
}

// CreateEnrollment creates a link that enrolls any one device that is not enrolled yet. expiresIn 0
// means the server's default.
func (c *Client) CreateEnrollment(ctx context.Context,
	expiresIn time.Duration) (*Enrollment, error) {
	return c.CreateEnrollmentWith(ctx, EnrollmentOptions{ExpiresIn: expiresIn})
}

// CreateEnrollmentWith creates an enrollment link with options.
func (c *Client) CreateEnrollmentWith(ctx context.Context,
	o EnrollmentOptions) (*Enrollment, error) {
	body := map[string]any{}
	if o.ExpiresIn != 0 {
		body["expiresIn"] = o.ExpiresIn.String()
	}
	if o.For != "" {
		body["for"] = o.For
	}
	if o.Replace {
		body["replace"] = true
	}
	if o.GroupID != "" {
		body["groupId"] = o.GroupID
	}
	e := new(Enrollment)
	return e, c.Do(ctx, http.MethodPost, "/api/enrollments", body, e)
}

// PushCertificate is the certificate with which the server wakes Apple devices (Microsoft Graph
// beta reference, applePushNotificationCertificate resource type).
type PushCertificate struct {
	Topic        string    `json:"topicIdentifier"`
	SerialNumber string    `json:"certificateSerialNumber"`
	Expires      time.Time `json:"expirationDateTime"`
	PEM          string    `json:"certificate"`
}

const pushCertificatePath = "/beta/deviceManagement/applePushNotificationCertificate"

// PushCertificate returns the push certificate without its key. If none has been set, IsNotFound is
// true for the error.
func (c *Client) PushCertificate(ctx context.Context) (*PushCertificate, error) {
	p := new(PushCertificate)
	return p, c.Do(ctx, http.MethodGet, pushCertificatePath, nil, p)
}

// SetPushCertificate sets the push certificate. Both arguments are PEM. The server refuses it with
// a conflict (409) if enrolled devices could not be woken with it.
func (c *Client) SetPushCertificate(ctx context.Context, certificate,
	privateKey []byte) (*PushCertificate, error) {
	return c.setPushCertificate(ctx, certificate, privateKey, false)
}

// ReplacePushCertificate sets the push certificate even if enrolled devices cannot be woken with
// it.
func (c *Client) ReplacePushCertificate(ctx context.Context, certificate,
	privateKey []byte) (*PushCertificate, error) {
	return c.setPushCertificate(ctx, certificate, privateKey, true)
}

func (c *Client) setPushCertificate(ctx context.Context, certificate, privateKey []byte,
	force bool) (*PushCertificate, error) {
	p := new(PushCertificate)
	body := map[string]any{"certificate": string(certificate), "privateKey": string(privateKey)}
	if force {
		body["force"] = true
	}
	return p, c.Do(ctx, http.MethodPatch, pushCertificatePath, body, p)
}
