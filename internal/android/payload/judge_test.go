package payload_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/action"
	"github.com/syncpayloads/syncpayloads/internal/android/payload"
)

// Every value of Google's enumerations has its code, a verdict and words.
func TestEveryCode(t *testing.T) {
	details := schemas(t)["NonComplianceDetail"].Properties
	for property, first := range map[string]int64{"nonComplianceReason": 1000,
		"installationFailureReason": 2000, "specificNonComplianceReason": 3000} {
		for i, value := range details[property].Enum {
			if got := payload.ValueOf(first + int64(i)); got != value {
				t.Errorf("code %d is %q, and Google's value is %s", first+int64(i), got, value)
			}
			for _, source := range []action.Source{action.ByServer, action.ByDevice} {
				code := action.Code{Number: first + int64(i), Source: source}
				meaning, advice := payload.Explain(code, "gave up: the device says "+value+", setting x")
				if meaning == "" || advice == "" {
					t.Errorf("%s: no words", value)
				}
			}
		}
		if got := payload.ValueOf(first + int64(len(details[property].Enum))); got != "" {
			t.Errorf("%s: %s is no value of Google's any more", property, got)
		}
	}
}

// Codes of other platforms' devices are not explained, though they are the same numbers.
func TestExplainOthers(t *testing.T) {
	for detail, code := range map[string]action.Code{
		"MCProfileErrorDomain 1003: malformed": {Number: 1003, Source: action.ByDevice},
		"the device says NOT_FOUND_AT_ALL":     {Number: 2003, Source: action.ByDevice},
		"x; the device had said: USER_ACTION":  {Number: 1003, Source: action.ByDevice},
		"USER_ACTION":                          {Number: 999, Source: action.ByDevice},
		"":                                     {Number: -4, Source: action.ByServer},
		"Google answered":                      {Number: 4399},
	} {
		if meaning, _ := payload.Explain(code, detail); meaning != "" {
			t.Errorf("%v %q: %s", code, detail, meaning)
		}
	}
}

