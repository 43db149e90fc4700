package simulator

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// signingKey signs the access tokens of all Sites of the process. To callers they are opaque, but
// for the roles and scopes that they may read.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// grant is what a token is given for.
type grant struct {
	app    *App
	user   *User // nil: the application itself
	rights []string
	ends   time.Time // of a refresh token
}

// accessClaims are the claims of an access token that matter here.
type accessClaims struct {
	jwt.Claims
	Tenant string   `json:"tid"`
	App    string   `json:"appid"`
	Object string   `json:"oid"`
	Roles  []string `json:"roles,omitempty"`
	Scopes string   `json:"scp,omitempty"`
	Name   string   `json:"upn,omitempty"`
	Kind   string   `json:"idtyp"`
	Form   string   `json:"ver"`
}

// issue makes an access token that lasts for 60 to 90 minutes.
func (s *Site) issue(now time.Time, base string, g *grant) grantAnswer {
	lasts := (60*time.Minute + s.upTo(30*time.Minute)).Truncate(time.Second)
	claims := accessClaims{Tenant: g.app.tenant.ID, App: g.app.ID, Object: g.app.ID, Kind: "app",
		Form: "1.0", Claims: jwt.Claims{Audience: jwt.Audience{base},
			Issuer:   "https://sts.windows.net/" + g.app.tenant.ID + "/",
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now.Add(-5 * time.Minute)),
			Expiry: jwt.NewNumericDate(now.Add(lasts)), ID: s.newID()}}
	out := grantAnswer{Type: "Bearer", Expires: int(lasts / time.Second)}
	out.Extended = out.Expires
	if g.user == nil {
		claims.Roles = g.rights
	} else {
		claims.Object, claims.Name, claims.Kind = g.user.ID, g.user.UPN, "user"
		claims.Scopes = strings.Join(g.rights, " ")
		out.Scope = claims.Scopes
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: signingKey()},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err == nil {
		out.Token, err = jwt.Signed(signer).Claims(claims).Serialize()
	}
	if err != nil {
		panic(err) // the key and the claims are of this package
	}
	return out
}

// authenticate finds out who sends a request to Graph.
func (s *Site) authenticate(now time.Time, in inbound) (caller, *refusal) {
	text, ok := strings.CutPrefix(in.header.Get("Authorization"), "Bearer ")
	if !ok || text == "" {
		return caller{}, unauthorized("Access token is empty.")
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.RS256})
	var claims accessClaims
	if err != nil || token.Claims(&signingKey().PublicKey, &claims) != nil {
		return caller{}, unauthorized("CompactToken parsing failed or its signature is invalid.")
	}
	t := s.tenants[claims.Tenant]
	switch {
	case t == nil || t.apps[claims.App] == nil:
		return caller{}, unauthorized("The tenant or application of the access token is unknown.")
	case !slices.Contains(claims.Audience, in.base):
		return caller{}, unauthorized("Access token validation failure. Invalid audience.")
	case !now.Before(claims.Expiry.Time()):
		return caller{}, unauthorized("Lifetime validation failed, the token is expired.")
	}
	c := caller{app: t.apps[claims.App], rights: claims.Roles}
	if claims.Kind == "user" {
		if c.user = t.user(claims.Object); c.user == nil {
			return caller{}, unauthorized("The user of the access token is unknown.")
		}
		c.rights = strings.Fields(claims.Scopes)
	}
	return c, nil
}

// refreshLife is how long a refresh token lasts.
const refreshLife = 90 * 24 * time.Hour

// withRefresh issues a token for a person, with a refresh token.
func (s *Site) withRefresh(now time.Time, base string, g grant) grantAnswer {
	out := s.issue(now, base, &g)
	g.ends = now.Add(refreshLife)
	if len(s.refresh) >= maxKept {
		maps.DeleteFunc(s.refresh, func(_ string, g *grant) bool { return !now.Before(g.ends) })
	}
	out.Refreshes = "1.A" + s.newID() + s.newID()
	s.refresh[out.Refreshes] = &g
	return out
}

// refreshGrant serves a refresh token. The old one stays valid, as Microsoft's do.
func (s *Site) refreshGrant(now time.Time, base string, a *App, form url.Values) (any,
	*authorityError) {
	text := form.Get("refresh_token")
	if text == "" {
		return nil, missing("refresh_token")
	}
	g := s.refresh[text]
	switch {
	case g == nil || g.app != a:
		return nil, requestError("invalid_grant", 9002313, "The refresh token is not valid.")
	case !now.Before(g.ends):
		return nil, requestError("invalid_grant", 700082,
			"The refresh token has expired due to inactivity.")
	}
	return s.withRefresh(now, base, *g), nil
}
