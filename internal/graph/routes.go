package graph

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/odata"
	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// route is one operation of the surface.
type route struct {
	// method and pattern are as http.ServeMux has them.
	method  string
	pattern string
	// name is the operation's; the audit record keeps it.
	name string
	// resource is what it is about; nil: the server as a whole.
	resource *resource
	// verb is what it does to the resource; nil: it is the only one of its kind.
	verb *verb
	// answers is the type of $metadata that a GET answers with; empty: it has none.
	answers odata.TypeName
	// casts says that it heeds the type to which the path casts, whatever its resource does.
	casts bool
	// options are the query options it takes. Any other is refused.
	options []string
	// needs are the rights that the caller must have, all of them in one role assignment. What the
	// call reaches is where that holds.
	needs []access.Right
	// open says that it needs no token.
	open bool
	// everywhere says that each version has it.
	everywhere bool
	// unchanging says that it changes nothing, whatever its method.
	unchanging bool
	// largestBody is how many bytes its body may have, if it has no verb; 0: odata.OrdinaryBody.
	largestBody int64
	handle      func(*call) error
	// operation is the route as the protocol knows it.
	operation *odata.Operation
}

// routes lists every operation there is.
func routes() []route {
	all := []route{
		{method: "GET", pattern: "/healthz", name: "health", open: true, handle: (*call).health},
		{method: "POST", pattern: enrollments.path, name: "createEnrollment", resource: enrollments,
			needs: may(access.EnrollDevices), handle: (*call).createEnrollment},
		{method: "GET", pattern: "/api/events", name: "events", options: []string{optionAfter},
			needs: may(access.ReadDevices), handle: (*call).stream},
		{method: "GET", pattern: "/api/devices/{id}/events", name: "deviceEvents",
			resource: managedDevices, options: []string{optionAfter},
			needs: may(access.ReadDevices), handle: (*call).stream},
		{method: "GET", pattern: "/api/devices/{id}/payloads", name: "devicePayloads",
			resource: managedDevices, needs: may(access.ReadDevices),
			handle: (*call).devicePayloads},
		{method: "GET", pattern: "/api/me", name: "me", handle: (*call).me},
		{method: "GET", pattern: "/api/health", name: "serverHealth",
			needs: may(access.ReadOrganization), handle: (*call).serverHealth},
		{method: "POST", pattern: "/api/profiles/inspect", name: "inspectProfile",
			largestBody: fileBody, needs: may(access.ReadConfigurations), unchanging: true,
			handle: (*call).inspectProfile},
		{method: "GET", pattern: "/api/profiles/{id}", name: "showProfile",
			resource: kinds[0].resource(), needs: may(access.ReadConfigurations),
			handle: (*call).showProfile},
		{method: "GET", pattern: pushCertificate.path, name: "getPushCertificate",
			resource: pushCertificate,
			answers:  pushCertificate.odataType, options: []string{odata.OptionSelect},
			needs: may(access.ReadOrganization), handle: (*call).getPushCertificate},
		{method: "PATCH", pattern: pushCertificate.path, name: "updatePushCertificate",
			resource: pushCertificate,
			needs:    may(access.UpdateOrganization), handle: (*call).updatePushCertificate},
	}
	all = append(all, slices.Concat(batchRoutes(), metadataRoutes(), historyRoutes())...)
	for _, r := range []*resource{managedDevices, comanagedDevices} {
		all = append(all, deviceRoutes(r)...)
	}
	for _, k := range kinds {
		all = append(all, payloadRoutes(k)...)
	}
	all = append(all, configurationPolicyRoutes()...)
	all = append(all, configurationCategoryRoutes()...)
	all = append(all, auditRoutes()...)
	all = append(all, tokenRoutes()...)
	all = append(all, androidRoutes()...)
	all = append(all, subscriptionRoutes()...)
	all = append(all, roleRoutes()...)
	all = append(all, groupRoutes()...)
	all = append(all, appStateRoutes()...)
	all = append(all, organizationRoutes()...)
	all = append(all, emptySetRoutes()...)
	for _, rt := range all {
		if rest, ok := strings.CutPrefix(rt.pattern, odata.BetaPath); ok && rt.stable() {
			rt.pattern = odata.StablePath + rest
			all = append(all, rt)
		}
	}
	for i := range all {
		all[i].operation = newOperation(&all[i])
	}
	return all
}

