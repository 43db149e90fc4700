package payload_test

import (
	"testing"

	"github.com/syncpayloads/syncpayloads/internal/apple/payload"
)

func TestKind(t *testing.T) {
	const wifi, root, scep, p12 = "com.apple.wifi.managed", "com.apple.security.root",
		"com.apple.security.scep", "com.apple.security.pkcs12"
	const acme, ad = "com.apple.security.acme", "com.apple.ADCertificate.managed"
	for _, c := range []struct {
		want  string
		types []string
	}{
		{"wiFi", []string{wifi}}, {"wiFi", []string{wifi, wifi}},
		{"wiFi", []string{root, wifi, scep}},
		{"vpn", []string{"com.apple.vpn.managed"}},
		{"vpn", []string{"com.apple.vpn.managed.applayer", p12}},
		{"email", []string{"com.apple.mail.managed"}},
		{"email", []string{"com.apple.eas.account", p12, root}},
		{"trustedCertificate", []string{root}},
		{"trustedCertificate", []string{root, "com.apple.security.pem",
			"com.apple.security.pkcs1"}},
		{"scepCertificate", []string{scep}}, {"pkcsCertificate", []string{p12}},
		{"custom", []string{scep, root}},
		{"deviceRestrictions", []string{"com.apple.applicationaccess"}},
		{"deviceRestrictions", []string{"com.apple.applicationaccess",
			"com.apple.mobiledevice.passwordpolicy"}},
		{"deviceFeatures", []string{"com.apple.homescreenlayout"}},
		{"custom", []string{"com.apple.homescreenlayout", root}},
		{"custom", []string{wifi, "com.apple.vpn.managed"}},
		{"wiFi", []string{wifi, acme}}, {"wiFi", []string{root, acme, wifi}},
		{"wiFi", []string{ad, wifi, root}},
		{"wiFi", []string{p12, wifi}}, {"wiFi",
			[]string{wifi, scep, "com.apple.security.identitypreference"}},
		{"vpn", []string{"com.apple.vpn.managed", acme}},
		{"vpn", []string{"com.apple.vpn.managed", ad}},
		{"vpn", []string{scep, "com.apple.vpn.managed", "com.apple.vpn.managed.appmapping", root}},
		{"email", []string{"com.apple.mail.managed", acme}},
		{"email", []string{"com.apple.ews.account", ad, root}},
		{"email", []string{"com.apple.eas.account", scep}},
		{"custom", []string{acme}}, {"custom", []string{ad}}, {"custom", []string{acme, root}},
		{"custom", []string{acme, ad}},
		{"custom", []string{wifi, "com.apple.vpn.managed", acme}},
		{"custom", []string{"com.apple.applicationaccess", acme}},
		{"custom", []string{"com.example.unknown"}},
		{"custom", []string{wifi, "com.example.unknown"}}, {"custom", nil},
	} {
		if got := payload.Kind(c.types); got != c.want {
			t.Errorf("%v: %q, want %q", c.types, got, c.want)
		}
	}
}
