package server

import (
	"net"
	"net/http"
	"strings"
)

// withSecurityHeaders sets headers on every answer that keep browsers from misusing it. A handler
// that serves a page replaces Content-Security-Policy with its own. The ResponseWriter is passed on
// unwrapped, because streams must be able to flush it.
func withSecurityHeaders(next http.Handler, strictTransport bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer") // enrollment links are secrets
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if strictTransport {
			h.Set("Strict-Transport-Security", "max-age=63072000") // two years
		}
		next.ServeHTTP(w, r)
	})
}

// mayRequireHTTPS reports whether browsers may be told to use only HTTPS with the host
// (Strict-Transport-Security, RFC 6797). A browser remembers that for every port of the name, and
// from then on lets nobody past a certificate that it does not trust. So it is not said for
// localhost, whose ports belong to many programs, nor under the server's own CA, which must be
// trusted anew if it is ever lost. Browsers ignore it for IP addresses.
func mayRequireHTTPS(host string, i *serverIdentity) bool {
	host = strings.ToLower(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		net.ParseIP(host) != nil
	return i.caFile == "" && !local
}
