package amapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/limit"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// Endpoints are where Google's services are; what is empty is Google's own.
type Endpoints struct {
	API      string // of the Android Management API: https://androidmanagement.googleapis.com/
	PubSub   string // https://pubsub.googleapis.com/
	Token    string // https://oauth2.googleapis.com/token
	PushKeys string // by which pushes are signed: https://www.googleapis.com/oauth2/v3/certs
}

func (e Endpoints) withDefaults() Endpoints {
	for _, one := range []struct {
		value *string
		def   string
	}{
		{&e.API, "https://androidmanagement.googleapis.com/"},
		{&e.PubSub, "https://pubsub.googleapis.com/"},
		{&e.Token, "https://oauth2.googleapis.com/token"},
		{&e.PushKeys, "https://www.googleapis.com/oauth2/v3/certs"},
	} {
		if *one.value == "" {
			*one.value = one.def
		}
	}
	return e
}

const (
	callTimeout = 30 * time.Second
	pullTimeout = 2 * time.Minute // Google answers an empty pull after about a minute and a half
	maxAnswer   = 32 << 20        // bytes of an answer of Google's; a page of 100 devices has a few
	maxWords    = 1000            // characters that are kept of an error of Google's
)

// google is what of Google's services the channel uses. It has no way to delete a device: Google
// would wipe it.
type google struct {
	project string
	email   string
	keyID   string
	pace    *pace
	amapi   *androidmanagement.Service
	pubsub  *pubsub.Service
	refused func(ctx context.Context, r *Refused) // is told what Google says no to
}

// newGoogle makes a client with the key of a service account.
func newGoogle(text []byte, at Endpoints, p *pace) (*google, error) {
	key, err := readAccountKey(text)
	if err != nil {
		return nil, err
	}
	plain := &http.Client{Timeout: callTimeout, CheckRedirect: stay,
		Transport: limit.Answers(newTransport(), 1<<20)}
	account := &jwt.Config{Email: key.ClientEmail, PrivateKey: []byte(key.PrivateKey),
		PrivateKeyID: key.PrivateKeyID, TokenURL: at.Token, Scopes: []string{
			androidmanagement.AndroidmanagementScope, pubsub.PubsubScope}}
	source := account.TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient,
		plain))
	client := &http.Client{CheckRedirect: stay, Transport: &oauth2.Transport{Source: source,
		Base: limit.Answers(newTransport(), maxAnswer)}}
	g := &google{project: key.Project, email: key.ClientEmail, keyID: keyID(text), pace: p,
		refused: func(context.Context, *Refused) {}}
	ctx := context.Background()
	if g.amapi, err = androidmanagement.NewService(ctx, option.WithHTTPClient(client),
		option.WithEndpoint(at.API)); err != nil {
		return nil, err
	}
	g.pubsub, err = pubsub.NewService(ctx, option.WithHTTPClient(client),
		option.WithEndpoint(at.PubSub))
	return g, err
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSHandshakeTimeout:    callTimeout,
		IdleConnTimeout:        time.Minute,
		MaxIdleConnsPerHost:    2 * workers,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// stay follows no redirect: the token would go with the request.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// ask asks the Android Management API something, when it is the turn of this query. What Google
// says no to becomes a *Refused, with what was asked in people's words.
func (g *google) ask(ctx context.Context, action string, call func(context.Context) error) error {
	if err := g.pace.enter(ctx); err != nil {
		return err
	}
	return g.askAtOnce(ctx, action, call)
}

// askAtOnce is ask for what is not counted in the quota of the Android Management API.
func (g *google) askAtOnce(ctx context.Context, action string,
	call func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := call(limited)
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	r := refusedAs(action, err)
	if r.Code == http.StatusTooManyRequests {
		g.pace.pause(g.pace.now())
	}
	g.refused(ctx, r)
	return r
}

// refusedAs is what Google said, or why it was not reached.
func refusedAs(action string, err error) *Refused {
	r := &Refused{Action: action}
	var answer *googleapi.Error
	var token *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer):
		r.Code, r.Text = answer.Code, answer.Message
		if r.Text == "" {
			r.Text = http.StatusText(answer.Code)
		}
		for _, more := range violations(answer.Body) {
			if !strings.Contains(r.Text, more) {
				r.Text += "; " + more
			}
		}
	case errors.As(err, &token):
		r.Code, r.Text = http.StatusUnauthorized,
			"the service account's key is not accepted: "+tokenWords(token)
		if token.Response != nil && token.Response.StatusCode >= 500 {
			r.Code = token.Response.StatusCode
		}
	default:
		r.Text = err.Error()
	}
	r.Text = plaintext.Cut(plaintext.OneLine(plaintext.Storable(r.Text)), maxWords)
	return r
}

