package apple

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	mdmhttp "github.com/micromdm/nanomdm/http/mdm"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/service"
	"github.com/micromdm/plist"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

const (
	maxCheckin  = 256 << 10 // bytes of a check-in message; TokenUpdate with an UnlockToken is a few thousand
	maxReport   = 8 << 20   // bytes of an answer to a command; the inventory of a full device is about 1 MB
	maxDepth    = 64        // of dictionaries and arrays in each other; the parser is recursive
	checkinType = "application/x-apple-aspen-mdm-checkin"
)

func isCheckin(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), checkinType)
}

// readMessage reads the bounded body.
func readMessage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxReport)
		if isCheckin(r) {
			limit = maxCheckin
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			http.Error(w, fmt.Sprintf("message longer than %d bytes", limit), http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the message ended early", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// messageHandler takes messages whose sender has proved who it is. What the plist parser or nanomdm would choke on is
// refused, so that garbage is the sender's fault (4xx) and never the server's (5xx). The parser's errors quote values,
// which may be secrets: they are not logged.
func (c *Channel) messageHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = c.serveMessage(w, r, body)
		}
		if err != nil {
			c.Log.Info("device message refused: not an MDM message", "remote", r.RemoteAddr, "bytes", len(body), "check-in", isCheckin(r))
			http.Error(w, "not an MDM message", http.StatusBadRequest)
		}
	})
}

// serveMessage fails, and answers nothing, if body is not an MDM message.
func (c *Channel) serveMessage(w http.ResponseWriter, r *http.Request, body []byte) error {
	if isCheckin(r) {
		if err := checkCheckin(body); err != nil {
			return err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mdmhttp.CheckinHandler(c, wireLog{c.Log}).ServeHTTP(w, r)
		return nil
	}
	m, err := readReport(body)
	if err != nil {
		return err
	}
	c.serveReport(w, r, m)
	return nil
}

// serveReport answers a report with the device's next command, if there is one.
func (c *Channel) serveReport(w http.ResponseWriter, r *http.Request, m *report) {
	command, err := c.takeReport(mdmhttp.RequestFromHTTP(r), m)
	if err != nil {
		status, said := http.StatusInternalServerError, (*service.HTTPStatusError)(nil)
		if errors.As(err, &said) {
			status = said.Status
		}
		c.Log.Info("device message refused", "step", "report", "http_status", status, "err", err)
		http.Error(w, http.StatusText(status), status)
		return
	}
	if command != nil {
		_, _ = w.Write(command.Raw)
	}
}

// report is what a device says when it comes for a command: its answer to the last one, or that it is idle.
type report struct {
	mdm.CommandResults
	answer
	unreadable error // why there is no answer
}

// readReport reads a report at once: parsing costs more than all that is done with it. If a member of the answer is not of
// its type, the rest is read alone: then the engine is told, or the device would be asked again and again.
func readReport(body []byte) (m *report, err error) {
	defer notPanic(&err)
	if err := checkForm(body); err != nil {
		return nil, err
	}
	m = new(report)
	if plist.Unmarshal(body, m) != nil {
		m = new(report)
		if err := plist.Unmarshal(body, &m.CommandResults); err != nil {
			return nil, err
		}
		m.unreadable = plist.Unmarshal(body, &m.answer)
	}
	if m.Status == "" {
		return nil, mdm.ErrInvalidCommandResult
	}
	m.Raw = body
	return m, nil
}

func checkCheckin(body []byte) (err error) {
	defer notPanic(&err)
	if err := checkForm(body); err != nil {
		return err
	}
	message, err := mdm.DecodeCheckin(body)
	if err != nil {
		return err
	}
	if token, ok := message.(*mdm.GetToken); ok {
		return token.Validate()
	}
	return nil
}

// checkForm refuses what the parser must not see.
func checkForm(body []byte) error {
	if bytes.HasPrefix(body, []byte("bplist")) {
		return errors.New("binary property list: devices send XML")
	}
	if err := limit.XML(body); err != nil {
		return err
	}
	return checkDepth(body)
}

// checkDepth bounds how deep elements nest, before the recursive parser sees them. In doubt it counts too many levels,
// never too few.
func checkDepth(body []byte) error {
	depth := 0
	for rest := body; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			return nil
		}
		rest = rest[i+1:]
		switch {
		case bytes.HasPrefix(rest, []byte("!--")):
			_, rest, _ = bytes.Cut(rest, []byte("-->"))
		case bytes.HasPrefix(rest, []byte("![CDATA[")):
			_, rest, _ = bytes.Cut(rest, []byte("]]>"))
		case bytes.HasPrefix(rest, []byte("!")), bytes.HasPrefix(rest, []byte("?")):
		case bytes.HasPrefix(rest, []byte("/")):
			depth = max(0, depth-1)
		default:
			tag, _, _ := bytes.Cut(rest, []byte(">"))
			if bytes.HasSuffix(tag, []byte("/")) && !bytes.ContainsAny(tag, `"'`) {
				continue
			}
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
		}
	}
}
