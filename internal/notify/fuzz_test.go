package notify

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/cost"
	"github.com/syncpayloads/syncpayloads/internal/invalid"
)

// FuzzAddress holds that no spelling of an address in IPv6 leads to where the address itself must
// not go.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "10.1.2.3", "8.8.8.8", "::1", "fe80::1", "fc00::1",
		"ff02::1", "2606:4700::1", "64:ff9b::7f00:1", "::ffff:192.168.0.1",
		"2002:7f00:1::", "169.254.169.254"} {
		f.Add(netip.MustParseAddr(seed).AsSlice())
	}
	inner := func(a netip.Addr) bool {
		return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() ||
			a.IsUnspecified() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		defer cost.Input(t)()
		addr, ok := netip.AddrFromSlice(bytes)
		if !ok {
			return
		}
		permitted := guard{}.permits(addr)
		if permitted && inner(addr.Unmap()) {
			t.Fatalf("%s is permitted", addr)
		}
		if !(guard{[]netip.Prefix{netip.PrefixFrom(addr.Unmap(),
			addr.Unmap().BitLen())}}).permits(addr) {
			t.Fatalf("%s is allowed, and not permitted", addr)
		}
		if addr.Is4() {
			four := addr.As4()
			translated := nat64.Addr().As16()
			copy(translated[12:], four[:])
			for _, other := range []netip.Addr{netip.AddrFrom16(addr.As16()),
				netip.AddrFrom16(translated)} {
				if (guard{}).permits(other) != permitted {
					t.Fatalf("%s: %t, %s: %t", addr, permitted, other, !permitted)
				}
			}
			sixToFour := netip.AddrFrom16([16]byte{0x20, 0x02, four[0], four[1], four[2], four[3]})
			if (guard{}).permits(sixToFour) {
				t.Fatalf("%s is permitted", sixToFour)
			}
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"https://example.com/hook?x=1", "http://example.com",
		"https://me:x@example.com", "https://[::1]:8443/", "https://10.0.0.1",
		"//example.com", "https:x", "https://example.com/#a", "https://exa mple.com",
		"https://%31%32%37.0.0.1/", "https://127.0.0.1.:443/", "https://[fe80::1%25eth0]/"} {
		f.Add(seed)
	}
	s := &Service{}
	f.Fuzz(func(t *testing.T, text string) {
		defer cost.Input(t)()
		err := s.checkURL("notificationUrl", text)
		if err != nil {
			var wrong *invalid.Input
			if !errors.As(err, &wrong) {
				t.Fatal(err)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
			len(text) > urlMax {
			t.Fatalf("%q was taken", text)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && !(guard{}).permits(addr) {
			t.Fatalf("%q was taken", text)
		}
	})
}

func TestResourceInAnyCase(t *testing.T) {
	for _, text := range []string{"deviceManagement/comanagedDevices/abc",
		"devicemanagement/comanageddevices/ABC", "/DEVICEMANAGEMENT/COMANAGEDDEVICES/Abc"} {
		if set, device, err := resource(text); set != "comanagedDevices" || device != "abc" ||
			err != nil {
			t.Errorf("%s is %s and %s, %v", text, set, device, err)
		}
	}
}

func FuzzResource(f *testing.F) {
	for _, seed := range []string{"deviceManagement/managedDevices",
		"/deviceManagement/comanagedDevices/ABC", "deviceManagement/managedDevices/", "//",
		"users/x",
		"deviceManagement/managedDevices/a/b"} {
		f.Add(seed, "updated")
	}
	f.Add("", "updated,created")
	f.Add("", " updated , updated")
	f.Add("", "deleted,,created")
	f.Fuzz(func(t *testing.T, text, change string) {
		defer cost.Input(t)()
		if set, device, err := resource(text); err == nil {
			want := "deviceManagement/" + set
			if device != "" {
				want += "/" + string(device)
			}
			if strings.Contains(string(device), "/") ||
				!strings.EqualFold(strings.TrimPrefix(text, "/"), want) ||
				set != "managedDevices" && set != "comanagedDevices" {
				t.Fatalf("%q was taken for %s and %q", text, set, device)
			}
		}
		if got, err := changeType(change); err == nil && !sameChanges(got, change) {
			t.Fatalf("%q was taken for %q", change, got)
		}
	})
}

// sameChanges reports whether a list of changes has each known change that another has, once, and
// no other.
func sameChanges(got, text string) bool {
	asked := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		asked[strings.TrimSpace(part)] = true
	}
	for change := range strings.SplitSeq(got, ",") {
		if !asked[change] || change != Created && change != Updated && change != Deleted {
			return false
		}
		delete(asked, change)
	}
	return len(asked) == 0
}
