package console

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const androidTokensPath = androidPath + "/enrollmentTokens"

// androidToken is an enrollment token of Android, as the API tells it.
type androidToken struct {
	ID      string    `json:"id"`
	Mode    string    `json:"mode"`
	Group   string    `json:"groupId"`
	OneTime bool      `json:"oneTimeOnly"`
	Maker   string    `json:"createdBy"`
	Created time.Time `json:"createdDateTime"`
	Expires time.Time `json:"expiresDateTime"`
	Value   string    `json:"value"` // of one that has just been made, like the next
	QRCode  string    `json:"qrCode"`
}

// androidModes are the ways in which a company-owned device is managed, with what people call them
// and what they mean.
var androidModes = []struct{ Value, Text, Means string }{
	{"fullyManaged", "Fully managed",
		"A person's device for work. Nothing on it is private."},
	{"dedicated", "Dedicated device",
		"Nobody's device, for one purpose: a kiosk, a scanner, a sign."},
	{"corporateWorkProfile", "Corporate-owned, with a work profile",
		"A person's device for work and for their own use. What is theirs stays theirs."},
}

func androidMode(value string) string {
	for _, m := range androidModes {
		if m.Value == value {
			return m.Text
		}
	}
	return value
}

// androidTokenRow is a token in the list.
type androidTokenRow struct {
	ID, Mode, Group, Maker string
	OneTime                bool
	Created, Expires       moment
}

func (v *visit) androidTokenRows() ([]androidTokenRow, error) {
	var list struct{ Value []androidToken }
	if err := v.get(androidTokensPath, nil, &list); err != nil {
		return nil, err
	}
	var ids []string
	for _, t := range list.Value {
		ids = append(ids, t.Group)
	}
	names, err := v.groupNames(ids)
	if err != nil {
		return nil, err
	}
	rows := make([]androidTokenRow, len(list.Value))
	for i := range list.Value {
		rows[i] = v.androidTokenRow(&list.Value[i], names)
	}
	return rows, nil
}

func (v *visit) androidTokenRow(t *androidToken, groups map[string]string) androidTokenRow {
	row := androidTokenRow{ID: t.ID, Mode: androidMode(t.Mode), Group: groups[t.Group],
		Maker: t.Maker, OneTime: t.OneTime, Created: v.moment(t.Created),
		Expires: v.moment(t.Expires)}
	if row.Group == "" {
		row.Group = t.Group
	}
	return row
}

// androidTokenForm makes a token.
type androidTokenForm struct {
	Mode, Valid string
	OneTime     bool
	Picker      groupPicker // of the group that its devices join
	Validities  []option
}

// Modes are the ways to choose from.
func (androidTokenForm) Modes() []struct{ Value, Text, Means string } { return androidModes }

var androidValidities = []option{{"1h", "1 hour"}, {"24h", "1 day"}, {"168h", "7 days"},
	{"720h", "30 days"}, {"2160h", "90 days"}}

const defaultAndroidValidity = "720h"

// androidTokenForm is the form as it was sent; nil: the visitor may make no token.
func (v *visit) androidTokenForm(sent url.Values) (*androidTokenForm, error) {
	if !v.may(access.UpdateAndroidEnrollment, access.EnrollDevices) {
		return nil, nil
	}
	f := &androidTokenForm{Mode: sent.Get("mode"),
		Valid: sent.Get("validity"), OneTime: sent.Has("one"), Validities: androidValidities}
	if f.Mode == "" {
		f.Mode = androidModes[0].Value
	}
	if f.Valid == "" {
		f.Valid = defaultAndroidValidity
	}
	var chosen []groupChoice
	if id := sent.Get("group"); id != "" {
		chosen = []groupChoice{{ID: id, Name: id, Include: true}}
	}
	var err error
	if f.Picker, err = v.groupPicker(chosen); err != nil {
		return f, err
	}
	f.Picker.One, f.Picker.Page = true, "/console/android"
	return f, v.offer(&f.Picker, sent.Get("groups"))
}

// androidEnrollment is the form on the page on which devices of all platforms are enrolled.
func (v *visit) androidEnrollment() (template.HTML, error) {
	form, err := v.androidOffer()
	if err != nil || form == nil {
		return "", err
	}
	return v.part("android-enrollment", form)
}

// androidOffer is the form for a page on which devices of all platforms are enrolled; nil: none can
// enroll yet.
func (v *visit) androidOffer() (*androidTokenForm, error) {
	var now android
	if !v.may(access.ReadAndroid) {
		return nil, nil
	}
	if err := v.get(androidPath, nil, &now); err != nil || now.Step != "ready" {
		return nil, err
	}
	return v.androidTokenForm(v.drafted())
}

// androidTokenPage shows a token that has just been made. It is on the answer's own page, and
// nowhere else: whoever has it can enroll devices.
type androidTokenPage struct {
	androidTokenRow
	Value string
	Code  *qrPicture
}

func (v *visit) createAndroidToken() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := v.r.PostForm
	body := map[string]any{"mode": form.Get("mode"), "oneTimeOnly": form.Has("one"),
		"expiresIn": form.Get("validity")}
	if group := form.Get("group"); group != "" {
		body["groupId"] = group
	}
	var made androidToken
	if err := v.post(androidTokensPath, nil, body, &made); err != nil {
		return v.androidRefused(err, androidPage{About: "new"}, form)
	}
	code, err := newQRPicture(made.QRCode)
	if err != nil {
		return err
	}
	names, err := v.groupNames([]string{made.Group})
	if err != nil {
		return err
	}
	return v.renderStatus(http.StatusCreated, "android_token", "A new enrollment token",
		androidTokenPage{v.androidTokenRow(&made, names), made.Value, code})
}

func (v *visit) askToRevokeAndroidToken() error {
	return v.showAndroidRevoke(http.StatusOK, "")
}

// androidRevokePage asks whether a token is to be revoked.
type androidRevokePage struct {
	androidTokenRow
	Message string // why it was refused; empty: it was not
}

func (v *visit) showAndroidRevoke(status int, message string) error {
	rows, err := v.androidTokenRows()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows,
		func(t androidTokenRow) bool { return t.ID == v.r.PathValue("id") })
	if i < 0 {
		return &refusal{http.StatusNotFound,
			"There is no such enrollment token. It may have been revoked already."}
	}
	return v.renderStatus(status, "android_revoke", "Revoke an enrollment token",
		androidRevokePage{rows[i], message})
}

func (v *visit) revokeAndroidToken() error {
	err := v.call(http.MethodDelete, androidTokensPath+"/"+url.PathEscape(v.r.PathValue("id")),
		nil, nil, nil, nil)
	if refused, shown := near(err); shown && refused.Status != http.StatusNotFound &&
		refused.Status != http.StatusForbidden {
		return v.showAndroidRevoke(refused.Status, refused.Message)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/android?notice=revoked")
	return nil
}
