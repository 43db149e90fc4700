package graph_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/graph/model"
)

// TestEveryPropertyOfGraph selects, filters and sorts by every property that Graph's types of the
// lists have.
func TestEveryPropertyOfGraph(t *testing.T) {
	w := newWorld(newSite(t))
	for path, of := range map[string]string{devices: "managedDevice", groups: "group",
		configurations: "iosCustomConfiguration", apps: "iosVppApp",
		appSettings:                                 "iosMobileAppConfiguration",
		policiesPath:                                "deviceManagementConfigurationPolicy",
		auditEvents:                                 "auditEvent",
		subscriptions:                               "subscription",
		"/beta/deviceManagement/roleDefinitions":    "deviceAndAppManagementRoleDefinition",
		"/beta/deviceManagement/roleAssignments":    "deviceAndAppManagementRoleAssignment",
		"/beta/deviceManagement/roleScopeTags":      "roleScopeTag",
		"/beta/deviceManagement/resourceOperations": "resourceOperation",
		"/beta/deviceManagement/remoteActionAudits": "remoteActionAudit",
	} {
		var names []string
		for _, p := range model.Properties(of) {
			if !p.Navigation {
				names = append(names, p.Name)
			}
		}
		// of all, and one by one: the first is written at once, the others are not
		for _, selected := range []string{"", "?$select=" + strings.Join(names, ",")} {
			for _, one := range w.must(http.StatusOK, "GET", path+selected, nil).values() {
				for _, name := range names {
					if _, ok := one[name]; !ok {
						t.Errorf("%s%.20s has no %s: %v", path, selected, name, one)
					}
				}
			}
		}
	}
}

// TestFiltersOfNobodyKnows compares what nobody knows with null, and what Graph always has with
// what it shows.
func TestFiltersOfNobodyKnows(t *testing.T) {
	w := newWorld(newSite(t))
	all := len(w.must(http.StatusOK, "GET", devices+"?$select=id", nil).values())
	for filter, want := range map[string]int{
		"enrollmentProfileName eq null":                         all,
		"enrollmentProfileName ne null":                         0,
		"enrollmentProfileName eq 'x'":                          0,
		"contains(ethernetMacAddress,'00')":                     0,
		"isEncrypted eq false":                                  all,
		"isEncrypted eq true":                                   0,
		"azureADRegistered eq null":                             all,
		"azureADRegistered eq true":                             0,
		"azureADRegistered ne true":                             all,
		"joinType eq 'unknown'":                                 all,
		"joinType eq 'azureADJoined'":                           0,
		"joinType ne 'azureADJoined'":                           all,
		"totalStorageSpaceInBytes lt 5":                         all,
		"totalStorageSpaceInBytes ge 5":                         0,
		"managementCertificateExpirationDate lt 2030-01-01":     all,
		"complianceGracePeriodExpirationDateTime lt 2030-01-01": 0,
		"hardwareInformation eq null":                           all,
		"lostModeState eq 'disabled' and isEncrypted eq false":  all,
		"not (lostModeState eq 'disabled') or iccid ne null":    0,
		"exchangeAccessState in ('none','blocked')":             all,
	} {
		path := devices + "?$select=id&$filter=" + url.QueryEscape(filter)
		if got := len(w.must(http.StatusOK, "GET", path, nil).values()); got != want {
			t.Errorf("%s: %d devices, want %d", filter, got, want)
		}
	}
	for _, bad := range []string{"joinType eq 'x'", "isEncrypted eq 1", "iccid gt null"} {
		w.expect(http.StatusBadRequest, "BadRequest", "GET",
			devices+"?$filter="+url.QueryEscape(bad), nil)
	}
	for _, by := range []string{"userPrincipalName", "complianceState desc", "joinType,deviceName",
		"isEncrypted asc,totalStorageSpaceInBytes"} {
		path := devices + "?$top=1000&$select=id&$orderby=" + url.QueryEscape(by)
		if got := len(w.must(http.StatusOK, "GET", path, nil).values()); got != all {
			t.Errorf("$orderby=%s: %d devices, want %d", by, got, all)
		}
	}
	w.expect(http.StatusBadRequest, "BadRequest", "GET", devices+"?$orderby=hardwareInformation",
		nil)
}

// TestListsShowFiles walks through profiles that are too large for one page, and finds each once
// with its file.
func TestListsShowFiles(t *testing.T) {
	s := newSite(t)
	files := map[string]string{}
	for i := range 5 {
		// a comment makes it long
		text, err := base64.StdEncoding.DecodeString(profile(fmt.Sprintf("com.example.long%d", i)))
		if err != nil {
			t.Fatal(err)
		}
		long := append(text, []byte("<!--"+strings.Repeat("x", 700<<10)+"-->")...)
		file := base64.StdEncoding.EncodeToString(long)
		body := object{"@odata.type": "#microsoft.graph.iosCustomConfiguration",
			"displayName": fmt.Sprint("profile ", i), "payloadFileName": "a.mobileconfig",
			"payload": file}
		files[s.must(http.StatusCreated, "POST", configurations, body).body["id"].(string)] = file
	}
	pages, path := 0, configurations+"?$orderby=displayName&$count=true"
	var names []string
	for path != "" && pages < 10 {
		a := s.must(http.StatusOK, "GET", path, nil)
		if len(a.text) > 4<<20 {
			t.Errorf("a page has %d bytes", len(a.text))
		}
		if pages == 0 && a.body["@odata.count"] != json.Number("5") {
			t.Errorf("it counts %v", a.body["@odata.count"])
		}
		for _, one := range a.values() {
			if id := one["id"].(string); one["payload"] != files[id] {
				t.Errorf("%s has another file", one["displayName"])
			}
			names = append(names, one["displayName"].(string))
		}
		next, _ := a.body["@odata.nextLink"].(string)
		path, pages = strings.TrimPrefix(next, s.URL), pages+1
	}
	if pages != 3 || len(names) != 5 || !slices.IsSorted(names) {
		t.Errorf("%d pages have %q", pages, names)
	}
	// without the files one page holds them all
	a := s.must(http.StatusOK, "GET", configurations+"?$select=id", nil)
	if len(a.values()) != 5 || bytes.Contains(a.text, []byte("nextLink")) {
		t.Errorf("without files: %d in a page", len(a.values()))
	}
}

// TestStableHasWhatStableHas reads a device in each version: v1.0 has no property of beta alone.
func TestStableHasWhatStableHas(t *testing.T) {
	s := newSite(t)
	p := s.enrollPhone()
	got := s.must(http.StatusOK, "GET", "/v1.0/deviceManagement/managedDevices/"+string(p.id),
		nil).body
	for name := range got {
		p, ok := model.Property("managedDevice", name)
		if !strings.Contains(name, "@") && (!ok || !p.Stable) {
			t.Errorf("v1.0 shows %s", name)
		}
	}
	if got["deviceName"] != "Anna's iPhone" || got["isEncrypted"] != false {
		t.Errorf("v1.0 shows %v", got)
	}
}
