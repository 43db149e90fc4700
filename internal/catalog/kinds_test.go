package catalog_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/catalog"
)

func TestKind(t *testing.T) {
	const wifi, root, scep, p12 = "com.apple.wifi.managed", "com.apple.security.root", "com.apple.security.scep", "com.apple.security.pkcs12"
	for _, c := range []struct {
		want  string
		types []string
	}{
		{"wiFi", []string{wifi}}, {"wiFi", []string{wifi, wifi}}, {"wiFi", []string{root, wifi, scep}},
		{"vpn", []string{"com.apple.vpn.managed"}}, {"vpn", []string{"com.apple.vpn.managed.applayer", p12}},
		{"email", []string{"com.apple.mail.managed"}}, {"email", []string{"com.apple.eas.account", p12, root}},
		{"trustedCertificate", []string{root}}, {"trustedCertificate", []string{root, "com.apple.security.pem", "com.apple.security.pkcs1"}},
		{"scepCertificate", []string{scep}}, {"pkcsCertificate", []string{p12}}, {"custom", []string{scep, root}},
		{"deviceRestrictions", []string{"com.apple.applicationaccess"}},
		{"deviceRestrictions", []string{"com.apple.applicationaccess", "com.apple.mobiledevice.passwordpolicy"}},
		{"deviceFeatures", []string{"com.apple.homescreenlayout"}},
		{"custom", []string{"com.apple.homescreenlayout", root}}, {"custom", []string{wifi, "com.apple.vpn.managed"}},
		{"custom", []string{"com.example.unknown"}}, {"custom", []string{wifi, "com.example.unknown"}}, {"custom", nil},
	} {
		if got := catalog.Kind(c.types); got != c.want {
			t.Errorf("%v: %q, want %q", c.types, got, c.want)
		}
	}
}
