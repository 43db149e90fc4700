package notify

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"syscall"

	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// special lists address ranges that lead to this network, to this machine, or nowhere (IANA IPv4
// and IPv6 Special-Purpose Address Registries). The metadata services of clouds are in them, except
// for Azure's 168.63.129.16, which is added.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var (
	globalIPv6 = netip.MustParsePrefix("2000::/3") // all IPv6 outside of it is special
	// its last four bytes are an IPv4 address (RFC 6052)
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// guard decides to which addresses notifications may be sent, so that a subscriber cannot make the
// server send requests into its own network.
type guard struct{ allow []netip.Prefix }

func (g guard) permits(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.ContainsFunc(g.allow, in):
		return true
	case nat64.Contains(addr):
		bytes := addr.As16()
		return g.permits(netip.AddrFrom4([4]byte(bytes[12:])))
	case addr.Is6() && !globalIPv6.Contains(addr):
		return false
	default:
		return addr.IsValid() && !slices.ContainsFunc(special, in)
	}
}

// errAddress refuses an address. It does not say which, because whoever gave a host name must not
// learn what it resolves to in this network.
type errAddress struct{}

func (errAddress) Error() string {
	return "its address is private or special, and notifications do not go there " +
		"unless the operator allows it (--notify-allow)"
}

// control is a net.Dialer's Control. It sees the address to which the connection really goes, so a
// name that resolves to another address later is caught, too.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !g.permits(to.Addr()) {
		return errAddress{}
	}
	return nil
}

// checkURL refuses a URL to which notifications cannot be sent. The error is an *invalid.Input.
// What a host name resolves to is checked when it is dialled.
func (s *Service) checkURL(property, text string) error {
	refused := func(format string, args ...any) error {
		return &invalid.Input{Property: property, Reason: fmt.Sprintf(format, args...)}
	}
	u, err := url.Parse(text)
	switch {
	case len(text) > urlMax:
		return refused("a URL of more than %d characters is not possible", urlMax)
	case err != nil || u.Hostname() == "":
		return refused("it must be a URL such as https://example.com/notifications")
	case u.Scheme != "https" && u.Scheme != "http":
		return refused("its scheme must be https")
	case u.Scheme == "http" && !s.config.AllowHTTP:
		return refused("its scheme must be https, " +
			"unless the operator allows http (--notify-allow-http)")
	case u.User != nil:
		return refused("it must have no user and password: " +
			"give a clientState, or verify the signature")
	case u.Fragment != "":
		return refused("it must have no fragment")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil &&
		!(guard{s.config.Allow}).permits(addr) {
		return refused("%s", errAddress{})
	}
	return nil
}
