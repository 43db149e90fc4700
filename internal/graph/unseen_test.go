package graph_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/fleet"
)

// walkPages reads a list through all its pages, and returns all that was answered, with every
// $skiptoken in clear.
func (s *site) walkPages(path string, headers ...string) string {
	s.t.Helper()
	told := ""
	for next := s.URL + path; next != ""; {
		a := s.must(http.StatusOK, "GET", next, nil, headers...)
		told += string(a.text)
		next, _ = a.body["@odata.nextLink"].(string)
		if u, err := url.Parse(next); err == nil && next != "" {
			token := u.Query().Get("$skiptoken")
			for _, encoding := range []*base64.Encoding{base64.RawURLEncoding,
				base64.RawStdEncoding} {
				if clear, err := encoding.DecodeString(token); err == nil {
					told += string(clear)
				}
			}
			next = u.String()
		}
	}
	return told
}

// Nothing that somebody is told, and no place to go on at, names a device or payload beyond them.
func TestPagesNameNothingHidden(t *testing.T) {
	s := newSite(t)
	tag := s.addTag("Shops")
	group := s.must(http.StatusCreated, "POST", groups,
		object{"displayName": "All", "mailEnabled": false, "mailNickname": "g",
			"securityEnabled": true}).body["id"].(string)
	seen, hidden := s.addProfile("seen"), s.addProfile("hidden")
	s.must(http.StatusOK, "PATCH", configurations+"/"+seen,
		object{"roleScopeTagIds": []string{tag}})
	var unseen []string
	for i := range 6 {
		p := s.enroll(fleet.Device{Name: fmt.Sprint("phone ", i), UDID: fmt.Sprint("udid ", i),
			Platform: fleet.IOS})
		s.must(http.StatusNoContent, "POST", groups+"/"+group+"/members/$ref",
			memberReference(string(p.id)))
		p.connect()
		p.sync(config(seen), config(hidden))
		p.connect()
		if i%2 == 0 {
			s.must(http.StatusOK, "PATCH", p.path(), object{"roleScopeTagIds": []string{tag, "0"}})
		} else {
			unseen = append(unseen, string(p.id))
		}
	}
	unseen = append(unseen, hidden)
	_, bearer, err := s.tokens.Create(t.Context(),
		access.TokenInput{Name: "limited", Role: access.SchoolAdministrator, Tags: []string{tag}})
	if err != nil {
		t.Fatal(err)
	}
	limited := []string{"Authorization", "Bearer " + bearer}
	for _, path := range []string{groups + "/" + group + "/members?$top=1",
		groups + "/" + group + "/members/$ref?$top=1", "/api/removed?$top=1",
		devices + "?$top=1", devices + "?$top=1&$select=id,deviceActionResults",
		configurations + "?$top=1&$expand=assignments",
		"/beta/deviceManagement/remoteActionAudits?$top=1", groups + "?$expand=members"} {
		told := s.walkPages(path, limited...)
		for _, id := range unseen {
			if strings.Contains(told, id) {
				t.Errorf("%s names %s, which is hidden: %s", path, id, told)
			}
		}
		if all := s.walkPages(path); !strings.Contains(all, unseen[0]) &&
			!strings.Contains(all, hidden) {
			t.Errorf("%s does not name them to an administrator: %s", path, all)
		}
	}
	if n := len(s.must(http.StatusOK, "GET", groups+"/"+group+"/members?$top=2", nil,
		limited...).values()); n != 2 {
		t.Errorf("a page has %d members, though there are three", n)
	}
}

