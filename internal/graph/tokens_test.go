package graph_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

const tokensPath = "/api/tokens"

// tokenBody is a token that is limited to the world's other area.
func (w *world) tokenBody() object {
	return object{"name": "made " + w.next(), "role": access.ReadOnlyOperator,
		"resourceScopes": []string{w.otherGroup}, "roleScopeTagIds": []string{w.otherTag}}
}

// listedToken is a token in the list; nil: it is not there.
func (s *site) listedToken(id any) object {
	s.t.Helper()
	for _, v := range s.must(http.StatusOK, "GET", tokensPath, nil).values() {
		if v["id"] == id {
			return v
		}
	}
	return nil
}

func TestTokens(t *testing.T) {
	w := newWorld(newSite(t))
	group := w.must(http.StatusOK, "GET", groups+"/"+w.group, nil).body["displayName"]
	a := w.must(http.StatusCreated, "POST", tokensPath,
		object{"name": "desk", "role": "help desk operator", "resourceScopes": []any{group},
			"roleScopeTagIds": []string{w.tag}, "expiresIn": "720h"})
	bearer, _ := a.body["token"].(string)
	want := object{"id": a.body["id"], "name": "desk", "role": "Help Desk Operator",
		"roleId":          access.HelpDeskOperator,
		"createdDateTime": "2025-02-13T10:17:05Z", "expiresDateTime": "2025-03-15T10:17:05Z",
		"lastUsedDateTime": nil}
	listed := w.listedToken(a.body["id"])
	for name, value := range want {
		if a.body[name] != value || listed[name] != value {
			t.Errorf("%s: made %v, listed %v, want %v", name, a.body[name], listed[name], value)
		}
	}
	if at(listed["resourceScopes"], 0) != w.group || at(listed["roleScopeTagIds"], 0) != w.tag ||
		listed["token"] != nil {
		t.Errorf("listed %v", listed)
	}
	w.must(http.StatusOK, "GET", devices+"/"+w.device, nil, "Authorization", "Bearer "+bearer)
	w.must(http.StatusForbidden, "GET", tokensPath, nil, "Authorization", "Bearer "+bearer)
	if err := w.tokens.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if used := w.listedToken(a.body["id"])["lastUsedDateTime"]; used != "2025-02-13T10:17:05Z" {
		t.Errorf("last used %v", used)
	}
	list := w.must(http.StatusOK, "GET", tokensPath, nil)
	record := w.must(http.StatusOK, "GET", auditEvents, nil)
	// in which there may be others
	_, secret, _ := strings.Cut(strings.TrimPrefix(bearer, "sp_"), "_")
	if strings.Contains(string(list.text), secret) ||
		strings.Contains(string(record.text), secret) || strings.Contains(w.log.text(), secret) {
		t.Error("the secret is told again")
	}
	w.must(http.StatusNotFound, "DELETE", tokensPath+"/desk", nil)
	w.must(http.StatusNoContent, "DELETE", tokensPath+"/"+a.body["id"].(string), nil)
	if got := activities(w.must(http.StatusOK, "GET", auditEvents,
		nil))[0]; got != "tokens.delete" {
		t.Errorf("recorded %s", got)
	}
	w.must(http.StatusUnauthorized, "GET", devices, nil, "Authorization", "Bearer "+bearer)
}

func TestTokenWithoutLimits(t *testing.T) {
	s := newSite(t)
	a := s.must(http.StatusCreated, "POST", tokensPath,
		object{"name": "ops", "role": access.Administrator, "resourceScopes": nil,
			"expiresIn": nil})
	for _, name := range []string{"resourceScopes", "roleScopeTagIds", "expiresDateTime"} {
		if value, there := s.listedToken(a.body["id"])[name]; !there || value != nil ||
			a.body[name] != nil {
			t.Errorf("%s is %v", name, value)
		}
	}
	s.clock.Advance(10 * 365 * 24 * time.Hour)
	s.must(http.StatusOK, "GET", devices, nil, "Authorization", "Bearer "+a.body["token"].(string))
}

