package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// attemptCookie keeps an attempt to sign in at the identity provider in the browser that makes it, so that nobody can
// have another browser finish it.
const (
	attemptCookie  = "__Host-syncpayloads-attempt"
	attemptSeconds = 10 * 60
)

type attempt struct {
	access.SignInAttempt
	Return string `json:"return"`
}

// signInElsewhere sends the browser to the identity provider.
func (v *visit) signInElsewhere() error {
	if v.SignIn == nil {
		return v.missing()
	}
	address, made, err := v.SignIn.Start(v.r.Context())
	if err != nil {
		return v.elsewhereFailed(err)
	}
	text, err := json.Marshal(attempt{made, localPath(v.r.FormValue("return"))})
	if err != nil {
		return err
	}
	v.setCookie(attemptCookie, base64.RawURLEncoding.EncodeToString(text), attemptSeconds)
	v.redirect(address)
	return nil
}

// signedInElsewhere is where the identity provider sends the browser back to.
func (v *visit) signedInElsewhere() error {
	if v.SignIn == nil {
		return v.missing()
	}
	var made attempt
	if cookie, err := v.r.Cookie(attemptCookie); err == nil {
		text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err == nil {
			err = json.Unmarshal(text, &made)
		}
		if err != nil {
			made = attempt{} // it is refused below
		}
	}
	v.setCookie(attemptCookie, "", -1)
	who, err := v.SignIn.Finish(v.r.Context(), made.SignInAttempt, v.r.URL.Query())
	if errors.Is(err, access.ErrUnauthenticated) {
		return v.signInFailed(err, "Signing in at the identity provider did not work. Try again; if it fails again, the server's log says why.")
	}
	if err != nil {
		return v.elsewhereFailed(err)
	}
	secret, err := v.Sessions.Begin(v.r.Context(), who)
	if err != nil {
		return err
	}
	return v.welcome(secret, who, localPath(made.Return))
}

func (v *visit) elsewhereFailed(err error) error {
	v.Log.Error("the identity provider cannot be asked", "err", err)
	return &refusal{http.StatusBadGateway, "The identity provider cannot be reached at the moment. Try again soon; the server's log has the cause."}
}
