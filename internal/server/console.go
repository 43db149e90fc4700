package server

import (
	"errors"
	"net/http"

	"github.com/syncpayloads/syncpayloads/internal/access"
	"github.com/syncpayloads/syncpayloads/internal/console"
	"github.com/syncpayloads/syncpayloads/internal/graph"
)

// callbackPath is where the identity provider sends browsers after they signed in.
const callbackPath = "/console/oidc/callback"

// useConsole prepares how people sign in to the console. provider is nil if there is none.
func (s *Server) useConsole(c Config, provider *access.Provider) (err error) {
	s.sessions = access.NewSessions(s.store, c.SessionIdle, c.Clock.Now)
	if c.SignIn.ClientID == "" {
		return nil
	}
	if provider == nil {
		return errors.New("signing in with a client id needs an identity provider")
	}
	c.SignIn.RedirectURL = s.url + callbackPath
	s.signIn, err = access.NewSignIn(provider, c.SignIn)
	return err
}

// console returns the console: web pages that call the API.
func (s *Server) console(c Config, api http.Handler, limiter *graph.Limiter,
	recorder console.Recorder) http.Handler {
	return console.New(console.Config{API: api, Forms: s.forms,
		Platforms: s.platforms.descriptions(), Sessions: s.sessions,
		Tokens: s.tokens, Gate: s.gate, Audit: recorder,
		Nouns: graph.Nouns(s.forms), SignIn: s.signIn,
		URL: s.url, TrustForwarded: c.TrustForwarded, Limit: limiter.Take,
		RestoreAfter: c.RestoreAfter, Now: c.Clock.Now, Log: c.Log})
}

// Sessions keeps the sessions of people who have signed in to the console.
func (s *Server) Sessions() *access.Sessions { return s.sessions }