func tokenWords(e *oauth2.RetrieveError) string {
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(e.Body, &said) != nil || said.Error == "" {
		return e.Error()
	}
	return said.Error + ": " + said.Description
}

// violations are the fields that an error of Google's names (google.rpc.BadRequest).
func violations(body string) (list []string) {
	var said struct {
		Error struct {
			Details []struct {
				FieldViolations []struct{ Field, Description string }
			}
		}
	}
	if json.Unmarshal([]byte(body), &said) != nil {
		return nil
	}
	for _, detail := range said.Error.Details {
		for _, v := range detail.FieldViolations {
			list = append(list, v.Field+": "+v.Description)
		}
	}
	return list[:min(len(list), 10)]
}

// isCode reports whether Google answered with an HTTP status.
func isCode(err error, code int) bool {
	var r *Refused
	return errors.As(err, &r) && r.Code == code
}

// postPolicy makes a document the whole content of a policy and returns its version.
func (g *google) postPolicy(ctx context.Context, name string, doc []byte) (version int64,
	err error) {
	sent := new(androidmanagement.Policy)
	if err := json.Unmarshal(doc, sent); err != nil {
		return 0, err
	}
	unchanged := false
	err = g.ask(ctx, "set a device's policy", func(ctx context.Context) error {
		kept, err := g.amapi.Enterprises.Policies.Patch(name, sent).Context(ctx).Do()
		if googleapi.IsNotModified(unwrapped(err)) {
			unchanged = true
			return nil
		}
		if err == nil {
			version = kept.Version
		}
		return err
	})
	if err == nil && (unchanged || version == 0) {
		kept, err := g.policy(ctx, name)
		if err != nil {
			return 0, err
		}
		version = kept.Version
	}
	return version, err
}

// unwrapped is Google's error within another one.
func unwrapped(err error) error {
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answer
	}
	return err
}

func (g *google) policy(ctx context.Context,
	name string) (p *androidmanagement.Policy, err error) {
	err = g.ask(ctx, "read a device's policy", func(ctx context.Context) (err error) {
		p, err = g.amapi.Enterprises.Policies.Get(name).Context(ctx).Do()
		return err
	})
	return p, err
}

// assign tells Google which policy a device has.
func (g *google) assign(ctx context.Context, device, policy string) error {
	return g.ask(ctx, "give a device its policy", func(ctx context.Context) error {
		_, err := g.amapi.Enterprises.Devices.Patch(device,
			&androidmanagement.Device{PolicyName: policy}).UpdateMask("policyName").
			Context(ctx).Do()
		return err
	})
}

func (g *google) device(ctx context.Context,
	name string) (d *androidmanagement.Device, err error) {
	err = g.ask(ctx, "read a device", func(ctx context.Context) (err error) {
		d, err = g.amapi.Enterprises.Devices.Get(name).Context(ctx).Do()
		return err
	})
	return d, err
}

// devices is a page of an enterprise's devices.
func (g *google) devices(ctx context.Context, enterprise, page string) (list []*androidmanagement.Device,
	next string, err error) {
	err = g.ask(ctx, "list the devices", func(ctx context.Context) error {
		answer, err := g.amapi.Enterprises.Devices.List(enterprise).PageSize(100).
			PageToken(page).Context(ctx).Do()
		if err == nil {
			list, next = answer.Devices, answer.NextPageToken
		}
		return err
	})
	return list, next, err
}

// canonical is a policy as JSON, by which two of the same content are the same: without what Google
// writes into it, and without what has its default.
func canonical(p *androidmanagement.Policy) ([]byte, error) {
	bare := *p
	bare.Name, bare.Version = "", 0
	text, err := json.Marshal(&bare)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// contentHash tells documents of the same content by the same text.
func contentHash(p *androidmanagement.Policy) (string, error) {
	text, err := canonical(p)
	return digest(text), err
}

// documentHash is contentHash of what postPolicy would send.
func documentHash(doc []byte) (string, error) {
	p := new(androidmanagement.Policy)
	if err := json.Unmarshal(doc, p); err != nil {
		return "", err
	}
	return contentHash(p)
}
