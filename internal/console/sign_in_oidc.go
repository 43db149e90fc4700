package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/lane"
	"github.com/syncpayloads/syncpayloads/internal/origin"
)

// attemptCookie keeps an attempt to sign in at the identity provider in the browser that makes it,
// so that nobody can have another browser finish it.
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
	if v.config.SignIn == nil {
		return v.missing()
	}
	var address string
	var made access.SignInAttempt
	err := v.askProvider(func() (err error) {
		address, made, err = v.config.SignIn.Start(v.r.Context())
		return err
	})
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
	if v.config.SignIn == nil {
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
	var who *access.Identity
	err := v.askProvider(func() (err error) {
		who, err = v.config.SignIn.Finish(v.r.Context(), made.SignInAttempt, v.r.URL.Query())
		return err
	})
	if errors.Is(err, access.ErrUnauthenticated) {
		return v.signInFailed(err,
			"Signing in at the identity provider did not work. Try again; if it fails again, the server's log says why.")
	}
	if err != nil {
		return v.elsewhereFailed(err)
	}
	secret, err := v.config.Sessions.Begin(v.r.Context(), who)
	if err != nil {
		return err
	}
	return v.welcome(secret, who, localPath(made.Return))
}

// So many may ask the identity provider at once, and wait for that.
const (
	askAtOnce  = 64
	askWaiting = 256
)

// askProvider asks the identity provider, which may take its time, so that nobody else waits for
// it.
func (v *visit) askProvider(do func() error) error {
	ctx := v.r.Context()
	return lane.Outside(ctx, func() error {
		if err := v.asking.Enter(ctx, lane.Client{Owner: origin.Network(v.address())},
			1); err != nil {
			return err
		}
		defer v.asking.Leave(1)
		return do()
	})
}

func (v *visit) elsewhereFailed(err error) error {
	if errors.Is(err, lane.ErrFull) {
		return &refusal{http.StatusServiceUnavailable,
			"Too many people sign in at the moment. Try again in some seconds."}
	}
	v.config.Log.Error("the identity provider cannot be asked", "err", err)
	return &refusal{http.StatusBadGateway,
		"The identity provider cannot be reached at the moment. Try again soon; the server's log has the cause."}
}
