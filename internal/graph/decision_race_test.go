package graph_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/catalog"
	"github.com/syncpayloads/syncpayloads/internal/engine"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
	"github.com/syncpayloads/syncpayloads/internal/graph"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// between does something once, after a call was decided on and before it is written.
type between struct{ do func() }

func (b *between) now() {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
}

type catalogBetween struct {
	graph.Catalog
	*between
}

func (c catalogBetween) Create(ctx context.Context, in catalog.Input) (*catalog.Payload, error) {
	c.now()
	return c.Catalog.Create(ctx, in)
}

func (c catalogBetween) Update(ctx context.Context, id action.PayloadID, patch catalog.Patch,
	only ...func(*catalog.Payload) error) (*catalog.Payload, error) {
	c.now()
	return c.Catalog.Update(ctx, id, patch, only...)
}

func (c catalogBetween) Delete(ctx context.Context, id action.PayloadID,
	only ...func(*catalog.Payload) error) error {
	c.now()
	return c.Catalog.Delete(ctx, id, only...)
}

func (c catalogBetween) Assign(ctx context.Context, id action.PayloadID, list []catalog.Assignment,
	only ...func(*catalog.Payload, []catalog.Assignment) error) ([]catalog.Assignment, error) {
	c.now()
	return c.Catalog.Assign(ctx, id, list, only...)
}

func (c catalogBetween) EditDevice(ctx context.Context, id fleet.DeviceID, e fleet.Edit) error {
	c.now()
	return c.Catalog.EditDevice(ctx, id, e)
}

func (c catalogBetween) CreateGroup(ctx context.Context,
	in catalog.GroupInput) (*catalog.DeviceGroup, error) {
	c.now()
	return c.Catalog.CreateGroup(ctx, in)
}

func (c catalogBetween) DeleteGroup(ctx context.Context, id string,
	only ...func(*catalog.DeviceGroup) error) error {
	c.now()
	return c.Catalog.DeleteGroup(ctx, id, only...)
}

func (c catalogBetween) AddMember(ctx context.Context, group string, device fleet.DeviceID) error {
	c.now()
	return c.Catalog.AddMember(ctx, group, device)
}

func (c catalogBetween) RemoveMember(ctx context.Context, group string,
	device fleet.DeviceID) error {
	c.now()
	return c.Catalog.RemoveMember(ctx, group, device)
}

type engineBetween struct {
	graph.Engine
	*between
}

func (e engineBetween) Start(ctx context.Context, device fleet.DeviceID, c engine.Call) error {
	e.now()
	return e.Engine.Start(ctx, device, c)
}

func (e engineBetween) Sync(ctx context.Context, device fleet.DeviceID) error {
	e.now()
	return e.Engine.Sync(ctx, device)
}

type rolesBetween struct {
	graph.Roles
	*between
}

func (r rolesBetween) CreateRole(ctx context.Context, by *access.Principal,
	in access.RoleInput) (*access.Role, error) {
	r.now()
	return r.Roles.CreateRole(ctx, by, in)
}

func (r rolesBetween) CreateAssignment(ctx context.Context, by *access.Principal,
	in access.AssignmentInput) (*access.RoleAssignment, error) {
	r.now()
	return r.Roles.CreateAssignment(ctx, by, in)
}

func (r rolesBetween) CreateTag(ctx context.Context, in access.TagInput) (*access.ScopeTag, error) {
	r.now()
	return r.Roles.CreateTag(ctx, in)
}

type tokensBetween struct {
	graph.Tokens
	*between
}

func (t tokensBetween) Create(ctx context.Context,
	in access.TokenInput) (access.Token, string, error) {
	t.now()
	return t.Tokens.Create(ctx, in)
}

