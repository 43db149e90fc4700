package simulator

import (
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxKept is how many used assertions, device codes and refresh tokens are kept before those that
// ended are forgotten.
const maxKept = 10_000

// maxAssertionLife is how far ahead an assertion may end.
const maxAssertionLife = 10 * time.Minute

// checkAssertion checks what an application signed with the key of its certificate
// (RFC 7523, section 3; Microsoft identity platform certificate credentials).
func (s *Site) checkAssertion(now time.Time, base string, a *App,
	form url.Values) *authorityError {
	if form.Get("client_assertion_type") != assertionType {
		return requestError("invalid_request", 900144, "The request body must contain the "+
			"following parameter: 'client_assertion_type' with the value %s.", assertionType)
	}
	token, err := jwt.ParseSigned(form.Get("client_assertion"),
		[]jose.SignatureAlgorithm{jose.PS256, jose.RS256})
	if err != nil || len(token.Headers) != 1 {
		return clientError(50027, "JWT token is invalid or malformed.")
	}
	sum256, _ := token.Headers[0].ExtraHeaders["x5t#S256"].(string)
	sum1 := ""
	if s.readings.ThumbprintSHA1 {
		sum1, _ = token.Headers[0].ExtraHeaders["x5t"].(string)
	}
	certificate := a.certificate(sum256, sum1)
	if certificate == nil {
		return clientError(700027, "Client assertion failed signature validation. Reason: The key "+
			"was not found. Thumbprint of key used by client: '%s'.", sum256+sum1)
	}
	if now.After(certificate.NotAfter) || now.Before(certificate.NotBefore) {
		return clientError(1000502, "The provided certificate is not within its specified validity "+
			"window.")
	}
	var claims jwt.Claims
	if err := token.Claims(certificate.PublicKey, &claims); err != nil {
		return clientError(700027, "Client assertion failed signature validation. Reason: The key "+
			"was found, but use of the key to verify the signature failed.")
	}
	return a.checkClaims(now, base, claims)
}

func (a *App) checkClaims(now time.Time, base string, claims jwt.Claims) *authorityError {
	audiences := []string{base + "/" + a.tenant.ID + "/oauth2/v2.0/token",
		base + "/" + a.tenant.Domain + "/oauth2/v2.0/token"}
	fits := false
	for _, one := range claims.Audience {
		fits = fits || strings.EqualFold(one, audiences[0]) || strings.EqualFold(one, audiences[1])
	}
	switch {
	case claims.Issuer != a.ID || claims.Subject != a.ID:
		return clientError(700021, "Client assertion application identifier doesn't match "+
			"'client_id' parameter. Its iss and sub must be '%s'.", a.ID)
	case !fits || len(claims.Audience) != 1:
		return clientError(700023, "Client assertion audience claim does not match Realm issuer.")
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time()):
		return clientError(700024, "Client assertion is not within its valid time range. "+
			"It has ended.")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(5*time.Minute)):
		return clientError(700024, "Client assertion is not within its valid time range. "+
			"It has not begun.")
	case claims.Expiry.Time().After(now.Add(maxAssertionLife)):
		return clientError(700024, "Client assertion is not within its valid time range. "+
			"It may last for 10 minutes.")
	case claims.ID == "":
		return clientError(50027, "JWT token is invalid or malformed. It has no jti.")
	case !a.assertions[claims.ID].IsZero():
		return clientError(50013, "Assertion failed validation. Its jti was used before.")
	}
	if len(a.assertions) >= maxKept {
		maps.DeleteFunc(a.assertions, func(_ string, ends time.Time) bool {
			return !now.Before(ends)
		})
	}
	a.assertions[claims.ID] = claims.Expiry.Time()
	return nil
}
