package tenant

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/syncpayloads/syncpayloads/internal/plaintext"
)

// mostWords is how many characters are kept of what Microsoft says.
const mostWords = 1000

// Refused is what Microsoft said no to, with its own words.
type Refused struct {
	Action    string // what was asked, in people's words: "list the devices"
	Status    int    // of HTTP; 0: nobody answered
	Code      string // Graph's, such as Forbidden; of the token endpoint, such as invalid_client
	Message   string
	RequestID string // by which Microsoft's support finds the call
	after     *time.Duration
}

func (r *Refused) Error() string {
	said := r.Message
	if said == "" {
		said = http.StatusText(r.Status)
	}
	text := "Intune did not " + r.Action + ": "
	if r.Status == 0 {
		return "Intune was not reached to " + r.Action + ": " + said
	}
	text += fmt.Sprintf("%d", r.Status)
	if r.Code != "" {
		text += " " + r.Code
	}
	text += ": " + said
	if r.RequestID != "" {
		text += " (request-id " + r.RequestID + ")"
	}
	return text
}

// Throttled says that a bucket is not asked before a time, because of Microsoft's limits or of our
// own share of them.
type Throttled struct {
	Bucket Bucket
	Until  time.Time
}

func (t *Throttled) Error() string {
	return "waiting for Intune's limit of requests until " + t.Until.UTC().Format(time.RFC3339)
}

// IsStatus reports whether Microsoft answered with an HTTP status.
func IsStatus(err error, status int) bool {
	var r *Refused
	return errors.As(err, &r) && r.Status == status
}

// passing reports whether an answer says that the same call may be answered otherwise later.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

// refusedBy is what an answer of Graph's says (Microsoft Graph error responses).
func refusedBy(action string, status int, header http.Header, body []byte,
	now time.Time) *Refused {
	var said struct {
		Error struct {
			Code       string `json:"code"`
			Message    string `json:"message"`
			InnerError struct {
				RequestID string `json:"request-id"`
			} `json:"innerError"`
		} `json:"error"`
	}
	r := &Refused{Action: action, Status: status}
	if wellNested(body) && json.Unmarshal(body, &said) == nil {
		r.Code, r.Message = said.Error.Code, said.Error.Message
		r.RequestID = said.Error.InnerError.RequestID
	}
	if id := header.Get("request-id"); id != "" {
		r.RequestID = id
	}
	r.Code, r.Message, r.RequestID = words(r.Code, 100), words(message(r.Message), mostWords),
		words(r.RequestID, 100)
	r.after = retryAfter(header, now)
	return r
}

// message is what an error of Graph's says to people. Intune's service wraps its own in another
// JSON object, as a text.
func message(text string) string {
	var inner struct{ Message, ErrorMessage string }
	if strings.HasPrefix(text, "{") && wellNested([]byte(text)) &&
		json.Unmarshal([]byte(text), &inner) == nil {
		if inner.Message != "" {
			return inner.Message
		}
		if inner.ErrorMessage != "" {
			return inner.ErrorMessage
		}
	}
	return text
}

// words are words of somebody else's as people can be shown them.
func words(text string, most int) string {
	return plaintext.Cut(plaintext.OneLine(plaintext.Storable(text)), most)
}

// retryAfter is for how long an answer says to wait, in seconds or as a date (RFC 9110, section
// 10.2.3); nil: it does not. A date is held against the server's own clock, if it shows that.
func retryAfter(header http.Header, now time.Time) *time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		wait := time.Duration(min(max(seconds, 0), int64(longestPause/time.Second))) * time.Second
		return &wait
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return nil
	}
	if shown, err := http.ParseTime(header.Get("Date")); err == nil {
		now = shown
	}
	wait := min(max(at.Sub(now), 0), longestPause)
	return &wait
}

// mostNested is how deep an answer may be nested.
const mostNested = 64

// wellNested reports whether a JSON text is not nested deeper than is read.
func wellNested(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '[' || b == '{':
			if depth++; depth > mostNested {
				return false
			}
		case b == ']' || b == '}':
			depth--
		}
	}
	return true
}
