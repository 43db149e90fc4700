package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// AndroidStep is how far the set-up of Android has come.
type AndroidStep string

// The steps, in their order.
const (
	AndroidNotStarted     AndroidStep = "notStarted"     // a service account has to be given
	AndroidServiceAccount AndroidStep = "serviceAccount" // it is set; the sign-up has to be begun
	AndroidSignup         AndroidStep = "signup"         // Google's page leads back with a token
	AndroidUnfinished     AndroidStep = "enterprise"     // it is made, and something is left to finish
	AndroidReady          AndroidStep = "ready"          // devices can enroll
)

// Android is how the management of Android devices, which goes through Google, is set up.
type Android struct {
	Step         AndroidStep     `json:"step"`
	Project      string          `json:"project"`     // of Google Cloud; empty: none yet
	ClientEmail  string          `json:"clientEmail"` // of the service account
	Enterprise   string          `json:"enterprise"`  // enterprises/…; empty: none yet
	DisplayName  string          `json:"displayName"`
	Delivery     string          `json:"delivery"` // how Google tells of devices: pull or push
	Subscription string          `json:"subscription"`
	Devices      int             `json:"devices"` // that are enrolled
	LastRefusal  *AndroidRefusal `json:"lastRefusal"`
	// Refusals are the last one of each action, the newest first.
	Refusals []AndroidRefusal `json:"refusals"`
}

// AndroidRefusal is what Google last said no to.
type AndroidRefusal struct {
	At      time.Time `json:"dateTime"`
	Action  string    `json:"action"` // what it was asked to do
	Status  int       `json:"status"` // of HTTP; 0: Google was not reached
	Message string    `json:"message"`
}

const (
	androidPath       = "/api/android"
	androidTokensPath = androidPath + "/enrollmentTokens"
)

// Android tells how far the set-up of Android has come.
func (c *Client) Android(ctx context.Context) (*Android, error) {
	a := new(Android)
	return a, c.Do(ctx, http.MethodGet, androidPath, nil, a)
}

// SetAndroidServiceAccount gives the server the key by which it calls Google: the JSON file of a
// service account, as Google's console gives it. Google is asked whether it may be used.
func (c *Client) SetAndroidServiceAccount(ctx context.Context, keyFile []byte) (*Android, error) {
	a := new(Android)
	return a, c.Do(ctx, http.MethodPut, androidPath+"/serviceAccount", json.RawMessage(keyFile), a)
}

// BeginAndroidSignup returns the page of Google's on which an admin makes the enterprise. Google
// then leads them to callback, an https address, with the parameter enterpriseToken; empty: to the
// server's console.
func (c *Client) BeginAndroidSignup(ctx context.Context, callback string) (string, error) {
	body := map[string]any{}
	if callback != "" {
		body["callbackUrl"] = callback
	}
	var begun struct {
		URL string `json:"url"`
	}
	err := c.Do(ctx, http.MethodPost, androidPath+"/signup", body, &begun)
	return begun.URL, err
}

// FinishAndroidSignup makes the enterprise of the token that Google's page led back with. delivery
// is pull or push; empty: pull. If it failed in the middle, it goes on from there, and needs no
// token once the enterprise is made.
func (c *Client) FinishAndroidSignup(ctx context.Context, enterpriseToken,
	delivery string) (*Android, error) {
	body := map[string]any{}
	if enterpriseToken != "" {
		body["enterpriseToken"] = enterpriseToken
	}
	if delivery != "" {
		body["delivery"] = delivery
	}
	a := new(Android)
	return a, c.Do(ctx, http.MethodPost, androidPath+"/signup/finish", body, a)
}

// AndroidMode is how a company-owned Android device is managed.
type AndroidMode string

const (
	AndroidFullyManaged         AndroidMode = "fullyManaged"         // for work only
	AndroidDedicated            AndroidMode = "dedicated"            // nobody's, for one purpose
	AndroidCorporateWorkProfile AndroidMode = "corporateWorkProfile" // for work, and its user's own
)

// AndroidToken enrolls Android devices. Whoever has its value can enroll some.
type AndroidToken struct {
	ID        string      `json:"id"`
	Mode      AndroidMode `json:"mode"`
	GroupID   string      `json:"groupId"`         // that its devices join; empty: none
	Tags      []string    `json:"roleScopeTagIds"` // that its devices carry
	OneTime   bool        `json:"oneTimeOnly"`     // it enrolls one device
	CreatedBy string      `json:"createdBy"`
	Created   time.Time   `json:"createdDateTime"`
	Expires   time.Time   `json:"expiresDateTime"`

	// Value is what is typed on a device, and QRCode the text of what it scans: of a token that has
	// just been made only.
	Value  string `json:"value,omitempty"`
	QRCode string `json:"qrCode,omitempty"`
}

// AndroidTokenOptions is what an enrollment token shall allow.
type AndroidTokenOptions struct {
	Mode      AndroidMode
	GroupID   string        // that its devices join; empty: as the caller's role has it
	GroupName string        // in place of GroupID
	OneTime   bool          // it enrolls one device
	ExpiresIn time.Duration // 0: the server's default
}

// CreateAndroidToken makes an enrollment token.
func (c *Client) CreateAndroidToken(ctx context.Context,
	o AndroidTokenOptions) (*AndroidToken, error) {
	body := map[string]any{"mode": o.Mode, "oneTimeOnly": o.OneTime}
	if o.GroupID != "" {
		body["groupId"] = o.GroupID
	}
	if o.GroupName != "" {
		body["groupName"] = o.GroupName
	}
	if o.ExpiresIn != 0 {
		body["expiresIn"] = o.ExpiresIn.String()
	}
	t := new(AndroidToken)
	return t, c.Do(ctx, http.MethodPost, androidTokensPath, body, t)
}

// AndroidTokens lists the enrollment tokens that can still be used, without their values.
func (c *Client) AndroidTokens(ctx context.Context) ([]AndroidToken, error) {
	var list struct {
		Value []AndroidToken `json:"value"`
	}
	err := c.Do(ctx, http.MethodGet, androidTokensPath, nil, &list)
	return list.Value, err
}

// RevokeAndroidToken revokes an enrollment token: no device enrolls with it any more.
func (c *Client) RevokeAndroidToken(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, androidTokensPath+"/"+url.PathEscape(id), nil, nil)
}
