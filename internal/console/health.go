package console

import (
	"net/http"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// serverHealth is how the server stands as the API tells it.
type serverHealth struct {
	Version  string    `json:"version"`
	Started  time.Time `json:"started"`
	Database string    `json:"database"`
	Devices  *int      `json:"devices"` // nil: the database does not answer
	Push     *struct {
		Topic   string    `json:"topic"`
		Expires time.Time `json:"expirationDateTime"`
	} `json:"pushCertificate"`
	Android *struct { // nil: nobody has begun to set it up
		android
		Waiting  int       `json:"waiting"`
		Messages time.Time `json:"messagesDateTime"`
		Listed   time.Time `json:"listedDateTime"`
	} `json:"android"`
	Warnings []string `json:"warnings"`
}

// healthPage is what the page of the server's health shows.
type healthPage struct {
	serverHealth
	Notice      string
	Database    mark
	Since       moment
	PushExpires moment
	PushState   mark
	MayUpdate   bool

	AndroidMessages, AndroidListed moment
	AndroidRefusals                []shownRefusal
	SeesAndroid                    bool
}

// shownRefusal is what Google refused, with when.
type shownRefusal struct {
	androidRefusal
	When moment
}

var databaseStates = map[string]mark{"ok": {"Works", "good"}, "busy": {"Busy", "busy"}}

// pushNotice is how long before its end the push certificate is shown as one that ends, as in the
// API's warnings.
const pushNotice = 30 * 24 * time.Hour

func (v *visit) health() error {
	var h serverHealth
	if err := v.get("/api/health", nil, &h); err != nil {
		return err
	}
	database, known := databaseStates[h.Database]
	if !known {
		database = mark{"Failed", "bad"}
	}
	p := healthPage{serverHealth: h, Database: database, Since: v.moment(h.Started),
		MayUpdate: v.may(access.UpdateOrganization)}
	if v.r.URL.Query().Get("notice") == "push" {
		p.Notice = "The push certificate is set. Devices are woken with it from now on."
	}
	if h.Push != nil {
		p.PushExpires, p.PushState = v.moment(h.Push.Expires), v.certificateState(h.Push.Expires)
	}
	p.SeesAndroid = v.may(access.ReadAndroid)
	if a := h.Android; a != nil {
		p.AndroidMessages, p.AndroidListed = v.moment(a.Messages), v.moment(a.Listed)
		for _, r := range a.Refusals {
			p.AndroidRefusals = append(p.AndroidRefusals, shownRefusal{r, v.moment(r.At)})
		}
	}
	return v.renderStatus(http.StatusOK, "health", "Health", p)
}

// certificateState says in a word how long a push certificate lasts.
func (v *visit) certificateState(expires time.Time) mark {
	switch left := expires.Sub(v.config.Now()); {
	case left <= 0:
		return mark{"Expired", "bad"}
	case left < pushNotice:
		return mark{"Expires soon", "bad"}
	default:
		return mark{"Valid", "good"}
	}
}