// Who reads only their own entries learns nothing there of what is beyond them: neither what else
// is off a device, nor whether what they asked for exists.
func TestOwnAuditEntriesNameNothingHidden(t *testing.T) {
	p, vpn, wifi, _ := halves(t)
	tag := p.must(http.StatusOK, "GET", configurations+"/"+vpn,
		nil).body["roleScopeTagIds"].([]any)[0].(string)
	_, secret, err := p.tokens.Create(t.Context(),
		access.TokenInput{Name: "shops", Role: access.SchoolAdministrator, Tags: []string{tag}})
	if err != nil {
		t.Fatal(err)
	}
	limited := []string{"Authorization", "Bearer " + secret}
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set(config(wifi)))
	p.connect()
	p.must(http.StatusNoContent, "POST", p.path()+"/syncPayloads", set(config(vpn)), limited...)
	p.connect()
	const absent = "7f1c9c1e-0000-4000-8000-000000000000"
	for _, id := range []string{wifi, absent} {
		p.must(http.StatusNotFound, "GET", configurations+"/"+id, nil, limited...)
		p.must(http.StatusNotFound, "DELETE", configurations+"/"+id, nil, limited...)
	}
	list := p.must(http.StatusOK, "GET", auditEvents, nil, limited...)
	acted := false
	var refusals []string
	for _, e := range list.values() {
		text := fmt.Sprint(e)
		switch e["activity"] {
		case "managedDevices.syncPayloads":
			acted = true
			if strings.Contains(text, wifi) || !strings.Contains(text, vpn) {
				t.Errorf("an entry names what is hidden, or lacks what is not: %s", text)
			}
			one := p.must(http.StatusOK, "GET", auditEvents+"/"+e["id"].(string), nil, limited...)
			if strings.Contains(string(one.text), wifi) {
				t.Errorf("read alone it names it: %s", one)
			}
			full := p.must(http.StatusOK, "GET", auditEvents+"/"+e["id"].(string), nil)
			if !strings.Contains(string(full.text), wifi) {
				t.Errorf("an administrator does not see all of it: %s", full)
			}
		case "deviceConfigurations.get":
			t.Errorf("an attempt to read is only there because what was asked for exists: %s", text)
		case "deviceConfigurations.delete":
			refusals = append(refusals, fmt.Sprint(e["failureReason"]))
		}
	}
	if !acted || len(refusals) != 2 || refusals[0] != refusals[1] {
		t.Errorf("acted: %t, refused because: %q", acted, refusals)
	}
	hiddenOne := ""
	for _, e := range p.must(http.StatusOK, "GET",
		auditEvents+"?$filter="+url.QueryEscape("activityType eq 'deviceConfigurations.get'"),
		nil).values() {
		hiddenOne = e["id"].(string)
	}
	p.must(http.StatusNotFound, "GET", auditEvents+"/"+hiddenOne, nil, limited...)
}

// A hidden payload of the same identifier is not in the way of another, and it cannot be referred
// to.
func TestNothingHiddenIsInTheWay(t *testing.T) {
	w := newWorld(newSite(t))
	bearer := []string{"Authorization", "Bearer " +
		w.bearer(access.SchoolAdministrator, nil, []string{w.otherTag})}
	body := w.payloadBody("mobileApps")
	hidden := w.must(http.StatusCreated, "POST", apps, body).body["id"].(string)
	body["displayName"], body["roleScopeTagIds"] = "mine", []string{w.otherTag}
	a := w.must(http.StatusCreated, "POST", apps, body, bearer...)
	if strings.Contains(string(a.text), hidden) {
		t.Errorf("the answer names what is hidden: %s", a)
	}
	settings := func(id string) object {
		return object{"@odata.type": "#microsoft.graph.iosMobileAppConfiguration",
			"displayName": "s", "targetedMobileApps": []string{id},
			"settings": []object{{"appConfigKey": "server", "appConfigKeyType": "stringType",
				"appConfigKeyValue": "x"}}}
	}
	const absent = "7f1c9c1e-0000-4000-8000-000000000000"
	got, want := w.call("POST", appSettings, settings(hidden), bearer...),
		w.call("POST", appSettings, settings(absent), bearer...)
	if got.status != http.StatusBadRequest ||
		strings.ReplaceAll(got.message(), hidden, absent) != want.message() {
		t.Errorf("an app that is hidden: %s\none that does not exist: %s", got, want)
	}
}
