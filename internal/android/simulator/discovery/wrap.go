package discovery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Reporter is told what is wrong. A *testing.T is one.
type Reporter interface {
	Errorf(format string, values ...any)
}

// Wrap returns a handler that holds every call which h takes, and every answer that it gives,
// against the discovery documents. Requests that h refuses as bad are not looked at.
func Wrap(t Reporter, h http.Handler) http.Handler {
	documents, err := Documents()
	if err != nil {
		t.Errorf("%v", err)
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		for _, problem := range check(documents, r, body, recorder) {
			t.Errorf("%s %s: %s", r.Method, r.URL.Path, problem)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		w.Write(recorder.Body.Bytes())
	})
}

// check returns what is wrong with a call.
func check(documents []*Document, r *http.Request, body []byte,
	answer *httptest.ResponseRecorder) []string {
	switch {
	case answer.Code == http.StatusNotModified:
		return nil
	case answer.Code/100 != 2:
		return checkError(answer.Code, answer.Body.Bytes())
	}
	for _, d := range documents {
		m := d.Find(r.Method, r.URL.EscapedPath())
		if m == nil {
			continue
		}
		wrong := d.checkQuery(m, r)
		if m.Request != nil && len(body) > 0 {
			wrong = append(wrong, d.CheckJSON(m.Request, "request", body, true)...)
		} else if len(body) > 0 {
			wrong = append(wrong, "the method takes no body")
		}
		wrong = append(wrong, d.CheckJSON(m.Response, "answer", answer.Body.Bytes(), false)...)
		if m.ID == "pubsub.projects.subscriptions.pull" {
			wrong = append(wrong, CheckMessages(documents[0], answer.Body.Bytes())...)
		}
		return wrong
	}
	return []string{"there is no such method"}
}

func (d *Document) checkQuery(m *Method, r *http.Request) []string {
	var wrong []string
	for name, values := range r.URL.Query() {
		parameter := m.Parameters[name]
		if parameter == nil || parameter.Location != "query" {
			parameter = d.Parameters[name]
		}
		switch {
		case parameter == nil:
			wrong = append(wrong, "there is no parameter "+name)
		case len(parameter.Enum) > 0:
			if problem := parameter.checkText(values[0]); problem != "" {
				wrong = append(wrong, name+" "+problem)
			}
		}
	}
	return wrong
}

// CheckJSON is Check of a JSON text.
func (d *Document) CheckJSON(s *Schema, at string, raw []byte, request bool) []string {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return []string{fmt.Sprintf("%s is no JSON: %v", at, err)}
	}
	return d.Check(s, at, value, request)
}

// checkError holds an error against the shape that all of Google's APIs have.
func checkError(code int, raw []byte) []string {
	var answer struct {
		Error struct {
			Code            int
			Message, Status string
		}
	}
	err := json.Unmarshal(raw, &answer)
	if err != nil || answer.Error.Code != code || answer.Error.Message == "" ||
		answer.Error.Status == "" {
		return []string{fmt.Sprintf("the error %d has not the shape of Google's: %s", code, raw)}
	}
	return nil
}

// notifications are the schemas of what is published, by notificationType.
var notifications = map[string]string{"ENROLLMENT": "Device", "STATUS_REPORT": "Device",
	"COMMAND": "Operation", "USAGE_LOGS": "BatchUsageLogEvents",
	"ENTERPRISE_UPGRADE": "EnterpriseUpgradeEvent"}

// CheckMessages holds the notifications in a pull's answer against the schemas of d, which is the
// Android Management API's document.
func CheckMessages(d *Document, raw []byte) []string {
	var answer struct {
		ReceivedMessages []struct {
			Message struct {
				Data       string
				Attributes map[string]string
			}
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return []string{"the messages cannot be read"}
	}
	var wrong []string
	for _, received := range answer.ReceivedMessages {
		kind := received.Message.Attributes["notificationType"]
		schema := notifications[kind]
		if schema == "" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(received.Message.Data)
		if err != nil || d.Schemas[schema] == nil {
			wrong = append(wrong, kind+": the data cannot be read")
			continue
		}
		wrong = append(wrong, d.CheckJSON(d.Schemas[schema], kind, data, false)...)
	}
	return wrong
}
