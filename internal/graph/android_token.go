package graph

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
)

// AndroidTokenTerms is what an enrollment token of Android shall allow.
type AndroidTokenTerms struct {
	access.EnrollmentTerms
	Mode    string // one of AndroidModes
	OneTime bool   // it enrolls one device
	Valid   time.Duration
}

// AndroidModes are the ways in which a company-owned Android device can be managed.
var AndroidModes = []string{"fullyManaged", "dedicated", "corporateWorkProfile"}

// AndroidToken is an enrollment token. Whoever has it can enroll devices.
type AndroidToken struct {
	ID      string
	Terms   AndroidTokenTerms
	Created time.Time
	Expires time.Time
	// of one that has just been made: what is typed on a device, and what a QR code holds
	Value, QRText string
}

// ErrNoAndroidToken is returned for a token that does not exist.
var ErrNoAndroidToken = errors.New("no such Android enrollment token")

var androidTokens = &resource{name: "androidEnrollmentTokens",
	path: "/api/android/enrollmentTokens", object: "enrollmentToken",
	noun: "Android enrollment token", category: categoryEnrollment}

// androidTokenRoutes are for enrollment tokens. Whoever makes one must have the right that is asked
// for again when a device comes with it.
func androidTokenRoutes() []route {
	return []route{
		androidTokens.route(toList, may(access.ReadAndroid), nil, (*call).listAndroidTokens),
		androidTokens.route(toCreate,
			[]access.Right{access.UpdateAndroidEnrollment, access.EnrollDevices}, nil,
			(*call).createAndroidToken),
		androidTokens.route(toDelete, may(access.UpdateAndroidEnrollment), nil,
			(*call).revokeAndroidToken),
	}
}

const (
	defaultAndroidTokenTTL = 30 * day
	longestAndroidTokenTTL = 90 * day
)

func androidTokenFields(t *AndroidToken) odata.Fields {
	terms := &t.Terms
	return odata.Fields{
		{"id", t.ID},
		{"mode", terms.Mode},
		{"groupId", odata.TextOrNull(terms.Group)},
		{tagProperty, terms.NewDevice().Tags},
		{"oneTimeOnly", terms.OneTime},
		{"createdBy", odata.TextOrNull(terms.MakerName)},
		{"createdDateTime", odata.Timestamp(t.Created)},
		{"expiresDateTime", odata.Timestamp(t.Expires)},
	}
}

// listAndroidTokens lists the tokens by which devices come to be where the caller may look.
func (c *call) listAndroidTokens() error {
	list, err := c.config.Android.AndroidTokens(c.req.Context())
	if err != nil {
		return androidFault(err)
	}
	items := []odata.Fields{}
	for i := range list {
		if c.reachesToken(&list[i]) {
			items = append(items, androidTokenFields(&list[i]))
		}
	}
	return c.req.ReplyOwnPage(items, nil)
}

// reachesToken reports whether a device that enrolls with the token comes into the caller's scope.
func (c *call) reachesToken(t *AndroidToken) bool {
	return len(c.scope.Around(t.Terms.NewDevice())) > 0
}

// createAndroidToken answers with the new token's value and the text of its QR code, once.
func (c *call) createAndroidToken() error {
	body, err := c.req.ReadBody()
	if err != nil {
		return err
	}
	terms, err := c.androidTokenTerms(body)
	if err != nil {
		return err
	}
	made, err := c.config.Android.CreateAndroidToken(c.req.Context(), terms)
	if err != nil {
		return androidFault(err)
	}
	return c.req.Reply(http.StatusCreated, append(androidTokenFields(made),
		odata.Field{"value", made.Value}, odata.Field{"qrCode", made.QRText}))
}

func (c *call) androidTokenTerms(body *odata.Object) (t AndroidTokenTerms, err error) {
	if err := body.Only("mode", "groupId", "groupName", "oneTimeOnly", "expiresIn"); err != nil {
		return t, err
	}
	mode, err := body.Member("mode", AndroidModes)
	if err != nil {
		return t, err
	}
	t.Mode = AndroidModes[mode]
	switch v := body.Values["oneTimeOnly"].(type) {
	case nil:
	case bool:
		t.OneTime = v
	default:
		return t, odata.BadRequest("oneTimeOnly", "Property 'oneTimeOnly' must be true or false.")
	}
	if t.Valid, err = readValidity(body, defaultAndroidTokenTTL, longestAndroidTokenTTL); err != nil {
		return t, err
	}
	t.EnrollmentTerms = c.makerTerms()
	err = c.placeNewDevices(body, &t.EnrollmentTerms)
	return t, err
}

func (c *call) revokeAndroidToken() error {
	list, err := c.config.Android.AndroidTokens(c.req.Context())
	if err != nil {
		return androidFault(err)
	}
	i := slices.IndexFunc(list,
		func(t AndroidToken) bool { return t.ID == c.req.PathValue("id") })
	if i < 0 || !c.reachesToken(&list[i]) {
		return androidFault(ErrNoAndroidToken)
	}
	if err := c.config.Android.RevokeAndroidToken(c.req.Context(), list[i].ID); err != nil {
		return androidFault(err)
	}
	return c.req.ReplyNoContent()
}

// androidFault tells what went wrong between this server and Google.
func androidFault(err error) error {
	var refused *AndroidRefusal
	var conflict *AndroidConflict
	switch {
	case errors.Is(err, ErrNoAndroidToken):
		return odata.NotFound("There is no Android enrollment token with this id.")
	case errors.As(err, &conflict):
		return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
			Message: "It cannot be done: " + conflict.Reason + "."}
	case !errors.As(err, &refused):
		return err
	case refused.Status == 0, refused.Status == http.StatusTooManyRequests,
		refused.Status >= http.StatusInternalServerError:
		return &odata.Fault{Status: http.StatusServiceUnavailable, Code: odata.CodeUnavailable,
			Message: refused.Error() + ". Nothing was changed here. Try again in a minute.",
			Header:  map[string]string{"Retry-After": odata.WholeSeconds(time.Minute)}}
	default:
		return &odata.Fault{Status: http.StatusConflict, Code: odata.CodeConflict,
			Message: refused.Error() + "."}
	}
}
