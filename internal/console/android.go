package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const androidPath = "/api/android"

// androidPages are the page on which Android is set up, the form of an enrollment token beside the
// enrollment of other devices, and how Android stands on the page of the server's health.
func androidPages() *platformPages {
	return &platformPages{
		platform: "Android",
		routes: []route{
			{pattern: "GET /console/android", handle: (*visit).androidPage},
			{pattern: "POST /console/android/service-account", handle: (*visit).setServiceAccount},
			{pattern: "POST /console/android/signup", handle: (*visit).beginSignup},
			{pattern: "GET /console/android/signup", handle: (*visit).signedUp},
			{pattern: "POST /console/android/signup/finish", handle: (*visit).finishSignup},
			{pattern: "POST /console/android/tokens", handle: (*visit).createAndroidToken},
			{pattern: "GET /console/android/tokens/{id}/revoke",
				handle: (*visit).askToRevokeAndroidToken},
			{pattern: "POST /console/android/tokens/{id}/revoke",
				handle: (*visit).revokeAndroidToken},
		},
		section:    &section{"Android", "/console/android", []access.Right{access.ReadAndroid}},
		enrollment: (*visit).androidEnrollment,
		health:     (*visit).androidHealth,
		verbs: map[string]string{
			"beginSignup":  "Begin to sign up an %s with Google",
			"finishSignup": "Finish signing up an %s with Google",
		},
	}
}

// android is how Android is set up, as the API tells it.
type android struct {
	Step         string           `json:"step"`
	Project      string           `json:"project"`
	ClientEmail  string           `json:"clientEmail"`
	Enterprise   string           `json:"enterprise"`
	DisplayName  string           `json:"displayName"`
	Delivery     string           `json:"delivery"`
	Subscription string           `json:"subscription"`
	Devices      int              `json:"devices"`
	LastRefusal  *androidRefusal  `json:"lastRefusal"`
	Refusals     []androidRefusal `json:"refusals"` // the last one of each action
}

// androidRefusal is what Google did not do, with its own words.
type androidRefusal struct {
	At      time.Time `json:"dateTime"`
	Action  string    `json:"action"`
	Status  int       `json:"status"`
	Message string    `json:"message"`
}

// androidSteps are the steps of the set-up, in their order.
var androidSteps = []string{"notStarted", "serviceAccount", "signup", "enterprise", "ready"}

// reached reports whether the set-up has come to a step, or beyond it.
func (a *android) reached(step string) bool {
	return slices.Index(androidSteps, a.Step) >= slices.Index(androidSteps, step)
}

// androidPage is what the page of Android shows.
type androidPage struct {
	android
	Notice string
	// the states of the steps
	Account, SignUp, Tokens mark
	Refused                 moment
	MayOnboard              bool
	// why what was sent last was refused, told beside its form
	Message    string
	About      string // which form that is: account, signup or new
	SignupLink string // Google's page, after it was asked for
	List       []androidTokenRow
	Form       *androidTokenForm // nil: the visitor may make none, or there is no enterprise
	MayRevoke  bool
}

// The states of a step of the set-up.
var (
	stepDone = mark{"Done", "good"}
	stepNext = mark{"Next", "busy"}
	stepWait = mark{"Later", "idle"}
)

// Has reports whether the set-up has come to a step, or beyond it.
func (p androidPage) Has(step string) bool { return p.reached(step) }

var androidNotices = map[string]string{
	"account": "The service account is set. Google knows it.",
	"ready":   "All is set up: Android devices can enroll.",
	"revoked": "The enrollment token was revoked. No device enrolls with it any more.",
}

func (v *visit) androidPage() error {
	return v.showAndroid(http.StatusOK, androidPage{}, v.drafted())
}

