// Package origin tells where a request comes from, for what is shared out among those who ask.
// It imports no other package of this project. Begin with Address.
package origin

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Address is the remote address of a request without its port: what the nearest proxy saw, if one
// is trusted. A name that is no address, as in tests, stays as it is.
func Address(r *http.Request, trustForwarded bool) string {
	if trustForwarded {
		hops := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if ip := net.ParseIP(strings.TrimSpace(hops[len(hops)-1])); ip != nil {
			return ip.String()
		}
	}
	return Host(r.RemoteAddr)
}

// Host is an address without its port.
func Host(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// Network is the address of whoever has it: of IPv6 the first half, as the second one is theirs to
// choose.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
