package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
	"github.com/syncpayloads/syncpayloads/internal/query"
)

// linkBy makes a link as somebody, and returns its URL; empty if they may not.
func (s *site) linkBy(bearer string, terms map[string]any) string {
	s.Helper()
	as := *s
	as.token = bearer
	status, answer := as.call("POST", "/api/enrollments", terms)
	var link struct{ URL string }
	if err := json.Unmarshal(answer, &link); status != http.StatusCreated || err != nil {
		s.Logf("no link: %d %s", status, answer)
		return ""
	}
	return link.URL
}

// twin is another device that says that it is the same one.
func (s *site) twin(c simulator.Config) *simulator.Device {
	other := simulator.NewFleet(simulator.Options{Transport: s.transport(), Clock: s.clock,
		Keys: keys, Gateway: s.gateway, Apps: appStore, Log: quiet()})
	return other.Add(c)
}

func (s *site) makeGroup(name string) string {
	var g struct{ ID string }
	s.must("POST", "/beta/groups", map[string]any{"displayName": name, "mailEnabled": false,
		"mailNickname": "g", "securityEnabled": true}, &g)
	return g.ID
}

func (s *site) seenBy(bearer string) []string {
	as := *s
	as.token = bearer
	var list struct {
		Value []struct {
			UDID string   `json:"udid"`
			Tags []string `json:"roleScopeTagIds"`
		}
	}
	as.must("GET", "/beta/deviceManagement/managedDevices", nil, &list)
	var udids []string
	for _, d := range list.Value {
		udids = append(udids, d.UDID+" "+strings.Join(d.Tags, ","))
	}
	return udids
}

// whatBecame are the audit record's activities on devices, the oldest first, with the links they
// name.
func (s *site) whatBecame() (acts []string) {
	var list struct {
		Value []struct {
			Activity  string
			Result    string `json:"activityResult"`
			Resources []struct {
				Type string `json:"auditResourceType"`
			}
		}
	}
	s.must("GET", "/beta/deviceManagement/auditEvents?$top=1000", nil, &list)
	for _, e := range slices.Backward(list.Value) {
		if _, what, ok := strings.Cut(e.Activity, "managedDevices."); ok &&
			(what == "enroll" || what == "reenroll" || what == "checkOut") {
			linked := slices.ContainsFunc(e.Resources, func(r struct {
				Type string `json:"auditResourceType"`
			}) bool {
				return r.Type == "enrollment"
			})
			acts = append(acts, fmt.Sprint(what, " ", e.Result, " ", linked))
		}
	}
	return acts
}

func (s *site) enrollmentEvents(d *simulator.Device) (kinds []string) {
	var list struct{ Value []struct{ Type string } }
	s.must("GET", "/api/devices/"+s.ids[d]+"/enrollments", nil, &list)
	for _, e := range slices.Backward(list.Value) {
		kinds = append(kinds, e.Type)
	}
	return kinds
}