// Patterns lists what the surface answers, each as http.ServeMux has it with its method; it is for
// whatever stands before it and decides what each may hold.
func Patterns() []string {
	var patterns []string
	for _, rt := range routes() {
		patterns = append(patterns, rt.method+" "+rt.pattern)
	}
	return patterns
}

// stable reports whether Graph has the operation in v1.0, too. The action is in beta only.
func (rt *route) stable() bool {
	return rt.everywhere || rt.resource != nil && rt.resource.stable &&
		(rt.verb == nil || !rt.verb.betaOnly)
}

func (c *call) health() error { return c.req.Reply(http.StatusOK, odata.Fields{{"status", "ok"}}) }

// ServeHTTP answers a request.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = s.protocol.CanonicalRequest(r)
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
		c.fail(odata.BadRequest("",
			"The path has the character U+0000, or is not UTF-8. No name or id here has that."))
		return
	}
	if allowed := s.methodsOf(r); len(allowed) > 0 {
		c.fail(&odata.Fault{Status: http.StatusMethodNotAllowed, Code: odata.CodeMethodNotAllowed,
			Message: fmt.Sprintf("Method %s is not allowed here.", r.Method),
			Header:  map[string]string{"Allow": strings.Join(allowed, ", ")}})
		return
	}
	c.fail(odata.NotFound("There is no resource at '%s'.", r.URL.Path))
}

// methodsOf lists the methods that the request's path has.
func (s *server) methodsOf(r *http.Request) []string {
	var allowed []string
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(other); pattern != "" &&
			path.Clean(r.URL.Path) == r.URL.Path {
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
	c.req.Operation = rt.operation
	if !rt.open {
		if err := c.authenticate(); err != nil {
			return err
		}
	}
	if err := c.authorize(rt); err != nil {
		return err
	}
	c.req.BodyLimit = c.bodyLimit()
	if err := errors.Join(c.req.ReadOptions(rt.options), c.req.ReadCondition(), c.readKey(),
		c.req.Negotiate()); err != nil {
		return err
	}
	if rt.reads(c.req.HTTP.Method) {
		return rt.handle(c)
	}
	return c.recorded(rt.handle)
}

func unauthenticated(err error) error {
	if !errors.Is(err, access.ErrUnauthenticated) {
		return err
	}
	return &odata.Fault{Status: http.StatusUnauthorized, Code: odata.CodeUnauthenticated,
		Message: "The request needs the header 'Authorization: Bearer' with a valid token.",
		Header:  map[string]string{"WWW-Authenticate": `Bearer realm="syncpayloads"`}}
}

// batchRoutes take several requests at once. Each is authorized, limited and recorded by itself.
func batchRoutes() []route {
	return []route{{method: "POST", pattern: odata.BetaPath + odata.BatchPath, name: "batch",
		everywhere: true, largestBody: odata.BatchBody, unchanging: true, handle: (*call).batch}}
}

// batch is POST $batch.
func (c *call) batch() error {
	b := odata.Batch{Serve: c.server, Refuse: c.refuseItem,
		Example: "/deviceManagement/managedDevices"}
	return b.Reply(c.req)
}

// refuseItem answers a request of the call's batch with an error.
func (c *call) refuseItem(w http.ResponseWriter, r *http.Request, err error) {
	item := c.server.newCall(w, r)
	item.caller = c.caller
	item.fail(err)
}

// metadataRoutes describe the surface to programs. As Graph's it is open to all: it holds nothing
// but names.
func metadataRoutes() []route {
	return []route{{method: "GET", pattern: odata.BetaPath + "$metadata", name: "metadata",
		everywhere: true, open: true, handle: (*call).replyMetadata}}
}

func (c *call) replyMetadata() error { return c.req.ReplyMetadata() }