// showAndroid shows the page with what a form led to, and the form of a token as it was sent.
func (v *visit) showAndroid(status int, p androidPage, sent url.Values) error {
	if err := v.get(androidPath, nil, &p.android); err != nil {
		return err
	}
	if p.Notice == "" {
		p.Notice = androidNotices[v.r.URL.Query().Get("notice")]
	}
	p.MayOnboard, p.MayRevoke = v.may(access.OnboardAndroid), v.may(access.UpdateAndroidEnrollment)
	p.Account, p.SignUp, p.Tokens = stepNext, stepWait, stepWait
	if p.reached("serviceAccount") {
		p.Account, p.SignUp = stepDone, stepNext
	}
	if p.LastRefusal != nil {
		p.Refused = v.moment(p.LastRefusal.At)
	}
	if p.reached("ready") {
		p.SignUp, p.Tokens = stepDone, stepNext
		var err error
		if p.List, err = v.androidTokenRows(); err != nil {
			return err
		}
		if len(p.List) > 0 {
			p.Tokens = stepDone
		}
		if p.Form, err = v.androidTokenForm(sent); err != nil {
			return err
		}
	}
	return v.renderStatus(status, "android", "Android", p)
}

var androidLabels = map[string]string{"serviceAccount": "Key file", "type": "type",
	"enterpriseToken": "Token of Google's", "delivery": "How Google tells of devices",
	"mode": "Managed as", "groupId": "Group", "expiresIn": "Valid for"}

// androidRefused shows the page with what the API refused, if that is to be told there.
func (v *visit) androidRefused(err error, p androidPage, sent url.Values) error {
	refused, shown := near(err)
	if !shown || refused.Status == http.StatusForbidden {
		return err
	}
	p.Message = withLabels(refused.Message, androidLabels)
	return v.showAndroid(refused.Status, p, sent)
}

// setServiceAccount takes the key file, as a file or as text. It never comes back.
func (v *visit) setServiceAccount() error {
	if err := v.r.ParseMultipartForm(formLimit); err != nil {
		return badForm(err)
	}
	key, err := v.pem("key")
	if err != nil {
		return err
	}
	if !json.Valid([]byte(key)) {
		return v.showAndroid(http.StatusBadRequest, androidPage{About: "account",
			Message: "That is not the JSON key file of a service account: it is no JSON."}, nil)
	}
	err = v.call(http.MethodPut, androidPath+"/serviceAccount", nil, nil, json.RawMessage(key), nil)
	if err != nil {
		return v.androidRefused(err, androidPage{About: "account"}, nil)
	}
	v.redirect("/console/android?notice=account#signup")
	return nil
}

// beginSignup shows the link to Google's page. It is not followed by itself: the console's forms
// lead nowhere else.
func (v *visit) beginSignup() error {
	var begun struct{ URL string }
	if err := v.post(androidPath+"/signup", nil, map[string]any{}, &begun); err != nil {
		return v.androidRefused(err, androidPage{About: "signup"}, nil)
	}
	u, err := url.Parse(begun.URL)
	if err == nil && u.Scheme != "https" && u.Scheme != "http" {
		err = errors.New("the sign-up has no web address")
	}
	if err != nil {
		return err
	}
	return v.showAndroid(http.StatusOK, androidPage{SignupLink: u.String()}, nil)
}

// signupPage is what the page shows to which Google leads back.
type signupPage struct {
	android
	Token    string // that Google gave
	Delivery string
	Message  string // why the sign-up was not finished; empty: nothing was tried
}

// signedUp is where Google leads to at the end of its pages. It changes nothing by itself.
func (v *visit) signedUp() error {
	return v.showSignup(http.StatusOK, signupPage{
		Token: v.r.URL.Query().Get("enterpriseToken")})
}

func (v *visit) showSignup(status int, p signupPage) error {
	if err := v.get(androidPath, nil, &p.android); err != nil {
		return err
	}
	return v.renderStatus(status, "android_signup", "Finish the sign-up", p)
}

func (v *visit) finishSignup() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	p := signupPage{Token: v.r.PostForm.Get("token"), Delivery: v.r.PostForm.Get("delivery")}
	body := map[string]any{}
	if p.Token != "" {
		body["enterpriseToken"] = p.Token
	}
	if p.Delivery != "" {
		body["delivery"] = p.Delivery
	}
	err := v.post(androidPath+"/signup/finish", nil, body, nil)
	if refused, shown := near(err); shown && refused.Status != http.StatusForbidden {
		p.Message = withLabels(refused.Message, androidLabels)
		return v.showSignup(refused.Status, p)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/android?notice=ready#new")
	return nil
}
