package madeup_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/platform"
	"github.com/syncpayloads/syncpayloads/internal/server"
	"github.com/syncpayloads/syncpayloads/test/madeup"
)

const (
	policies = "/beta/deviceManagement/deviceConfigurations"
	apps     = "/beta/deviceAppManagement/mobileApps"
	devices  = "/beta/deviceManagement/managedDevices"
)

// A policy and an app for a platform that nobody else knows live a whole life.
func TestLife(t *testing.T) {
	s := newSite(t)
	rule := s.api(http.StatusCreated, "POST", policies,
		object{"@odata.type": "#microsoft.graph.kettleConfiguration", "displayName": "Tea time",
			"brew": "tea", "degrees": 95, "network": object{"name": "Kitchen",
				"key": "hunter2"}})["id"].(string)
	app := s.api(http.StatusCreated, "POST", apps,
		object{"@odata.type": "#microsoft.graph.kettleApp", "displayName": "Whistle",
			"kettleIdentifier": "app.whistle", "kettleVersion": "1.2",
			"publisher": "Kettles Ltd"})["id"].(string)
	target := object{"target": object{"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}}
	s.api(http.StatusOK, "POST", policies+"/"+rule+"/assign",
		object{"assignments": []object{target}})
	target["intent"] = "required"
	s.api(http.StatusNoContent, "POST", apps+"/"+app+"/assign",
		object{"mobileAppAssignments": []object{target}})

	k := s.kettle("K1")
	k.work()
	if k.rules[rule] == "" || !strings.Contains(k.apps["app.whistle"], `"kettleVersion":"1.2"`) {
		t.Fatalf("the kettle has %v and %v", k.rules, k.apps)
	}
	device := values(s.api(http.StatusOK, "GET", devices, nil), "value")[0]
	if device["operatingSystem"] != string(madeup.KettleOS) {
		t.Errorf("the kettle runs %v", device["operatingSystem"])
	}
	at := devices + "/" + device["id"].(string)
	set := object{"deviceActionPayloads": []object{{"payloadId": rule,
		"payloadType": "deviceConfiguration"}, {"payloadId": app, "payloadType": "application"}}}

	removed := values(s.api(http.StatusOK, "POST", at+"/syncPayloads/preview", set), "remove")
	i := slices.IndexFunc(removed, func(o object) bool { return o["payloadId"] == rule })
	if len(removed) != 2 || len(values(removed[i], "warnings")) != 1 ||
		len(values(removed[1-i], "warnings")) != 0 {
		t.Errorf("the preview: %v", removed)
	}
	s.api(http.StatusNoContent, "POST", at+"/syncPayloads", set)
	k.work()
	s.ends(at, "removed", "removed")
	if len(k.rules)+len(k.apps) != 0 {
		t.Errorf("the kettle still has %v and %v", k.rules, k.apps)
	}
	s.api(http.StatusNoContent, "POST", at+"/syncPayloads",
		object{"deviceActionPayloads": []object{}})
	k.work()
	s.ends(at, "succeeded", "succeeded")
	if len(k.rules) != 1 || len(k.apps) != 1 {
		t.Errorf("the kettle has %v and %v", k.rules, k.apps)
	}

	k.refuse = true
	s.api(http.StatusNoContent, "POST", at+"/syncPayloads",
		object{"deviceActionPayloads": []object{{"payloadId": app, "payloadType": "application"}}})
	k.work()
	failed := s.ends(at, "error")[0]
	if failed["errorCode"] != 418.0 ||
		failed["errorCode@syncpayloads.meaning"] != "This kettle is a teapot." ||
		failed["errorCode@syncpayloads.advice"] != "Give it tea, and the policy to a kettle." {
		t.Errorf("the failure: %v", failed)
	}
	s.told(device["id"].(string))
	s.signIn()
	s.page("/console/devices/"+device["id"].(string), "This kettle is a teapot.",
		"Give it tea, and the policy to a kettle.")
}

// Its types are in $metadata, and lists show and compare their properties beside those of others.
func TestSurface(t *testing.T) {
	s := newSite(t)
	status, metadata := s.do("GET", "/beta/$metadata", "", nil)
	for _, want := range []string{
		`<EntityType Name="kettleConfiguration" BaseType="microsoft.graph.deviceConfiguration">`,
		`<Property Name="brew" Type="microsoft.graph.kettleBrew">`, `<EnumType Name="kettleBrew">`,
		`<Property Name="network" Type="microsoft.graph.kettleNetwork">`,
		`<ComplexType Name="kettleNetwork">`,
		`<EntityType Name="kettleApp" BaseType="microsoft.graph.mobileApp">`,
		`<Property Name="quiet" Type="Edm.Boolean">`,
	} {
		if status != http.StatusOK || !strings.Contains(metadata, want) {
			t.Errorf("$metadata lacks %s", want)
		}
	}
	for _, id := range []string{"app.a", "app.b"} {
		s.api(http.StatusCreated, "POST", apps,
			object{"@odata.type": "#microsoft.graph.kettleApp", "displayName": id,
				"kettleIdentifier": id})
	}
	s.api(http.StatusCreated, "POST", apps, object{"@odata.type": "#microsoft.graph.iosStoreApp",
		"displayName": "phone", "bundleId": "app.a",
		"appStoreUrl": "https://apps.apple.com/us/app/x/id1"})
	for filter, want := range map[string]int{
		"isof('microsoft.graph.kettleApp')":      2,
		"isof('microsoft.graph.mobileApp')":      3,
		"kettleIdentifier eq 'app.b'":            1,
		"isof('microsoft.graph.mobileLobApp')":   0,
		"startswith(kettleIdentifier, 'app.')":   2,
		"kettleIdentifier eq 'x'' OR 1=1 --'":    0,
		"bundleId eq 'app.a'":                    1,
		"not(isof('microsoft.graph.kettleApp'))": 1,
	} {
		found := values(s.api(http.StatusOK, "GET",
			apps+"?$select=id,kettleIdentifier&$filter="+url.QueryEscape(filter), nil), "value")
		if len(found) != want {
			t.Errorf("%s: %d apps, want %d: %v", filter, len(found), want, found)
		}
	}
	s.api(http.StatusBadRequest, "GET", apps+"?$filter="+url.QueryEscape("quiet eq true"), nil)
	wrong := s.api(http.StatusBadRequest, "POST", policies,
		object{"@odata.type": "#microsoft.graph.kettleConfiguration", "displayName": "x",
			"brew": "tea", "degrees": 120})
	if message, _ := wrong["error"].(object)["message"].(string); !strings.Contains(message,
		"more than water can have") {
		t.Errorf("got %v", wrong)
	}
	s.api(http.StatusBadRequest, "POST", policies,
		object{"@odata.type": "#microsoft.graph.kettleConfiguration", "displayName": "x",
			"payload": "AA=="})
}

// What the platform says of its devices is served, compared and shown.
func TestDescription(t *testing.T) {
	s := newSite(t)
	s.kettle("K1").work()
	for property, want := range map[string]string{"deviceType": "linux", "managementAgent": "jamf",
		"deviceEnrollmentType": "deviceEnrollmentManager", "ownerType": "company"} {
		for filter, most := range map[string]int{" eq '" + want + "'": 1, " ne '" + want + "'": 0} {
			found := values(s.api(http.StatusOK, "GET", devices+"?$filter="+
				url.QueryEscape(property+filter), nil), "value")
			if len(found) != most || most == 1 && found[0][property] != want {
				t.Errorf("%s%s: %v", property, filter, found)
			}
		}
	}
	id := values(s.api(http.StatusOK, "GET", devices, nil), "value")[0]["id"].(string)
	s.signIn()
	s.page("/console/", "<option>kettleOS</option>")
	s.page("/console/devices/"+id, "Put on the stove")
	s.send("/console/enrollment", url.Values{"validity": {"1h"}}, "<summary>Kettle</summary>",
		"Turn the knob to <strong>Simmer &amp; pour</strong>.")
}

// What never changes of a payload is held by the catalog, whatever a platform's compiler says.
func TestWhatNeverChanges(t *testing.T) {
	s := newSite(t)
	at := apps + "/" + s.api(http.StatusCreated, "POST", apps,
		object{"@odata.type": "#microsoft.graph.kettleApp", "displayName": "Whistle",
			"kettleIdentifier": "app.whistle"})["id"].(string)
	refused := s.api(http.StatusBadRequest, "PATCH", at, object{"kettleIdentifier": "app.other"})
	if target := refused["error"].(object)["target"]; target != "kettleIdentifier" {
		t.Errorf("got %v", refused)
	}
	if got := s.api(http.StatusOK, "GET", at, nil)["kettleIdentifier"]; got != "app.whistle" {
		t.Errorf("the identifier became %v", got)
	}
	if s.api(http.StatusOK, "PATCH", at, object{"kettleVersion": "2"})["kettleVersion"] != "2" {
		t.Error("the version stayed")
	}
}

// greedy is a platform that wants paths of others.
type greedy struct {
	madeup.Platform
	paths []string
}

type greedyChannel struct {
	platform.Channel
	paths []string
}

func (c greedyChannel) Paths() []string { return c.paths }

func (p greedy) Open(ctx context.Context, site platform.Site) (platform.Channel, error) {
	c, err := p.Platform.Open(ctx, site)
	return greedyChannel{c, p.paths}, err
}

// No platform takes the paths of another, nor all that there are.
func TestPathsOfPlatforms(t *testing.T) {
	data := t.TempDir()
	for path, want := range map[string]string{"/": "cannot be a path of devices",
		"kettles": "cannot be a path of devices", "/mdm": "two platforms",
		"/enroll/kettles": "two platforms", "/beta/kettles/": "of the server's own",
		"/console/kettles": "of the server's own"} {
		_, err := server.Start(t.Context(), server.Config{DataDir: data, Listen: "127.0.0.1:0",
			Log:       slog.New(slog.DiscardHandler),
			Platforms: []platform.Platform{greedy{paths: []string{path}}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}

// A person fills in the forms of the console, which nobody wrote for kettles.
func TestConsole(t *testing.T) {
	s := newSite(t)
	s.signIn()
	s.page("/console/catalog/policies/new", "What is it?", "Settings of a kettle")
	s.page("/console/catalog/policies/new?type=file", "Upload a profile")
	s.page("/console/catalog/policies/new?type=kettleConfiguration", "Temperature",
		"In degrees Celsius.", `value="tea"`)
	s.page("/console/catalog/apps/new", "App for kettles", "App Store app")
	s.send("/console/catalog/policies", url.Values{"type": {"kettleConfiguration"},
		"displayName": {"Hot"}, "brew": {"tea"}, "degrees": {"120"}},
		"Temperature: is more than water can have", `value="120"`)
	s.send("/console/catalog/policies", url.Values{"type": {"kettleConfiguration"},
		"displayName": {"Hot"}, "brew": {"tea"}, "degrees": {"95"}},
		"It is in the catalog now", "Settings of a kettle")
	s.send("/console/catalog/apps", url.Values{"type": {"kettleApp"}, "displayName": {"Whistle"},
		"kettleIdentifier": {"app.whistle"},
		"kettleVersion":    {"3.1"}}, "It is in the catalog now", "app.whistle")
	made := values(s.api(http.StatusOK, "GET", policies, nil), "value")[0]
	if made["brew"] != "tea" || made["degrees"] != 95.0 {
		t.Errorf("the form made %v", made)
	}
	app := values(s.api(http.StatusOK, "GET", apps, nil), "value")[0]
	if app["quiet"] != false || app["kettleIdentifier"] != "app.whistle" {
		t.Errorf("the form made %v", app)
	}
	s.page("/console/catalog/apps", "3.1", "App for kettles")
	s.send("/console/catalog/policies/"+made["id"].(string),
		url.Values{"displayName": {"Hot"}, "brew": {"water"}, "degrees": {"60"}},
		"The changes are saved", "Version", `value="60"`)
}

// What is private of a payload is not in the audit record.
func TestAudit(t *testing.T) {
	s := newSite(t)
	s.api(http.StatusCreated, "POST", policies,
		object{"@odata.type": "#microsoft.graph.kettleConfiguration", "displayName": "Tea time",
			"brew": "tea", "network": object{"name": "Kitchen", "key": "hunter2"}})
	status, record := s.do("GET", "/beta/deviceManagement/auditEvents", "", nil)
	if status != http.StatusOK || !strings.Contains(record, "Tea time") ||
		!strings.Contains(record, "brew") || strings.Contains(record, "hunter2") {
		t.Errorf("%d %s", status, record)
	}
}
