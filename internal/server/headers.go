package server

import (
	"net"
	"net/http"
	"strings"
)

// secured sets headers on every answer that keep browsers from doing with it what nobody means. A
// handler that serves a page replaces Content-Security-Policy with one of its own. The writer is
// passed on as it is: streams flush it.
func secured(next http.Handler, strictTransport bool) http.Handler {
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

// strictTransport tells whether browsers may be told to use nothing but HTTPS with the host (RFC
// 6797). They remember it for every port of the name, and then let nobody past a certificate they
// do not trust. So this is not for localhost, whose ports belong to many programs, nor under the
// server's own CA, which has to be trusted anew after it was lost. For addresses browsers ignore
// it.
func strictTransport(host string, i *serverIdentity) bool {
	host = strings.ToLower(host)
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		net.ParseIP(host) != nil
	return i.caFile == "" && !local
}
