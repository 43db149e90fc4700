package discovery_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

// heard collects what is found.
type heard struct{ said []string }

func (h *heard) Errorf(format string, values ...any) {
	h.said = append(h.said, fmt.Sprintf(format, values...))
}

// Every kind of fault is found, and what is right is not.
func TestWrapFinds(t *testing.T) {
	const policy = "/v1/enterprises/e/policies/p"
	for _, test := range []struct {
		what, verb, path, body string
		code                   int
		answer, found          string
	}{
		{"nothing", "PATCH", policy, `{"cameraAccess":"CAMERA_ACCESS_DISABLED",
			"maximumTimeToLock":"5","systemUpdate":{"startMinutes":5},"keyguardDisabled":true}`,
			200, `{"name":"x","version":"1"}`, ""},
		{"a field that is not there", "PATCH", policy, `{"camera":true}`, 200, `{}`,
			"request.camera is not in the schema"},
		{"one deep inside", "PATCH", policy, `{"applications":[{"package":"a"}]}`, 200, `{}`,
			"request.applications[0].package is not in the schema"},
		{"an enum", "PATCH", policy, `{"cameraAccess":"OFF"}`, 200, `{}`, "no member of the enum"},
		{"a 64-bit number", "PATCH", policy, `{"maximumTimeToLock":5}`, 200, `{}`, "is no text"},
		{"a number as text", "PATCH", policy, `{"systemUpdate":{"startMinutes":"5"}}`, 200, `{}`,
			"is no number"},
		{"a number that is too long", "PATCH", policy,
			`{"systemUpdate":{"startMinutes":3000000000}}`, 200, `{}`, "no 32-bit number"},
		{"a boolean as text", "PATCH", policy, `{"keyguardDisabled":"true"}`, 200, `{}`,
			"is no boolean"},
		{"a read-only field", "PATCH", policy, `{"version":"5"}`, 200, `{}`,
			"request.version is set by the service only"},
		{"no list", "PATCH", policy, `{"applications":{}}`, 200, `{}`, "is no list"},
		{"no object", "PATCH", policy, `[]`, 200, `{}`, "request is no object"},
		{"a bad request that is refused", "PATCH", policy, `{"camera":true}`, 400,
			`{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}`, ""},
		{"an error of another shape", "PATCH", policy, `{}`, 400, `{"message":"m"}`,
			"has not the shape of Google's"},
		{"an answer", "GET", policy, "", 200, `{"version":1}`, "answer.version: 1 is no text"},
		{"a time", "GET", "/v1/enterprises/e/devices/d", "", 200, `{"enrollmentTime":"now"}`,
			"google-datetime"},
		{"a duration", "POST", "/v1/enterprises/e/enrollmentTokens", `{"duration":"1h"}`, 200, `{}`,
			"is no duration"},
		{"a method", "PUT", policy, `{}`, 200, `{}`, "there is no such method"},
		{"a path", "GET", "/v1/enterprises/e/policy/p", "", 200, `{}`, "there is no such method"},
		{"a parameter", "GET", policy + "?mask=a", "", 200, `{}`, "there is no parameter mask"},
		{"a parameter's enum", "DELETE", "/v1/enterprises/e/devices/d?wipeDataFlags=ALL", "", 200,
			`{}`, "wipeDataFlags is no member"},
		{"a body that nobody wants", "DELETE", policy, `{}`, 200, `{}`, "takes no body"},
		{"a notification", "POST", "/v1/projects/p/subscriptions/s:pull", `{"maxMessages":1}`, 200,
			`{"receivedMessages":[{"message":{"attributes":{"notificationType":"STATUS_REPORT"},
			"data":"eyJhcGlMZXZlbCI6IjMifQ=="}}]}`, "STATUS_REPORT.apiLevel"},
		{"not what is elsewhere", "POST", "/token", `x`, 200, `y`, ""},
	} {
		var h heard
		handler := discovery.Wrap(&h, http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) {
				if body, _ := io.ReadAll(r.Body); string(body) != test.body {
					t.Errorf("%s: the handler got %q", test.what, body)
				}
				w.WriteHeader(test.code)
				io.WriteString(w, test.answer)
			}))
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(test.verb, test.path,
			strings.NewReader(test.body)))
		said := strings.Join(h.said, "\n")
		if (said == "") != (test.found == "") || !strings.Contains(said, test.found) {
			t.Errorf("%s: found %q, want %q", test.what, said, test.found)
		}
		if answer.Code != test.code || answer.Body.String() != test.answer {
			t.Errorf("%s: the caller got %d %s", test.what, answer.Code, answer.Body)
		}
	}
}

// All methods of both APIs have paths that only they have.
func TestEveryMethodIsFound(t *testing.T) {
	documents, err := discovery.Documents()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(documents[0].Methods()); n != 36 {
		t.Errorf("the Android Management API has %d methods", n)
	}
}
