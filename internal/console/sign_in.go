package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/audit"
	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// The prefix __Host- binds a cookie to this host and to HTTPS (RFC 6265bis section 4.1.3.2).
const sessionCookie = "__Host-syncpayloads"

// signInPage is what the page to sign in shows.
type signInPage struct {
	Return   string
	Code     string // of a link that signs in once; empty: there is none
	Provider string // host of the identity provider; empty: there is none
	Message  string // why it did not work; empty: nothing was tried
}

func (v *visit) signInData() signInPage {
	data := signInPage{Return: localPath(v.r.FormValue("return"))}
	if v.config.SignIn != nil {
		data.Provider = v.config.SignIn.Host()
	}
	return data
}

// signInPage asks for a token. With a code, which a browser that merely looks ahead must not use
// up, it sends the code on by a form.
func (v *visit) signInPage() error {
	data := v.signInData()
	if data.Code = v.r.URL.Query().Get("code"); data.Code != "" {
		v.w.Header().Set("Referrer-Policy", "no-referrer")
		return v.render("sign_in_link", "Sign in", data)
	}
	if v.authenticate() == nil {
		v.redirect(data.Return)
		return nil
	}
	return v.render("sign_in", "Sign in", data)
}

// signIn takes the form with a local token, or with a link's code.
func (v *visit) signIn() error {
	if wait := v.failures.wait(v.address()); wait > 0 {
		seconds := int(wait.Round(time.Second) / time.Second)
		v.w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return &refusal{http.StatusTooManyRequests,
			fmt.Sprintf("Too many attempts to sign in failed from your address. Wait %d seconds, then try again.", seconds)}
	}
	if err := v.r.ParseForm(); err != nil {
		return badForm(err)
	}
	secret, who, err := v.present()
	if errors.Is(err, access.ErrUnauthenticated) {
		return v.signInFailed(err,
			"That token or link is not valid. It may have expired, been revoked, or been used before.")
	}
	if err != nil {
		return err
	}
	return v.welcome(secret, who, localPath(v.r.PostForm.Get("return")))
}

// present begins the session of whoever holds what was sent.
func (v *visit) present() (secret string, who *access.Identity, err error) {
	ctx := v.r.Context()
	if code := v.r.PostForm.Get("code"); code != "" {
		return v.config.Sessions.Redeem(ctx, code)
	}
	if who, err = v.config.Tokens.Identify(ctx, strings.TrimSpace(v.r.PostForm.Get("token"))); err != nil {
		return "", nil, err
	}
	secret, err = v.config.Sessions.Begin(ctx, who)
	return secret, who, err
}

// welcome gives the browser its session and sends it to a page.
func (v *visit) welcome(secret string, who *access.Identity, target string) error {
	if err := v.record(sessionSignIn, who, audit.Success, http.StatusSeeOther, ""); err != nil {
		return err
	}
	v.endFormer()
	v.setCookie(sessionCookie, secret, 0)
	v.redirect(target)
	return nil
}

// endFormer ends the session that the browser had before it signed in anew.
func (v *visit) endFormer() {
	cookie, err := v.r.Cookie(sessionCookie)
	if err != nil {
		return
	}
	if err := v.endSession(v.r.Context(), cookie.Value); err != nil {
		v.config.Log.Warn("a session goes on although its browser signed in anew", "err", err)
	}
}

func (v *visit) signInFailed(cause error, message string) error {
	v.failures.failed(v.address())
	v.config.Log.Warn("signing in failed", "address", v.address(), "err", cause)
	if err := v.record(sessionSignIn, nil, audit.Refused, http.StatusUnauthorized,
		cause.Error()); err != nil {
		return err
	}
	data := v.signInData()
	data.Message = message
	return v.renderStatus(http.StatusUnauthorized, "sign_in", "Sign in", data)
}

// The activities of sessions in the audit record.
const (
	sessionSignIn  = "session.signIn"
	sessionSignOut = "session.signOut"
)

// record keeps who signed in or out, or that somebody tried.
func (v *visit) record(activity string, who *access.Identity, result audit.Result, status int,
	reason string) error {
	e := audit.Entry{Activity: activity, Kind: audit.Act, Result: result, Status: status,
		Reason:  reason,
		Request: uuid.NewString(), Actor: audit.Actor{Address: v.address()}}
	if who != nil {
		e.Actor.ID, e.Actor.Name = who.ID, who.Name
	}
	if err := v.config.Audit.Record(context.WithoutCancel(v.r.Context()), e); err != nil {
		return fmt.Errorf("recording %s: %w", activity, err)
	}
	return nil
}

// signOut ends the session. It works for one that has ended already.
func (v *visit) signOut() error {
	if cookie, err := v.r.Cookie(sessionCookie); err == nil {
		// Even if the browser does not wait for the answer.
		if err := v.endSession(context.WithoutCancel(v.r.Context()), cookie.Value); err != nil {
			return err
		}
	}
	v.setCookie(sessionCookie, "", -1)
	v.redirect("/console/sign-in")
	return nil
}

// endSession ends a session. If it was one, that it ended is recorded.
func (v *visit) endSession(ctx context.Context, secret string) error {
	who, err := v.config.Sessions.Check(ctx, secret)
	if errors.Is(err, access.ErrUnauthenticated) {
		return nil // it has ended already
	}
	if err != nil {
		return err
	}
	if err := v.config.Sessions.End(ctx, secret); err != nil {
		return err
	}
	return v.record(sessionSignOut, who, audit.Success, http.StatusSeeOther, "")
}

// setCookie gives the browser a cookie for maxAge seconds; 0: until it is closed, less: it is taken
// away.
func (v *visit) setCookie(name, value string, maxAge int) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode})
}

func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return badRequest("The form that your browser sent cannot be read.")
}

// address is where the visitor is: what the nearest proxy saw, if one is trusted.
func (v *visit) address() string { return origin.Address(v.r, v.config.TrustForwarded) }
