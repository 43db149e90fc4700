package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

// called calls the service without a network.
func called(h http.Handler, verb, path, body string) (int, string) {
	request := httptest.NewRequest(verb, "/v1/", strings.NewReader(body))
	if path, query, found := strings.Cut(path, "?"); found {
		request.URL.Path, request.URL.RawQuery = path, query
	} else {
		request.URL.Path = path
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, request)
	return answer.Code, answer.Body.String()
}

// Whatever is posted as a policy, it is refused, or it is what Google's description allows, means
// the same when it is posted again, and a device lives with it.
func FuzzPolicy(f *testing.F) {
	for _, seed := range []string{`{}`, `{"cameraDisabled":false,"maximumTimeToLock":"5"}`,
		`{"applications":[{"packageName":"a.b","installType":"KIOSK",
			"managedConfiguration":{"a":[1]}},
			{"packageName":"a.c","installType":"BLOCKED","minimumVersionCode":3}]}`,
		`{"playStoreMode":"BLACKLIST",
			"statusReportingSettings":{"applicationReportsEnabled":true}}`,
		`{"openNetworkConfiguration":{"NetworkConfigurations":[{"GUID":"g","Name":"n","Type":"WiFi",
			"WiFi":{"SSID":"s","Security":"WPA-EAP","EAP":{"ServerCARefs":["c"],
			"DomainSuffixMatch":["d"]}}}],
			"Certificates":[{"GUID":"c","Type":"Authority","X509":"x"}]}}`,
		`{"systemUpdate":{"freezePeriods":[{"startDate":{"month":12,"day":31},
			"endDate":{"month":1,"day":1}}]}}`,
		`{"passwordPolicies":[{"passwordScope":"SCOPE_PROFILE",
			"unifiedLockSettings":"REQUIRE_SEPARATE_WORK_LOCK"}],"shortSupportMessage":{}}`} {
		f.Add(seed)
	}
	documents, err := discovery.Documents()
	if err != nil {
		f.Fatal(err)
	}
	schema := documents[0].Schemas["Policy"]
	f.Fuzz(func(t *testing.T, body string) {
		service := simulator.NewService(simulator.Options{})
		e := service.AddEnterprise()
		path := "/v1/" + e + "/policies/p"
		code, first := called(service, "PATCH", path, body)
		if code == http.StatusBadRequest {
			return
		}
		if code != http.StatusOK {
			t.Fatalf("%d %s", code, first)
		}
		for _, problem := range documents[0].CheckJSON(schema, "policy", []byte(first), false) {
			t.Error(problem)
		}
		var before, after map[string]any
		code, second := called(service, "PATCH", path, first)
		if code != http.StatusOK || json.Unmarshal([]byte(first), &before) != nil ||
			json.Unmarshal([]byte(second), &after) != nil {
			t.Fatalf("posted again: %d %s, first %s", code, second, first)
		}
		delete(before, "version")
		delete(after, "version")
		if !reflect.DeepEqual(before, after) {
			t.Errorf("first %s, then %s", first, second)
		}
		var token struct{ Value string }
		_, answer := called(service, "POST", "/v1/"+e+"/enrollmentTokens", `{"policyName":"p"}`)
		if err := json.Unmarshal([]byte(answer), &token); err != nil {
			t.Fatal(err)
		}
		d, err := service.Enroll(token.Value, "S1", simulator.DeviceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		d.Refuse(simulator.Refusal{Setting: "applications",
			FieldPath: "applications[0].packageName"})
		if err := d.Sync(); err != nil {
			t.Error(err)
		}
		d.Settings()
		d.Configurations()
		d.Networks()
		if code, report := called(service, "GET", "/v1/"+d.Name(), ""); code != http.StatusOK {
			t.Errorf("%d %s", code, report)
		}
	})
}

// Whatever is called, the answer is a method's, or an error as Google's APIs give it.
func FuzzCall(f *testing.F) {
	for _, seed := range [][3]string{{"GET", "/v1/enterprises?projectId=simulated-project", ""},
		{"POST", "/v1/signupUrls?projectId=simulated-project&callbackUrl=https://a", ""},
		{"POST", "/v1/enterprises/LC00000001/enrollmentTokens", `{"duration":"60s"}`},
		{"GET", "/v1/enterprises/LC00000001/devices?pageSize=3&pageToken=YQ", ""},
		{"PATCH", "/v1/enterprises/LC00000001?updateMask=a.b_c", `{"pubsubTopic":"x"}`},
		{"POST", "/v1/enterprises/LC00000001/webApps", `{"icons":[{"imageData":"eA=="}]}`},
		{"PUT", "/v1/projects/simulated-project/topics/a", `{}`},
		{"POST", "/v1/projects/simulated-project/topics/t:publish",
			`{"messages":[{"data":"eA=="}]}`},
		{"PUT", "/v1/projects/simulated-project/subscriptions/s",
			`{"topic":"projects/simulated-project/topics/t"}`},
		{"POST", "/v1/projects/simulated-project/topics/t:setIamPolicy", `{"policy":{}}`},
		{"POST", "/token", ""}, {"GET", "/signup/x", ""}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, verb, path, body string) {
		if verb == "" || strings.ContainsAny(verb, " \r\n\t\"(),/:;<=>?@[]\\{}") ||
			!strings.HasPrefix(path, "/") {
			return
		}
		for _, r := range verb {
			if r < 'A' || r > 'Z' {
				return
			}
		}
		service := simulator.NewService(simulator.Options{})
		service.AddEnterprise()
		called(service, "PUT", "/v1/projects/simulated-project/topics/t", "")
		if code, answer := called(discovery.Wrap(lenient{t}, service), verb, path,
			body); code >= 500 {
			t.Errorf("%d %s", code, answer)
		}
	})
}

// lenient does not mind what the service takes and Google's description does not have: fields that
// only the service sets, which Google ignores.
type lenient struct{ t *testing.T }

func (l lenient) Errorf(format string, values ...any) {
	for _, value := range values {
		if text, isText := value.(string); isText && (strings.HasPrefix(text, "request") ||
			strings.HasPrefix(text, "the method takes no body")) {
			return
		}
	}
	l.t.Errorf(format, values...)
}
