package client

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Error is an error answer of the server (Microsoft Graph error responses and resource types).
type Error struct {
	Status int // the HTTP status
	// for programs, e.g. ResourceNotFound; empty if the answer was not in Graph's format
	Code      string
	Message   string // for people
	Target    string // the property, option or header at fault; empty: none
	RequestID string // by which the request can be found in the server's log
}

func (e *Error) Error() string {
	message := e.Message
	if message == "" {
		message = http.StatusText(e.Status)
	}
	text := fmt.Sprintf("the server answered %d", e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	text += ": " + message
	if e.RequestID != "" {
		text += " (request-id " + e.RequestID + ")"
	}
	return text
}

// IsNotFound reports whether err is the server's answer that something does not exist.
func IsNotFound(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// IsChanged reports whether err is the server's answer that something has changed since
// SyncOptions.IfMatch was read.
func IsChanged(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == http.StatusPreconditionFailed
}

func newError(answer *http.Response, text []byte) *Error {
	var body struct {
		Error struct {
			Code       string `json:"code"`
			Message    string `json:"message"`
			Target     string `json:"target"`
			InnerError struct {
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	e := &Error{Status: answer.StatusCode, RequestID: answer.Header.Get("request-id")}
	if err := json.Unmarshal(text, &body); err != nil {
		return e // such as a proxy's page; the status alone must do
	}
	e.Code, e.Message, e.Target = body.Error.Code, body.Error.Message, body.Error.Target
	if id := body.Error.InnerError.RequestID; id != "" {
		e.RequestID = id
	}
	return e
}

// unreachable explains why a request got no answer, and what to do.
func unreachable(base *url.URL, err error) error {
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a certificate of a CA that is not trusted here: "+
			"give the server's ca.pem as CA file: %w", base, err)
	case errors.As(err, &host):
		return fmt.Errorf("%s has a certificate for other names: "+
			"use the URL that the server was started with: %w", base, err)
	default:
		return fmt.Errorf("the server does not answer: %w", err)
	}
}

// AmbiguousName says that several devices have a name.
type AmbiguousName struct {
	Name    string
	Devices []Device
}

func (e *AmbiguousName) Error() string {
	text := fmt.Sprintf("%d devices have the name %q; give an id instead:", len(e.Devices), e.Name)
	for _, d := range e.Devices {
		text += fmt.Sprintf("\n  %s  %s  %s", d.ID, d.Model, d.SerialNumber)
	}
	return text
}

// UnknownDevice says that no device has a name or id.
type UnknownDevice struct{ Name string }

func (e *UnknownDevice) Error() string {
	return fmt.Sprintf("there is no device with the id or name %q", e.Name)
}
