package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

func TestRolesInWords(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	p := b.open("/console/roles").has(http.StatusOK, "Administrator May do everything. Built in 1",
		"Help Desk Operator", "Read Only Operator", "School Administrator",
		"admin Administrator Token admin All devices", "Default")
	p.controlsHaveNames()
	desk := b.open(p.leads("Help Desk Operator")).has(http.StatusOK,
		"Remote tasks: Change assignments", "Take policies and apps off devices for a while",
		"Nobody.",
		"built in and never changes").hasNot("Audit data", "Edit", "Delete")
	b.open(desk.path()+"/edit").has(http.StatusConflict, "built in")
	b.open("/console/roles/none").has(http.StatusNotFound)
}

func TestCustomRole(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	copied := b.open(b.open("/console/roles/"+access.HelpDeskOperator).leads("Copy")).has(http.StatusOK, "New role", "Remote tasks")
	copied.controlsHaveNames()
	if copied.filled("name") != "Copy of Help Desk Operator" ||
		!strings.Contains(strings.Join(copied.ticked("right"), " "),
			string(access.ChangeAssignments)) {
		t.Errorf("the copy begins with %q and %v", copied.filled("name"), copied.ticked("right"))
	}
	form := copied.form("/console/roles").set("name", "Desk <b>").set("description",
		"of the school").set("right", string(access.ReadDevices), string(access.SyncDevices))
	page := form.submit().has(http.StatusOK, "The role is saved", "Desk <b>",
		"Managed devices: Read", "Remote tasks: Sync devices").
		hasNot("Change assignments", "built in")
	if strings.Contains(page.body, "Desk <b>") {
		t.Error("a name is not escaped")
	}
	refused := form.submit().has(http.StatusBadRequest,
		"The role was not saved. ‘Name’: another role is called")
	if refused.filled("description") != "of the school" || len(refused.ticked("right")) != 2 {
		t.Errorf("what was typed is lost: %s", refused.body)
	}
	edit := b.open(page.leads("Edit")).has(http.StatusOK, "Edit the role")
	edited := edit.form(page.path()).set("right").submit().has(http.StatusOK, "The role is saved",
		"Nothing.")
	edit.form(page.path()).set("name", "Administrator").submit().has(http.StatusBadRequest,
		"another role is called")
	ask := b.open(edited.leads("Delete")).has(http.StatusOK, "Delete the role Desk <b>?")
	ask.form("/delete").submit().has(http.StatusOK, "The role was deleted").hasNot("Desk <b>")
	ask.form("/delete").submit().has(http.StatusNotFound)
}

func TestRoleAssignments(t *testing.T) {
	s := newSite(t)
	group, tag := s.group("School"), s.scopeTag("Munich")
	b := s.signedIn(s.token)
	role := "/console/roles/" + access.HelpDeskOperator
	form := b.open(b.open(role).leads("Assign")).has(http.StatusOK, "Assign Help Desk Operator")
	form.controlsHaveNames()
	assign := form.form("/assignments").set("name", "Munich desk").set("description",
		"d").set("members", "user:anna\r\n\r\n 7d0c \r\n").set("scope", "groups")
	assign.submit().has(http.StatusBadRequest,
		"The assignment was not saved. Tick at least one group")
	kept := assign.set("group", group).set("tag", tag).set("name",
		"").submit().has(http.StatusBadRequest, "‘Name’")
	if !strings.HasPrefix(kept.filled("members"), "user:anna") ||
		strings.Join(kept.ticked("group"), "") != group ||
		strings.Join(kept.ticked("tag"), "") != tag ||
		strings.Join(kept.ticked("scope"), "") != "groups" {
		t.Errorf("what was typed is lost: %s", kept.body)
	}
	page := assign.set("name", "Munich desk").submit().has(http.StatusOK, "The assignment is saved",
		"Munich desk Help Desk Operator User anna, Group 7d0c Group School; scope tag Munich")
	edit := b.open(page.leads("Munich desk")).has(http.StatusOK, "Assignment of Help Desk Operator")
	if edit.filled("members") != "user:anna\n7d0c" || edit.filled("description") != "d" {
		t.Errorf("the form begins with %q", edit.filled("members"))
	}
	change := edit.form("/assignments/" + edit.path()[strings.LastIndexByte(edit.path(), '/')+1:])
	change.set("members", "token:0000000000000000").submit().has(http.StatusBadRequest,
		"there is no token")
	change.set("members", "app:client").set("scope", "all").set("tag").submit().has(http.StatusOK,
		"Munich desk Help Desk Operator Application client All devices")
	b.open("/console/roles").has(http.StatusOK,
		"Munich desk Help Desk Operator Application client All devices")
	ask := b.open(b.open(edit.path()).leads("Delete")).has(http.StatusOK,
		"Delete the assignment Munich desk?")
	ask.form("/delete").submit().has(http.StatusOK, "Its members have lost the role", "Nobody.")
	b.open(edit.path()).has(http.StatusNotFound)
}

func TestScopeTags(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.token)
	form := b.open("/console/roles").form("/scope-tags#new-tag").set("name",
		"Munich").set("description", "the school <there>")
	form.submit().has(http.StatusOK, "The scope tag is made", "Munich the school <there>")
	p := form.submit().has(http.StatusBadRequest,
		"was not made. ‘Name’: another scope tag is called")
	if p.filled("name") != "Munich" {
		t.Error("what was typed is lost")
	}
	ask := b.open(p.leads("Delete Munich")).has(http.StatusOK, "Delete the scope tag Munich?")
	if _, _, err := s.server.Tokens().Create(t.Context(),
		access.TokenInput{Name: "desk", Role: access.HelpDeskOperator,
			Tags: []string{"Munich"}}); err != nil {
		t.Fatal(err)
	}
	ask.form("/scope-tags/delete").submit().has(http.StatusConflict, "It was not deleted.",
		"is in use")
	if err := s.server.Tokens().Revoke(t.Context(), "desk"); err != nil {
		t.Fatal(err)
	}
	ask.form("/scope-tags/delete").submit().has(http.StatusOK,
		"The scope tag was deleted").hasNot("Munich")
}

func TestRolesOfWhoMayOnlyRead(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	s.scopeTag("Munich")
	p := b.open("/console/roles").has(http.StatusOK, "Munich").hasNot("New role", "New scope tag",
		"Delete")
	role := b.open(p.leads("Administrator")).has(http.StatusOK).hasNot("Copy", "Edit")
	for _, n := range role.all("a") {
		if to, _ := attribute(n, "href"); strings.HasSuffix(to, "/new") {
			t.Errorf("a reader is led to %s", to)
		}
	}
	values := url.Values{"name": {"x"}}
	for _, path := range []string{"/console/roles", "/console/roles/scope-tags",
		"/console/roles/" + access.Administrator + "/assignments"} {
		b.post(path, values).has(http.StatusForbidden, "no role or permission")
	}
	s.signedIn(s.bearer("desk", access.HelpDeskOperator,
		0)).open("/console/roles").has(http.StatusForbidden)
}
