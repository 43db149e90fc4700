package mdm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	mdmhttp "github.com/micromdm/nanomdm/http/mdm"
	"github.com/micromdm/nanomdm/mdm"
	"github.com/micromdm/nanomdm/service"

	"github.com/syncpayloads/syncpayloads/internal/apple/propertylist/tolerant"
)

const (
	// bytes of a check-in message; TokenUpdate with an UnlockToken is a few thousand
	maxCheckin = 256 << 10
	// bytes of an answer to a command; the inventory of a full device is about 1 MB
	maxReport   = 8 << 20
	checkinType = "application/x-apple-aspen-mdm-checkin"
)

func isCheckin(r *http.Request) bool {
	// in lower case; there is one although a parameter is odd
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == checkinType || strings.HasPrefix(r.Header.Get("Content-Type"), checkinType)
}

// readMessage reads the bounded body. A report that is too long to be read goes to tooLong, without
// its body.
func readMessage(next, tooLong http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxReport)
		if isCheckin(r) {
			limit = maxCheckin
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			if !isCheckin(r) {
				r.Body = http.NoBody
				tooLong.ServeHTTP(w, r)
				return
			}
			http.Error(w, fmt.Sprintf("message longer than %d bytes", limit),
				http.StatusRequestEntityTooLarge)
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

// messageHandler takes messages whose sender has proved who it is.
func (c *Channel) messageHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the message ended early", http.StatusBadRequest)
			return
		}
		step, take := "report", c.takeReport
		if isCheckin(r) {
			step, take = "check-in", c.takeCheckin
		}
		answer, err := take(mdmhttp.RequestFromHTTP(r), body)
		c.reply(w, r, step, len(body), answer, err)
	})
}

// tooLongHandler takes reports that are longer than maxReport. Who sends one has to have proved who
// it is without it. Such a report ends the command that it answers as one that cannot be read does,
// because a device that is asked again says it again.
func (c *Channel) tooLongHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message := mdmhttp.RequestFromHTTP(r)
		if err := (verifier{c.ca}).Verify(r.Context(), message.Certificate); err != nil {
			c.reply(w, r, "report", 0, nil, refuse(http.StatusRequestEntityTooLarge,
				"longer than %d bytes: %w", maxReport, err))
			return
		}
		answer, err := c.takeRead(message,
			&report{unread: fmt.Sprintf("the device's answer is longer than %d bytes, so it was not read", maxReport)})
		if refused := new(service.HTTPStatusError); errors.As(err, &refused) &&
			refused.Status == http.StatusBadRequest {
			err = refuse(http.StatusRequestEntityTooLarge, "%w", err)
		}
		c.reply(w, r, "report", 0, answer, err)
	})
}

// reply answers a message: with what the device is to do next, or with why not.
func (c *Channel) reply(w http.ResponseWriter, r *http.Request, step string, read int,
	answer []byte, err error) {
	if err == nil {
		_, _ = w.Write(answer)
		return
	}
	status, said := http.StatusInternalServerError, (*service.HTTPStatusError)(nil)
	if errors.As(err, &said) {
		status = said.Status
	}
	c.log.Info("device message refused", "step", step, "remote", r.RemoteAddr, "bytes", read,
		"http_status", status, "err", err)
	http.Error(w, http.StatusText(status), status)
}

// report is what a device says when it comes for a command: its answer to the last one, or that it
// is idle. What cannot be read is empty.
type report struct {
	mdm.Enrollment
	CommandUUID string
	Status      string
	members     tolerant.Dict
	damage      string // what is wrong with all of it; empty: nothing is
	unread      string // why nothing of it was read; empty: it was
}

// senderMembers tell which device a message is from.
func senderMembers(more tolerant.Wanted) tolerant.Wanted {
	for _, name := range []string{"UDID", "UserID", "UserShortName", "UserLongName", "EnrollmentID",
		"EnrollmentUserID"} {
		more[name] = nil
	}
	return more
}

var errorChainMembers = tolerant.Wanted{"ErrorCode": nil, "ErrorDomain": nil,
	"LocalizedDescription": nil, "USEnglishDescription": nil}

// reportMembers are what a report may tell, of whichever command it is the answer to.
var reportMembers = senderMembers(tolerant.Wanted{
	"CommandUUID": nil, "Status": nil, "ErrorChain": errorChainMembers,
	"RejectionReason":           nil, // InstallApplication
	"Settings":                  {"Status": nil, "ErrorChain": errorChainMembers},
	"ProfileList":               {"PayloadIdentifier": nil, "PayloadUUID": nil},
	"ManagedApplicationList":    {"*": {"Status": nil}},
	"InstalledApplicationList":  installedAppMembers,
	"ApplicationConfigurations": {"Identifier": nil, "Configuration": nil},
	"QueryResponses":            factMembers,
})

func readReport(body []byte) *report {
	m := new(report)
	m.members, m.damage = tolerant.Read(body, reportMembers)
	m.Enrollment = enrollmentIn(m.members)
	m.CommandUUID, m.Status = strings.TrimSpace(text(m.members, "CommandUUID")),
		strings.TrimSpace(text(m.members, "Status"))
	return m
}

// text is a member that is a text, empty if it is none.
func text(d tolerant.Dict, name string) string {
	s, _ := d[name].(string)
	return s
}

func enrollmentIn(d tolerant.Dict) mdm.Enrollment {
	return mdm.Enrollment{UDID: text(d, "UDID"), UserID: text(d, "UserID"),
		UserShortName: text(d, "UserShortName"),
		UserLongName:  text(d, "UserLongName"), EnrollmentID: text(d, "EnrollmentID"),
		EnrollmentUserID: text(d, "EnrollmentUserID")}
}

// nameSender fills in which device a message is from if the message does not say it so that it can
// be read: its identity belongs to one device alone.
func (c *Channel) nameSender(r *mdm.Request, e *mdm.Enrollment) error {
	if r.Certificate == nil || readable(e.UDID) || e.UDID == "" && readable(e.EnrollmentID) {
		return nil
	}
	fingerprint := fingerprint(r.Certificate.Raw)
	_, certificate, err := c.store.Identity(r.Context(), "", fingerprint)
	if err != nil || certificate == nil || certificate.Enrollment == "" {
		return err
	}
	known, _, err := c.store.Identity(r.Context(), certificate.Enrollment, fingerprint)
	if err != nil || known == nil {
		return err
	}
	if e.UDID, e.EnrollmentID = known.ID, ""; known.User {
		e.UDID, e.EnrollmentID = "", known.ID
	}
	return nil
}

func readable(id string) bool { return id != "" && !strings.ContainsRune(id, '\uFFFD') }