func TestTokenRefusals(t *testing.T) {
	s := newSite(t)
	with := func(name string, value any) object {
		body := object{"name": "desk", "role": access.HelpDeskOperator}
		body[name] = value
		return body
	}
	for target, bodies := range map[string][]object{
		"name": {with("name", nil), with("name", ""), with("name", " desk"),
			with("name", strings.Repeat("x", 101)), with("name", "a\tb"),
			with("name", "help desk"), with("name", 1)},
		"role":              {with("role", nil), with("role", ""), with("role", "Boss")},
		"resourceScopes":    {with("resourceScopes", []string{}), with("resourceScopes", "x")},
		"resourceScopes[0]": {with("resourceScopes", []string{"nowhere"})},
		"roleScopeTagIds":   {with("roleScopeTagIds", []string{})},
		"roleScopeTagIds[1]": {with("roleScopeTagIds", []string{"0", "nothing"}),
			with("roleScopeTagIds", []any{"0", 1})},
		"expiresIn": {with("expiresIn", "0"), with("expiresIn", "-1h"),
			with("expiresIn", "3651d"), with("expiresIn", "P3651D"), with("expiresIn", 5)},
		"token": {with("token", "sp_mine")},
	} {
		for _, body := range bodies {
			a := s.call("POST", tokensPath, body)
			if a.status != http.StatusBadRequest || at(a.body, "error", "target") != target ||
				!strings.Contains(a.message(), target) {
				t.Errorf("%v: got %s, want %s at fault", body, a, target)
			}
		}
	}
	if list := s.must(http.StatusOK, "GET", tokensPath, nil).values(); len(list) != 1 {
		t.Errorf("refused and made: %v", list)
	}
}

// Nobody gets more by a token than they have, nor takes away what is more than theirs.
func TestTokensGiveNoMoreThanTheirMakerHas(t *testing.T) {
	w := newWorld(newSite(t))
	role := w.roleOf([]access.Right{access.CreateTokens, access.ReadTokens, access.DeleteTokens,
		access.ReadDevices})
	reading := w.roleOf([]access.Right{access.ReadDevices})
	maker := []string{"Authorization", "Bearer " + w.bearer(role, []string{w.group}, nil)}
	body := func(role string, groups ...string) object {
		return object{"name": "made " + w.next(), "role": role, "resourceScopes": groups}
	}
	mine := w.must(http.StatusCreated, "POST", tokensPath, body(reading, w.group),
		maker...).body["id"].(string)
	for name, body := range map[string]object{
		"a right more": body(access.HelpDeskOperator, w.group),
		"everywhere":   body(reading),
	} {
		if a := w.call("POST", tokensPath, body, maker...); a.status != http.StatusForbidden ||
			a.code() != "Forbidden" {
			t.Errorf("%s: got %s", name, a)
		}
	}
	// A group that is hidden from them is none, by its id as by its name, and even if a group of
	// theirs has the same name.
	named := func(group string) string {
		return w.must(http.StatusOK, "GET", groups+"/"+group, nil).body["displayName"].(string)
	}
	for hidden, none := range map[string]string{w.otherGroup: "5d0b0f0e-0000-4000-8000-000000000001", named(w.otherGroup): "Nowhere"} {
		got := w.call("POST", tokensPath, body(reading, w.group, hidden), maker...)
		want := w.call("POST", tokensPath, body(reading, w.group, none), maker...)
		if got.status != http.StatusBadRequest ||
			got.message() != strings.ReplaceAll(want.message(), none, hidden) {
			t.Errorf("a hidden group %s: got %s, and for what is not there %s", hidden, got, want)
		}
	}
	w.must(http.StatusCreated, "POST", groups,
		object{"displayName": named(w.group), "mailEnabled": false, "mailNickname": "g",
			"securityEnabled": true})
	twin := body(reading, named(w.group))
	if got := w.must(http.StatusCreated, "POST", tokensPath, twin,
		maker...).body["resourceScopes"]; at(got, 0) != w.group {
		t.Errorf("by its name the maker's own group is %v, want %s", got, w.group)
	}
	// By an assignment of its own the token can do more than its maker.
	assignment := w.must(http.StatusCreated, "POST", "/beta/deviceManagement/roleAssignments",
		object{"displayName": "more", "members": []string{"token:" + mine},
			"scopeType":                 "allDevices",
			"roleDefinition@odata.bind": "https://graph.example/beta/deviceManagement/roleDefinitions('" + reading + "')"})
	if a := w.call("DELETE", tokensPath+"/"+mine, nil, maker...); a.status != http.StatusForbidden {
		t.Errorf("revoking a token that can do more: got %s", a)
	}
	w.must(http.StatusNoContent, "DELETE",
		"/beta/deviceManagement/roleAssignments/"+assignment.body["id"].(string), nil)
	w.must(http.StatusNoContent, "DELETE", tokensPath+"/"+mine, nil, maker...)
	if ids := idsOf(w.must(http.StatusOK, "GET", tokensPath, nil, maker...)); slices.Contains(ids,
		mine) {
		t.Errorf("revoked, and listed: %v", ids)
	}
}

func idsOf(a answer) (ids []string) {
	for _, v := range a.values() {
		ids = append(ids, v["id"].(string))
	}
	return ids
}
