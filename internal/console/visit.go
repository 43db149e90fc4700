package console

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// visit is one request and its answer.
type visit struct {
	*console
	w      http.ResponseWriter
	r      *http.Request
	secret string            // of the session; empty: nobody has signed in
	caller *access.Principal // who has; nil: nobody
}

// refreshHeader marks the requests by which the script keeps a page up to date. They do not prolong
// a session.
const refreshHeader = "Syncpayloads-Refresh"

// open serves a route to everybody.
func (c *console) open(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.serve(rt, &visit{console: c, w: w, r: r})
	})
}

// private serves a route to those who have signed in, and sends the others to do so.
func (c *console) private(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{console: c, w: w, r: r}
		err := v.authenticate()
		if err == nil {
			err = v.limit()
		}
		switch {
		case errors.Is(err, access.ErrUnauthenticated):
			v.sendToSignIn()
		case err != nil:
			v.fail(err)
		default:
			c.serve(rt, v)
		}
	})
}

// limit refuses a caller who asks for too much. A page counts as one call of the API, however many
// it is made of.
func (v *visit) limit() error {
	wait, ok := v.config.Limit(v.caller.ID)
	if ok {
		return nil
	}
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	return &refusal{http.StatusTooManyRequests,
		fmt.Sprintf("You ask for more pages a second than one caller may. Wait %d seconds, then load the page again.", seconds)}
}

func (c *console) serve(rt route, v *visit) {
	limit := rt.body
	if limit == 0 {
		limit = formLimit
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, limit)
	if err := rt.handle(v); err != nil {
		v.fail(err)
	}
}

// authenticate finds out whose session the browser has; access.ErrUnauthenticated if it has none.
func (v *visit) authenticate() error {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return access.ErrUnauthenticated
	}
	identify := v.config.Sessions.Identify
	if v.r.Header.Get(refreshHeader) != "" {
		identify = v.config.Sessions.Check
	}
	caller, err := v.admit(v.r.Context(), cookie.Value, identify)
	if err != nil {
		return err
	}
	v.secret, v.caller = cookie.Value, caller
	return nil
}

func (c *console) admit(ctx context.Context, secret string,
	identify func(context.Context, string) (*access.Identity, error)) (*access.Principal, error) {
	who, err := identify(ctx, secret)
	if err != nil {
		return nil, err
	}
	return c.config.Gate.Admit(ctx, who)
}

// sendToSignIn has the browser come back to a page that it asked for. What it posted is lost.
func (v *visit) sendToSignIn() {
	// a redirect would tell a stream's reader nothing
	if strings.HasSuffix(v.r.URL.Path, "/events") {
		http.Error(v.w, "Sign in first.", http.StatusUnauthorized)
		return
	}
	target := "/console/sign-in"
	if v.r.Method == http.MethodGet && v.r.URL.RequestURI() != "/console/" {
		target += "?" + url.Values{"return": {v.r.URL.RequestURI()}}.Encode()
	}
	v.redirect(target)
}

// localPath is a page of the console to return to: what it was given, if that is one, or else the
// first. A browser must not be sent anywhere else by a link that somebody made.
func localPath(target string) string {
	const home = "/console/"
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		strings.ContainsAny(target, "\\\r\n\t") ||
		!strings.HasPrefix(u.Path, home) || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") {
		return home
	}
	return u.RequestURI()
}

func (v *visit) redirect(target string) { http.Redirect(v.w, v.r, target, http.StatusSeeOther) }

// may reports whether the caller has all the rights somewhere.
func (v *visit) may(rights ...access.Right) bool {
	if v.caller == nil {
		return false
	}
	for _, r := range rights {
		if len(v.caller.Scope(r)) == 0 {
			return false
		}
	}
	return true
}

// refusal is an error that the visitor is told, as a sentence.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

func badRequest(format string, args ...any) error {
	return &refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func (v *visit) missing() error {
	return &refusal{http.StatusNotFound, "There is no such page."}
}

func (v *visit) crossOrigin() error {
	return &refusal{http.StatusForbidden,
		"This was sent by another site, so nothing was done. Open the console itself and try again there."}
}

// failure is what the error page shows.
type failure struct {
	Status  int
	Message string
	Request string // id under which the server's log has the cause; empty: there is no more to know
}

// fail shows an error.
func (v *visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		// The visitor has gone, or seems to have: to answer nothing would be 200.
		http.Error(v.w, "The server is busy. Load the page again.", http.StatusServiceUnavailable)
		return
	}
	shown := failure{Status: http.StatusInternalServerError,
		Message: "The server failed to show this page. Its log has the cause."}
	var told *refusal
	var answer *apiError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &told):
		shown = failure{Status: told.status, Message: told.message}
	case errors.As(err, &answer):
		shown = failure{Status: answer.Status, Message: answer.Message}
		if answer.Status >= http.StatusInternalServerError {
			shown.Request = answer.Request
		}
	case errors.As(err, &tooLarge):
		shown = failure{Status: http.StatusRequestEntityTooLarge,
			Message: "That is more than this page takes."}
	}
	if shown.Status >= http.StatusInternalServerError {
		v.config.Log.Error("page failed", "method", v.r.Method, "path", v.r.URL.Path, "err", err)
	}
	if err := v.renderStatus(shown.Status, "error", http.StatusText(shown.Status),
		shown); err != nil {
		v.config.Log.Error("the error page failed", "path", v.r.URL.Path, "err", err)
		http.Error(v.w, shown.Message, shown.Status)
	}
}
