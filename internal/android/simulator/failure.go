package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// failure is an error as Google's APIs answer it.
type failure struct {
	code    int    // HTTP status
	status  string // google.rpc.Code
	message string
	details []any
}

var statusNames = map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED",
	403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED",
	500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}

func fail(code int, format string, values ...any) *failure {
	return &failure{code: code, status: statusNames[code], message: fmt.Sprintf(format, values...)}
}

// badRequest names the field that is wrong, if it is one.
func badRequest(field, format string, values ...any) *failure {
	refusal := fail(http.StatusBadRequest, format, values...)
	if field != "" {
		refusal.details = []any{map[string]any{"@type": "type.googleapis.com/google.rpc.BadRequest",
			"fieldViolations": []any{
				map[string]string{"field": field, "description": refusal.message}}}}
	}
	return refusal
}

func notFound(name string) *failure {
	return fail(http.StatusNotFound, "Requested entity was not found: %s", name)
}

func writeError(w http.ResponseWriter, f *failure) {
	if f.code == http.StatusNotModified {
		w.WriteHeader(f.code)
		return
	}
	content := map[string]any{"code": f.code, "message": f.message, "status": f.status}
	if f.details != nil {
		content["details"] = f.details
	}
	write(w, f.code, encode(map[string]any{"error": content}))
}

func writeAnswer(w http.ResponseWriter, answer []byte) { write(w, http.StatusOK, answer) }

func write(w http.ResponseWriter, code int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	w.Write(body)
}

// encode makes JSON of what this package built itself, which always can be.
func encode(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}
