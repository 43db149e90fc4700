package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// enrollmentPage is what the page for new devices shows.
type enrollmentPage struct {
	Validities []option
	Validity   string
	For        string          // serial number or UDID of the one device; empty: any
	Replace    bool            // a device that is enrolled may enroll anew
	Link       *enrollmentLink // nil: none was made yet
	Message    string          // why none was made; empty: nothing went wrong
	// what is wrong with the push certificate; empty: nothing is known to be
	Push string
	// makes an enrollment token of Android; nil: there is no enterprise, or the visitor may not
	Android *androidTokenForm
}

// enrollmentLink enrolls one device.
type enrollmentLink struct {
	URL     string
	Expires moment
	For     string // the one device; empty: any
	Replace bool
	Code    *qrPicture
}

var validities = []option{{"1h", "1 hour"}, {"24h", "1 day"}, {"168h", "7 days"},
	{"720h", "30 days"}}

const defaultValidity = "24h"

// enrollment offers to make a link.
func (v *visit) enrollment() error {
	return v.showEnrollment(http.StatusOK, enrollmentPage{Validity: defaultValidity})
}

func (v *visit) showEnrollment(status int, p enrollmentPage) (err error) {
	p.Validities = validities
	if p.Push, err = v.pushProblem(); err != nil {
		return err
	}
	if p.Android, err = v.androidOffer(); err != nil {
		return err
	}
	return v.renderStatus(status, "enrollment", "Enrollment", p)
}

// enroll makes a link. It is on the answer's own page, and nowhere else: whoever has it can enroll
// a device.
func (v *visit) enroll() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	p := enrollmentPage{Validity: v.r.PostForm.Get("validity"),
		For: strings.TrimSpace(v.r.PostForm.Get("for")), Replace: v.r.PostForm.Has("replace")}
	if !slices.ContainsFunc(validities, func(o option) bool { return o.Value == p.Validity }) {
		p.Validity = defaultValidity
	}
	var made struct {
		URL     string    `json:"url"`
		Expires time.Time `json:"expiresDateTime"`
	}
	terms := map[string]any{"expiresIn": p.Validity, "replace": p.Replace}
	if p.For != "" {
		terms["for"] = p.For
	}
	if err := v.post("/api/enrollments", nil, terms, &made); err != nil {
		refused, ok := near(err)
		if !ok {
			return err
		}
		p.Message = refused.Message
		return v.showEnrollment(refused.Status, p)
	}
	code, err := newQRPicture(made.URL)
	if err != nil {
		return err
	}
	p.Link = &enrollmentLink{made.URL, v.moment(made.Expires), p.For, p.Replace, code}
	p.For, p.Replace = "", false // the next device is another one
	return v.showEnrollment(http.StatusCreated, p)
}

// pushProblem says why the server cannot wake devices, as far as the visitor may know.
func (v *visit) pushProblem() (string, error) {
	if !v.may(access.ReadOrganization) {
		return "", nil
	}
	var certificate struct {
		Expires time.Time `json:"expirationDateTime"`
	}
	err := v.get("/beta/deviceManagement/applePushNotificationCertificate",
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

// qrPicture is a QR code (ISO/IEC 18004) as the path of an SVG picture, one unit a module.
type qrPicture struct {
	Size int // with the margin
	Path string
}

const qrMargin = 4 // modules that the standard wants to be empty around the code

func newQRPicture(text string) (*qrPicture, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("making a QR code of %d characters: %w", len(text), err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			begin := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+qrMargin, y+qrMargin, x-begin, x-begin)
			}
		}
	}
	return &qrPicture{code.Size + 2*qrMargin, path.String()}, nil
}