// What a detail means: the code of what says most, and whether to wait.
func TestJudge(t *testing.T) {
	for text, want := range map[string]struct {
		code    int64
		verdict payload.Verdict
		words   string
	}{
		`{}`: {1000, payload.Working, "NON_COMPLIANCE_REASON_UNSPECIFIED"},
		`{"nonComplianceReason":"API_LEVEL","settingName":"cameraAccess"}`:                                                  {1001, payload.PartlyPermanent, "setting cameraAccess"},
		`{"nonComplianceReason":"MANAGEMENT_MODE"}`:                                                                         {1002, payload.PartlyPermanent, "MANAGEMENT_MODE"},
		`{"nonComplianceReason":"USER_ACTION"}`:                                                                             {1003, payload.UserMust, "Have the user"},
		`{"nonComplianceReason":"INVALID_VALUE","currentValue":{"a":1}}`:                                                    {1004, payload.Permanent, `current value {"a":1}`},
		`{"nonComplianceReason":"APP_NOT_INSTALLED","packageName":"com.a"}`:                                                 {1005, payload.Working, "app com.a"},
		`{"nonComplianceReason":"APP_NOT_INSTALLED","installationFailureReason":"IN_PROGRESS"}`:                             {2002, payload.Working, "IN_PROGRESS"},
		`{"nonComplianceReason":"APP_NOT_INSTALLED","installationFailureReason":"NOT_FOUND"}`:                               {2003, payload.Permanent, "NOT_FOUND"},
		`{"nonComplianceReason":"APP_NOT_INSTALLED","installationFailureReason":"INSTALLATION_FAILURE_REASON_UNSPECIFIED"}`: {1005, payload.Working, "APP_NOT_INSTALLED"},
		`{"nonComplianceReason":"APP_NOT_UPDATED","installationFailureReason":"INSUFFICIENT_STORAGE"}`:                      {2012, payload.UserMust, "free storage"},
		`{"nonComplianceReason":"APP_INSTALLED"}`:                                                                           {1007, payload.Working, "APP_INSTALLED"},
		`{"nonComplianceReason":"PENDING"}`:                                                                                 {1008, payload.Working, "PENDING"},
		`{"nonComplianceReason":"SOMETHING_NEW\n"}`:                                                                         {1000, payload.Working, "NON_COMPLIANCE_REASON_UNSPECIFIED"},
		`{"nonComplianceReason":"USER_ACTION","specificNonComplianceReason":"PASSWORD_POLICIES_PASSWORD_EXPIRED","settingName":"passwordPolicies","specificNonComplianceContext":{"passwordPoliciesContext":{"passwordPolicyScope":"SCOPE_PROFILE"}}}`: {3002, payload.UserMust, "of the work profile"},
		`{"nonComplianceReason":"INVALID_VALUE","specificNonComplianceReason":"ONC_WIFI_INVALID_ENTERPRISE_CONFIG"}`:                                                                                                                                   {3006, payload.Permanent, "ONC_WIFI_INVALID_ENTERPRISE_CONFIG"},
		`{"nonComplianceReason":"INVALID_VALUE","specificNonComplianceReason":"ONC_WIFI_KEY_PAIR_ALIAS_NOT_CORRESPONDING_TO_EXISTING_KEY"}`:                                                                                                            {3008, payload.Working, "ONC_WIFI_KEY"},
		`{"nonComplianceReason":"API_LEVEL","specificNonComplianceReason":"ONC_WIFI_API_LEVEL"}`:                                                                                                                                                       {3005, payload.PartlyPermanent, "ONC_WIFI_API_LEVEL"},
		`{"nonComplianceReason":"PROJECT_NOT_PERMITTED","specificNonComplianceReason":"PERMISSIBLE_USAGE_RESTRICTION"}`:                                                                                                                                {3009, payload.Permanent, "PERMISSIBLE"},
		`{"nonComplianceReason":"PENDING","specificNonComplianceReason":"USER_NOT_UNLOCKED"}`:                                                                                                                                                          {3015, payload.Working, "USER_NOT_UNLOCKED"},
	} {
		var d payload.Detail
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		got := payload.Judge(&d)
		if got.Code != want.code || got.Verdict != want.verdict || !strings.Contains(got.Words, want.words) {
			t.Errorf("%s: %+v", text, got)
		}
		if meaning, _ := payload.Explain(action.Code{Number: got.Code, Source: action.ByDevice}, got.Words); meaning == "" {
			t.Errorf("%s: its words %q are not known again", text, got.Words)
		}
		if strings.Contains(got.Words, "\n") {
			t.Errorf("%s: a line break in the words %q", text, got.Words)
		}
	}
}

// Where a detail is about.
func TestDetailPlace(t *testing.T) {
	var d payload.Detail
	if payload.WiFiGUID(&d) != "" || payload.ScopedPath(&d) != "" {
		t.Error("an empty detail is somewhere")
	}
	err := json.Unmarshal([]byte(`{"settingName":"passwordPolicies","specificNonComplianceContext":{"oncWifiContext":{"wifiGuid":"g"},"passwordPoliciesContext":{"passwordPolicyScope":"SCOPE_DEVICE"}}}`), &d)
	if err != nil || payload.WiFiGUID(&d) != "g" || payload.ScopedPath(&d) != "passwordPolicies[SCOPE_DEVICE]" {
		t.Errorf("%q %q %v", payload.WiFiGUID(&d), payload.ScopedPath(&d), err)
	}
	if d.FieldPath = "passwordPolicies[0]"; payload.ScopedPath(&d) != d.FieldPath {
		t.Error("a path that is told is not taken")
	}
}

// Google's own refusals: which pass by themselves, and that they are known again.
func TestRefusal(t *testing.T) {
	for status, retriable := range map[int]bool{400: false, 401: false, 403: false, 404: false,
		409: false, 429: true, 500: true, 503: true, 302: true} {
		code, again, words := payload.Refusal(status, strings.Repeat("x", 5000))
		if again != retriable || code != 4000+int64(status) || len(words) > 600 {
			t.Errorf("%d: code %d, retriable %v, %d bytes", status, code, again, len(words))
		}
		meaning, advice := payload.Explain(action.Code{Number: code, Source: action.ByDevice}, words)
		if status >= 400 && (meaning == "" || advice == "") {
			t.Errorf("%d: no words for %q", status, words)
		}
	}
}
