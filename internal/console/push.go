package console

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const pushCertificatePath = "/beta/deviceManagement/applePushNotificationCertificate"

// applePages are the page of the certificate by which Apple's devices are woken, and what to say of it
// before a device enrolls.
func applePages() *platformPages {
	return &platformPages{
		platform: "Apple",
		routes: []route{
			{pattern: "GET /console/health/push", handle: (*visit).pushPage},
			{pattern: "POST /console/health/push", handle: (*visit).setPush},
		},
		problem: (*visit).pushProblem,
	}
}

// pushCertificate is the certificate by which devices are woken as the API tells it.
type pushCertificate struct {
	Topic   string    `json:"topicIdentifier"`
	Serial  string    `json:"certificateSerialNumber"`
	Expires time.Time `json:"expirationDateTime"`
}

// pushProblem says why the server cannot wake devices, as far as the visitor may know.
func (v *visit) pushProblem() (string, error) {
	if !v.may(access.ReadOrganization) {
		return "", nil
	}
	var certificate struct {
		Expires time.Time `json:"expirationDateTime"`
	}
	err := v.get(pushCertificatePath,
		url.Values{"$select": {"expirationDateTime"}}, &certificate)
	switch {
	case isMissing(err):
		return "No push certificate is set. A device that enrolls now can never be woken, and has to enroll again once there is one.", nil
	case err != nil:
		return "", err
	case !v.config.Now().Before(certificate.Expires):
		return "The push certificate has expired. Until it is renewed, the server can wake no device.", nil
	default:
		return "", nil
	}
}

// pushPage is what the page of the push certificate shows.
type pushPage struct {
	Current     *pushCertificate // nil: none has been set
	Expires     moment
	State       mark
	MayUpdate   bool
	Certificate string // as it was sent. The key never comes back.
	Message     string // why it was refused; empty: it was not
	MayForce    bool   // it was refused because devices enrolled under another topic
}

func (v *visit) pushPage() error { return v.showPush(http.StatusOK, "", "") }

func (v *visit) showPush(status int, certificate, message string) error {
	p := pushPage{MayUpdate: v.may(access.UpdateOrganization), Certificate: certificate,
		Message: message, MayForce: status == http.StatusConflict}
	var current pushCertificate
	err := v.get(pushCertificatePath, nil, &current)
	refused, answered := near(err)
	switch {
	case err == nil:
		p.Current, p.Expires, p.State = &current, v.moment(current.Expires),
			v.certificateState(current.Expires)
	case !answered || refused.Status != http.StatusNotFound:
		return err
	}
	return v.renderStatus(status, "push", "Push certificate", p)
}

var pushLabels = map[string]string{"certificate": "Certificate", "privateKey": "Private key"}

// setPush takes the certificate and its key, each as a file or as text.
func (v *visit) setPush() error {
	if err := v.r.ParseMultipartForm(formLimit); err != nil {
		return badForm(err)
	}
	certificate, err := v.pem("certificate")
	if err != nil {
		return err
	}
	key, err := v.pem("key")
	if err != nil {
		return err
	}
	body := map[string]any{"certificate": certificate, "privateKey": key}
	if v.r.PostFormValue("force") != "" {
		body["force"] = true
	}
	err = v.call(http.MethodPatch, pushCertificatePath, nil, nil, body, nil)
	if refused, shown := near(err); shown && v.may(access.UpdateOrganization) {
		return v.showPush(refused.Status, certificate, withLabels(refused.Message, pushLabels))
	}
	if err != nil {
		return err
	}
	v.redirect("/console/health?notice=push")
	return nil
}

// pem is what a form sent as a file or, without one, as text.
func (v *visit) pem(name string) (string, error) {
	file, _, err := v.r.FormFile(name + "-file")
	if errors.Is(err, http.ErrMissingFile) {
		return formText(v.r.PostFormValue(name)), nil
	}
	if err != nil {
		return "", badForm(err)
	}
	text, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", badForm(err)
	}
	return string(text), nil
}
