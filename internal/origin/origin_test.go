package origin

import (
	"net/http"
	"testing"
)

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		remote, forwarded string
		trust             bool
		want              string
	}{
		{"192.0.2.1:4711", "", false, "192.0.2.1"},
		{"[2001:db8::1]:4711", "", false, "2001:db8::1"},
		{"192.0.2.1:4711", "198.51.100.7", false, "192.0.2.1"},
		{"192.0.2.1:4711", "198.51.100.7", true, "198.51.100.7"},
		// what the nearest proxy saw
		{"192.0.2.1:4711", "203.0.113.9, 198.51.100.7", true, "198.51.100.7"},
		{"192.0.2.1:4711", "nonsense", true, "192.0.2.1"},
		{"pipe", "", false, "pipe"},
	} {
		r := &http.Request{RemoteAddr: c.remote,
			Header: http.Header{"X-Forwarded-For": {c.forwarded}}}
		if got := Address(r, c.trust); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// Who has an IPv6 network has every address of it.
func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::9": "2001:db8:1:2::/64",
		"2001:db8:1:3::9": "2001:db8:1:3::/64", "fe80::1%eth0": "fe80::/64",
		"::ffff:192.0.2.1": "::ffff:192.0.2.1", "pipe": "pipe",
	} {
		if got := Network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
