package server

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"runtime/debug"
)

// Version returns the version of the program and the revision of its source, as the build recorded
// them; empty if it did not.
func Version() (version, revision string) {
	version = "(devel)"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, ""
	}
	if info.Main.Version != "" {
		version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			revision = setting.Value
		}
	}
	return version, revision
}

// leaf returns the TLS certificate that the server shows; nil: it has none.
func (i *serverIdentity) leaf() *x509.Certificate {
	shown, err := i.certificate(&tls.ClientHelloInfo{})
	if err != nil || len(shown.Certificate) == 0 {
		return nil
	}
	c, err := x509.ParseCertificate(shown.Certificate[0])
	if err != nil {
		return nil
	}
	return c
}

// logLastUseError logs that the times when tokens were last used could not be stored.
func logLastUseError(log *slog.Logger) func(error) {
	return func(err error) { log.Error("when tokens were last used is written later", "err", err) }
}
