package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// role makes a role that allows nothing but these rights, and returns its id.
func (s *site) role(name string, rights ...access.Right) string {
	s.Helper()
	var made struct{ ID string }
	s.api("POST", "/beta/deviceManagement/roleDefinitions",
		map[string]any{"displayName": name, "description": "", "rolePermissions": []any{
			map[string]any{"resourceActions": []any{map[string]any{"allowedResourceActions": rights}}}}}, &made)
	return made.ID
}

// limited is a bearer that has a role only for what carries some scope tags.
func (s *site) limited(role string, tags ...string) string {
	s.Helper()
	_, bearer, err := s.server.Tokens().Create(s.Context(),
		access.TokenInput{Name: "limited " + role + strings.Join(tags, " "), Role: role,
			Tags: tags})
	if err != nil {
		s.Fatal(err)
	}
	return bearer
}

// tagsOf are the scope tags that the API tells of a resource.
func (s *site) tagsOf(path string) []string {
	s.Helper()
	var thing struct{ RoleScopeTagIDs []string }
	s.api("GET", path, nil, &thing)
	return thing.RoleScopeTagIDs
}

// tagged is something that carries scope tags: where the API has it, and where the console does.
type tagged struct{ path, page string }

func (s *site) taggedThings() map[string]tagged {
	s.Helper()
	policy := s.wifi("Wi-Fi", "com.example.wifi")
	_, device := s.enroll("Phone of Ann")
	var app struct{ ID string }
	s.api("POST", "/beta/deviceAppManagement/mobileApps",
		map[string]any{"@odata.type": "#microsoft.graph.iosStoreApp", "displayName": "Pages",
			"bundleId": "com.example.pages", "appStoreUrl": "https://apps.apple.com/app/id1"}, &app)
	return map[string]tagged{
		"device": {"/beta/deviceManagement/managedDevices/" + device, "/console/devices/" + device},
		"policy": {policiesAPI + "/" + policy, "/console/catalog/policies/" + policy},
		"app": {"/beta/deviceAppManagement/mobileApps/" + app.ID,
			"/console/catalog/apps/" + app.ID},
	}
}

func TestScopeTagsOfThings(t *testing.T) {
	s := newSite(t)
	munich, berlin := s.scopeTag("Munich <b>"), s.scopeTag("Berlin")
	b, reader := s.signedIn(s.token), s.signedIn(s.bearer("reader", access.ReadOnlyOperator, 0))
	nameless := s.signedIn(s.bearer("nameless",
		s.role("Nameless", access.ReadDevices, access.UpdateDevices, access.ReadConfigurations,
			access.UpdateConfigurations, access.ReadApps, access.UpdateApps), 0))
	for name, thing := range s.taggedThings() {
		p := b.open(thing.page).has(http.StatusOK, "Scope tags", "Default", "Munich <b>", "Berlin")
		p.controlsHaveNames()
		if got := p.ticked("tag"); !slices.Equal(got, []string{"0"}) {
			t.Errorf("%s: at first are ticked %q", name, got)
		}
		p = p.form("/tags").set("tag", munich, berlin).submit().has(http.StatusOK,
			"The scope tags are saved")
		if got := s.tagsOf(thing.path); !slices.Equal(got, []string{munich, berlin}) ||
			!slices.Equal(p.ticked("tag"), got) {
			t.Errorf("%s: it has the tags %q, and ticked are %q", name, got, p.ticked("tag"))
		}
		f := p.form("/tags")
		p.form("/tags").set("tag").submit().has(http.StatusOK, "The scope tags are saved")
		if got := s.tagsOf(thing.path); !slices.Equal(got, []string{"0"}) {
			t.Errorf("%s: without any it has the tags %q", name, got)
		}

		refused := f.set("tag", berlin).submit().has(http.StatusConflict,
			"Somebody else changed the scope tags")
		if got := s.tagsOf(thing.path); !slices.Equal(got, []string{"0"}) ||
			!slices.Equal(refused.ticked("tag"), []string{berlin}) {
			t.Errorf("%s: it has the tags %q, and ticked are %q", name, got, refused.ticked("tag"))
		}
		refused.form("/tags").submit().has(http.StatusOK, "The scope tags are saved")
		b.open(thing.page).form("/tags").set("tag", "404").submit().has(http.StatusBadRequest,
			"‘Scope tags’", "there is no scope tag")

		for who, why := range map[*browser]string{reader: "Your roles do not let you change them here", nameless: "do not let you read which scope tags there are"} {
			if forms := who.open(thing.page).has(http.StatusOK,
				why).forms(); strings.Contains(forms, "/tags") {
				t.Errorf("%s: whoever is told %q gets the form: %s", name, why, forms)
			}
		}
		reader.open(thing.page).has(http.StatusOK, "Scope tags Berlin")
		nameless.open(thing.page).hasNot("Berlin", "Munich")
		reader.post(thing.page+"/tags", url.Values{"tag": {munich},
			"seen": {berlin}}).has(http.StatusForbidden, "no role or permission")
	}
}

func TestScopeTagsOfWhoIsLimited(t *testing.T) {
	s := newSite(t)
	munich, berlin, bonn := s.scopeTag("Munich"), s.scopeTag("Berlin"), s.scopeTag("Bonn")
	things := s.taggedThings()
	role := s.role("Tagger", access.ReadDevices, access.UpdateDevices, access.ReadConfigurations,
		access.UpdateConfigurations, access.ReadApps,
		access.UpdateApps, access.ReadRoles)
	b := s.signedIn(s.limited(role, munich, berlin))
	for name, thing := range things {
		b.open(thing.page).has(http.StatusNotFound)
		s.api("PATCH", thing.path, map[string]any{"roleScopeTagIds": []string{munich, bonn}}, nil)
		p := b.open(thing.page).has(http.StatusOK,
			"give and take only the scope tags to which they are limited")
		if got := p.disabled("tag"); !slices.Equal(got, []string{"0", bonn}) {
			t.Errorf("%s: fixed are %q", name, got)
		}
		f := p.form("/tags") // as a browser sends it: what is fixed goes along
		f.values["tag"] = slices.DeleteFunc(f.values["tag"],
			func(id string) bool { return id == munich })
		f.values["tag"] = append(slices.Compact(f.values["tag"]), berlin)
		f.submit().has(http.StatusOK, "The scope tags are saved")
		if got := s.tagsOf(thing.path); !slices.Equal(got, []string{berlin, bonn}) {
			t.Errorf("%s: it has the tags %q", name, got)
		}
		b.open(thing.page).form("/tags").set("tag", berlin).submit().has(http.StatusForbidden,
			"may not give or take the scope tag "+bonn)
		b.open(thing.page).form("/tags").set("tag", bonn).submit().has(http.StatusNotFound,
			"The scope tags are saved", "do not let you see it any more")
		if got := s.tagsOf(thing.path); !slices.Equal(got, []string{bonn}) {
			t.Errorf("%s: it has the tags %q", name, got)
		}
	}
}

// disabled are the values of the boxes of a name that cannot be changed.
func (p *page) disabled(name string) (values []string) {
	for _, n := range p.all("input") {
		got, _ := attribute(n, "name")
		if _, off := attribute(n, "disabled"); off && got == name {
			value, _ := attribute(n, "value")
			values = append(values, value)
		}
	}
	return values
}
