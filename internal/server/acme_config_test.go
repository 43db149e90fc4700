package server_test

import (
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/server"
)

func TestACMERefusesBadConfigurations(t *testing.T) {
	const on = "https://mdm.example.com"
	good := server.ACME{Domains: []string{"mdm.example.com"}, AcceptTerms: true}
	domain := func(d string) func(*server.Config) {
		return func(c *server.Config) { c.ACME.Domains = []string{d} }
	}
	for name, c := range map[string]struct {
		url, says string
		change    func(*server.Config)
	}{
		"no terms": {on, "terms of service",
			func(c *server.Config) { c.ACME.AcceptTerms = false }},
		"no URL": {"", "among the ACME domains", func(*server.Config) {}},
		"another host": {"https://other.example.com", "among the ACME domains",
			func(*server.Config) {}},
		"a part": {"https://example.com", "among the ACME domains",
			func(*server.Config) {}},
		"an address": {"https://192.0.2.1", "full domain name", domain("192.0.2.1")},
		"no dot":     {"https://mdm", "full domain name", domain("mdm")},
		"wildcard":   {on, "full domain name", domain("*.example.com")},
		"not ASCII":  {on, "ASCII", domain("bücher.example")},
		"plain directory": {on, "directory",
			func(c *server.Config) { c.ACME.Directory = "http://ca.example/dir" }},
		"root is no PEM": {on, "PEM", func(c *server.Config) { c.ACME.RootPEM = []byte("x") }},
		"a certificate": {on, "choose",
			func(c *server.Config) { c.TLSCertFile, c.TLSKeyFile = "x", "y" }},
		"half a signer": {on, "both files", func(c *server.Config) { c.SigningCertFile = "x" }},
	} {
		t.Run(name, func(t *testing.T) {
			config := server.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", URL: c.url,
				ACME: good}
			c.change(&config)
			if s, err := server.Start(t.Context(), config); err == nil ||
				!strings.Contains(err.Error(), c.says) {
				t.Errorf("started with %v", err)
				if s != nil {
					_ = s.Close(t.Context())
				}
			}
		})
	}
}
