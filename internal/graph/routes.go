package graph

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// route is one operation of the surface.
type route struct {
	method, pattern string         // as http.ServeMux has them
	name            string         // of the operation; the audit record keeps it
	resource        *resource      // what it is about; nil: the server as a whole
	verb            *verb          // what it does to the resource; nil: it is the only one of its kind
	answers         typeName       // the type of $metadata that a GET answers with; empty: it has none
	options         []string       // the query options it takes; any other is refused
	needs           []access.Right // the caller must have all of them; what the call reaches is where they have the first
	open            bool           // needs no token
	everywhere      bool           // each version has it
	unchanging      bool           // changes nothing, whatever its method
	largestBody     int64          // bytes of its body, if it has no verb; 0: ordinaryBody
	handle          func(*call) error
}

// routes lists every operation there is.
func routes() []route {
	all := []route{
		{method: "GET", pattern: "/healthz", name: "health", open: true, handle: (*call).health},
		{method: "POST", pattern: enrollments.path, name: "createEnrollment", resource: enrollments, needs: may(access.EnrollDevices), handle: (*call).createEnrollment},
		{method: "GET", pattern: "/api/events", name: "events", options: []string{optionAfter}, needs: may(access.ReadDevices), handle: (*call).stream},
		{method: "GET", pattern: "/api/devices/{id}/events", name: "deviceEvents", resource: managedDevices, options: []string{optionAfter}, needs: may(access.ReadDevices), handle: (*call).stream},
		{method: "GET", pattern: "/api/devices/{id}/payloads", name: "devicePayloads", resource: managedDevices, needs: may(access.ReadDevices), handle: (*call).devicePayloads},
		{method: "GET", pattern: "/api/me", name: "me", handle: (*call).me},
		{method: "GET", pattern: "/api/health", name: "serverHealth", needs: may(access.ReadOrganization), handle: (*call).serverHealth},
		{method: "POST", pattern: "/api/profiles/inspect", name: "inspectProfile", largestBody: fileBody, needs: may(access.ReadConfigurations), unchanging: true,
			handle: (*call).inspectProfile},
		{method: "GET", pattern: pushCertificate.path, name: "getPushCertificate", resource: pushCertificate,
			answers: pushCertificate.odataType, options: []string{optionSelect}, needs: may(access.ReadOrganization), handle: (*call).getPushCertificate},
		{method: "PATCH", pattern: pushCertificate.path, name: "updatePushCertificate", resource: pushCertificate,
			needs: may(access.UpdateOrganization), handle: (*call).updatePushCertificate},
	}
	all = append(all, slices.Concat(batchRoutes(), metadataRoutes(), historyRoutes())...)
	for _, r := range []*resource{managedDevices, comanagedDevices} {
		all = append(all, deviceRoutes(r)...)
	}
	for _, k := range kinds {
		all = append(all, payloadRoutes(k)...)
	}
	all = append(all, configurationPolicyRoutes()...)
	all = append(all, auditRoutes()...)
	all = append(all, tokenRoutes()...)
	all = append(all, subscriptionRoutes()...)
	all = append(all, roleRoutes()...)
	all = append(all, groupRoutes()...)
	all = append(all, appStateRoutes()...)
	for _, rt := range all {
		if rest, ok := strings.CutPrefix(rt.pattern, versionPath); ok && rt.stable() {
			rt.pattern = stableVersion + rest
			all = append(all, rt)
		}
	}
	return all
}

// Patterns lists what the surface answers, each as http.ServeMux has it with its method; it is for who stands before it and
// decides what each may hold.
func Patterns() []string {
	var patterns []string
	for _, rt := range routes() {
		patterns = append(patterns, rt.method+" "+rt.pattern)
	}
	return patterns
}

// stable reports whether Graph has the operation in v1.0, too. The action is in beta only.
func (rt *route) stable() bool {
	return rt.everywhere || rt.resource != nil && rt.resource.stable && (rt.verb == nil || !rt.verb.betaOnly)
}

func (c *call) health() error { return c.reply(http.StatusOK, fields{{"status", "ok"}}) }

// ServeHTTP answers a request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.paths.written(withKeySegments(r))
	// The mux would answer an unclean path with a redirect.
	if path.Clean(r.URL.Path) == r.URL.Path && plaintext.IsStorable(r.URL.Path) {
		if _, pattern := s.mux.Handler(r); pattern != "" {
			s.mux.ServeHTTP(w, r)
			return
		}
	}
	c := s.newCall(w, r)
	if err := c.authenticate(); err != nil {
		c.fail(err)
		return
	}
	if !plaintext.IsStorable(r.URL.Path) {
		c.fail(badRequest("", "The path has the character U+0000, or is not UTF-8. No name or id here has that."))
		return
	}
	if allowed := s.methodsOf(r); len(allowed) > 0 {
		c.fail(&fault{status: http.StatusMethodNotAllowed, code: codeMethodNotAllowed,
			message: fmt.Sprintf("Method %s is not allowed here.", r.Method),
			header:  map[string]string{"Allow": strings.Join(allowed, ", ")}})
		return
	}
	c.fail(notFound("There is no resource at '%s'.", r.URL.Path))
}

// methodsOf lists the methods that the request's path has.
func (s *server) methodsOf(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(other); pattern != "" && path.Clean(r.URL.Path) == r.URL.Path {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// serve runs a route: who calls, with which options, then the operation itself.
func (s *server) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.newCall(w, r)
		if err := c.run(rt); err != nil {
			c.fail(err)
		}
	})
}

func (c *call) run(rt route) error {
	c.route = rt
	if !rt.open {
		if err := c.authenticate(); err != nil {
			return err
		}
	}
	if err := c.authorize(rt); err != nil {
		return err
	}
	if err := errors.Join(c.readOptions(rt.options), c.readCondition(), c.readKey(), c.negotiate()); err != nil {
		return err
	}
	if rt.reads(c.r.Method) {
		return rt.handle(c)
	}
	return c.recorded(rt.handle)
}

func (c *call) readOptions(known []string) error {
	options, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return badRequest("", "The query string is malformed.")
	}
	for name, values := range options {
		if !slices.Contains(known, name) {
			return badRequest(clip(name), "Query option '%s' is not supported here.", clip(name))
		}
		if slices.ContainsFunc(values, func(v string) bool { return !plaintext.IsStorable(v) }) {
			return badRequest(name, "Query option '%s' has the character U+0000, or is not UTF-8. No text here has that.", name)
		}
		if len(values) > 1 {
			return badRequest(name, "Query option '%s' occurs more than once.", name)
		}
	}
	c.options = options
	return nil
}

func unauthenticated(err error) error {
	if !errors.Is(err, access.ErrUnauthenticated) {
		return err
	}
	return &fault{status: http.StatusUnauthorized, code: codeUnauthenticated,
		message: "The request needs the header 'Authorization: Bearer' with a valid token.",
		header:  map[string]string{"WWW-Authenticate": `Bearer realm="syncpayloads"`}}
}
