package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const tokensPath = "/api/tokens"

// token is one of the server's own bearer tokens as the API tells it.
type token struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Role     string    `json:"role"` // empty: it has been taken from it
	RoleID   string    `json:"roleId"`
	Groups   []string  `json:"resourceScopes"`
	Tags     []string  `json:"roleScopeTagIds"`
	Created  time.Time `json:"createdDateTime"`
	Expires  time.Time `json:"expiresDateTime"`
	LastUsed time.Time `json:"lastUsedDateTime"`
	Bearer   string    `json:"token"` // of one that has just been made
}

// area is where the token's role holds.
func (t *token) area() area { return area{t.Groups, t.Tags} }

func (v *visit) tokenList() ([]token, error) {
	var list struct{ Value []token }
	err := v.get(tokensPath, nil, &list)
	return list.Value, err
}

// tokensPage is what the list of tokens shows.
type tokensPage struct {
	Notice               string
	Rows                 []tokenRow
	MayRevoke, SeesRoles bool
	Form                 *tokenForm // nil: the visitor may make none
}

type tokenRow struct {
	ID, Name, Role, RoleID, Where string
	Created, Expires, LastUsed    moment
	Expired, Own                  bool // Own: the visitor has signed in with it
}

// tokenForm makes a token.
type tokenForm struct {
	Name, Role, Lasts string
	// to choose from; none: the visitor may not read them, and types the name of one
	Roles     []option
	Lifetimes []option
	Area      areaForm
	Message   string // why it was refused; empty: it was not
}

// lifetimes are how long a token can be valid, as the API has it.
var lifetimes = []option{{"24h", "1 day"}, {"P7D", "7 days"}, {"P30D", "30 days"},
	{"P90D", "90 days"}, {"P365D", "1 year"}, {"", "Until it is revoked"}}

const defaultLifetime = "P90D"

var tokenNotices = map[string]string{"revoked": "The token was revoked. It is not valid any more."}

// tokens lists the server's own tokens, with a form that makes one.
func (v *visit) tokens() error {
	values := v.drafted()
	if values == nil {
		values = url.Values{"lasts": {defaultLifetime}}
	}
	return v.showTokens(http.StatusOK, values, "")
}

// showTokens shows them with the form filled in with values as it sends them.
func (v *visit) showTokens(status int, values url.Values, message string) error {
	list, err := v.tokenList()
	if err != nil {
		return err
	}
	where := make([]area, len(list))
	for i := range list {
		where[i] = list[i].area()
	}
	known, err := v.areas(where)
	if err != nil {
		return err
	}
	p := tokensPage{Notice: tokenNotices[v.r.URL.Query().Get("notice")],
		MayRevoke: v.may(access.DeleteTokens), SeesRoles: v.may(access.ReadRoles)}
	for i := range list {
		p.Rows = append(p.Rows, v.tokenRow(&list[i], known))
	}
	if v.may(access.CreateTokens) {
		if p.Form, err = v.tokenForm(values, message); err != nil {
			return err
		}
	}
	return v.renderStatus(status, "tokens", "Tokens", p)
}

func (v *visit) tokenForm(values url.Values, message string) (*tokenForm, error) {
	f := &tokenForm{Name: values.Get("name"), Role: values.Get("role"), Lasts: values.Get("lasts"),
		Lifetimes: lifetimes, Message: message}
	var err error
	if v.may(access.ReadRoles) {
		if f.Roles, err = v.roleOptions(); err != nil {
			return nil, err
		}
	}
	f.Area, err = v.areaForm(values, "/console/tokens#devices")
	return f, err
}

func (v *visit) tokenRow(t *token, known *areas) tokenRow {
	return tokenRow{ID: t.ID, Name: t.Name, Role: t.Role, RoleID: t.RoleID,
		Where: known.words(t.area()), Created: v.moment(t.Created),
		Expires: v.moment(t.Expires), LastUsed: v.moment(t.LastUsed),
		Expired: !t.Expires.IsZero() && !v.config.Now().Before(t.Expires),
		Own:     v.caller.ID == "token:"+t.ID}
}

var tokenLabels = map[string]string{"name": "Name", "role": "Role",
	"resourceScopes": "Groups of devices", "roleScopeTagIds": "Scope tags",
	"expiresIn": "Valid for"}

// createToken takes the form, and shows the bearer of the new token.
func (v *visit) createToken() error {
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	form := v.r.PostForm
	chosen, ok := readArea(form)
	if !ok {
		return v.tokenRefused(http.StatusBadRequest, noGroupTicked)
	}
	body := map[string]any{"name": form.Get("name"), "role": form.Get("role"),
		"resourceScopes": chosen.Groups, "roleScopeTagIds": chosen.Tags,
		"expiresIn": nil}
	if lasts := form.Get("lasts"); lasts != "" {
		body["expiresIn"] = lasts
	}
	var made token
	err := v.post(tokensPath, nil, body, &made)
	if refused, shown := near(err); shown && v.may(access.CreateTokens) {
		return v.tokenRefused(refused.Status, withLabels(refused.Message, tokenLabels))
	}
	if err != nil {
		return err
	}
	known, err := v.areas([]area{made.area()})
	if err != nil {
		return err
	}
	return v.renderStatus(http.StatusCreated, "tokens_made", "A new token", struct {
		Bearer string
		tokenRow
	}{made.Bearer, v.tokenRow(&made, known)})
}

func (v *visit) tokenRefused(status int, message string) error {
	return v.showTokens(status, v.r.PostForm, message)
}

// revokePage asks whether a token is to be revoked.
type revokePage struct {
	tokenRow
	Message string // why it was refused; empty: it was not
}

func (v *visit) askToRevoke() error { return v.showRevoke(http.StatusOK, "") }

func (v *visit) showRevoke(status int, message string) error {
	list, err := v.tokenList()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(t token) bool { return t.ID == v.r.PathValue("id") })
	if i < 0 {
		return &refusal{http.StatusNotFound,
			"There is no such token. It may have been revoked already."}
	}
	known, err := v.areas([]area{list[i].area()})
	if err != nil {
		return err
	}
	return v.renderStatus(status, "tokens_revoke", "Revoke "+list[i].Name,
		revokePage{v.tokenRow(&list[i], known), message})
}

func (v *visit) revokeToken() error {
	err := v.call(http.MethodDelete, tokensPath+"/"+url.PathEscape(v.r.PathValue("id")), nil, nil,
		nil, nil)
	if refused, shown := near(err); shown && refused.Status != http.StatusNotFound {
		return v.showRevoke(refused.Status, refused.Message)
	}
	if err != nil {
		return err
	}
	v.redirect("/console/tokens?notice=revoked")
	return nil
}
