package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/coreos/go-oidc/v3/oidc"
)

const lastSecond = 253402300799 // of the year 9999, in Unix time

// claims are the claims of a token whose signature was checked, by their exact names.
type claims map[string]json.RawMessage

func claimsOf(token *oidc.IDToken) (claims, error) {
	var raw json.RawMessage
	if err := token.Claims(&raw); err != nil {
		return nil, err
	}
	if !utf8.Valid(raw) { // otherwise two different names could be read as the same
		return nil, errors.New("its claims are not UTF-8 (RFC 7519 section 7.2)")
	}
	var c claims
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("reading its claims: %w", err)
	}
	return c, nil
}

func (c claims) has(name string) bool {
	_, ok := c[name]
	return ok
}

// text returns a claim that is a string; "" if it is absent or something else.
func (c claims) text(name string) string {
	var text string
	if json.Unmarshal(c[name], &text) != nil {
		return ""
	}
	return text
}

// words returns a claim that is a list of strings or, as some issuers write it, a string with
// spaces between them (RFC 8693 section 4.2).
func (c claims) words(name string) []string {
	return strings.Fields(strings.Join(texts(c[name]), " "))
}

// list returns the list of strings at path, or the single string that some issuers write instead of
// a list of one.
func (c claims) list(path string) []string {
	return texts(c.at(path))
}

// at returns what stands at path: a claim of that whole name, or a member of the object that is
// named by the part before a dot.
func (c claims) at(path string) json.RawMessage {
	if value, ok := c[path]; ok {
		return value
	}
	for i, r := range path {
		if r != '.' {
			continue
		}
		var object claims
		if raw, ok := c[path[:i]]; ok && json.Unmarshal(raw, &object) == nil {
			if value := object.at(path[i+1:]); value != nil {
				return value
			}
		}
	}
	return nil
}

func texts(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

// time returns a claim that is a NumericDate (RFC 7519 section 2); ok says whether it is there.
func (c claims) time(name string) (at time.Time, ok bool, err error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, false, nil
	}
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || string(raw) == "null" || seconds < 0 ||
		seconds > lastSecond {
		return time.Time{}, true, fmt.Errorf("its %s is not a time", name)
	}
	return time.Unix(int64(seconds), 0), true, nil
}

// checkClaims refuses a signed token that is not an access token of the issuer and valid now.
func (p *Provider) checkClaims(c claims) error {
	// checked here, because the library makes an exception for one provider
	if iss := c.text("iss"); iss != p.config.Issuer {
		return fmt.Errorf("its issuer is %q, not %q", iss, p.config.Issuer)
	}
	if err := p.checkTimes(c); err != nil {
		return err
	}
	return checkAccessToken(c)
}

func (p *Provider) checkTimes(c claims) error {
	now := p.config.Now()
	expires, ok, err := c.time("exp")
	switch {
	case err != nil:
		return err
	case !ok:
		return errors.New("it has no exp, and would be valid for ever")
	case !now.Before(expires.Add(p.config.Skew)):
		return fmt.Errorf("it expired at %s", expires.UTC().Format(time.RFC3339))
	}
	for _, name := range []string{"nbf", "iat"} {
		from, ok, err := c.time(name)
		if err != nil {
			return err
		}
		if ok && from.After(now.Add(p.config.Skew)) {
			return fmt.Errorf("its %s is in the future: %s", name, from.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// checkAccessToken refuses tokens that the issuer signed for another purpose:
//   - tokens of a type, in the header's `typ` or in Keycloak's claim `typ`, other than an access
//     token's (RFC 9068 section 4; Keycloak has ID, Refresh, Offline, Logout and DPoP);
//   - tokens with `at_hash` or `c_hash`, which only ID tokens have (OpenID Connect Core sections
//     3.1.3.6 and 3.3.2.11);
//   - tokens with a `nonce` but neither `scp` nor `scope`: ID tokens (OpenID Connect Core section
//     2), even if they have roles, as Entra ID's have;
//   - tokens with `events`: logout tokens and other security events (RFC 8417 section 2.2);
//   - tokens with `cnf`: their holder must prove to have a key, and a bearer proves nothing (RFC
//     7800 section 3.1).
//
// An ID token with none of these marks passes this check, but allows nothing, because it has
// neither `scp` nor `scope`.
func checkAccessToken(c claims) error {
	if typ := c.text("typ"); c.has("typ") && !isAccessTokenType(typ) {
		return fmt.Errorf("it is of type %q, not an access token", typ)
	}
	for _, name := range []string{"at_hash", "c_hash", "events", "cnf"} {
		if c.has(name) {
			return fmt.Errorf("it has %s, which no bearer access token has", name)
		}
	}
	if c.has("nonce") && !c.has("scp") && !c.has("scope") {
		return errors.New("it is an ID token, as it has a nonce and no scope: send the access token")
	}
	return nil
}

// isAccessTokenType compares as RFC 7515 section 4.1.9 says: without regard to case, and
// application/ may be left out.
func isAccessTokenType(typ any) bool {
	text, _ := typ.(string)
	name := strings.TrimPrefix(strings.ToLower(text), "application/")
	return slices.Contains([]string{"jwt", "at+jwt", "bearer"}, name)
}
