package test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// mixed brings the phone to where its monitor shows all that a monitor can: removed, put off, in
// error and restored; the other phone to where all is over; and the rest of the fleet to where
// nobody has heard of it for long.
func (d *desk) mixed() {
	d.Helper()
	bad := []simulator.ErrorLink{
		{Domain: "MCInstallationErrorDomain", Code: 4001,
			Description: "The profile “Exam restrictions” could not be installed."},
		{Domain: "MCPayloadErrorDomain", Code: 2004,
			Description: "The field “allowCamera” has an invalid value."}}
	d.clock.Advance(26 * time.Hour)
	for _, phone := range []*simulator.Device{d.phone, d.other} {
		d.sync(phone, d.vpn, d.slide, d.limits)
		d.ends(phone, "the first removal ends")
	}
	d.sync(d.other)
	d.ends(d.other, "the restoration ends")

	d.phone.SetFaults(simulator.Faults{Busy: time.Hour})
	d.phone.AddHook(simulator.Hook{RequestType: "InstallProfile", Identifier: d.limits.Identifier,
		Effect: simulator.AnswerError, Chain: bad})
	d.phone.AddHook(simulator.Hook{RequestType: "RemoveProfile", Identifier: d.mail.Identifier,
		Effect: simulator.AnswerNotNow, Times: simulator.Always})
	d.sync(d.phone, d.slide, d.wifi, d.mail)
	d.eventually("the second action shows all there is", func() bool {
		m := d.expected(d.phone)
		return m.of(d.vpn) == "Restore/Restored" &&
			strings.HasPrefix(m.of(d.wifi), "Remove/Removed") &&
			strings.HasPrefix(m.of(d.limits), "Restore/Error") &&
			strings.Contains(m.of(d.mail), "not now")
	})
}

// group makes a group of devices and returns its id.
func (s *site) group(name string) string {
	s.Helper()
	var made struct{ ID string }
	s.must("POST", "/beta/groups", map[string]any{"displayName": name, "mailEnabled": false,
		"mailNickname": "x", "securityEnabled": true}, &made)
	return made.ID
}

// administered makes what an organization has beside devices and a catalog, and returns the pages
// of it that a walk through the console would not come to by itself, because it takes the first of
// each kind.
func (d *desk) administered() []string {
	d.Helper()
	var group, role, assignment, tag struct{ ID string }
	d.must("POST", "/beta/groups", map[string]any{"displayName": "Reception",
		"description": "Whatever stands at the entrance",
		"mailEnabled": false, "mailNickname": "reception", "securityEnabled": true}, &group)
	for i := range 30 {
		d.group(fmt.Sprintf("Class %02d", i))
	}
	d.must("POST", "/beta/groups/"+group.ID+"/members/$ref", map[string]any{
		"@odata.id": d.url + "/beta/deviceManagement/managedDevices/" + d.ids[d.phone]}, nil)
	const management = "/beta/deviceManagement/"
	d.must("POST", management+"roleScopeTags",
		map[string]any{"displayName": "School", "description": "What pupils use"}, &tag)
	d.must("POST", management+"roleDefinitions",
		map[string]any{"displayName": "Reception desk",
			"description": "Looks after what stands at the entrance",
			"rolePermissions": []any{map[string]any{"resourceActions": []any{map[string]any{"allowedResourceActions": []access.Right{access.ReadDevices,
				access.ChangeAssignments, access.ReadOrganization}}}}}}, &role)
	d.must("POST", management+"roleAssignments",
		map[string]any{"displayName": "The receptionists", "description": "",
			"members":                   []string{"user:anna"},
			"roleDefinition@odata.bind": "roleDefinitions('" + role.ID + "')",
			"scopeType":                 "resourceScope", "resourceScopes": []string{group.ID},
			"roleScopeTagIds": []string{tag.ID}}, &assignment)
	if _, _, err := d.server.Tokens().Create(d.Context(),
		access.TokenInput{Name: "Nightly report", Role: access.ReadOnlyOperator,
			TTL: 90 * 24 * time.Hour}); err != nil {
		d.Fatal(err)
	}
	settings := d.create(appSettings, "mobileAppConfiguration", "com.example.settings",
		map[string]any{
			"@odata.type":        "#microsoft.graph.iosMobileAppConfiguration",
			"targetedMobileApps": []string{d.slide.ID},
			"settings": []any{map[string]any{"appConfigKey": "server",
				"appConfigKeyType":  "stringType",
				"appConfigKeyValue": "mail.example.com"}}})
	var audit struct {
		Value []struct{ ID, ActivityType string }
	}
	d.must("GET", management+"auditEvents?$top=50", nil, &audit)
	made := slices.IndexFunc(audit.Value, func(e struct{ ID, ActivityType string }) bool {
		return e.ActivityType == "roleDefinitions.create"
	})
	if made < 0 {
		d.Fatalf("the new role is not in the audit record: %+v", audit)
	}
	custom, catalog := "/console/roles/"+role.ID, "/console/catalog/"
	return []string{"/console/audit/" + audit.Value[made].ID, d.page(d.phone),
		"/console/devices/" + d.ids[d.phone] + "/review?pick=set&off=" + d.wifi.ID + "&off=" +
			d.vpn.ID,
		custom, custom + "/edit", custom + "/delete",
		custom + "/assignments/" + assignment.ID,
		catalog + "policies/" + d.limits.ID, catalog + "apps/" + d.slide.ID,
		catalog + "app-configurations/" + settings.ID,
		catalog + "policies/" + d.limits.ID + "/delete", "/console/groups/" + group.ID}
}
