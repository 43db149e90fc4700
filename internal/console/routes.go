package console

import "github.com/syncpayloads/syncpayloads/internal/access"

// route is one page, or what one form does.
type route struct {
	pattern string // as http.ServeMux has it
	handle  func(*visit) error
	body    int64 // most bytes of a form; 0: formLimit
}

const (
	formLimit   = 64 << 10 // 30 payloads need 2 KiB
	signInLimit = 8 << 10  // a token, and where to go then
)

// openRoutes are what needs no session.
func openRoutes() []route {
	return []route{
		{pattern: "GET /console/sign-in", handle: (*visit).signInPage},
		{pattern: "POST /console/sign-in", handle: (*visit).signIn, body: signInLimit},
		{pattern: "GET /console/sign-in/oidc", handle: (*visit).signInElsewhere},
		{pattern: "GET /console/oidc/callback", handle: (*visit).signedInElsewhere},
		{pattern: "POST /console/sign-out", handle: (*visit).signOut},
	}
}

// routes are what only those who have signed in reach.
func routes() []route {
	all := []route{
		{pattern: "GET /console/{$}", handle: (*visit).devices},
		{pattern: "GET /console/events", handle: (*visit).fleetEvents},
		{pattern: "GET /console/devices/{id}", handle: (*visit).device},
		{pattern: "GET /console/devices/{id}/review", handle: (*visit).review},
		{pattern: "POST /console/devices/{id}/actions", handle: (*visit).startAction},
		{pattern: "POST /console/devices/{id}/sync", handle: (*visit).syncDevice},
		{pattern: "POST /console/devices/{id}/tags", handle: (*visit).tagDevice},
		{pattern: "GET /console/devices/{id}/history", handle: (*visit).history},
		{pattern: "GET /console/devices/{id}/events", handle: (*visit).deviceEvents},

		{pattern: "GET /console/fleet", handle: (*visit).fleet},
		{pattern: "GET /console/catalog", handle: (*visit).catalog},
		{pattern: "GET /console/catalog/{set}", handle: (*visit).catalogCollection},
		{pattern: "GET /console/catalog/{set}/new", handle: (*visit).newItem},
		{pattern: "POST /console/catalog/{set}", handle: (*visit).createItem, body: uploadLimit},
		{pattern: "GET /console/catalog/{set}/{id}", handle: (*visit).catalogItemPage},
		{pattern: "POST /console/catalog/{set}/{id}", handle: (*visit).editItem, body: uploadLimit},
		{pattern: "POST /console/catalog/policies/{id}/file", handle: (*visit).replaceFile,
			body: uploadLimit},
		{pattern: "POST /console/catalog/{set}/{id}/assign", handle: (*visit).assignItem},
		{pattern: "POST /console/catalog/{set}/{id}/tags", handle: (*visit).tagItem},
		{pattern: "GET /console/catalog/{set}/{id}/delete", handle: (*visit).deleteItemPage},
		{pattern: "POST /console/catalog/{set}/{id}/delete", handle: (*visit).deleteItem},
		{pattern: "GET /console/groups", handle: (*visit).groupsPage},
		{pattern: "POST /console/groups", handle: (*visit).createGroup},
		{pattern: "GET /console/groups/pick", handle: (*visit).pickGroups},
		{pattern: "GET /console/groups/{id}", handle: (*visit).groupPage},
		{pattern: "POST /console/groups/{id}/members", handle: (*visit).addMember},
		{pattern: "POST /console/groups/{id}/members/{device}/remove",
			handle: (*visit).removeMember},
		{pattern: "GET /console/groups/{id}/delete", handle: (*visit).deleteGroupPage},
		{pattern: "POST /console/groups/{id}/delete", handle: (*visit).deleteGroup},
		{pattern: "GET /console/enrollment", handle: (*visit).enrollment},
		{pattern: "POST /console/enrollment", handle: (*visit).enroll},

		{pattern: "GET /console/tokens", handle: (*visit).tokens},
		{pattern: "POST /console/tokens", handle: (*visit).createToken},
		{pattern: "GET /console/tokens/{id}/revoke", handle: (*visit).askToRevoke},
		{pattern: "POST /console/tokens/{id}/revoke", handle: (*visit).revokeToken},
		{pattern: "GET /console/roles", handle: (*visit).rolesPage},
		{pattern: "POST /console/roles", handle: (*visit).createRole},
		{pattern: "GET /console/roles/new", handle: (*visit).newRole},
		{pattern: "GET /console/roles/{id}", handle: (*visit).rolePage},
		{pattern: "POST /console/roles/{id}", handle: (*visit).updateRole},
		{pattern: "GET /console/roles/{id}/edit", handle: (*visit).editRole},
		{pattern: "GET /console/roles/{id}/delete", handle: (*visit).askToDeleteRole},
		{pattern: "POST /console/roles/{id}/delete", handle: (*visit).deleteRole},
		{pattern: "POST /console/roles/{id}/assignments", handle: (*visit).createAssignment},
		{pattern: "GET /console/roles/{id}/assignments/new", handle: (*visit).newAssignment},
		{pattern: "GET /console/roles/{id}/assignments/{assignment}",
			handle: (*visit).editAssignment},
		{pattern: "POST /console/roles/{id}/assignments/{assignment}",
			handle: (*visit).updateAssignment},
		{pattern: "GET /console/roles/{id}/assignments/{assignment}/delete",
			handle: (*visit).askToDeleteAssignment},
		{pattern: "POST /console/roles/{id}/assignments/{assignment}/delete",
			handle: (*visit).deleteAssignment},
		{pattern: "POST /console/roles/scope-tags", handle: (*visit).createScopeTag},
		{pattern: "GET /console/roles/scope-tags/delete", handle: (*visit).askToDeleteScopeTag},
		{pattern: "POST /console/roles/scope-tags/delete", handle: (*visit).deleteScopeTag},
		{pattern: "GET /console/audit", handle: (*visit).auditPage},
		{pattern: "GET /console/audit/actions", handle: (*visit).auditActions},
		{pattern: "GET /console/audit/{id}", handle: (*visit).auditEntry},
		{pattern: "GET /console/health", handle: (*visit).health},
	}
	return append(all, platformRoutes()...)
}

// Patterns lists the console's pages and forms, each as http.ServeMux has it with its method; it is
// for who stands before the console and decides what each may hold.
func Patterns() []string {
	var patterns []string
	for _, rt := range append(openRoutes(), routes()...) {
		patterns = append(patterns, rt.pattern)
	}
	return append(patterns, assetPattern)
}

const assetPattern = "GET /console/assets/{file}"

// section is an entry of the navigation. It is shown to those who have all its rights somewhere.
type section struct {
	Name, Path string
	needs      []access.Right
}

const enrollmentPath = "/console/enrollment"

var navigation = []section{
	{"Devices", "/console/", []access.Right{access.ReadDevices}},
	{"Fleet", "/console/fleet", []access.Right{access.ReadDevices}},
	{"Catalog", "/console/catalog", []access.Right{access.ReadConfigurations}},
	{"Groups", "/console/groups", []access.Right{access.ReadGroups}},
	{"Enrollment", enrollmentPath, []access.Right{access.EnrollDevices}},
	{"Tokens", "/console/tokens", []access.Right{access.ReadTokens}},
	{"Roles", "/console/roles", []access.Right{access.ReadRoles}},
	{"Audit", "/console/audit", []access.Right{access.ReadAudit}},
	{"Health", "/console/health", []access.Right{access.ReadOrganization}},
}
