package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// scopeTag makes a scope tag and returns its id.
func (s *site) scopeTag(name string) string {
	s.Helper()
	var made struct{ ID string }
	s.api("POST", "/beta/deviceManagement/roleScopeTags", map[string]any{"displayName": name},
		&made)
	return made.ID
}

// ticked are the values of the boxes and buttons of a name that are ticked.
func (p *page) ticked(name string) (values []string) {
	for _, n := range p.all("input") {
		got, _ := attribute(n, "name")
		if _, checked := attribute(n, "checked"); checked && got == name {
			value, _ := attribute(n, "value")
			values = append(values, value)
		}
	}
	return values
}

func TestTokenIsMadeUsedAndRevoked(t *testing.T) {
	s := newSite(t)
	group, tag := s.group("School"), s.scopeTag("Munich")
	b := s.signedIn(s.token)
	p := b.open("/console/tokens").has(http.StatusOK, "Tokens",
		"admin yours Administrator All devices", "never")
	p.controlsHaveNames()
	made := p.form("/console/tokens#new").set("name", "desk <i>").set("role",
		access.HelpDeskOperator).set("scope", "groups").set("group", group).
		set("tag", tag).set("lasts", "P30D").submit().has(http.StatusCreated,
		"The token desk <i> is made", "only time", "Group School; scope tag Munich")
	made.controlsHaveNames()
	if made.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page with the secret may be kept: %v", made.header)
	}
	bearer := ""
	for _, n := range made.all("input") {
		if id, _ := attribute(n, "id"); id == "bearer" {
			bearer, _ = attribute(n, "value")
		}
	}
	s.signedIn(bearer).open("/console/").has(http.StatusOK, "desk <i>").hasNot("Tokens")
	list := b.open("/console/tokens").has(http.StatusOK,
		"desk <i> Help Desk Operator Group School; scope tag Munich just now in 29 days")
	if strings.Contains(list.body, bearer) || strings.Contains(list.body, "<i>") {
		t.Errorf("the secret is shown again, or a name is not escaped: %s", list.body)
	}
	ask := b.open(list.leads("Revoke desk")).has(http.StatusOK, "Revoke desk <i>?",
		"cannot be brought back").hasNot("signs you out")
	s.browser().post("/console/sign-in", url.Values{"token": {bearer}}).has(http.StatusOK)
	ask.form("/revoke").submit().has(http.StatusOK, "The token was revoked",
		"admin").hasNot("desk <i>")
	s.browser().post("/console/sign-in", url.Values{"token": {bearer}}).has(http.StatusUnauthorized)
	b.open(ask.path()).has(http.StatusNotFound, "no such token")
	b.post(ask.path(), nil).has(http.StatusNotFound)
}

func TestRefusedTokenKeepsWhatWasTyped(t *testing.T) {
	s := newSite(t)
	group, tag := s.group("School"), s.scopeTag("Munich")
	form := s.signedIn(s.token).open("/console/tokens").form("/console/tokens#new")
	form.set("name", "admin").set("role", access.ReadOnlyOperator).set("scope",
		"groups").set("group", group).set("tag", tag).set("lasts", "P7D")
	p := form.submit().has(http.StatusBadRequest,
		"No token was made. ‘Name’ is not valid: another token has this name.")
	if p.filled("name") != "admin" || p.filled("role") != access.ReadOnlyOperator ||
		p.filled("lasts") != "P7D" ||
		strings.Join(p.ticked("scope"), " ") != "groups" ||
		strings.Join(p.ticked("group"), " ") != group || strings.Join(p.ticked("tag"), " ") != tag {
		t.Errorf("what was typed is lost: %s", p.body)
	}
	form.set("name", "desk").set("group").submit().has(http.StatusBadRequest,
		"Tick at least one group")
	form.set("scope", "all").set("name", " desk ").submit().has(http.StatusBadRequest,
		"‘Name’: a token needs a name without spaces around it")
	form.set("name", "desk").set("tag", "999").submit().has(http.StatusBadRequest,
		"‘Scope tags’: there is no scope tag")
	form.set("tag", tag).set("role", "x").submit().has(http.StatusBadRequest,
		"‘Role’: there is no role")
	if list, err := s.server.Tokens().List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("there are %v, %v", list, err)
	}
}

func TestTokensOfWhoMayDoLess(t *testing.T) {
	s := newSite(t)
	reader := s.signedIn(s.bearer("reader", access.ReadOnlyOperator, time.Hour))
	p := reader.open("/console/tokens").has(http.StatusOK, "reader yours").hasNot("Make a token",
		"Revoke")
	if strings.Contains(p.forms(), "/console/tokens") {
		t.Errorf("a reader gets the form: %s", p.forms())
	}
	list, err := s.server.Tokens().List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reader.post("/console/tokens", url.Values{"name": {"more"},
		"role": {access.Administrator}}).has(http.StatusForbidden, "no role or permission")
	reader.post("/console/tokens/"+list[0].ID+"/revoke", nil).has(http.StatusForbidden,
		"It was not revoked.", "no role or permission")
	s.signedIn(s.bearer("desk", access.HelpDeskOperator,
		0)).open("/console/tokens").has(http.StatusForbidden, "Not allowed")

	// Who makes tokens and sees no roles types the name of one, and gives no more than they have.
	right := []access.Right{access.ReadTokens, access.CreateTokens, access.ReadDevices}
	root := &access.Principal{Grants: []access.Grant{{Rights: access.Rights()}}}
	role, err := s.server.Roles().CreateRole(t.Context(), root,
		access.RoleInput{Name: "Maker", Rights: right})
	if err != nil {
		t.Fatal(err)
	}
	form := s.signedIn(s.bearer("maker", role.ID,
		0)).open("/console/tokens").form("/console/tokens#new").set("name", "new").set("lasts", "")
	if _, typed := form.values["role"]; !typed {
		t.Errorf("no field for a role: %v", form.values)
	}
	form.set("role", "Administrator").submit().has(http.StatusForbidden, "No token was made",
		"it takes the right")
	form.set("role", "maker").submit().has(http.StatusCreated, "The token new is made",
		"Expires never")
}

func TestOwnTokenAndExpiredToken(t *testing.T) {
	s := newSite(t)
	b := s.signedIn(s.bearer("mine", access.Administrator, 10*time.Minute))
	ask := b.open(b.open("/console/tokens").leads("Revoke mine")).has(http.StatusOK,
		"Revoking it signs you out")
	other := s.signedIn(s.token)
	s.clock.advance(11 * time.Minute)
	other.open("/console/tokens").has(http.StatusOK, "Expired 1 minute ago")
	s.clock.advance(-11 * time.Minute)
	if p := ask.form("/revoke").submit(); p.path() != "/console/sign-in" {
		t.Errorf("after revoking its own token the browser is at %s", p)
	}
}
