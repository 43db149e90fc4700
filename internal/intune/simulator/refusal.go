package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// refusal is an error of Graph.
type refusal struct {
	status        int
	code, message string
	header        http.Header
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func badRequest(format string, a ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "BadRequest",
		message: fmt.Sprintf(format, a...)}
}

func forbidden(format string, a ...any) *refusal {
	return &refusal{status: http.StatusForbidden, code: "Forbidden",
		message: fmt.Sprintf(format, a...)}
}

func notFound(format string, a ...any) *refusal {
	return &refusal{status: http.StatusNotFound, code: "ResourceNotFound",
		message: fmt.Sprintf(format, a...)}
}

func unauthorized(message string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "InvalidAuthenticationToken",
		message: message, header: http.Header{"Www-Authenticate": {`Bearer realm=""`}}}
}

// graphError is the body of Graph's errors.
type graphError struct {
	Error struct {
		Code    string     `json:"code"`
		Message string     `json:"message"`
		Inner   innerError `json:"innerError"`
	} `json:"error"`
}

type innerError struct {
	Date      string `json:"date"`
	RequestID string `json:"request-id"`
	ClientID  string `json:"client-request-id"`
}

// refuse writes a refusal as Graph does.
func (s *Site) refuse(r *refusal, now string, client string) answer {
	message := r.message
	if s.faults.NestedMessages {
		nested, _ := json.MarshalIndent(map[string]any{"_version": 3,
			"Message": fmt.Sprintf("%s - Operation ID (for customer support): %s - Activity ID: %s",
				message, s.newID(), s.newID()),
			"CustomApiErrorPhrase": "", "RetryAfter": nil, "ErrorSourceService": "",
			"HttpHeaders": "{}"}, "", "  ")
		message = string(nested)
	}
	var body graphError
	body.Error.Code, body.Error.Message = r.code, message
	id := s.newID()
	if client == "" {
		client = id
	}
	body.Error.Inner = innerError{Date: now, RequestID: id, ClientID: client}
	header := http.Header{"Content-Type": {"application/json"}}
	for name, values := range r.header {
		header[name] = values
	}
	text, _ := json.Marshal(body)
	return answer{status: r.status, header: header, body: text}
}
