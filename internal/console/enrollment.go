package console

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"github.com/syncpayloads/syncpayloads/internal/platform"
)

// enrollmentPage is what the page for new devices shows.
type enrollmentPage struct {
	Validities []option
	Validity   string
	For        string          // serial number or UDID of the one device; empty: any
	Replace    bool            // a device that is enrolled may enroll anew
	Link       *enrollmentLink // nil: none was made yet
	Message    string          // why none was made; empty: nothing went wrong
	Problems   []string        // why devices should not be enrolled at the moment
	Device     string          // what a link enrolls
	ByLink     []*platform.LinkEnrollment
	Others     []template.HTML // other ways to enroll devices
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
	for _, pages := range v.platformPages() {
		if pages.problem == nil {
			continue
		}
		problem, err := pages.problem(v)
		if err != nil {
			return err
		}
		if problem != "" {
			p.Problems = append(p.Problems, problem)
		}
	}
	p.Others, err = v.platformParts(func(pages *platformPages) (template.HTML, error) {
		if pages.enrollment == nil {
			return "", nil
		}
		return pages.enrollment(v)
	})
	if err != nil {
		return err
	}
	p.Device, p.ByLink = v.enrollableByLink(len(p.Others) > 0)
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

// enrollableByLink are the ways to enroll devices by link, and what such a device is called where
// there are others.
func (v *visit) enrollableByLink(others bool) (device string, ways []*platform.LinkEnrollment) {
	var devices []string
	for _, one := range v.config.Platforms {
		if one.ByLink != nil {
			ways = append(ways, one.ByLink)
			devices = append(devices, one.ByLink.Device)
		}
	}
	if !others || len(devices) == 0 {
		return "a device", ways
	}
	return strings.Join(devices, " or "), ways
}

// emphasis is a piece of a text.
type emphasis struct {
	Text   string
	Strong bool
}

// emphasized takes a text apart of which some pieces stand between asterisks.
func emphasized(text string) (pieces []emphasis) {
	for i, piece := range strings.Split(text, "*") {
		pieces = append(pieces, emphasis{piece, i%2 == 1})
	}
	return pieces
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
