package simulator

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// deviceCode is a sign-in that waits for a person with a browser (RFC 8628).
type deviceCode struct {
	app      *App
	userCode string
	scopes   []string
	offline  bool // a refresh token is asked for
	ends     time.Time
	polled   time.Time
	user     *User
	declined bool
}

const (
	deviceCodeLife     = 15 * time.Minute
	deviceCodeInterval = 5 * time.Second
)

// startDeviceCode serves the devicecode endpoint.
func (s *Site) startDeviceCode(now time.Time, base string, t *Tenant,
	form url.Values) (any, *authorityError) {
	a, failed := t.app(form)
	if failed != nil {
		return nil, failed
	}
	if len(a.scopes) == 0 {
		return nil, clientError(7000218, "The request body must contain the following parameter: "+
			"'client_assertion' or 'client_secret'. The app is not a public client.")
	}
	code := &deviceCode{app: a, ends: now.Add(deviceCodeLife)}
	if failed := code.ask(base, form.Get("scope")); failed != nil {
		return nil, failed
	}
	if len(s.codes) >= maxKept {
		maps.DeleteFunc(s.codes, func(_ string, c *deviceCode) bool { return !now.Before(c.ends) })
	}
	id := s.newID()
	code.userCode = strings.ToUpper(strings.ReplaceAll(id, "-", "")[:9])
	s.codes["D"+id] = code
	where := base + "/devicelogin"
	return map[string]any{"device_code": "D" + id, "user_code": code.userCode,
		"verification_uri": where, "expires_in": int(deviceCodeLife / time.Second),
		"interval": int(deviceCodeInterval / time.Second),
		"message": fmt.Sprintf("To sign in, use a web browser to open the page %s and enter the "+
			"code %s to authenticate.", where, code.userCode)}, nil
}

// ask reads the scopes, which are of this cloud's Graph: with its address, or without any.
func (code *deviceCode) ask(base, scope string) *authorityError {
	if scope == "" {
		return missing("scope")
	}
	for _, one := range strings.Fields(scope) {
		name := strings.TrimPrefix(one, base+"/")
		switch {
		case one == "offline_access":
			code.offline = true
		case one == "openid" || one == "profile" || one == "email":
		case name == ".default":
			code.scopes = slices.Clone(code.app.scopes)
		case strings.Contains(name, "/"):
			return requestError("invalid_resource", 500011,
				"The resource principal of the scope %s was not found.", one)
		case !slices.Contains(code.app.scopes, name):
			return requestError("invalid_grant", 65001,
				"The user or administrator has not consented to use the application with the "+
					"scope %s.", name)
		default:
			code.scopes = append(code.scopes, name)
		}
	}
	return nil
}

// pollDeviceCode serves the token endpoint for a device code. Who polls more often than the
// interval allows is told slow_down, as RFC 8628, section 3.5 has it.
func (s *Site) pollDeviceCode(now time.Time, base string, a *App, form url.Values) (any,
	*authorityError) {
	id := form.Get("device_code")
	if id == "" {
		return nil, missing("device_code")
	}
	code := s.codes[id]
	if code == nil || code.app != a {
		return nil, requestError("bad_verification_code", 70018, "The device code is not valid.")
	}
	early := !code.polled.IsZero() && now.Sub(code.polled) < deviceCodeInterval
	code.polled = now
	switch {
	case s.readings.DeviceCodeBlocked:
		return nil, requestError("invalid_grant", 53003,
			"Access has been blocked by Conditional Access policies.")
	case code.declined:
		return nil, requestError("authorization_declined", 65004,
			"User declined to consent to access the app.")
	case !now.Before(code.ends):
		return nil, requestError("expired_token", 70020, "The device code has expired.")
	case early:
		return nil, requestError("slow_down", 70016, "The app polls too often.")
	case code.user == nil:
		return nil, requestError("authorization_pending", 70016, "OAuth 2.0 device flow error. "+
			"Authorization is pending. Continue polling.")
	}
	delete(s.codes, id)
	g := grant{app: a, user: code.user, rights: code.scopes}
	if !code.offline {
		return s.issue(now, base, &g), nil
	}
	return s.withRefresh(now, base, g), nil
}

// EnterCode has the person enter a user code and agree. False: nobody waits for it.
func (u *User) EnterCode(userCode string) bool {
	return u.code(userCode, func(c *deviceCode) { c.user = u })
}

// DeclineCode has the person enter a user code and refuse. False: nobody waits for it.
func (u *User) DeclineCode(userCode string) bool {
	return u.code(userCode, func(c *deviceCode) { c.declined = true })
}

func (u *User) code(userCode string, do func(*deviceCode)) bool {
	now := u.tenant.site.enter()
	defer u.tenant.site.mu.Unlock()
	for _, c := range u.tenant.site.codes {
		if c.userCode == userCode && c.app.tenant == u.tenant && now.Before(c.ends) {
			do(c)
			return true
		}
	}
	return false
}
