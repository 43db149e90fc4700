package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// authorityPath splits the path of the token service. False: it is another's.
func authorityPath(path string) (tenant, endpoint string, ok bool) {
	tenant, endpoint, ok = strings.Cut(strings.TrimPrefix(path, "/"), "/oauth2/v2.0/")
	return tenant, endpoint, ok && !strings.Contains(tenant, "/")
}

// maxForm is the longest form that the token service reads, in bytes.
const maxForm = 64 << 10

// authorityError is an error of the token service: OAuth's name of it, and Entra's number.
type authorityError struct {
	status  int
	name    string
	number  int
	message string
}

func (e *authorityError) Error() string {
	return fmt.Sprintf("AADSTS%d: %s", e.number, e.message)
}

func clientError(number int, format string, a ...any) *authorityError {
	return &authorityError{http.StatusUnauthorized, "invalid_client", number,
		fmt.Sprintf(format, a...)}
}

func requestError(name string, number int, format string, a ...any) *authorityError {
	return &authorityError{http.StatusBadRequest, name, number, fmt.Sprintf(format, a...)}
}

// serveAuthority answers a request to the token service.
func (s *Site) serveAuthority(now time.Time, in inbound, tenant, endpoint string) answer {
	form, failed := parseForm(in)
	var out any
	if failed == nil {
		t := s.tenantOf(tenant)
		switch {
		case t == nil:
			failed = requestError("invalid_request", 90002, "Tenant '%s' not found.", tenant)
		case endpoint == "token":
			out, failed = s.token(now, in.base, t, form)
		case endpoint == "devicecode":
			out, failed = s.startDeviceCode(now, in.base, t, form)
		default:
			return answer{status: http.StatusNotFound}
		}
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"},
		"Cache-Control": {"no-store, no-cache"}}
	if failed != nil {
		return answer{status: failed.status, header: header, body: s.authorityBody(now, failed)}
	}
	return answer{status: http.StatusOK, header: header, body: appendJSON(nil, out)}
}

func (s *Site) authorityBody(now time.Time, failed *authorityError) []byte {
	trace, correlation := s.newID(), s.newID()
	at := now.Format("2006-01-02 15:04:05Z")
	text, _ := json.Marshal(map[string]any{"error": failed.name,
		"error_description": fmt.Sprintf("%v Trace ID: %s Correlation ID: %s Timestamp: %s", failed,
			trace, correlation, at),
		"error_codes": []int{failed.number}, "timestamp": at, "trace_id": trace,
		"correlation_id": correlation})
	return text
}

// tenantOf finds a tenant by its id or domain.
func (s *Site) tenantOf(name string) *Tenant {
	name = strings.ToLower(name)
	for _, t := range s.order {
		if t.ID == name || t.Domain == name {
			return t
		}
	}
	return nil
}

// parseForm reads a form, in which each name is there once.
func parseForm(in inbound) (url.Values, *authorityError) {
	kind, _, _ := strings.Cut(in.header.Get("Content-Type"), ";")
	if in.method != http.MethodPost || len(in.body) > maxForm ||
		strings.TrimSpace(kind) != "application/x-www-form-urlencoded" {
		return nil, requestError("invalid_request", 900561,
			"The endpoint only accepts POST requests with a form.")
	}
	form, err := url.ParseQuery(string(in.body))
	if err != nil {
		return nil, requestError("invalid_request", 900144, "The request body cannot be read.")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, requestError("invalid_request", 9000411,
				"The parameter '%s' is duplicated.", name)
		}
	}
	return form, nil
}

func missing(name string) *authorityError {
	return requestError("invalid_request", 900144,
		"The request body must contain the following parameter: '%s'.", name)
}

// app finds the registration that a form names.
func (t *Tenant) app(form url.Values) (*App, *authorityError) {
	id := form.Get("client_id")
	if id == "" {
		return nil, missing("client_id")
	}
	a := t.apps[strings.ToLower(id)]
	if a == nil {
		return nil, requestError("unauthorized_client", 700016,
			"Application with identifier '%s' was not found in the directory '%s'.", id, t.Name)
	}
	return a, nil
}

// grantAnswer is a token with what comes with it.
type grantAnswer struct {
	Type      string `json:"token_type"`
	Scope     string `json:"scope,omitempty"`
	Expires   int    `json:"expires_in"`
	Extended  int    `json:"ext_expires_in"`
	Token     string `json:"access_token"`
	Refreshes string `json:"refresh_token,omitempty"`
}

// token serves the token endpoint.
func (s *Site) token(now time.Time, base string, t *Tenant, form url.Values) (any,
	*authorityError) {
	a, failed := t.app(form)
	if failed != nil {
		return nil, failed
	}
	switch kind := form.Get("grant_type"); kind {
	case "client_credentials":
		if failed := s.clientCredentials(now, base, a, form); failed != nil {
			return nil, failed
		}
		return s.issue(now, base, &grant{app: a, rights: a.roles}), nil
	case "urn:ietf:params:oauth:grant-type:device_code":
		return s.pollDeviceCode(now, base, a, form)
	case "refresh_token":
		return s.refreshGrant(now, base, a, form)
	case "":
		return nil, missing("grant_type")
	default:
		return nil, requestError("unsupported_grant_type", 70003,
			"The app requested an unsupported grant type '%s'.", kind)
	}
}

// clientCredentials checks an application that asks for itself.
func (s *Site) clientCredentials(now time.Time, base string, a *App,
	form url.Values) *authorityError {
	scope := form.Get("scope")
	switch {
	case scope == "":
		return missing("scope")
	case !strings.HasSuffix(scope, "/.default") || strings.Contains(scope, " "):
		return requestError("invalid_scope", 1002012, "The provided value for scope %s is not "+
			"valid. Client credential flows must have a scope value with /.default suffixed to "+
			"the resource identifier (application ID URI).", scope)
	case scope != base+"/.default":
		return requestError("invalid_resource", 500011, "The resource principal named %s was not "+
			"found in the tenant named %s.", strings.TrimSuffix(scope, "/.default"), a.tenant.Name)
	}
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	switch {
	case secret != "" && assertion != "":
		return requestError("invalid_request", 7000219,
			"'client_assertion' or 'client_secret' must be given, not both.")
	case secret != "":
		ends, ok := a.secrets[secret]
		if !ok {
			return clientError(7000215, "Invalid client secret provided. Ensure the secret being "+
				"sent in the request is the client secret value, not the client secret ID, for a "+
				"secret added to app '%s'.", a.ID)
		}
		if !now.Before(ends) {
			return clientError(7000222, "The provided client secret keys for app '%s' are expired.",
				a.ID)
		}
		return nil
	case assertion != "":
		return s.checkAssertion(now, base, a, form)
	}
	return clientError(7000218, "The request body must contain the following parameter: "+
		"'client_assertion' or 'client_secret'.")
}
