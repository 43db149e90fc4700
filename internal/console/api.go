package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// apiError is an error that the API answered with.
type apiError struct {
	Status  int
	Code    string
	Message string
	Request string // id under which the server's log has the cause
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message) }

// get reads a resource of the API into a value. The error is an *apiError if the API refuses.
func (v *visit) get(path string, query url.Values, into any) error {
	return v.call(http.MethodGet, path, query, nil, nil, into)
}

// post calls an operation of the API. body is sent as JSON, nil is none; into nil ignores the
// answer's.
func (v *visit) post(path string, header http.Header, body, into any) error {
	return v.call(http.MethodPost, path, nil, header, body, into)
}

// call calls the API in-process, for the visitor.
func (v *visit) call(method, path string, query url.Values, header http.Header, body,
	into any) error {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding the body of %s: %w", path, err)
		}
		content = bytes.NewReader(text)
	}
	r, err := v.request(method, path, query, content)
	if err != nil {
		return err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := &recorder{header: make(http.Header), status: http.StatusOK}
	v.config.API.ServeHTTP(w, r)
	if err := v.r.Context().Err(); err != nil {
		return err
	}
	if w.status >= http.StatusBadRequest {
		return w.failure()
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), into); err != nil {
		return fmt.Errorf("reading the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// request is a call of the API by the visitor, from where they are.
func (v *visit) request(method, path string, query url.Values,
	body io.Reader) (*http.Request, error) {
	target := path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(access.WithPrincipal(v.r.Context(), v.caller), method,
		target, body)
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", path, err)
	}
	r.Host, r.RemoteAddr, r.TLS = v.r.Host, v.r.RemoteAddr, v.r.TLS
	if from := v.r.Header.Values("X-Forwarded-For"); len(from) > 0 {
		r.Header["X-Forwarded-For"] = from
	}
	return r, nil
}

// recorder is an http.ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header         { return w.header }
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// failure reads an error body in the shape of Microsoft Graph.
func (w *recorder) failure() error {
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(w.body.Bytes(), &body); err != nil {
		return fmt.Errorf("the API answered %d with what is no error: %w", w.status, err)
	}
	return &apiError{w.status, body.Error.Code, body.Error.Message, w.header.Get("request-id")}
}

// skipToken returns where the next page of a list begins: the $skiptoken of its nextLink. Empty:
// there is none.
func skipToken(nextLink string) string {
	u, err := url.Parse(nextLink)
	if err != nil {
		return ""
	}
	return u.Query().Get("$skiptoken")
}

func devicePath(id string) string {
	return "/beta/deviceManagement/managedDevices/" + url.PathEscape(id)
}

func ownDevicePath(id string) string { return "/api/devices/" + url.PathEscape(id) }
