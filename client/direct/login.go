package direct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/syncpayloads/syncpayloads/internal/limit"
)

// Login is a person's sign-in to a Graph, kept in a file that only they can read. It is a
// tenant.TokenSource.
type Login struct {
	file string
	kept kept
	mu   sync.Mutex
}

// kept is what the file has.
type kept struct {
	Graph     string    `json:"graph"`
	Authority string    `json:"authority"`
	TenantID  string    `json:"tenant"`
	ClientID  string    `json:"clientId"`
	Access    string    `json:"accessToken"`
	Refresh   string    `json:"refreshToken"`
	Expiry    time.Time `json:"expiry"`
}

const (
	largestLogin = 1 << 20 // bytes of an answer of the token service, and of the file
	askFor       = time.Minute
	renewAhead   = 5 * time.Minute
)

// Code is what a person enters to sign in.
type Code struct {
	UserCode string
	Address  string
	Expires  time.Time
}

// SignIn signs a person in by a device code (RFC 8628): show is given the code, and SignIn waits
// until they entered it. folder is where sign-ins are kept; the file is for its owner alone.
func SignIn(ctx context.Context, folder string, c Config, show func(Code)) (*Login, error) {
	graph, authority, err := place(c.URL, c.Authority)
	if err != nil {
		return nil, err
	}
	if c.TenantID == "" {
		c.TenantID = "organizations"
	}
	l := &Login{file: loginFile(folder, graph), kept: kept{Graph: graph, Authority: authority,
		TenantID: c.TenantID, ClientID: c.ClientID}}
	flow := l.flow()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, loginHTTP())
	code, err := flow.DeviceAuth(ctx)
	if err != nil {
		return nil, signInError("no code was given to sign in with", err)
	}
	show(Code{code.UserCode, code.VerificationURI, code.Expiry})
	got, err := flow.DeviceAccessToken(ctx, code)
	if err != nil {
		return nil, signInError("nobody was signed in", err)
	}
	l.take(got)
	return l, l.store()
}

// OpenLogin reads the sign-in to a Graph; nil: there is none.
func OpenLogin(folder, address string) (*Login, error) {
	address = strings.TrimRight(address, "/")
	l := &Login{file: loginFile(folder, address)}
	file, err := os.Open(l.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the sign-in: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, largestLogin))
	if err != nil {
		return nil, fmt.Errorf("reading the sign-in: %w", err)
	}
	if json.Unmarshal(text, &l.kept) != nil || !strings.EqualFold(l.kept.Graph, address) {
		return nil, fmt.Errorf("%s is no sign-in to %s: run `syncpayloads login` again", l.file,
			address)
	}
	// The file says where the refresh token is sent, so it is held to the same rule.
	_, _, err = place(l.kept.Graph, l.kept.Authority)
	return l, err
}

// Authority is where the sign-in's tokens come from.
func (l *Login) Authority() string { return l.kept.Authority }

// File is where the sign-in is kept.
func (l *Login) File() string { return l.file }

func loginFile(folder, graph string) string {
	u, err := url.Parse(graph)
	if err != nil {
		u = new(url.URL)
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-' {
			return r
		}
		return '_'
	}, strings.ToLower(u.Host))
	return filepath.Join(folder, "login-"+name+".json")
}

func (l *Login) flow() *oauth2.Config {
	at := l.kept.Authority + "/" + url.PathEscape(l.kept.TenantID) + "/oauth2/v2.0/"
	return &oauth2.Config{ClientID: l.kept.ClientID,
		Scopes: []string{l.kept.Graph + "/.default", "offline_access"},
		Endpoint: oauth2.Endpoint{DeviceAuthURL: at + "devicecode", TokenURL: at + "token",
			AuthStyle: oauth2.AuthStyleInParams}}
}

// loginHTTP follows no redirect, so that nothing goes to another host, and bounds answers.
func loginHTTP() *http.Client {
	return &http.Client{Timeout: askFor,
		Transport: limit.Answers(http.DefaultTransport, largestLogin),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
}

// Token returns the token, a new one if it ends soon.
func (l *Login) Token(ctx context.Context) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.Access != "" && time.Until(l.kept.Expiry) > renewAhead {
		return l.kept.Access, nil
	}
	if l.kept.Refresh == "" {
		return "", errors.New("the sign-in has ended: run `syncpayloads login` again")
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, loginHTTP())
	got, err := l.flow().TokenSource(ctx, &oauth2.Token{RefreshToken: l.kept.Refresh}).Token()
	if err != nil {
		return "", signInError("the sign-in could not be renewed", err)
	}
	l.take(got)
	return l.kept.Access, l.store()
}

// Drop forgets a token that Graph did not take.
func (l *Login) Drop(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept.Access == token {
		l.kept.Access = ""
	}
}

func (l *Login) take(t *oauth2.Token) {
	l.kept.Access, l.kept.Expiry = t.AccessToken, t.Expiry
	if t.RefreshToken != "" {
		l.kept.Refresh = t.RefreshToken
	}
}

// store writes the file, whole or not at all.
func (l *Login) store() error {
	text, err := json.Marshal(l.kept)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(l.file), 0o700)
	}
	if err != nil {
		return fmt.Errorf("keeping the sign-in: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(l.file), "login-*.tmp") // for its owner alone
	if err != nil {
		return fmt.Errorf("keeping the sign-in: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), l.file)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("keeping the sign-in: %w", err)
	}
	return nil
}

// signInError says what happened in the words of the token service.
func signInError(what string, err error) error {
	var said *oauth2.RetrieveError
	if !errors.As(err, &said) {
		return fmt.Errorf("%s: %w", what, err)
	}
	description, _, _ := strings.Cut(said.ErrorDescription, " Trace ID:")
	description, _, _ = strings.Cut(description, "\n")
	if description == "" {
		description = "the token service's answer cannot be read"
	}
	if said.ErrorCode != "" {
		description += " (" + said.ErrorCode + ")"
	}
	return fmt.Errorf("%s: %s; run `syncpayloads login` again", what, description)
}