// Somebody who is limited to Berlin makes links: they enroll new devices into Berlin, and take over
// nobody else's, whatever a device says of itself.
func TestLinksStayInTheirMakersArea(t *testing.T) {
	s := newSite(t)
	berlin, tag := s.makeGroup("Berlin"), ""
	made, err := s.server.Roles().CreateTag(t.Context(), access.TagInput{Name: "Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	tag = made.ID
	maker, limited, err := s.server.Tokens().Create(t.Context(),
		access.TokenInput{Name: "berlin", Role: access.SchoolAdministrator,
			Groups: []string{berlin}, Tags: []string{tag}})
	if err != nil {
		t.Fatal(err)
	}
	victim := simulator.Config{Kind: simulator.IPhone, Seed: 1}
	phone := s.enroll(victim)
	id := phone.Facts().UDID

	for name, terms := range map[string]map[string]any{"any": {}, "for it": {"for": id},
		"for it, to replace it": {"for": id, "replace": true},
		"to replace any":        {"replace": true}} {
		if err := s.twin(victim).Enroll(t.Context(), s.linkBy(limited, terms)); err == nil {
			t.Fatalf("%s: a link of Berlin's took over a device elsewhere", name)
		}
	}
	// Even an administrator's link replaces a device only if it says so.
	for name, terms := range map[string]map[string]any{"any": {}, "for it": {"for": id},
		"to replace another": {"for": "other", "replace": true}} {
		if err := s.twin(victim).Enroll(t.Context(), s.linkBy(s.token, terms)); err == nil {
			t.Fatalf("%s: an enrolled device was replaced", name)
		}
	}
	if err := phone.Connect(t.Context()); err != nil {
		t.Fatalf("the device was thrown out: %v", err)
	}

	newcomer := simulator.Config{Kind: simulator.IPhone, Seed: 2}
	own := s.fleet.Add(newcomer)
	if err := own.Enroll(t.Context(), s.linkBy(limited,
		map[string]any{"for": own.Facts().SerialNumber})); err != nil {
		t.Fatal(err)
	}
	if seen := s.seenBy(limited); !slices.Equal(seen, []string{own.Facts().UDID + " " + tag}) {
		t.Errorf("Berlin sees %v", seen)
	}
	// It is erased, and enrolls by a new link that is for it.
	own.Wipe()
	if err := own.Enroll(t.Context(), s.linkBy(limited,
		map[string]any{"for": own.Facts().SerialNumber, "replace": true})); err != nil {
		t.Errorf("an erased device could not enroll anew: %v", err)
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET",
		"/beta/deviceManagement/managedDevices?$filter=udid%20eq%20'"+own.Facts().UDID+"'", nil,
		&list)
	s.ids[own] = list.Value[0].ID
	if err := own.Unenroll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := s.enrollmentEvents(own), []string{"deviceEnrolled", "deviceReenrolled",
		"deviceLeft"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	want := []string{"enroll Success true"}
	for range 7 {
		want = append(want, "enroll ClientError true")
	}
	want = append(want, "enroll Success true", "reenroll Success true", "checkOut Success true")
	if got := s.whatBecame(); !slices.Equal(got, want) {
		t.Errorf("the record has %q,\nwant %q", got, want)
	}
	// After it left it enrolls in its area without being replaced.
	if err := own.Enroll(t.Context(), s.linkBy(limited, map[string]any{})); err != nil {
		t.Errorf("a device that left could not come back: %v", err)
	}

	// A link into a group is of no use when the group is gone, whoever made it.
	bremen := s.makeGroup("Bremen")
	into := s.linkBy(s.token, map[string]any{"group": bremen})
	s.must("DELETE", "/beta/groups/"+bremen, nil, nil)
	if err := s.twin(simulator.Config{Kind: simulator.IPad, Seed: 5}).Enroll(t.Context(),
		into); err == nil {
		t.Error("a device enrolled into a group that is gone")
	}

	// The maker may do more now than when the link was made: the link still belongs to the area
	// that it was made in.
	early := s.linkBy(limited, map[string]any{"for": id, "replace": true})
	root := &access.Principal{Grants: []access.Grant{{Rights: access.Rights()}}}
	promoted, err := s.server.Roles().CreateAssignment(t.Context(), root,
		access.AssignmentInput{Name: "everywhere",
			RoleID: access.Administrator, Members: []string{"token:" + maker.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.twin(victim).Enroll(t.Context(), early); err == nil {
		t.Error("a link of Berlin's took over a device elsewhere after its maker's promotion")
	}
	if err := s.server.Roles().DeleteAssignment(t.Context(), root, promoted.ID); err != nil {
		t.Fatal(err)
	}

	// The maker's role is taken away between the profile and the enrollment.
	link, moved := s.linkBy(limited, map[string]any{}), s.linkBy(limited, map[string]any{})
	roles, err := s.server.Roles().ListAssignments(t.Context(), "", query.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range roles.Items {
		if a.Token == maker.ID {
			elsewhere := []string{s.makeGroup("Hamburg")}
			if _, err := s.server.Roles().UpdateAssignment(t.Context(), root, a.ID,
				access.AssignmentPatch{Groups: &elsewhere}); err != nil {
				t.Fatal(err)
			}
			if err := s.twin(simulator.Config{Kind: simulator.IPad, Seed: 4}).Enroll(t.Context(),
				moved); err == nil {
				t.Error("the link works after its maker went to another group")
			}
			if err := s.server.Roles().DeleteAssignment(t.Context(), root, a.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.twin(simulator.Config{Kind: simulator.IPad, Seed: 3}).Enroll(t.Context(),
		link); err == nil {
		t.Error("the link works after its maker's role was taken away")
	}
}

// The identities of two links are no way from the one's terms to the other's.
func TestIdentityOfOneLinkIsNoUseForAnother(t *testing.T) {
	s := newSite(t)
	first, second := s.fleet.Add(simulator.Config{Kind: simulator.IPhone, Seed: 11}),
		simulator.Config{Kind: simulator.IPhone, Seed: 12}
	forFirst := s.linkBy(s.token, map[string]any{"for": first.Facts().SerialNumber})
	forSecond := s.linkBy(s.token, map[string]any{"expiresIn": "1h",
		"for": s.twin(second).Facts().SerialNumber})
	if err := s.twin(second).Enroll(t.Context(), forFirst); err == nil {
		t.Error("the second enrolled by the link of the first")
	}
	if err := first.Enroll(t.Context(), forFirst); err == nil {
		t.Error("a link was used twice")
	}
	if err := s.twin(second).Enroll(t.Context(), forSecond); err != nil {
		t.Error(err)
	}
	s.clock.Advance(time.Second)
}
