package access_test

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/access"
)

// What an issuer may answer instead of its documents.
func TestProviderDoesNotTakeEverything(t *testing.T) {
	i, clock := startIssuer(t), newHands()
	token := i.sign("first", i.claims(clock.now(), nil))
	metadata := func(keys string) string {
		return `{"issuer":"HERE","jwks_uri":"` + keys +
			`","id_token_signing_alg_values_supported":["RS256"]}`
	}
	var plain atomic.Int64
	unsafe := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		plain.Add(1)
	}))
	defer unsafe.Close()
	large := strings.Repeat(" ", 2<<20)
	for name, c := range map[string]struct{ metadata, keys, reason string }{
		"metadata are no JSON":   {"hello", "", "could not unmarshal|expected Content-Type"},
		"metadata are too large": {large + metadata("HERE/keys"), `{"keys":[]}`, "too large"},
		"metadata elsewhere":     {unsafe.URL, "", "redirects"},
		"no algorithms": {`{"issuer":"HERE","jwks_uri":"HERE/keys"}`, `{"keys":[]}`,
			"asymmetric"},
		"no address of keys":      {metadata(""), "", "not an https URL"},
		"keys at a plain address": {metadata(unsafe.URL), "", "not an https URL"},
		"keys are elsewhere":      {metadata("HERE/keys"), unsafe.URL, "redirects"},
		"keys are not found":      {metadata("HERE/nowhere"), "", "404"},
		"keys are too large":      {metadata("HERE/keys"), large + `{"keys":[]}`, "too large"},
		"keys are no JSON":        {metadata("HERE/keys"), "hello", "invalid character"},
		"keys are no set":         {metadata("HERE/keys"), `{"error":"try later"}`, "not a set"},
	} {
		t.Run(name, func(t *testing.T) {
			var here string
			answer := func(w http.ResponseWriter, r *http.Request, body string) {
				if strings.HasPrefix(body, "http://") {
					http.Redirect(w, r, body, http.StatusFound)
					return
				}
				w.Header().Set("Content-Type", "application/json")
				// the client may hang up
				_, _ = io.WriteString(w, strings.ReplaceAll(body, "HERE", here))
			}
			mux := http.NewServeMux()
			mux.HandleFunc("/.well-known/openid-configuration",
				func(w http.ResponseWriter, r *http.Request) {
					answer(w, r, c.metadata)
				})
			mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
				answer(w, r, c.keys)
			})
			server := httptest.NewTLSServer(mux)
			defer server.Close()
			here = server.URL
			p := newProvider(t, i, clock.now, func(config *access.ProviderConfig) {
				config.Issuer, config.CAs = here, x509.NewCertPool()
				config.CAs.AddCert(server.Certificate())
			})
			_, err := p.Identify(t.Context(), token)
			if err == nil || errors.Is(err, access.ErrUnauthenticated) ||
				!regexp.MustCompile(c.reason).MatchString(err.Error()) {
				t.Errorf("got error %v, want one about %q that is not ErrUnauthenticated", err,
					c.reason)
			}
		})
	}
	if n := plain.Load(); n != 0 {
		t.Errorf("the plain address was asked %d times", n)
	}
}