// What changes between the decision and the write counts: roles that are taken, tags and groups
// that move, members that come. Each write is tried with each change that takes away what allows
// it, and nothing of it is kept.
func TestChangedBetweenDecisionAndWrite(t *testing.T) {
	b := &between{}
	w := newWorld(newSite(t, func(c *graph.Config) {
		c.Catalog, c.Engine, c.Roles, c.Tokens = catalogBetween{c.Catalog, b},
			engineBetween{c.Engine, b}, rolesBetween{c.Roles, b}, tokensBetween{c.Tokens, b}
	}))
	tag := func(set, id string, tags ...string) func() {
		return func() {
			w.must(http.StatusOK, "PATCH", set+"/"+id, object{"roleScopeTagIds": tags})
		}
	}
	var revoke func() // takes the caller's role
	var bearer string
	admin := func(groups, tags []string) string {
		token, secret, err := w.tokens.Create(t.Context(),
			access.TokenInput{Name: "token " + w.next(), Role: access.Administrator, Groups: groups,
				Tags: tags})
		if err != nil {
			t.Fatal(err)
		}
		revoke = func() {
			list, err := w.roles.ListAssignments(t.Context(), "", query.Query{})
			for _, a := range list.Items {
				if a.Token == token.ID {
					err = errors.Join(err, w.roles.DeleteAssignment(t.Context(), administrator,
						a.ID))
				}
			}
			if err != nil {
				t.Error(err)
			}
		}
		return secret
	}
	try := func(name string, change func(), method, path string, body any, want int) {
		t.Helper()
		changed := false
		b.do = func() { change(); changed = true }
		a := w.call(method, path, body, "Authorization", "Bearer "+bearer)
		b.do = nil
		if !changed {
			t.Errorf("%s: refused before anything changed: %s", name, a)
		}
		if a.status != want {
			t.Errorf("%s: got %s, want %d", name, a, want)
		}
	}
	for _, tt := range []struct {
		name, method string
		path         func() string
		body         func() any
	}{
		{"create", "POST", func() string { return configurations },
			func() any { return w.payloadBody("deviceConfigurations") }},
		{"update", "PATCH",
			func() string { return configurations + "/" + w.newPayload("deviceConfigurations") },
			func() any { return object{"displayName": "x"} }},
		{"delete", "DELETE", func() string {
			return configurations + "/" + w.newPayload("deviceConfigurations")
		}, nil},
		{"assign", "POST",
			func() string {
				return configurations + "/" + w.newPayload("deviceConfigurations") +
					"/assign"
			}, func() any { return w.assignBody("assignments") }},
		{"tag a device", "PATCH", func() string { return devices + "/" + w.newDevice() },
			func() any { return object{"roleScopeTagIds": []string{w.tag}} }},
		{"sync", "POST", func() string { return devices + "/" + w.newDevice() + "/syncDevice" },
			nil},
		{"act", "POST", func() string { return devices + "/" + w.newDevice() + "/syncPayloads" },
			func() any { return object{"deviceActionPayloads": []object{config(w.payload)}} }},
		{"add a member", "POST", func() string { return groups + "/" + w.group + "/members/$ref" },
			func() any { return memberReference(w.newDevice()) }},
		{"remove a member", "DELETE", func() string {
			return groups + "/" + w.crowd + "/members/" + w.newDevice() + "/$ref"
		}, nil},
		{"make a role", "POST", func() string { return "/beta/deviceManagement/roleDefinitions" },
			func() any { return w.roleBody() }},
		{"make a tag", "POST", func() string { return "/beta/deviceManagement/roleScopeTags" },
			func() any { return object{"displayName": "tag " + w.next()} }},
		{"make a token", "POST", func() string { return tokensPath },
			func() any { return w.tokenBody() }},
		{"assign a role", "POST", func() string { return "/beta/deviceManagement/roleAssignments" },
			func() any { return w.assignmentBody() }},
	} {
		path, body := tt.path(), any(nil)
		if tt.body != nil {
			body = tt.body()
		}
		bearer = admin([]string{w.group, w.crowd, w.otherGroup}, []string{w.tag, w.otherTag})
		try(tt.name+", role taken", revoke, tt.method, path, body, http.StatusForbidden)
	}

	bearer = admin(nil, []string{w.tag})
	p, d := w.newPayload("deviceConfigurations"), w.newDevice()
	try("update, payload moved", tag(configurations, p, w.otherTag), "PATCH", configurations+"/"+p,
		object{"displayName": "moved"}, 404)
	if name := w.must(http.StatusOK, "GET", configurations+"/"+p,
		nil).body["displayName"]; name == "moved" {
		t.Error("it was written all the same")
	}
	try("sync, device moved", tag(devices, d, w.otherTag), "POST", devices+"/"+d+"/syncDevice", nil,
		404)
	d = w.newDevice()
	try("act, device moved", tag(devices, d, w.otherTag), "POST", devices+"/"+d+"/syncPayloads",
		object{"deviceActionPayloads": []object{config(w.payload)}}, 404)
	d, p = w.newDevice(), w.newPayload("deviceConfigurations")
	try("act, payload moved", tag(configurations, p, w.otherTag), "POST",
		devices+"/"+d+"/syncPayloads", object{"deviceActionPayloads": []object{config(p)}}, 409)
	if list := w.must(http.StatusOK, "GET", "/api/devices/"+d+"/actions",
		nil).values(); len(list) != 0 {
		t.Errorf("an action began all the same: %v", list)
	}
	g := w.newGroup()
	foreign := func() {
		other := w.newDevice()
		w.must(http.StatusOK, "PATCH", devices+"/"+other,
			object{"roleScopeTagIds": []string{w.otherTag}})
		w.must(http.StatusNoContent, "POST", groups+"/"+g+"/members/$ref", memberReference(other))
	}
	p = w.must(http.StatusCreated, "POST", configurations,
		w.payloadBody("deviceConfigurations")).body["id"].(string)
	try("assign, the group got another's device", foreign, "POST", configurations+"/"+p+"/assign",
		object{"assignments": []object{{"target": object{"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": g}}}}, 403)
	g = w.newGroup()
	try("delete a group, it got another's device", foreign, "DELETE", groups+"/"+g, nil, 403)
	w.must(http.StatusOK, "GET", groups+"/"+g, nil)
}
