package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is a method of the APIs.
type route struct {
	name   string
	query  []string // parameters beside those that all methods take
	pubsub bool
	serve  func(*Service, *call) (any, *failure) // with mu held
	waits  func(*Service, *call) ([]byte, *failure)
}

// common are the parameters that every Google API takes (discovery document, "parameters").
var common = []string{"$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token",
	"prettyPrint", "quotaUser", "uploadType", "upload_protocol"}

var paging = []string{"pageSize", "pageToken"}

// routes are the methods by verb and path, with an asterisk for each id.
var routes = map[string]route{
	"POST signupUrls": {name: "signupUrls.create", serve: (*Service).createSignup,
		query: []string{"projectId", "callbackUrl", "adminEmail", "allowedDomains"}},
	"POST enterprises": {name: "enterprises.create", serve: (*Service).createEnterprise,
		query: []string{"projectId", "signupUrlName", "enterpriseToken", "agreementAccepted"}},
	"GET enterprises": {name: "enterprises.list", serve: (*Service).listEnterprises,
		query: append([]string{"projectId", "view"}, paging...)},
	"GET enterprises/*":    {name: "enterprises.get", serve: (*Service).getEnterprise},
	"DELETE enterprises/*": {name: "enterprises.delete", serve: (*Service).deleteEnterprise},
	"PATCH enterprises/*": {name: "enterprises.patch", serve: (*Service).patchEnterprise,
		query: []string{"updateMask"}},
	"GET enterprises/*/applications/*": {name: "applications.get",
		serve: (*Service).getApplication, query: []string{"languageCode"}},
	"POST enterprises/*/enrollmentTokens": {name: "enrollmentTokens.create",
		serve: (*Service).createToken},
	"GET enterprises/*/enrollmentTokens": {name: "enrollmentTokens.list",
		serve: (*Service).listTokens, query: paging},
	"GET enterprises/*/enrollmentTokens/*": {name: "enrollmentTokens.get",
		serve: (*Service).getToken},
	"DELETE enterprises/*/enrollmentTokens/*": {name: "enrollmentTokens.delete",
		serve: (*Service).deleteToken},
	"GET enterprises/*/policies": {name: "policies.list", serve: (*Service).listPolicies,
		query: paging},
	"GET enterprises/*/policies/*":    {name: "policies.get", serve: (*Service).getPolicy},
	"DELETE enterprises/*/policies/*": {name: "policies.delete", serve: (*Service).deletePolicy},
	"PATCH enterprises/*/policies/*": {name: "policies.patch", serve: (*Service).patchPolicy,
		query: []string{"updateMask"}},
	"GET enterprises/*/devices": {name: "devices.list", serve: (*Service).listDevices,
		query: paging},
	"GET enterprises/*/devices/*": {name: "devices.get", serve: (*Service).getDevice},
	"PATCH enterprises/*/devices/*": {name: "devices.patch", serve: (*Service).patchDevice,
		query: []string{"updateMask"}},
	"DELETE enterprises/*/devices/*": {name: "devices.delete", serve: (*Service).deleteDevice,
		query: []string{"wipeDataFlags", "wipeReasonMessage"}},
	"POST enterprises/*/devices/*:issueCommand": {name: "devices.issueCommand",
		serve: (*Service).issueCommand},
	"GET enterprises/*/devices/*/operations/*": {name: "operations.get",
		serve: (*Service).getOperation},
	"POST enterprises/*/webApps": {name: "webApps.create", serve: (*Service).createWebApp},
	"GET enterprises/*/webApps": {name: "webApps.list", serve: (*Service).listWebApps,
		query: paging},
	"GET enterprises/*/webApps/*":    {name: "webApps.get", serve: (*Service).getWebApp},
	"DELETE enterprises/*/webApps/*": {name: "webApps.delete", serve: (*Service).deleteWebApp},
	"PATCH enterprises/*/webApps/*": {name: "webApps.patch", serve: (*Service).patchWebApp,
		query: []string{"updateMask"}},
	"POST enterprises/*/webTokens": {name: "webTokens.create", serve: (*Service).createWebToken},

	"PUT projects/*/topics/*":          messaging("topics.create", (*Service).createTopic),
	"GET projects/*/topics/*":          messaging("topics.get", (*Service).getTopic),
	"GET projects/*/topics":            messaging("topics.list", (*Service).listTopics, paging...),
	"DELETE projects/*/topics/*":       messaging("topics.delete", (*Service).deleteTopic),
	"POST projects/*/topics/*:publish": messaging("topics.publish", (*Service).publishMessages),
	"GET projects/*/topics/*:getIamPolicy": messaging("topics.getIamPolicy",
		(*Service).getIAMPolicy, "options.requestedPolicyVersion"),
	"POST projects/*/topics/*:setIamPolicy": messaging("topics.setIamPolicy",
		(*Service).setIAMPolicy),
	"PUT projects/*/subscriptions/*": messaging("subscriptions.create",
		(*Service).createSubscription),
	"GET projects/*/subscriptions/*": messaging("subscriptions.get", (*Service).getSubscription),
	"GET projects/*/subscriptions": messaging("subscriptions.list", (*Service).listSubscriptions,
		paging...),
	"DELETE projects/*/subscriptions/*": messaging("subscriptions.delete",
		(*Service).deleteSubscription),
	"POST projects/*/subscriptions/*:acknowledge": messaging("subscriptions.acknowledge",
		(*Service).acknowledge),
	"POST projects/*/subscriptions/*:modifyAckDeadline": messaging(
		"subscriptions.modifyAckDeadline", (*Service).modifyAckDeadline),
	"POST projects/*/subscriptions/*:modifyPushConfig": messaging("subscriptions.modifyPushConfig",
		(*Service).modifyPushConfig),
	"POST projects/*/subscriptions/*:pull": {name: "subscriptions.pull", pubsub: true,
		waits: (*Service).pull},
}

func messaging(name string, serve func(*Service, *call) (any, *failure), query ...string) route {
	return route{name: name, pubsub: true, serve: serve, query: query}
}

// find finds the method that a request calls.
func (c *call) find() (route, *failure) {
	path, versioned := strings.CutPrefix(c.request.URL.EscapedPath(), "/v1/")
	verb := ""
	if i := strings.LastIndexByte(path, ':'); i > strings.LastIndexByte(path, '/') {
		path, verb = path[:i], path[i:]
	}
	c.parts = strings.Split(path, "/")
	pattern := slices.Clone(c.parts)
	for i := range c.parts {
		part, err := url.PathUnescape(c.parts[i])
		if err != nil || part == "" || strings.Contains(part, "/") {
			versioned = false
		}
		if c.parts[i] = part; i%2 == 1 {
			pattern[i] = "*"
		}
	}
	c.name = strings.Join(c.parts, "/")
	found, known := routes[c.request.Method+" "+strings.Join(pattern, "/")+verb]
	if !versioned || !known {
		return found, fail(http.StatusNotFound, "Method not found.")
	}
	c.method = found.name
	var err error
	if c.query, err = url.ParseQuery(c.request.URL.RawQuery); err != nil {
		return found, badRequest("", "The query of the URL cannot be read.")
	}
	for name := range c.query {
		if !slices.Contains(common, name) && !slices.Contains(found.query, name) {
			return found, badRequest(name, "Invalid JSON payload received. Unknown name \"%s\": "+
				"Cannot bind query parameter. Field '%s' could not be found in request message.",
				name, name)
		}
	}
	return found, nil
}
