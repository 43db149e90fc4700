package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// AndroidStep says how far the set-up of Android management has come.
type AndroidStep string

// The steps, in order.
const (
	AndroidNotStarted     AndroidStep = "notStarted"     // a service account must be set
	AndroidServiceAccount AndroidStep = "serviceAccount" // it is set; the sign-up must be started
	// the admin is at Google's page, which leads back with a token
	AndroidSignup AndroidStep = "signup"
	// the enterprise exists, and its set-up must be finished
	AndroidUnfinished AndroidStep = "enterprise"
	AndroidReady      AndroidStep = "ready" // devices can enroll
)

// Android describes how Android management, which goes through Google, is set up.
type Android struct {
	Step        AndroidStep `json:"step"`
	Project     string      `json:"project"`     // Google Cloud project; empty: none yet
	ClientEmail string      `json:"clientEmail"` // the service account
	Enterprise  string      `json:"enterprise"`  // enterprises/…; empty: none yet
	DisplayName string      `json:"displayName"`
	// how Google reports about devices: pull or push
	Delivery     string          `json:"delivery"`
	Subscription string          `json:"subscription"`
	Devices      int             `json:"devices"` // how many are enrolled
	LastRefusal  *AndroidRefusal `json:"lastRefusal"`
	// Refusals are the last one of each action, the newest first.
	Refusals []AndroidRefusal `json:"refusals"`
}

// AndroidRefusal is the last request that Google refused.
type AndroidRefusal struct {
	At      time.Time `json:"dateTime"`
	Action  string    `json:"action"` // what Google was asked to do
	Status  int       `json:"status"` // HTTP status; 0: Google was not reached
	Message string    `json:"message"`
}

const (
	androidPath       = "/api/android"
	androidTokensPath = androidPath + "/enrollmentTokens"
)

// Android returns how Android management is set up.
func (c *Client) Android(ctx context.Context) (*Android, error) {
	a := new(Android)
	return a, c.Do(ctx, http.MethodGet, androidPath, nil, a)
}

// SetAndroidServiceAccount gives the server the key with which it calls Google: the JSON file of a
// service account, as downloaded from Google's console. The server checks with Google whether it
// may use it.
func (c *Client) SetAndroidServiceAccount(ctx context.Context, keyFile []byte) (*Android, error) {
	a := new(Android)
	return a, c.Do(ctx, http.MethodPut, androidPath+"/serviceAccount", json.RawMessage(keyFile), a)
}

// BeginAndroidSignup returns the address of the Google page on which an admin creates the
// enterprise. Google then sends them to callback, an https address, with the parameter
// enterpriseToken; empty: to the server's console.
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

// FinishAndroidSignup creates the enterprise, given the token with which Google's page led back.
// delivery is pull or push; empty: pull. If it fails halfway, call it again: it continues where it
// was, and needs no token once the enterprise exists.
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

// AndroidMode says how a company-owned Android device is managed.
type AndroidMode string

const (
	AndroidFullyManaged AndroidMode = "fullyManaged" // for work only
	// for one purpose, without a user of its own
	AndroidDedicated AndroidMode = "dedicated"
	// for work, with room for its user's own things
	AndroidCorporateWorkProfile AndroidMode = "corporateWorkProfile"
)

// AndroidToken enrolls Android devices. Whoever has its value can use it.
type AndroidToken struct {
	ID        string      `json:"id"`
	Mode      AndroidMode `json:"mode"`
	GroupID   string      `json:"groupId"`         // group that its devices join; empty: none
	Tags      []string    `json:"roleScopeTagIds"` // scope tags of its devices
	OneTime   bool        `json:"oneTimeOnly"`     // it enrolls only one device
	CreatedBy string      `json:"createdBy"`
	Created   time.Time   `json:"createdDateTime"`
	Expires   time.Time   `json:"expiresDateTime"`

	// Value is to be typed on a device, and QRCode is the text of the code that it scans. Only a
	// token that was just created has them.
	Value  string `json:"value,omitempty"`
	QRCode string `json:"qrCode,omitempty"`
}

// AndroidTokenOptions says what an enrollment token allows.
type AndroidTokenOptions struct {
	Mode      AndroidMode
	GroupID   string        // group that its devices join; empty: as the caller's role has it
	GroupName string        // in place of GroupID
	OneTime   bool          // it enrolls only one device
	ExpiresIn time.Duration // 0: the server's default
}

// CreateAndroidToken creates an enrollment token.
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

// RevokeAndroidToken revokes an enrollment token, so that no more devices can enroll with it.
func (c *Client) RevokeAndroidToken(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, androidTokensPath+"/"+url.PathEscape(id), nil, nil)
}
